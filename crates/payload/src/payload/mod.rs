//! Payloads as readable values: descriptors, and the exact conversion of `Any` to YAML and back.
//!
//! Knows nothing of fixtures, snapshots or gRPC.
//!
//! | file | owns |
//! |---|---|
//! | `registry` | the public interface: which types are described, decode and encode |
//! | `compile`, `merge` | loading descriptors, and merging several sources into one pool |
//! | `cache`, `kept_layouts` | compiled descriptors on disk, for the next process |
//! | `source`, `vet`, `guard` | checks on sources before libraries read them, and isolation of those libraries |
//! | `layout`, `kind` | message layouts for encoding and viewing |
//! | `lazy_pool` | the descriptors themselves, for everything that layouts do not answer |
//! | `view`, `show`, `reader` | bytes to a readable value |
//! | `canonical`, `parse`, `wire` | a readable value to canonical bytes |
//! | `canonical_lines` | the lines of a view in canonical YAML to canonical bytes |
//! | `rewrite`, `field_value` | bytes to bytes: changes some fields, leaves everything else as it was |
//! | `edit`, `path` | sets or removes one field by its path, leaves everything else as it was |
//! | `text` | the text forms of bytes, timestamps and durations, both ways |
//! | `defaults` | default values of fields that a view omits |
//! | `missing` | hints about a type that is not described |
//! | `field_path` | whether a path of names matches a field |
//! | `comparison` | how the types of one registry differ from those of another, by the rules of `buf breaking` |
//! | `shape` | fingerprintable description of a type, to detect changes |
//! | `subset` | the smallest descriptor set for some types |
//! | `skeleton` | example values |
//! | `likely` | the message that most likely led to an event |
//! | `variation` | payloads that differ from another in one field |

mod cache;
mod canonical;
mod canonical_lines;
mod comparison;
mod compile;
mod defaults;
mod edit;
mod error;
mod field_path;
mod field_value;
mod guard;
mod kept_layouts;
mod kind;
mod layout;
mod lazy_pool;
mod likely;
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

pub use cache::DescriptorCache;
pub use comparison::{Breaks, ChangeKind, Rule, TypeChange, changes};
pub use defaults::Position;
pub use edit::Edit;
pub use error::{DescriptorError, LeftOut, UnknownType, Unread, ViewError};
pub use field_path::FieldPathError;
pub use field_value::{FieldKind, FieldValue};
pub use likely::{FieldOrigin, LikelyField, LikelyMessage};
pub use nesting::too_deep;
pub use path::{PathError, split_assignment};
pub use registry::{Decoded, DescriptorSet, Registry};
pub use rewrite::{Choice, Effect, FieldLocation, MAP_KEY, Rewriter, Step, Unreadable, path_of};
pub use variation::Variation;

/// Whether the bytes parse as a protobuf message. Uses no descriptor.
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

/// The ranges of all length-delimited fields in a message, including those in groups; none if the bytes are not a
/// message. Uses no descriptor.
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

/// Most levels of mappings and lists in a view. YAML readers stop at 128, and a fixture adds some levels.
const MAX_DEPTH: usize = 100;
