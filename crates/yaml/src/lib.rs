//! Canonical YAML: exactly one text for each value, and a fast reader for that text.
//!
//! A crate of its own, because it is small and does most of the work of reading a fixture, so that the dev profile can optimise it
//! at little cost. An internal part of `angzarr-replay`: its items change without notice.

mod read;
mod text;
mod write;

pub use read::{Node, Unsupported, View, ViewReader, YamlScalar, from_canonical_yaml};
pub use write::to_yaml;

/// Most levels of mappings and lists in a text. YAML readers stop at 128.
const MAX_DEPTH: usize = 100;
