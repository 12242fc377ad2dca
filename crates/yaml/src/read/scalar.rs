//! Scalars and keys of canonical YAML.

use super::Unsupported;
use crate::text::{LONGEST_RESERVED, are_shown, is_plain};
use crate::write::LONGEST_KEY;

/// A scalar with the same meaning for every YAML reader.
#[derive(Debug, Clone, Copy)]
pub enum YamlScalar<'de> {
    /// A string.
    Text(&'de str),
    /// A boolean.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// A number with a fraction.
    Float(f64),
    /// `{}`.
    EmptyMapping,
    /// `[]`.
    EmptySequence,
}

impl<'de> YamlScalar<'de> {
    pub(super) fn read(text: &'de str) -> Result<Self, Unsupported> {
        Ok(match text.as_bytes() {
            [b'"', ..] => Self::Text(
                quoted(text)
                    .filter(|(_, rest)| rest.is_empty())
                    .ok_or(Unsupported)?
                    .0,
            ),
            [b'0'..=b'9' | b'-', ..] => Self::number(text)?,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            b"{}" => Self::EmptyMapping,
            b"[]" => Self::EmptySequence,
            _ => Self::Text(plain(text)?),
        })
    }

    /// A decimal number. A leading zero is not accepted, because some readers treat it as octal.
    fn number(text: &str) -> Result<Self, Unsupported> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits
            .split_once('.')
            .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_bare = whole == "0" || !whole.starts_with('0');
        if !is_bare || !is_number(whole) || !fraction.is_none_or(is_number) {
            return Err(Unsupported);
        }
        if fraction.is_some() {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            return number.map(Self::Float).ok_or(Unsupported);
        }
        match text.parse::<u64>() {
            Ok(number) => Ok(Self::Unsigned(number)),
            Err(_) => text
                .parse::<i64>()
                .ok()
                .filter(|number| *number < 0)
                .map(Self::Signed)
                .ok_or(Unsupported),
        }
    }
}

/// A double-quoted string without escapes, and the rest after it.
fn quoted(quoted: &str) -> Option<(&str, &str)> {
    let (inner, rest) = quoted.strip_prefix('"')?.split_once('"')?;
    (!inner.contains('\\') && are_shown(inner)).then_some((inner, rest))
}

fn plain(word: &str) -> Result<&str, Unsupported> {
    if is_plain(word) {
        Ok(word)
    } else {
        Err(Unsupported)
    }
}

/// A key, and the rest after its colon.
pub(super) fn entry(content: &str) -> Result<(&str, &str), Unsupported> {
    let (key, rest) = identifier_entry(content)?;
    if !content.starts_with('"') {
        plain(key)?;
    }
    Ok((key, rest))
}

/// Like [`entry`], for a caller that accepts only names of fields. Of a plain key, it only checks that it begins like an identifier
/// and is no reserved word; the name of a field is an identifier, or that of an extension in brackets.
pub(super) fn identifier_entry(content: &str) -> Result<(&str, &str), Unsupported> {
    let (key, rest) = if content.starts_with('"') {
        let (key, rest) = quoted(content).ok_or(Unsupported)?;
        (key, rest.strip_prefix(':').ok_or(Unsupported)?)
    } else {
        let (key, rest) = content.split_once(':').ok_or(Unsupported)?;
        let begins_identifier =
            key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if key.len() <= LONGEST_RESERVED || !begins_identifier {
            plain(key)?;
        }
        (key, rest)
    };
    if key.len() > LONGEST_KEY {
        return Err(Unsupported);
    }
    if rest.is_empty() {
        return Ok((key, rest));
    }
    Ok((key, rest.strip_prefix(' ').ok_or(Unsupported)?))
}
