//! How deep a YAML text is nested, found out before it is read: the reader's time grows with the square of the depth.

use saphyr_parser::{Event, Parser};

/// Collections within each other that are read; the reader itself gives up not far above.
const DEEPEST: usize = 128;

/// Line and column, from 1, of the collection that is one too deep.
#[must_use]
pub fn too_deep(text: &str) -> Option<(usize, usize)> {
    // Only collections in brackets cost so much, and hardly any text has as many.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    if brackets.take(DEEPEST + 1).count() <= DEEPEST {
        return None;
    }
    let mut depth = 0_usize;
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                depth += 1;
                if depth > DEEPEST {
                    return Some((span.start.line(), span.start.col() + 1));
                }
            }
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // Where this parser sees a mistake the other says what it is; it may have given up at the depth itself.
    is_steep(text).then_some((1, 1))
}

/// Whether brackets open one after the other further than is read.
fn is_steep(text: &str) -> bool {
    let mut run = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => run += 1,
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b'?' | b':' | b'-' => {}
            _ => run = 0,
        }
        if run > DEEPEST {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded_before_the_text_is_read() {
        let nested = |open: &str, close: &str, depth: usize| {
            too_deep(&format!(
                "x: {}{}\n",
                open.repeat(depth),
                close.repeat(depth)
            ))
            .is_some()
        };
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("[{a: ", "}]")] {
            assert!(!nested(open, close, 40), "{open}");
            assert!(nested(open, close, 20_000), "{open}");
        }
        // Many beside each other are no depth.
        assert_eq!(too_deep(&"- [1, {a: 2}]\n".repeat(5_000)), None);
        // Nor is text.
        assert_eq!(too_deep(&format!("a: '{}'\n", "[x".repeat(500))), None);
    }
}
