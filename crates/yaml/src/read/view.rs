//! Views of payloads, which are most of a fixture.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::{Block, LineReader, Unsupported};

/// Deserialises a view.
///
/// From canonical YAML, the lines of the view are read by code of this crate that is not generic, so that it is compiled here,
/// once, and optimised with this crate. Views are most of a fixture.
pub fn deserialize_view<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    struct View;

    impl<'de> Visitor<'de> for View {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }

        /// Every other reader, and a view that is a single scalar.
        fn visit_newtype_struct<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Value, D::Error> {
            Value::deserialize(deserializer)
        }

        /// The reader of canonical YAML.
        fn visit_borrowed_str<E: serde::de::Error>(self, lines: &'de str) -> Result<Value, E> {
            view_of_lines(lines).map_err(E::custom)
        }
    }

    deserializer.deserialize_newtype_struct(VIEW, View)
}

/// How [`deserialize_view`] tells the reader of canonical YAML that it wants lines.
pub(super) const VIEW: &str = "lines of a view in canonical YAML";

/// The most levels around a view. A fixture has fewer.
pub(super) const LEVELS_AROUND_VIEW: usize = 16;

fn view_of_lines(lines: &str) -> Result<Value, Unsupported> {
    let mut reader = LineReader::new(lines, LEVELS_AROUND_VIEW);
    reader.advance()?;
    let indent = reader.line.ok_or(Unsupported)?.indent;
    let value = Value::deserialize(Block {
        reader: &mut reader,
        indent,
    })?;
    match reader.line {
        None => Ok(value),
        Some(_) => Err(Unsupported),
    }
}
