//! Where a value is in a rendered outcome.

use std::fmt;

use serde_yaml::{Mapping, Value};

use super::difference::inline;

/// A path in a rendered outcome, as in `events[1].event.new_balance.amount`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValuePath {
    segments: Vec<Segment>,
    payload: Option<PayloadStart>,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Into a mapping.
    Key(String),
    /// Into a list, counted from 0.
    Index(usize),
}

/// The payload that a path leads into.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PayloadStart {
    type_name: String,
    /// Number of segments before the payload's own fields.
    depth: usize,
}

/// Keys that hold a payload's view, beside its `type`.
const PAYLOAD_KEYS: [&str; 5] = ["event", "state", "payload", "command", "projection"];

/// Name of the payload's type if a key of this mapping holds a payload's view.
pub(super) fn payload_type<'v>(mapping: &'v Mapping, key: &Value) -> Option<&'v str> {
    PAYLOAD_KEYS.iter().find(|known| key == **known)?;
    mapping.get("type")?.as_str()
}

impl ValuePath {
    /// The path of a key at the top.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self {
            segments: vec![Segment::Key(key.to_owned())],
            payload: None,
        }
    }

    /// Whether it is the path of the whole outcome.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The list at the top that the path leads into, and the element there: `events` and 1.
    #[must_use]
    pub fn top_element(&self) -> Option<(&str, usize)> {
        match self.segments.as_slice() {
            [Segment::Key(key), Segment::Index(index), ..] => Some((key, *index)),
            _ => None,
        }
    }

    /// The elements of lists that the path leads through, at any depth, with the key of each list.
    pub fn elements(&self) -> impl Iterator<Item = (&str, usize)> {
        self.segments.windows(2).filter_map(|pair| match pair {
            [Segment::Key(key), Segment::Index(index)] => Some((key.as_str(), *index)),
            _ => None,
        })
    }

    /// Type of the payload that the path leads into, and the path of the field there: `seats.since`. Elements of lists
    /// add nothing, as in rules.
    #[must_use]
    pub fn payload_field(&self) -> Option<(&str, String)> {
        let payload = self.payload.as_ref()?;
        let names = self.segments[payload.depth..].iter();
        let names: Vec<&str> = names
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .collect();
        (!names.is_empty()).then(|| (payload.type_name.as_str(), names.join(".")))
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Leads into a key of a mapping.
    pub(super) fn enter_key(&mut self, mapping: Option<&Mapping>, key: &Value) {
        let name = key.as_str().map_or_else(|| inline(key), str::to_owned);
        self.segments.push(Segment::Key(name));
        let type_name = mapping.and_then(|mapping| payload_type(mapping, key));
        if let (None, Some(type_name)) = (&self.payload, type_name) {
            self.payload = Some(PayloadStart {
                type_name: type_name.to_owned(),
                depth: self.segments.len(),
            });
        }
    }

    /// Leads into an element of a list.
    pub(super) fn enter_index(&mut self, index: usize) {
        self.segments.push(Segment::Index(index));
    }

    /// Leads out again.
    pub(super) fn leave(&mut self) {
        self.segments.pop();
        let depth = self.segments.len();
        self.payload.take_if(|payload| payload.depth > depth);
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_segments(&self.segments, f)
    }
}

pub(super) fn write_segments(segments: &[Segment], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Key(key) if at == 0 => f.write_str(key)?,
            Segment::Key(key) => write!(f, ".{key}")?,
            Segment::Index(index) => write!(f, "[{index}]")?,
        }
    }
    Ok(())
}
