//! Converts bytes to a readable value in one pass. This file defines how each kind of field looks; `canonical` reads
//! the same form. Whatever a view cannot express is dropped: unknown fields, field order, non-minimal encodings. The
//! caller detects this by encoding the view again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

use super::canonical::encode;
use super::kind::Kind;
use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::reader::{Flaw, Reader, Wire};
use super::show::{MapKey, default_of, is_default, packed, scalar};
use super::{MAX_DEPTH, text};

/// The view of a message.
pub(super) fn view(layouts: &Layouts, message: &Layout, bytes: &[u8]) -> Result<Value, Flaw> {
    Viewer {
        layouts,
        depth: 0,
        any_types: None,
    }
    .message(message, bytes)
}

/// Types of the `Any` values at any depth of a message, including types without a descriptor.
pub(super) fn any_types(layouts: &Layouts, message: &Layout, bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // If the bytes are malformed, the types found so far are returned.
    let _ = Viewer {
        layouts,
        depth: 0,
        any_types: Some(&mut found),
    }
    .message(message, bytes);
    found
}

struct Viewer<'a> {
    layouts: &'a Layouts,
    depth: usize,
    any_types: Option<&'a mut BTreeSet<String>>,
}

/// What has been read of a field so far.
enum Slot<'b> {
    Scalar(Value),
    /// A message's bytes. Protobuf merges a message that occurs several times, which equals parsing the concatenated
    /// bytes.
    Message(Cow<'b, [u8]>),
    List(Vec<Value>),
    Map(BTreeMap<MapKey, Value>),
}

impl Viewer<'_> {
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Flaw>) -> Result<T, Flaw> {
        if self.depth >= MAX_DEPTH {
            return Err(Flaw::new("nested deeper than 100 levels"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn message(&mut self, message: &Layout, bytes: &[u8]) -> Result<Value, Flaw> {
        self.deeper(|viewer| {
            if message.well_known == Some(WellKnown::Any) {
                return viewer.any(bytes);
            }
            let view = viewer.fields(message, bytes)?;
            let text = match message.well_known {
                Some(WellKnown::Timestamp) => {
                    seconds_and_nanos(&view).and_then(|(s, n)| text::write_instant(s, n))
                }
                Some(WellKnown::Duration) => {
                    seconds_and_nanos(&view).and_then(|(s, n)| text::write_duration(s, n))
                }
                Some(WellKnown::Any) | None => None,
            };
            Ok(text.map_or_else(|| Value::Mapping(view), Value::String))
        })
    }

    fn fields(&mut self, message: &Layout, bytes: &[u8]) -> Result<Mapping, Flaw> {
        let mut slots: Vec<Option<Slot<'_>>> = Vec::new();
        slots.resize_with(message.fields.len(), || None);
        let mut reader = Reader::new(bytes);
        let mut near = 0;
        let mut present = 0;
        while let Some((number, wire)) = reader.field()? {
            let Some(at) = message.position_of_number(number, near) else {
                continue;
            };
            let field = &message.fields[at];
            near = at;
            present += 1;
            self.fill(field, &mut slots[at], wire)
                .map_err(|flaw| flaw.inside(&field.name, &message.name))?;
            if field.oneof.is_some() && slots[at].is_some() {
                leave_oneof(message, at, &mut slots);
            }
        }
        let mut view = Mapping::with_capacity(present.min(slots.len()));
        for (field, slot) in message.fields.iter().zip(slots) {
            let Some(slot) = slot else { continue };
            let value = self
                .value(field, slot)
                .map_err(|flaw| flaw.inside(&field.name, &message.name))?;
            if let Some(value) = value {
                view.insert(Value::String(field.name.clone()), value);
            }
        }
        Ok(view)
    }

    /// Adds a value to a slot. A value with the wrong wire type counts as an unknown field.
    fn fill<'b>(
        &mut self,
        field: &Field,
        slot: &mut Option<Slot<'b>>,
        wire: Wire<'b>,
    ) -> Result<(), Flaw> {
        match field.occurrence {
            Occurrence::Single if self.layouts.of_field(field).is_some() => {
                match (message_bytes(field, wire), slot) {
                    (Some(part), Some(Slot::Message(before))) => {
                        before.to_mut().extend_from_slice(part);
                    }
                    (Some(part), slot) => *slot = Some(Slot::Message(Cow::Borrowed(part))),
                    (None, _) => {}
                }
            }
            Occurrence::Single => match scalar(&field.kind, wire)? {
                Some(_) if !field.presence && is_default(&field.kind, wire) => *slot = None,
                Some(value) => *slot = Some(Slot::Scalar(value)),
                None => {}
            },
            Occurrence::List => {
                let slot = slot.get_or_insert_with(|| Slot::List(Vec::new()));
                let Slot::List(values) = slot else {
                    return Ok(());
                };
                self.deeper(|viewer| viewer.add_to_list(field, values, wire))?;
            }
            Occurrence::Map => {
                let slot = slot.get_or_insert_with(|| Slot::Map(BTreeMap::new()));
                let Slot::Map(entries) = slot else {
                    return Ok(());
                };
                entries.extend(self.deeper(|viewer| viewer.entry(field, wire))?);
            }
        }
        Ok(())
    }

    fn add_to_list(
        &mut self,
        field: &Field,
        values: &mut Vec<Value>,
        wire: Wire<'_>,
    ) -> Result<(), Flaw> {
        if let Some(message) = self.layouts.of_field(field) {
            if let Some(bytes) = message_bytes(field, wire) {
                values.push(self.message(message, bytes)?);
            }
            return Ok(());
        }
        match wire {
            Wire::Bytes(bytes) if !matches!(field.kind, Kind::String | Kind::Bytes) => {
                let mut reader = Reader::new(bytes);
                while !reader.is_empty() {
                    values.extend(scalar(&field.kind, packed(&field.kind, &mut reader)?)?);
                }
            }
            wire => values.extend(scalar(&field.kind, wire)?),
        }
        Ok(())
    }

    fn entry(&mut self, field: &Field, wire: Wire<'_>) -> Result<Option<(MapKey, Value)>, Flaw> {
        let (Some((key_field, value_field)), Wire::Bytes(bytes)) =
            (self.layouts.of_entry(field), wire)
        else {
            return Ok(None);
        };
        let (mut key, mut value) = (None, None);
        let mut reader = Reader::new(bytes);
        while let Some((number, wire)) = reader.field()? {
            if number == key_field.number {
                self.fill(key_field, &mut key, wire)?;
            } else if number == value_field.number {
                self.fill(value_field, &mut value, wire)?;
            }
        }
        // A missing key or value has the default.
        let key = key.unwrap_or_else(|| default_slot(&key_field.kind));
        let key = self.value(key_field, key)?;
        let value = value.unwrap_or_else(|| default_slot(&value_field.kind));
        let value = self.value(value_field, value)?;
        Ok(key.and_then(MapKey::new).zip(value))
    }

    /// The view of a slot.
    fn value(&mut self, field: &Field, slot: Slot<'_>) -> Result<Option<Value>, Flaw> {
        Ok(match slot {
            Slot::Scalar(value) => Some(value),
            Slot::Message(bytes) => match self.layouts.of_field(field) {
                Some(message) => Some(self.message(message, &bytes)?),
                None => None,
            },
            Slot::List(values) => (!values.is_empty()).then_some(Value::Sequence(values)),
            Slot::Map(entries) => {
                let shown = entries
                    .into_iter()
                    .map(|(key, value)| (key.into_value(), value))
                    .collect::<Mapping>();
                (!shown.is_empty()).then_some(Value::Mapping(shown))
            }
        })
    }

    fn any(&mut self, bytes: &[u8]) -> Result<Value, Flaw> {
        let (mut type_url, mut content) = ("", &[][..]);
        let mut reader = Reader::new(bytes);
        while let Some((number, wire)) = reader.field()? {
            match (number, wire) {
                (1, Wire::Bytes(url)) => {
                    type_url = std::str::from_utf8(url).map_err(|_| super::show::NOT_UTF8)?;
                }
                (2, Wire::Bytes(bytes)) => content = bytes,
                _ => {}
            }
        }
        let mut view = Mapping::with_capacity(2);
        view.insert("type".into(), type_url.into());
        match self.inner(type_url, content) {
            Some(inner) => view.insert("value".into(), inner),
            None => view.insert("bytes".into(), text::write_bytes(content).into()),
        };
        Ok(Value::Mapping(view))
    }

    /// The view of the message in an `Any`, if it encodes to the same bytes.
    fn inner(&mut self, type_url: &str, bytes: &[u8]) -> Option<Value> {
        let name = type_url
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())?;
        if let Some(found) = &mut self.any_types {
            found.insert(name.to_owned());
        }
        let message = self.layouts.named(name)?;
        let inner = self.message(message, bytes).ok()?;
        let encoded = encode(self.layouts, message, &inner).ok()?;
        (encoded == bytes).then_some(inner)
    }
}

/// The bytes of a message field, if the wire type matches.
pub(super) fn message_bytes<'b>(field: &Field, wire: Wire<'b>) -> Option<&'b [u8]> {
    match wire {
        Wire::Bytes(bytes) if !field.group => Some(bytes),
        Wire::Group(bytes) if field.group => Some(bytes),
        _ => None,
    }
}

fn default_slot(kind: &Kind) -> Slot<'static> {
    default_of(kind).map_or_else(|| Slot::Message(Cow::Borrowed(&[])), Slot::Scalar)
}

/// Only the last member of a oneof counts.
fn leave_oneof(message: &Layout, chosen: usize, slots: &mut [Option<Slot<'_>>]) {
    let oneof = &message.fields[chosen].oneof;
    for (at, field) in message.fields.iter().enumerate() {
        if at != chosen && field.oneof == *oneof {
            slots[at] = None;
        }
    }
}

fn seconds_and_nanos(view: &Mapping) -> Option<(i64, i32)> {
    let number = |name| view.get(name).map_or(Some(0), Value::as_i64);
    Some((number("seconds")?, i32::try_from(number("nanos")?).ok()?))
}
