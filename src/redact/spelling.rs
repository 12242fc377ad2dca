//! How messages, logs and addresses spell a value.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::pseudonym::hex;

/// What separates thousands.
const SEPARATORS: [char; 5] = [',', '.', '_', '\'', ' '];
/// What a path of an address cannot hold as it is (RFC 3986).
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
/// What a query of one cannot hold as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A way of spelling a text.
type Spelling = fn(&str) -> String;

/// Every spelling that a text has, the plain one first.
pub(super) const OF_TEXT: [Spelling; 11] = [
    str::to_owned,
    // As Rust and Go quote.
    |text| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    },
    // As C, Python and JavaScript quote with one stroke.
    |text| text.replace('\\', "\\\\").replace('\'', "\\'"),
    // JSON in ASCII alone, as Python writes it.
    |text| json(text, |letter| !letter.is_ascii()),
    // JSON for pages, as Go writes it.
    |text| json(text, |letter| matches!(letter, '&' | '<' | '>')),
    octal,
    |text| utf8_percent_encode(text, PATH).to_string(),
    |text| utf8_percent_encode(text, QUERY).to_string(),
    |text| {
        utf8_percent_encode(text, QUERY)
            .to_string()
            .replace("%20", "+")
    },
    |text| STANDARD_NO_PAD.encode(text),
    |text| URL_SAFE_NO_PAD.encode(text),
];

/// Spellings of bytes.
pub(super) const OF_BYTES: [fn(&[u8]) -> String; 5] = [
    hex,
    |bytes| STANDARD_NO_PAD.encode(bytes),
    |bytes| URL_SAFE_NO_PAD.encode(bytes),
    |bytes| bytes.escape_ascii().to_string(),
    // As a list of numbers.
    |bytes| format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
];

/// Spellings of a whole number, with and without separated thousands.
pub(super) fn of_number(number: i128) -> impl Iterator<Item = String> {
    let grouped = SEPARATORS.into_iter().map(move |separator| {
        let digits = number.unsigned_abs().to_string();
        let mut text = if number < 0 { "-" } else { "" }.to_owned();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    });
    std::iter::once(number.to_string()).chain(grouped)
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

/// As protobuf's text format escapes.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_spellings_of_logs_json_and_addresses() {
        let of = |text: &str| -> Vec<String> { OF_TEXT.iter().map(|it| it(text)).collect() };
        let jörg = of("Jörg O'Neil & \"Co\"");
        for spelt in [
            "Jörg O'Neil & \"Co\"",
            "Jörg O'Neil & \\\"Co\\\"",
            "Jörg O\\'Neil & \"Co\"",
            "J\\u00f6rg O'Neil & \\\"Co\\\"",
            "Jörg O'Neil \\u0026 \\\"Co\\\"",
            "J\\303\\266rg O\\'Neil & \\\"Co\\\"",
            "J%C3%B6rg%20O'Neil%20&%20%22Co%22",
            "J%C3%B6rg%20O%27Neil%20%26%20%22Co%22",
            "J%C3%B6rg+O%27Neil+%26+%22Co%22",
        ] {
            assert!(jörg.iter().any(|it| it == spelt), "{spelt}\n{jörg:#?}");
        }
        let numbers: Vec<String> = of_number(-1_234_567).collect();
        assert_eq!(numbers[..2], ["-1234567", "-1,234,567"]);
    }
}
