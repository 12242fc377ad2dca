//! Finds the nesting depth of a YAML text before it is parsed, because the parser's time grows with the square of the
//! depth.

use saphyr_parser::{Event, Parser};

/// Deepest nesting that is accepted. The parser's own limit is not much higher.
const DEEPEST: usize = 128;

/// Line and column, from 1, of the first collection that is nested too deeply.
#[must_use]
pub fn too_deep(text: &str) -> Option<(usize, usize)> {
    // Only flow collections are that slow, and few texts contain so many of them.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    if brackets.take(DEEPEST + 1).count() <= DEEPEST {
        return None;
    }
    let mut depth = 0_usize;
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let Ok((event, span)) = next else {
            // The parser reports the syntax error, unless it would take too long to find it.
            return is_steep(text).then_some((1, 1));
        };
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
    None
}

/// Whether more brackets are open at once than are accepted. Ignores the context, because the text is invalid anyway.
fn is_steep(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    })
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
        // Many adjacent collections are not nested.
        assert_eq!(too_deep(&"- [1, {a: 2}]\n".repeat(5_000)), None);
        // Brackets in a string do not count.
        assert_eq!(too_deep(&format!("a: '{}'\n", "[x".repeat(500))), None);
    }
}
