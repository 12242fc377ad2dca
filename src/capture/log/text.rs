//! Texts of a log: colours, JSON amid other text, `key=value`, and the ways in which languages quote.

use serde_json::Value;

use super::Record;
use crate::model::Timestamp;

/// Places of a line at which JSON is tried.
const TRIES: usize = 64;

/// Without the colours of a terminal.
pub(super) fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain + rest
}

/// JSON objects that stand anywhere in a text.
pub(super) fn json_objects(text: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    let mut rest = text;
    for _ in 0..TRIES {
        let Some(at) = rest.find('{') else {
            break;
        };
        let mut values = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<Value>();
        rest = match values.next() {
            Some(Ok(value)) => {
                objects.push(value);
                &rest[at + values.byte_offset()..]
            }
            _ => &rest[at + 1..],
        };
    }
    objects
}

/// The `key=value` pairs of a text.
pub(super) fn pairs(text: &str) -> Record {
    let mut record = Record::new();
    let mut at = 0;
    while let Some(equals) = text[at..].find('=').map(|found| at + found) {
        let before = &text[at..equals];
        let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || "_@.".contains(c);
        let key = before.trim_start_matches(|c: char| !is_of_a_key(c));
        let key = key.rsplit(|c: char| !is_of_a_key(c)).next().unwrap_or("");
        let (value, length) = value(&text[equals + 1..]);
        at = equals + 1 + length;
        if !key.is_empty() {
            record.insert(key.to_owned(), value);
        }
    }
    record
}

/// The value at the beginning of a text, and how many bytes it takes.
fn value(text: &str) -> (Value, usize) {
    if let Some((inner, length)) = quoted(text) {
        return (Value::String(inner), length);
    }
    // Bytes as Python shows them, kept as they are written.
    if let Some((_, length)) = text.strip_prefix('b').and_then(quoted) {
        return (Value::String(text[..=length].to_owned()), length + 1);
    }
    // A message as Python shows it.
    if let Some((_, length)) = text.strip_prefix("value: ").and_then(quoted) {
        let end = "value: ".len() + length;
        return (Value::String(text[..end].to_owned()), end);
    }
    let end = if text.starts_with('<') {
        // An object as Python shows it, which may hold blanks.
        text.find('>').map_or(text.len(), |at| at + 1)
    } else {
        text.find(char::is_whitespace).unwrap_or(text.len())
    };
    let word = &text[..end];
    let value = match word.trim_end_matches(',') {
        "None" | "null" | "<nil>" => Value::Null,
        word => match word.parse::<u64>() {
            // A root or an id may be all digits.
            Ok(number) if !word.starts_with('0') || word == "0" => Value::from(number),
            _ => Value::String(word.to_owned()),
        },
    };
    (value, end)
}

/// A quoted text at the beginning, unescaped, and how many bytes it takes with its quotes.
pub(super) fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| "'\"`".contains(*c))?;
    let end = closing(text, quote)?;
    let bytes = unescaped(&text[1..end], false);
    Some((String::from_utf8_lossy(&bytes).into_owned(), end + 1))
}

/// Where a quoted text ends.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// Bytes as Python shows them (`b'e\x13'`), alone or as the field of a message (`value: "e\023"`).
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let inner = text
        .strip_prefix('b')
        .or_else(|| text.strip_prefix("value:"))?
        .trim_start();
    let quote = inner.chars().next().filter(|c| "'\"".contains(*c))?;
    let end = closing(inner, quote)?;
    inner[end + 1..]
        .trim()
        .is_empty()
        .then(|| unescaped(&inner[1..end], true))
}

/// Undoes the escapes of Python, Go, Rust, JSON and protobuf's text format, which agree where they meet. In bytes,
/// a number is a byte; in a text it is a character.
fn unescaped(text: &str, is_bytes: bool) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.extend_from_slice(&rest.as_bytes()[..at]);
        let (escape, length) = escape(&rest[at + 1..]);
        match escape {
            Escape::Number(number) if is_bytes && number < 256 => {
                result.extend(u8::try_from(number));
            }
            Escape::Number(number) => {
                let c = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
                result.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Escape::Char(c) => result.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Escape::None => result.push(b'\\'),
        }
        rest = &rest[at + 1 + length..];
    }
    result.extend_from_slice(rest.as_bytes());
    result
}

enum Escape {
    Number(u32),
    Char(char),
    None,
}

/// What follows a backslash, and how many bytes of it.
fn escape(text: &str) -> (Escape, usize) {
    let number = |start: usize, most: usize, radix: u32| {
        let digits = text[start..].chars().take(most);
        let length = digits.take_while(|c| c.is_digit(radix)).count();
        let number = u32::from_str_radix(&text[start..start + length], radix).ok()?;
        Some((Escape::Number(number), start + length))
    };
    let read = match text.chars().next() {
        Some('n') => Some((Escape::Char('\n'), 1)),
        Some('r') => Some((Escape::Char('\r'), 1)),
        Some('t') => Some((Escape::Char('\t'), 1)),
        Some('x') => number(1, 2, 16),
        Some('u') => number(1, 4, 16),
        Some('U') => number(1, 8, 16),
        Some('0'..='7') => number(0, 3, 8),
        // Protobuf's text format and Go have these; one character each.
        Some('a') => Some((Escape::Char('\u{7}'), 1)),
        Some('b') => Some((Escape::Char('\u{8}'), 1)),
        Some('f') => Some((Escape::Char('\u{c}'), 1)),
        Some('v') => Some((Escape::Char('\u{b}'), 1)),
        Some(c @ ('\\' | '\'' | '"' | '`' | '/')) => Some((Escape::Char(c), 1)),
        _ => None,
    };
    read.unwrap_or((Escape::None, 0))
}

/// An instant as loggers write it: RFC 3339, or a number since 1970 in whatever unit its size says.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    let instant = match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().ok()?,
        Value::Number(number) => {
            let number = number.as_f64()?;
            // A second of today has 10 digits, a millisecond 13, a microsecond 16, a nanosecond 19.
            let unit = [(1e17, 1e9), (1e14, 1e6), (1e11, 1e3)]
                .into_iter()
                .find(|(least, _)| number >= *least)
                .map_or(1.0, |(_, unit)| unit);
            let since = std::time::Duration::try_from_secs_f64(number / unit).ok()?;
            let since = jiff::SignedDuration::try_from(since).ok()?;
            jiff::Timestamp::from_duration(since).ok()?
        }
        _ => return None,
    };
    Some(Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    })
}

/// The instant that a line begins with.
pub(super) fn leading_time(text: &str) -> Option<Value> {
    let word = text.split_whitespace().next()?;
    let word = word.trim_matches(|c| "[]".contains(c));
    let value = Value::String(word.to_owned());
    (word.len() > 10).then(|| instant(&value))??;
    Some(value)
}
