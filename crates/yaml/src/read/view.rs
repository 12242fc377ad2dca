//! Views of payloads, which are most of a fixture.

use std::borrow::Cow;
use std::fmt;

use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_yaml::Value;

use super::scalar::identifier_entry;
use super::{Block, Inline, Items, LineReader, Unsupported, YamlScalar};

/// A view in a document.
///
/// Of canonical YAML, a block is kept as its lines, which are not checked. Most views are only encoded, and [`ViewReader`] lets the
/// encoder do that without building a [`Value`]. If the lines turn out not to be canonical, a general reader has to read the whole
/// document again.
#[derive(Debug, Clone)]
pub struct View(Form);

#[derive(Debug, Clone)]
enum Form {
    Value(Value),
    Lines(Box<str>),
}

impl View {
    /// The lines, if the view is kept as lines.
    #[must_use]
    pub const fn lines(&self) -> Option<&str> {
        match &self.0 {
            Form::Value(_) => None,
            Form::Lines(lines) => Some(lines),
        }
    }

    /// The view as a value.
    pub fn value(&self) -> Result<Cow<'_, Value>, Unsupported> {
        match &self.0 {
            Form::Value(value) => Ok(Cow::Borrowed(value)),
            Form::Lines(lines) => {
                let (mut reader, root) = ViewReader::new(lines)?;
                let value = reader.value(root)?;
                reader.end()?;
                Ok(Cow::Owned(value))
            }
        }
    }
}

impl From<Value> for View {
    fn from(value: Value) -> Self {
        Self(Form::Value(value))
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.value().map_err(S::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for View {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = View;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            /// Every other reader, and a view that is a single scalar.
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<View, D::Error> {
                Value::deserialize(deserializer).map(View::from)
            }

            /// The reader of canonical YAML.
            fn visit_borrowed_str<E: serde::de::Error>(self, lines: &'de str) -> Result<View, E> {
                Ok(View(Form::Lines(lines.into())))
            }
        }

        deserializer.deserialize_newtype_struct(VIEW, Read)
    }
}

/// How a [`View`] tells the reader of canonical YAML that it wants lines.
pub(super) const VIEW: &str = "lines of a view in canonical YAML";

/// The most levels around a view. A fixture has fewer.
pub(super) const LEVELS_AROUND_VIEW: usize = 16;

/// Reads the lines of a view, entry by entry and item by item.
pub struct ViewReader<'a>(LineReader<'a>);

/// A value whose place in the text is known.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    /// A scalar, which has been read.
    Scalar(YamlScalar<'a>),
    /// A mapping or list that begins in this column, and is read next.
    Block(usize),
}

impl<'a> ViewReader<'a> {
    /// A reader, and the whole view.
    pub fn new(lines: &'a str) -> Result<(Self, Node<'a>), Unsupported> {
        let mut reader = LineReader::new(lines, LEVELS_AROUND_VIEW);
        reader.advance()?;
        let indent = reader.line.ok_or(Unsupported)?.indent;
        Ok((Self(reader), Node::Block(indent)))
    }

    /// The next entry of the mapping in this column. Its value has to be read before the one after it.
    ///
    /// The caller accepts only names of fields as keys. Whether other keys are canonical is not checked.
    pub fn entry(&mut self, indent: usize) -> Result<Option<(&'a str, Node<'a>)>, Unsupported> {
        if !self.0.continues(indent)? {
            return Ok(None);
        }
        let (key, value) = identifier_entry(self.0.at(indent).ok_or(Unsupported)?)?;
        self.0.advance()?;
        let node = match value {
            "" => self.block(indent + 2)?,
            scalar => Node::Scalar(YamlScalar::read(scalar)?),
        };
        Ok(Some((key, node)))
    }

    /// The next item of the list in this column. It has to be read before the one after it.
    pub fn item(&mut self, indent: usize) -> Result<Option<Node<'a>>, Unsupported> {
        let mut items = Items {
            reader: &mut self.0,
            indent,
        };
        Ok(match items.next_item()? {
            None => None,
            Some(super::Item::Scalar(scalar)) => Some(Node::Scalar(scalar)),
            Some(super::Item::Block) => Some(Node::Block(indent + 2)),
        })
    }

    fn block(&self, indent: usize) -> Result<Node<'a>, Unsupported> {
        self.0.at(indent).ok_or(Unsupported)?;
        Ok(Node::Block(indent))
    }

    /// All of a node.
    pub fn value(&mut self, node: Node<'a>) -> Result<Value, Unsupported> {
        match node {
            Node::Scalar(scalar) => Value::deserialize(Inline(scalar)),
            Node::Block(indent) => Value::deserialize(Block {
                reader: &mut self.0,
                indent,
            }),
        }
    }

    /// Checks that everything has been read.
    pub fn end(&self) -> Result<(), Unsupported> {
        match self.0.line {
            None => Ok(()),
            Some(_) => Err(Unsupported),
        }
    }
}
