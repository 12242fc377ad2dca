//! A fast reader for canonical YAML: reads what `write` writes, several times as fast as a general YAML reader.
//!
//! It accepts only the shapes that canonical text has, and gives up on anything else, so that the caller falls back to
//! a general reader. Whatever it accepts means the same to both.

mod scalar;
mod view;

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

pub use scalar::YamlScalar;
use scalar::entry;
use view::{LEVELS_AROUND_VIEW, VIEW};
pub use view::{Node, View, ViewReader};

use crate::MAX_DEPTH;

/// Reads canonical YAML. None means only that this reader does not support the text.
#[must_use]
pub fn from_canonical_yaml<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut reader = LineReader::new(text, 0);
    reader.advance().ok()?;
    reader.line.filter(|line| line.indent == 0)?;
    let value = T::deserialize(Block {
        reader: &mut reader,
        indent: 0,
    });
    value.ok().filter(|_| reader.line.is_none())
}

/// The fast reader gave up: the text may be valid, but a general reader has to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported;

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
    text: &'de str,
    rest: &'de str,
    line: Option<Line<'de>>,
    depth: usize,
}

impl<'de> LineReader<'de> {
    const fn new(text: &'de str, depth: usize) -> Self {
        Self {
            text,
            rest: text,
            line: None,
            depth,
        }
    }

    /// Moves to the next line. At the end of the text, which ends in a newline, there is none.
    fn advance(&mut self) -> Result<(), Unsupported> {
        self.line = None;
        if self.rest.is_empty() {
            return Ok(());
        }
        let (line, rest) = self.rest.split_once('\n').ok_or(Unsupported)?;
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        let content = &line[indent..];
        if content.is_empty() {
            return Err(Unsupported);
        }
        self.line = Some(Line { indent, content });
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

    /// Skips the block that begins in this column, and returns its lines, which are not checked.
    fn skip_block(&mut self, indent: usize) -> Result<&'de str, Unsupported> {
        let begin = self.line_begin();
        // The first item of a list begins within its line.
        let begins_line = self.text[begin..].bytes().take(indent).all(|b| b == b' ');
        if self.depth > LEVELS_AROUND_VIEW || !begins_line {
            return Err(Unsupported);
        }
        while self.line.is_some_and(|line| line.indent >= indent) {
            self.advance()?;
        }
        Ok(&self.text[begin..self.line_begin()])
    }

    /// Where the current line begins in the text.
    fn line_begin(&self) -> usize {
        let line = self.line.map_or(0, |line| {
            let newline = 1;
            line.indent + line.content.len() + newline
        });
        self.text.len() - self.rest.len() - line
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

/// What an item of a list begins with.
enum Item<'de> {
    Scalar(YamlScalar<'de>),
    Block,
}

impl<'de> Items<'_, 'de> {
    fn next_item(&mut self) -> Result<Option<Item<'de>>, Unsupported> {
        if !self.reader.continues(self.indent)? {
            return Ok(None);
        }
        let content = self.reader.at(self.indent).ok_or(Unsupported)?;
        let content = content.strip_prefix("- ").ok_or(Unsupported)?;
        let begins_block = content.starts_with("- ") || entry(content).is_ok();
        if !begins_block {
            let scalar = YamlScalar::read(content)?;
            self.reader.advance()?;
            return Ok(Some(Item::Scalar(scalar)));
        }
        let indent = self.indent + 2;
        self.reader.line = Some(Line { indent, content });
        Ok(Some(Item::Block))
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unsupported;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unsupported> {
        let indent = self.indent + 2;
        match self.next_item()? {
            None => return Ok(None),
            Some(Item::Scalar(scalar)) => seed.deserialize(Inline(scalar)),
            Some(Item::Block) => seed.deserialize(Block {
                reader: self.reader,
                indent,
            }),
        }
        .map(Some)
    }
}

struct Entries<'r, 'de> {
    reader: &'r mut LineReader<'de>,
    indent: usize,
    value: &'de str,
}

impl<'de> Entries<'_, 'de> {
    fn next_key(&mut self) -> Result<Option<&'de str>, Unsupported> {
        if !self.reader.continues(self.indent)? {
            return Ok(None);
        }
        let (key, value) = entry(self.reader.at(self.indent).ok_or(Unsupported)?)?;
        self.value = value;
        self.reader.advance()?;
        Ok(Some(key))
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Unsupported;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unsupported> {
        match self.next_key()? {
            Some(key) => seed.deserialize(Inline(YamlScalar::Text(key))).map(Some),
            None => Ok(None),
        }
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

            #[allow(unused_mut, reason = "only a block changes")]
            fn deserialize_newtype_struct<V: Visitor<'de>>(
                mut self,
                name: &'static str,
                visitor: V,
            ) -> Result<V::Value, Unsupported> {
                match self.lines(name == VIEW)? {
                    Some(lines) => visitor.visit_borrowed_str(lines),
                    None => visitor.visit_newtype_struct(self),
                }
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
    /// Takes the lines of the block, if they are wanted.
    fn lines(&mut self, are_wanted: bool) -> Result<Option<&'de str>, Unsupported> {
        are_wanted
            .then(|| self.reader.skip_block(self.indent))
            .transpose()
    }

    #[allow(clippy::unused_self, reason = "a block is never a word")]
    fn word(&self) -> Result<&'de str, Unsupported> {
        Err(Unsupported)
    }
}

impl<'de> Inline<'de> {
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "a scalar has no lines"
    )]
    const fn lines(&self, _are_wanted: bool) -> Result<Option<&'de str>, Unsupported> {
        Ok(None)
    }

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
