//! The quick way back from canonical YAML: reads what `yaml` writes, several times as fast as a whole YAML reader.
//!
//! Not a YAML reader. It takes the shapes that canonical text has and gives up on all else, and on every doubt, so
//! that the caller asks a whole reader instead: what is taken means the same to both.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::MAX_DEPTH;
use super::yaml::LONGEST_KEY;
use super::yaml_text::{self, Style};

/// Reads canonical YAML. None says nothing of the text but that this reader does not take it.
#[must_use]
pub fn from_canonical_yaml<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut reader = Reader {
        rest: text,
        line: None,
        depth: 0,
    };
    reader.advance().ok()?;
    reader.line.filter(|line| line.indent == 0)?;
    let value = T::deserialize(Block {
        reader: &mut reader,
        indent: 0,
    });
    value.ok().filter(|_| reader.line.is_none())
}

/// Why the quick way ends: nobody is told.
#[derive(Debug)]
struct GivenUp;

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not canonical")
    }
}

impl std::error::Error for GivenUp {}

impl serde::de::Error for GivenUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// What is left of a line, and the column where that begins.
#[derive(Clone, Copy)]
struct Line<'de> {
    indent: usize,
    content: &'de str,
}

struct Reader<'de> {
    rest: &'de str,
    line: Option<Line<'de>>,
    depth: usize,
}

impl<'de> Reader<'de> {
    /// Goes to the next line; none at the end of the text, which ends in a newline.
    fn advance(&mut self) -> Result<(), GivenUp> {
        self.line = None;
        if self.rest.is_empty() {
            return Ok(());
        }
        let (line, rest) = self.rest.split_once('\n').ok_or(GivenUp)?;
        let content = line.trim_start_matches(' ');
        if content.is_empty() {
            return Err(GivenUp);
        }
        self.line = Some(Line {
            indent: line.len() - content.len(),
            content,
        });
        self.rest = rest;
        Ok(())
    }

    /// The line's content, if it begins in this column.
    fn at(&self, indent: usize) -> Option<&'de str> {
        self.line
            .filter(|line| line.indent == indent)
            .map(|line| line.content)
    }

    /// Whether a block goes on in this column. A line that belongs further in belongs to nothing read here.
    fn goes_on(&self, indent: usize) -> Result<bool, GivenUp> {
        match self.line {
            Some(line) if line.indent > indent => Err(GivenUp),
            line => Ok(line.is_some_and(|line| line.indent == indent)),
        }
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, GivenUp>,
    ) -> Result<T, GivenUp> {
        if self.depth > MAX_DEPTH {
            return Err(GivenUp);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

/// A scalar that means the same to every reader.
#[derive(Clone, Copy)]
enum Scalar<'de> {
    Text(&'de str),
    Truth(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    EmptyMapping,
    EmptySequence,
}

impl<'de> Scalar<'de> {
    fn read(text: &'de str) -> Result<Self, GivenUp> {
        Ok(match text.as_bytes() {
            [b'"', ..] => Self::Text(
                quoted(text)
                    .filter(|(_, rest)| rest.is_empty())
                    .ok_or(GivenUp)?
                    .0,
            ),
            [b'0'..=b'9' | b'-', ..] => Self::number(text)?,
            b"true" => Self::Truth(true),
            b"false" => Self::Truth(false),
            b"{}" => Self::EmptyMapping,
            b"[]" => Self::EmptySequence,
            _ => Self::Text(plain(text)?),
        })
    }

    /// A decimal number without a leading zero, which some readers take for octal.
    fn number(text: &str) -> Result<Self, GivenUp> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits
            .split_once('.')
            .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_bare = whole == "0" || !whole.starts_with('0');
        if !is_bare || !is_number(whole) || !fraction.is_none_or(is_number) {
            return Err(GivenUp);
        }
        if fraction.is_some() {
            return text.parse().map(Self::Float).map_err(|_| GivenUp);
        }
        match text.parse::<u64>() {
            Ok(number) => Ok(Self::Unsigned(number)),
            Err(_) => text
                .parse::<i64>()
                .ok()
                .filter(|number| *number < 0)
                .map(Self::Signed)
                .ok_or(GivenUp),
        }
    }
}

/// A string in double quotes without escapes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix('"')?.split_once('"')?;
    let is_simple = inner.chars().all(|c| c != '\\' && yaml_text::is_shown(c));
    is_simple.then_some((inner, rest))
}

fn plain(text: &str) -> Result<&str, GivenUp> {
    match yaml_text::style(text) {
        Style::Plain => Ok(text),
        Style::Quoted | Style::Literal => Err(GivenUp),
    }
}

/// A key and what follows its colon.
fn entry(content: &str) -> Result<(&str, &str), GivenUp> {
    let (key, rest) = if content.starts_with('"') {
        let (key, rest) = quoted(content).ok_or(GivenUp)?;
        (key, rest.strip_prefix(':').ok_or(GivenUp)?)
    } else {
        let (key, rest) = content.split_once(':').ok_or(GivenUp)?;
        (plain(key)?, rest)
    };
    if key.len() > LONGEST_KEY {
        return Err(GivenUp);
    }
    if rest.is_empty() {
        return Ok((key, rest));
    }
    Ok((key, rest.strip_prefix(' ').ok_or(GivenUp)?))
}

/// A mapping or list that begins in a column of the current line, or a scalar that is all there is of it.
struct Block<'r, 'de> {
    reader: &'r mut Reader<'de>,
    indent: usize,
}

/// A scalar after its key or dash.
struct Inline<'de>(Scalar<'de>);

impl<'de> Block<'_, 'de> {
    fn content(&self) -> Result<&'de str, GivenUp> {
        self.reader.at(self.indent).ok_or(GivenUp)
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        let indent = self.indent;
        if self.content()?.starts_with("- ") {
            return self
                .reader
                .deeper(|reader| visitor.visit_seq(Items { reader, indent }));
        }
        self.reader.deeper(|reader| {
            visitor.visit_map(Entries {
                reader,
                indent,
                value: "",
            })
        })
    }
}

struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    indent: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = GivenUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, GivenUp> {
        if !self.reader.goes_on(self.indent)? {
            return Ok(None);
        }
        let content = self.reader.at(self.indent).ok_or(GivenUp)?;
        let content = content.strip_prefix("- ").ok_or(GivenUp)?;
        let begins_block = content.starts_with("- ") || entry(content).is_ok();
        if !begins_block {
            let scalar = Scalar::read(content)?;
            self.reader.advance()?;
            return seed.deserialize(Inline(scalar)).map(Some);
        }
        let indent = self.indent + 2;
        self.reader.line = Some(Line { indent, content });
        seed.deserialize(Block {
            reader: self.reader,
            indent,
        })
        .map(Some)
    }
}

struct Entries<'r, 'de> {
    reader: &'r mut Reader<'de>,
    indent: usize,
    value: &'de str,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = GivenUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, GivenUp> {
        if !self.reader.goes_on(self.indent)? {
            return Ok(None);
        }
        let (key, value) = entry(self.reader.at(self.indent).ok_or(GivenUp)?)?;
        self.value = value;
        self.reader.advance()?;
        seed.deserialize(Inline(Scalar::Text(key))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, GivenUp> {
        if self.value.is_empty() {
            return seed.deserialize(Block {
                reader: self.reader,
                indent: self.indent + 2,
            });
        }
        seed.deserialize(Inline(Scalar::read(self.value)?))
    }
}

/// What both have in common: there is no null here, so an option is always there.
macro_rules! deserializer {
    ($type:ty) => {
        impl<'de> Deserializer<'de> for $type {
            type Error = GivenUp;

            fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
                self.visit(visitor)
            }

            fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
                visitor.visit_some(self)
            }

            fn deserialize_newtype_struct<V: Visitor<'de>>(
                self,
                _: &'static str,
                visitor: V,
            ) -> Result<V::Value, GivenUp> {
                visitor.visit_newtype_struct(self)
            }

            fn deserialize_enum<V: Visitor<'de>>(
                self,
                _: &'static str,
                _: &'static [&'static str],
                visitor: V,
            ) -> Result<V::Value, GivenUp> {
                visitor.visit_enum(StrDeserializer::new(self.word()?))
            }

            forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
                unit_struct seq tuple tuple_struct map struct identifier ignored_any
            }
        }
    };
}

deserializer!(Block<'_, 'de>);
deserializer!(Inline<'de>);

impl<'de> Block<'_, 'de> {
    #[allow(clippy::unused_self, reason = "a block is never a word")]
    fn word(&self) -> Result<&'de str, GivenUp> {
        Err(GivenUp)
    }
}

impl<'de> Inline<'de> {
    fn word(&self) -> Result<&'de str, GivenUp> {
        match self.0 {
            Scalar::Text(word) => Ok(word),
            _ => Err(GivenUp),
        }
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.0 {
            Scalar::Text(text) => visitor.visit_borrowed_str(text),
            Scalar::Truth(truth) => visitor.visit_bool(truth),
            Scalar::Unsigned(number) => visitor.visit_u64(number),
            Scalar::Signed(number) => visitor.visit_i64(number),
            Scalar::Float(number) => visitor.visit_f64(number),
            Scalar::EmptyMapping => visitor.visit_map(Nothing),
            Scalar::EmptySequence => visitor.visit_seq(Nothing),
        }
    }
}

/// The inside of `{}` and `[]`.
struct Nothing;

impl<'de> SeqAccess<'de> for Nothing {
    type Error = GivenUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _: T,
    ) -> Result<Option<T::Value>, GivenUp> {
        Ok(None)
    }
}

impl<'de> MapAccess<'de> for Nothing {
    type Error = GivenUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, GivenUp> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, GivenUp> {
        Err(GivenUp)
    }
}
