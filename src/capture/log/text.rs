//! Parses log text: terminal colours, JSON within other text, `key=value`, and the quoting of many languages.

use serde_json::Value;

use super::Record;
use super::record::plain_key;

/// How often a text may be scanned to its end in search of JSON.
const TRIES: usize = 130;

/// Removes terminal colours.
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

/// The JSON objects anywhere in a text, and the unterminated beginning of one.
pub(super) fn json_objects(text: &str) -> (Vec<Value>, Option<&str>) {
    let (mut objects, mut unended) = (Vec::new(), None);
    let mut rest = text;
    // A brace is tried only if a key or the end of the object follows. After a late failure, parsing restarts at the
    // next brace, so the total effort is limited.
    let mut effort = text.len().saturating_mul(TRIES);
    while let Some(at) = rest.find('{') {
        let from = &rest[at..];
        rest = &from[1..];
        if !rest.trim_start().starts_with(['"', '}']) {
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(from).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                objects.push(value);
                rest = &from[values.byte_offset()..];
            }
            Some(Err(error)) if error.is_eof() => {
                unended = unended.or(Some(from));
                effort = effort.saturating_sub(from.len());
            }
            _ => effort = effort.saturating_sub(1),
        }
        if effort == 0 {
            return (objects, unended.or(Some(from)));
        }
    }
    (objects, unended)
}

/// The `key=value` pairs of a text.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a> {
    pub(super) record: Record,
    /// The reason of a refusal in the text before the pairs.
    pub(super) refusal_reason: Option<&'a str>,
    /// Whether the text ends within the message of a failure.
    pub(super) is_cut: bool,
}

/// Keys, normalised by [`plain_key`], whose value is often an unquoted sentence.
const SENTENCES: [&str; 4] = ["error", "err", "errormessage", "exception"];

impl<'a> Pairs<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut pairs = Self::default();
        let mut at = 0;
        let mut tries = TRIES;
        while let Some(equals) = text[at..].find('=').map(|found| at + found) {
            let before = &text[at..equals];
            let key = before.trim_start_matches(|c: char| !is_of_a_key(c));
            let key = key.rsplit(|c: char| !is_of_a_key(c)).next().unwrap_or("");
            let rest = &text[equals + 1..];
            let is_sentence = SENTENCES.contains(&plain_key(key).as_str());
            let is_quoted = rest.starts_with(['"', '\'']);
            let (value, length) = if is_sentence && is_quoted && quoted(rest).is_none() {
                pairs.is_cut = true;
                (Value::String(rest.to_owned()), rest.len())
            } else if is_sentence && !is_quoted && !rest.starts_with('<') {
                let (sentence, length) = sentence(rest, &mut tries);
                (word_value(sentence), length)
            } else {
                value(rest)
            };
            at = equals + 1 + length;
            if !key.is_empty() {
                if pairs.record.is_empty() {
                    pairs.refusal_reason = reason_of_refusal(&text[..equals - key.len()]);
                }
                pairs.record.insert(key.to_owned(), value);
            }
        }
        pairs
    }
}

/// The message in a text such as `player.api rejected: Insufficient funds`. None if its beginning is uncertain, because
/// half a message is worse than none.
pub(super) fn reason_of_refusal(text: &str) -> Option<&str> {
    const REFUSED: [&str; 4] = ["rejected", "refused", "denied", "failed"];
    let (before, reason) = text.split_once(": ")?;
    let word = before.rsplit(|c: char| !c.is_ascii_alphabetic()).next()?;
    let is_refusal = REFUSED.contains(&word.to_ascii_lowercase().as_str());
    let reason = reason.trim().trim_end_matches([',', ';']);
    (is_refusal && !reason.is_empty() && !reason.contains(": ")).then_some(reason)
}

fn is_of_a_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_@.".contains(c)
}

/// An unquoted sentence, up to the next `key=` or the end, and its length in bytes. `tries` is how often the text may
/// still be scanned in vain for a closing bracket.
fn sentence<'a>(text: &'a str, tries: &mut usize) -> (&'a str, usize) {
    let nested = if *tries > 0 {
        end_of_sentence(text, true)
    } else {
        None
    };
    *tries = tries.saturating_sub(usize::from(nested.is_none()));
    let end = nested
        .or_else(|| end_of_sentence(text, false))
        .unwrap_or(text.len());
    let sentence = text[..end].trim_end().trim_end_matches([',', ';']);
    (sentence, end)
}

/// The position of the next `key=`. Skips anything in double quotes, braces or brackets that are closed.
fn end_of_sentence(text: &str, is_nested: bool) -> Option<usize> {
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        if is_nested && is_in_text {
            is_in_text = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
        } else if is_nested && c == '"' {
            is_in_text = true;
        } else if is_nested && "{[(".contains(c) {
            depth += 1;
        } else if is_nested && "}])".contains(c) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && at > 0 && previous.is_whitespace() && begins_a_pair(&text[at..]) {
            return Some(at);
        }
        previous = c;
    }
    (is_nested && depth == 0 && !is_in_text).then_some(text.len())
}

fn begins_a_pair(text: &str) -> bool {
    let key = text.find(|c: char| !is_of_a_key(c)).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@')
        && text[key..].starts_with('=')
        && !text[key..].starts_with("==")
}

/// The value at the beginning of a text, and its length in bytes.
fn value(text: &str) -> (Value, usize) {
    if let Some((inner, length)) = quoted(text) {
        return (Value::String(inner), length);
    }
    // Bytes as Python prints them, kept in that form.
    if let Some((_, length)) = text.strip_prefix('b').and_then(quoted) {
        return (Value::String(text[..=length].to_owned()), length + 1);
    }
    // A message as Python prints it.
    if let Some((_, length)) = text.strip_prefix("value: ").and_then(quoted) {
        let end = "value: ".len() + length;
        return (Value::String(text[..end].to_owned()), end);
    }
    let end = if text.starts_with('<') {
        // An object as Python prints it, which may contain spaces.
        text.find('>').map_or(text.len(), |at| at + 1)
    } else {
        text.find(char::is_whitespace).unwrap_or(text.len())
    };
    (word_value(without_closing(&text[..end])), end)
}

/// Drops a closing bracket that was opened before the word, as in `span{root=5}: started`.
fn without_closing(word: &str) -> &str {
    let mut word = word.trim_end_matches([',', ';']);
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let inner = word.trim_end_matches([':', close]);
        if inner.len() < word.len() && word.ends_with([':', close]) && !word.contains(open) {
            let has_closing = word[inner.len()..].contains(close);
            word = if has_closing { inner } else { word };
        }
    }
    word
}

fn word_value(word: &str) -> Value {
    match word.trim_end_matches(',') {
        "None" | "null" | "<nil>" => Value::Null,
        word => match word.parse::<u64>() {
            // A root or an id may consist of digits only.
            Ok(number) if !word.starts_with('0') || word == "0" => Value::from(number),
            _ => Value::String(word.to_owned()),
        },
    }
}

/// The quoted text at the beginning, unescaped, and its length in bytes with the quotes.
pub(super) fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| "'\"`".contains(*c))?;
    let end = closing(text, quote)?;
    let bytes = unescaped(&text[1..end], false);
    Some((String::from_utf8_lossy(&bytes).into_owned(), end + 1))
}

/// The position of the closing quote.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// Bytes as Python prints them (`b'e\x13'`), alone or as the field of a message (`value: "e\023"`).
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

/// Decodes the escapes of Python, Go, Rust, JSON and protobuf's text format, which do not contradict each other. A
/// numeric escape is a byte in bytes, and a character in text.
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

/// Decodes what follows a backslash, and returns its length in bytes.
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
        // Escapes of protobuf's text format and Go; one character each.
        Some('a') => Some((Escape::Char('\u{7}'), 1)),
        Some('b') => Some((Escape::Char('\u{8}'), 1)),
        Some('f') => Some((Escape::Char('\u{c}'), 1)),
        Some('v') => Some((Escape::Char('\u{b}'), 1)),
        Some(c @ ('\\' | '\'' | '"' | '`' | '/')) => Some((Escape::Char(c), 1)),
        _ => None,
    };
    read.unwrap_or((Escape::None, 0))
}
