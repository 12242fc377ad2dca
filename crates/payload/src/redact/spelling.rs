//! The ways that messages, logs and URLs write a value.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::pseudonym::hex;
use crate::model::{MAX_CORRELATION_ID_LENGTH, is_correlation_id};

/// Thousands separators. A point or a space would also match decimals and lists.
const SEPARATORS: [char; 3] = [',', '_', '\''];
/// Characters that must be escaped in the path of a URL (RFC 3986).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'`')
    .add(b'{')
    .add(b'}');
/// Characters that must be escaped in one segment of a path.
const SEGMENT: &AsciiSet = &PATH.add(b'/').add(b';').add(b',');
/// Characters that must be escaped in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Characters that JavaScript's `encodeURIComponent` escapes.
const COMPONENT: &AsciiSet = &QUERY
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// One way of writing a text.
#[derive(Clone, Copy)]
pub(super) struct Spelling {
    pub(super) spell: fn(&str) -> String,
    /// Minimum length in bytes. Shorter texts are not searched for in this spelling.
    pub(super) from: usize,
}

const fn any(spell: fn(&str) -> String) -> Spelling {
    Spelling { spell, from: 0 }
}

/// A short text in such an encoding would match by chance.
const fn long(spell: fn(&str) -> String) -> Spelling {
    Spelling { spell, from: 6 }
}

/// Every spelling of a text, the plain one first.
pub(super) const OF_TEXT: [Spelling; 17] = [
    any(str::to_owned),
    // Quoted as in Rust and Go.
    any(|text| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    }),
    // Single-quoted as in C, Python and JavaScript.
    any(|text| text.replace('\\', "\\\\").replace('\'', "\\'")),
    // As Python prints bytes and ASCII text.
    any(ascii),
    // ASCII-only JSON, as Python writes it.
    any(|text| json(text, |letter| !letter.is_ascii())),
    // HTML-safe JSON, as Go writes it.
    any(|text| json(text, |letter| matches!(letter, '&' | '<' | '>'))),
    // JSON within a JSON string.
    any(|text| json(&json(text, |_| false), |_| false)),
    any(|text| json(&json(text, |letter| !letter.is_ascii()), |_| false)),
    any(octal),
    any(html),
    any(|text| utf8_percent_encode(text, PATH).to_string()),
    any(|text| utf8_percent_encode(text, SEGMENT).to_string()),
    any(as_component),
    any(|text| utf8_percent_encode(text, QUERY).to_string()),
    any(as_form),
    long(|text| STANDARD_NO_PAD.encode(text)),
    long(|text| URL_SAFE_NO_PAD.encode(text)),
];

/// Escapes a text for a JSON string.
pub(super) fn as_json(text: &str) -> String {
    json(text, |_| false)
}

/// Escapes a text for HTML.
pub(super) fn as_html(text: &str) -> String {
    html(text)
}

/// Escapes a text for one component of a URL.
pub(super) fn as_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// Escapes a text for a URL-encoded form.
pub(super) fn as_form(text: &str) -> String {
    utf8_percent_encode(text, QUERY)
        .to_string()
        .replace("%20", "+")
}

/// Spellings of bytes.
pub(super) const OF_BYTES: [fn(&[u8]) -> String; 5] = [
    hex,
    |bytes| STANDARD_NO_PAD.encode(bytes),
    |bytes| URL_SAFE_NO_PAD.encode(bytes),
    |bytes| bytes.escape_ascii().to_string(),
    // A list of numbers.
    |bytes| format!("{bytes:?}"),
];

/// Spellings of an integer, with and without its sign and thousands separators.
pub(super) fn of_number(number: i128) -> impl Iterator<Item = String> {
    let size = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    let grouped = SEPARATORS.map(|separator| grouped(&size, separator));
    std::iter::once(size)
        .chain(grouped)
        .flat_map(move |size| [format!("{sign}{size}"), size])
}

fn grouped(digits: &str, separator: char) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// Spellings of a floating-point number: as it is, with one or two decimals, and rounded to 32 bits.
pub(super) const OF_FLOAT: [fn(f64) -> String; 4] = [
    |number| number.to_string(),
    |number| format!("{number:.1}"),
    |number| format!("{number:.2}"),
    #[expect(clippy::cast_possible_truncation, reason = "that is how it was sent")]
    |number| (number as f32).to_string(),
];

/// The digits of a text that has many digits and only punctuation between them; none if it has digits only.
pub(super) fn digits_of(text: &str) -> Option<String> {
    let is_sign = |letter: char| matches!(letter, ' ' | '-' | '.' | '/' | '(' | ')' | '+');
    let has_only = text.chars().all(|it| it.is_ascii_digit() || is_sign(it));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (has_only && digits.len() >= 6 && digits != text).then_some(digits)
}

fn json(text: &str, is_escaped: fn(char) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => written.extend(['\\', letter]),
            '\n' => written += "\\n",
            '\r' => written += "\\r",
            '\t' => written += "\\t",
            letter if letter.is_control() || is_escaped(letter) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(written, "\\u{unit:04x}");
                }
            }
            letter => written.push(letter),
        }
    }
    written
}

fn html(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => written += "&amp;",
            '<' => written += "&lt;",
            '>' => written += "&gt;",
            '"' => written += "&quot;",
            '\'' => written += "&#39;",
            letter => written.push(letter),
        }
    }
    written
}

fn ascii(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        let _ = match u32::from(letter) {
            number @ (0x7f..=0xff) => write!(written, "\\x{number:02x}"),
            number @ (0x100..=0xffff) => write!(written, "\\u{number:04x}"),
            number @ 0x1_0000.. => write!(written, "\\U{number:08x}"),
            _ => write!(written, "{letter}"),
        };
    }
    written
}

/// Octal escapes, as in protobuf's text format.
fn octal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'\'' => written.extend(['\\', byte.into()]),
            b'\n' => written += "\\n",
            b'\r' => written += "\\r",
            b'\t' => written += "\\t",
            b' '..=b'~' => written.push(byte.into()),
            byte => {
                let _ = write!(written, "\\{byte:03o}");
            }
        }
    }
    written
}

/// Adjusts a redacted correlation id, so that coordinators accept it if and only if they accepted the original.
pub(super) fn as_correlation_id(before: &str, after: String) -> String {
    let fits = |letter: char| is_correlation_id(letter.encode_utf8(&mut [0; 4]));
    match (is_correlation_id(before), is_correlation_id(&after)) {
        (true, false) => {
            let letters = after.chars().map(|it| if fits(it) { it } else { '_' });
            letters.take(MAX_CORRELATION_ID_LENGTH).collect()
        }
        (false, true) => after + "*",
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_correlation_id_is_accepted_only_if_the_original_was() {
        let spelled = |before: &str, after: &str| as_correlation_id(before, after.to_owned());
        assert_eq!(spelled("wf-alice", "wf-***"), "wf-___");
        assert_eq!(spelled("wf-1", "wf-1"), "wf-1");
        assert_eq!(spelled("for alice", "for ***"), "for ***");
        assert_eq!(spelled("for alice", "for-x"), "for-x*");
        assert_eq!(spelled("a", &"*".repeat(200)), "_".repeat(128));
    }

    #[test]
    fn a_text_has_the_spellings_of_logs_json_and_urls() {
        let of =
            |text: &str| -> Vec<String> { OF_TEXT.iter().map(|it| (it.spell)(text)).collect() };
        let jörg = of("Jörg O'Neil & \"Co\"");
        for spelt in [
            "Jörg O'Neil & \"Co\"",
            "Jörg O'Neil & \\\"Co\\\"",
            "Jörg O\\'Neil & \"Co\"",
            "J\\xf6rg O'Neil & \"Co\"",
            "J\\u00f6rg O'Neil & \\\"Co\\\"",
            "Jörg O'Neil \\u0026 \\\"Co\\\"",
            "Jörg O'Neil & \\\\\\\"Co\\\\\\\"",
            "J\\303\\266rg O\\'Neil & \\\"Co\\\"",
            "Jörg O&#39;Neil &amp; &quot;Co&quot;",
            "J%C3%B6rg%20O'Neil%20&%20%22Co%22",
            "J%C3%B6rg%20O'Neil%20%26%20%22Co%22",
            "J%C3%B6rg%20O%27Neil%20%26%20%22Co%22",
            "J%C3%B6rg+O%27Neil+%26+%22Co%22",
        ] {
            assert!(jörg.iter().any(|it| it == spelt), "{spelt}\n{jörg:#?}");
        }
        let numbers: Vec<String> = of_number(-1_234_567).collect();
        assert_eq!(numbers[..3], ["-1234567", "1234567", "-1,234,567"]);
        assert_eq!(
            digits_of("+49 170 1234567").as_deref(),
            Some("491701234567")
        );
        assert_eq!(digits_of("1234567"), None);
    }
}
