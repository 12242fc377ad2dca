//! A fast reader for canonical YAML: reads what `yaml` writes, several times as fast as a general YAML reader.
//!
//! It accepts only the shapes that canonical text has, and gives up on anything else, so that the caller falls back to
//! a general reader. Whatever it accepts means the same to both.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::MAX_DEPTH;
use super::yaml::LONGEST_KEY;
use super::yaml_text::{self, Style};

/// Reads canonical YAML. None means only that this reader does not support the text.
#[must_use]
pub fn from_canonical_yaml<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut reader = LineReader {
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

/// The fast reader gave up. Callers never see this error.
#[derive(Debug)]
struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not canonical")
    }
}

impl std::error::Error for Unsupported {}

impl serde::de::Error for Unsupported {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The rest of a line, and its column.
#[derive(Clone, Copy)]
struct Line<'de> {
    indent: usize,
    content: &'de str,
}

struct LineReader<'de> {
    rest: &'de str,
    line: Option<Line<'de>>,
    depth: usize,
}

impl<'de> LineReader<'de> {
    /// Moves to the next line. At the end of the text, which ends in a newline, there is none.
    fn advance(&mut self) -> Result<(), Unsupported> {
        self.line = None;
        if self.rest.is_empty() {
            return Ok(());
        }
        let (line, rest) = self.rest.split_once('\n').ok_or(Unsupported)?;
        let content = line.trim_start_matches(' ');
        if content.is_empty() {
            return Err(Unsupported);
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

    /// Whether the block continues in this column. A deeper line is not valid here.
    fn continues(&self, indent: usize) -> Result<bool, Unsupported> {
        match self.line {
            Some(line) if line.indent > indent => Err(Unsupported),
            line => Ok(line.is_some_and(|line| line.indent == indent)),
        }
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Unsupported>,
    ) -> Result<T, Unsupported> {
        if self.depth > MAX_DEPTH {
            return Err(Unsupported);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

/// A scalar with the same meaning for every YAML reader.
#[derive(Clone, Copy)]
enum YamlScalar<'de> {
    Text(&'de str),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    EmptyMapping,
    EmptySequence,
}

impl<'de> YamlScalar<'de> {
    fn read(text: &'de str) -> Result<Self, Unsupported> {
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
            return text.parse().map(Self::Float).map_err(|_| Unsupported);
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
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix('"')?.split_once('"')?;
    let is_simple = inner.chars().all(|c| c != '\\' && yaml_text::is_shown(c));
    is_simple.then_some((inner, rest))
}

fn plain(text: &str) -> Result<&str, Unsupported> {
    match yaml_text::style(text) {
        Style::Plain => Ok(text),
        Style::Quoted | Style::Literal => Err(Unsupported),
    }
}

/// A key, and the rest after its colon.
fn entry(content: &str) -> Result<(&str, &str), Unsupported> {
    let (key, rest) = if content.starts_with('"') {
        let (key, rest) = quoted(content).ok_or(Unsupported)?;
        (key, rest.strip_prefix(':').ok_or(Unsupported)?)
    } else {
        let (key, rest) = content.split_once(':').ok_or(Unsupported)?;
        (plain(key)?, rest)
    };
    if key.len() > LONGEST_KEY {
        return Err(Unsupported);
    }
    if rest.is_empty() {
        return Ok((key, rest));
    }
    Ok((key, rest.strip_prefix(' ').ok_or(Unsupported)?))
}

/// A mapping or list that begins in this column of the current line, or a single scalar.
struct Block<'r, 'de> {
    reader: &'r mut LineReader<'de>,
    indent: usize,
}

/// A scalar after its key or dash.
struct Inline<'de>(YamlScalar<'de>);

impl<'de> Block<'_, 'de> {
    fn content(&self) -> Result<&'de str, Unsupported> {
        self.reader.at(self.indent).ok_or(Unsupported)
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
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
    reader: &'r mut LineReader<'de>,
    indent: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unsupported;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unsupported> {
        if !self.reader.continues(self.indent)? {
            return Ok(None);
        }
        let content = self.reader.at(self.indent).ok_or(Unsupported)?;
        let content = content.strip_prefix("- ").ok_or(Unsupported)?;
        let begins_block = content.starts_with("- ") || entry(content).is_ok();
        if !begins_block {
            let scalar = YamlScalar::read(content)?;
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
    reader: &'r mut LineReader<'de>,
    indent: usize,
    value: &'de str,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Unsupported;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unsupported> {
        if !self.reader.continues(self.indent)? {
            return Ok(None);
        }
        let (key, value) = entry(self.reader.at(self.indent).ok_or(Unsupported)?)?;
        self.value = value;
        self.reader.advance()?;
        seed.deserialize(Inline(YamlScalar::Text(key))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unsupported> {
        if self.value.is_empty() {
            return seed.deserialize(Block {
                reader: self.reader,
                indent: self.indent + 2,
            });
        }
        seed.deserialize(Inline(YamlScalar::read(self.value)?))
    }
}

/// The common part of both deserializers. Canonical text contains no null here, so an option is always present.
macro_rules! deserializer {
    ($type:ty) => {
        impl<'de> Deserializer<'de> for $type {
            type Error = Unsupported;

            fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
                self.visit(visitor)
            }

            fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
                visitor.visit_some(self)
            }

            fn deserialize_newtype_struct<V: Visitor<'de>>(
                self,
                _: &'static str,
                visitor: V,
            ) -> Result<V::Value, Unsupported> {
                visitor.visit_newtype_struct(self)
            }

            fn deserialize_enum<V: Visitor<'de>>(
                self,
                _: &'static str,
                _: &'static [&'static str],
                visitor: V,
            ) -> Result<V::Value, Unsupported> {
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
    fn word(&self) -> Result<&'de str, Unsupported> {
        Err(Unsupported)
    }
}

impl<'de> Inline<'de> {
    fn word(&self) -> Result<&'de str, Unsupported> {
        match self.0 {
            YamlScalar::Text(word) => Ok(word),
            _ => Err(Unsupported),
        }
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
        match self.0 {
            YamlScalar::Text(text) => visitor.visit_borrowed_str(text),
            YamlScalar::Bool(boolean) => visitor.visit_bool(boolean),
            YamlScalar::Unsigned(number) => visitor.visit_u64(number),
            YamlScalar::Signed(number) => visitor.visit_i64(number),
            YamlScalar::Float(number) => visitor.visit_f64(number),
            YamlScalar::EmptyMapping => visitor.visit_map(Empty),
            YamlScalar::EmptySequence => visitor.visit_seq(Empty),
        }
    }
}

/// The content of `{}` and `[]`.
struct Empty;

impl<'de> SeqAccess<'de> for Empty {
    type Error = Unsupported;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _: T,
    ) -> Result<Option<T::Value>, Unsupported> {
        Ok(None)
    }
}

impl<'de> MapAccess<'de> for Empty {
    type Error = Unsupported;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, Unsupported> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, Unsupported> {
        Err(Unsupported)
    }
}
