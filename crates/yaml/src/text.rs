//! How canonical YAML writes strings and floats.

use std::fmt::Write as _;

/// How a string is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Literal,
}

/// Words that YAML 1.1 or 1.2 interprets as a boolean or null, in any case.
const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Length of the longest word that is reserved.
pub(super) const LONGEST_RESERVED: usize = "false".len();

/// The simplest style in which every reader sees exactly this string.
pub(super) fn style(text: &str) -> Style {
    if text.contains('\n') {
        return if is_literal(text) {
            Style::Literal
        } else {
            Style::Quoted
        };
    }
    if is_plain(text) {
        Style::Plain
    } else {
        Style::Quoted
    }
}

/// The first letter rules out numbers, dates and indicators. What remains are reserved words and the markers of keys
/// and comments.
pub(super) fn is_plain(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/') || is_reserved(text) {
        return false;
    }
    // Most texts are single words, and a mark has a space.
    if is_graphic(text) {
        return !text.ends_with(':');
    }
    let mut last = '\0';
    for c in text.chars() {
        let is_mark = (last == ':' && c == ' ') || (last == ' ' && c == '#');
        let is_word = matches!(c, ' '..='~') || (is_shown(c) && !c.is_whitespace());
        if is_mark || !is_word {
            return false;
        }
        last = c;
    }
    last != ' ' && last != ':'
}

/// Whether a text has only visible ASCII characters, without a space. There is no early exit, so that the compiler can vectorise the
/// loop.
fn is_graphic(text: &str) -> bool {
    let mut others = 0;
    for byte in text.bytes() {
        others |= u8::from(!byte.is_ascii_graphic());
    }
    others == 0
}

fn is_reserved(text: &str) -> bool {
    text.len() <= LONGEST_RESERVED && RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a literal block keeps this text, even in an editor that trims lines: the text does not depend on leading
/// space, trailing space or trailing empty lines.
fn is_literal(text: &str) -> bool {
    !text.starts_with([' ', '\t', '\n'])
        && !text.ends_with("\n\n")
        && text
            .split('\n')
            .all(|line| !line.ends_with([' ', '\t']) && !line.starts_with('\t'))
        && text.chars().all(|c| c == '\n' || c == '\t' || is_shown(c))
}

/// Whether every character is visible as itself.
pub(super) fn are_shown(text: &str) -> bool {
    is_graphic(text) || text.chars().all(is_shown)
}

/// Whether a character is visible as itself: not a control character, a line break or an invisible bidirectional mark.
pub(super) fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Writes a string in double quotes.
pub(super) fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            shown if is_shown(shown) => out.push(shown),
            hidden => {
                let code = u32::from(hidden);
                // Writing to a string cannot fail.
                let _ = if code > 0xffff {
                    write!(out, "\\U{code:08X}")
                } else {
                    write!(out, "\\u{code:04X}")
                };
            }
        }
    }
    out.push('"');
}

/// Writes a float with a point and, if necessary, a signed exponent, as YAML 1.1 requires.
pub(super) fn push_float(float: f64, out: &mut String) {
    if float.is_nan() {
        return out.push_str(".nan");
    }
    if float.is_infinite() {
        return out.push_str(if float < 0.0 { "-.inf" } else { ".inf" });
    }
    let text = format!("{float:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return out.push_str(&text);
    };
    out.push_str(digits);
    if !digits.contains('.') {
        out.push_str(".0");
    }
    out.push('e');
    if !exponent.starts_with('-') {
        out.push('+');
    }
    out.push_str(exponent);
}
