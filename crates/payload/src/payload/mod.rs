//! Payloads as readable values: descriptors, `Any` to YAML and back, byte for byte or not at all.
//!
//! Knows nothing of fixtures, snapshots or gRPC.
//!
//! | file | owns |
//! |---|---|
//! | `registry` | the public face: what is described, decode and encode |
//! | `compile`, `merge` | where descriptors come from, and how several sources become one pool |
//! | `source`, `vet`, `guard` | sources looked over before libraries read them, and a wall around those |
//! | `layout` | messages prepared for both directions |
//! | `view`, `show`, `reader` | bytes to a readable value |
//! | `canonical`, `parse`, `wire` | a readable value to canonical bytes |
//! | `rewrite`, `field_value` | bytes to bytes: some fields changed, everything else as it was |
//! | `edit`, `path` | one field set or taken away by its path, everything else as it was |
//! | `text` | the text forms of bytes, instants and durations, both ways |
//! | `defaults` | what a view means by a field that it leaves out |
//! | `missing` | what can be said of a type that is not described |
//! | `lead` | whether a path of names leads to a field |
//! | `shape` | what descriptors make of a type, to tell whether they changed |
//! | `subset` | the smallest descriptor set for some types |
//! | `skeleton` | example values |
//! | `variation` | payloads that differ from one in a single field |
//! | `yaml`, `yaml_text` | values to canonical YAML text |
//! | `yaml_read` | the quick way back from it |

mod canonical;
mod compile;
mod defaults;
mod edit;
mod error;
mod field_value;
mod guard;
mod layout;
mod lead;
mod merge;
mod missing;
mod nesting;
mod parse;
mod path;
mod reader;
mod registry;
mod rewrite;
mod shape;
mod show;
mod skeleton;
mod source;
mod subset;
mod text;
mod unknown;
mod variation;
mod vet;
mod view;
mod wire;
mod yaml;
mod yaml_read;
mod yaml_text;

pub use defaults::Position;
pub use edit::Edit;
pub use error::{DescriptorError, LeftOut, UnknownType, Unread, ViewError};
pub use field_value::{FieldKind, FieldValue};
pub use lead::LeadsNowhere;
pub use nesting::too_deep;
pub use path::split_assignment;
pub use registry::{Decoded, DescriptorSet, Registry};
pub use rewrite::{Choice, Effect, MAP_KEY, Place, Rewriter, Step, Unreadable, path_of};
pub use variation::Variation;
pub use yaml::to_yaml;
pub use yaml_read::from_canonical_yaml;

/// Whether bytes are fields of protobuf from the first to the last; no descriptor is asked.
#[must_use]
pub fn is_a_message(bytes: &[u8]) -> bool {
    let mut reader = reader::Reader::new(bytes);
    loop {
        match reader.field() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// The places of all that has a length in a message, the fields of its groups among it; none where the bytes are no message.
/// No descriptor is asked.
#[must_use]
pub fn delimited(bytes: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
    let mut found = Vec::new();
    let mut reader = reader::Reader::new(bytes);
    loop {
        let wire = reader.field().ok()?;
        let place = |within: &[u8]| {
            let start = within.as_ptr().addr() - bytes.as_ptr().addr();
            start..start + within.len()
        };
        match wire {
            None => return Some(found),
            Some((_, reader::Wire::Bytes(value))) => found.push(place(value)),
            Some((_, reader::Wire::Group(fields))) => {
                let start = place(fields).start;
                let inner = delimited(fields).unwrap_or_default();
                found.extend(inner.into_iter().map(|it| it.start + start..it.end + start));
            }
            Some(_) => {}
        }
    }
}

/// Levels of mappings and lists that a view may have. YAML readers stop at 128, and a fixture adds its own.
const MAX_DEPTH: usize = 100;
