//! Bytes to a readable value. The rules of how each kind of field looks are here; `canonical` reads the same.

use std::collections::BTreeSet;

use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MapKey, MessageDescriptor, ReflectMessage as _,
    Value as Proto,
};
use serde_yaml::{Mapping, Number, Value};

use super::canonical::{WellKnown, encode, well_known};
use super::field::{Field, Form, extension_key};
use super::{MAX_DEPTH, text};

/// A view that would have more levels than a YAML reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

/// The readable value of a message.
pub(super) fn view(pool: &DescriptorPool, message: &DynamicMessage) -> Result<Value, TooDeep> {
    Viewer { pool, depth: 0 }.message(message)
}

struct Viewer<'a> {
    pool: &'a DescriptorPool,
    depth: usize,
}

impl Viewer<'_> {
    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, TooDeep>,
    ) -> Result<T, TooDeep> {
        if self.depth >= MAX_DEPTH {
            return Err(TooDeep);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn message(&mut self, message: &DynamicMessage) -> Result<Value, TooDeep> {
        self.deeper(|viewer| {
            let descriptor = message.descriptor();
            let text = match well_known(&descriptor) {
                Some(WellKnown::Any) => return Ok(viewer.any(message)),
                Some(WellKnown::Timestamp) => {
                    seconds_and_nanos(message).and_then(|(s, n)| text::write_instant(s, n))
                }
                Some(WellKnown::Duration) => {
                    seconds_and_nanos(message).and_then(|(s, n)| text::write_duration(s, n))
                }
                None => None,
            };
            match text {
                Some(text) => Ok(Value::String(text)),
                None => viewer.fields(message),
            }
        })
    }

    fn fields(&mut self, message: &DynamicMessage) -> Result<Value, TooDeep> {
        let mut present: Vec<(Field, String, &Proto)> = Vec::new();
        for (field, value) in message.fields() {
            present.push((Field::from(&field), field.name().to_owned(), value));
        }
        for (extension, value) in message.extensions() {
            present.push((Field::from(&extension), extension_key(&extension), value));
        }
        present.sort_by_key(|(field, ..)| field.number);
        let mut view = Mapping::with_capacity(present.len());
        for (field, name, value) in present {
            view.insert(Value::String(name), self.field(&field, value)?);
        }
        Ok(Value::Mapping(view))
    }

    fn field(&mut self, field: &Field, value: &Proto) -> Result<Value, TooDeep> {
        match (field.form, value) {
            (Form::List, Proto::List(values)) => self.deeper(|viewer| {
                let values: Result<_, _> = values
                    .iter()
                    .map(|value| viewer.element(&field.kind, value))
                    .collect();
                values.map(Value::Sequence)
            }),
            (Form::Map, Proto::Map(entries)) => self.deeper(|viewer| {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                let Kind::Message(entry) = &field.kind else {
                    return Ok(Value::Null);
                };
                let kind = entry.map_entry_value_field().kind();
                let mut view = Mapping::with_capacity(sorted.len());
                for (key, value) in sorted {
                    view.insert(map_key(key), viewer.element(&kind, value)?);
                }
                Ok(Value::Mapping(view))
            }),
            (_, value) => self.element(&field.kind, value),
        }
    }

    fn element(&mut self, kind: &Kind, value: &Proto) -> Result<Value, TooDeep> {
        Ok(match value {
            Proto::Bool(truth) => Value::Bool(*truth),
            Proto::I32(number) => Value::from(*number),
            Proto::I64(number) => Value::from(*number),
            Proto::U32(number) => Value::from(*number),
            Proto::U64(number) => Value::from(*number),
            Proto::F32(number) => Value::Number(Number::from(widened(*number))),
            Proto::F64(number) => Value::Number(Number::from(if number.is_nan() {
                f64::NAN
            } else {
                *number
            })),
            Proto::String(text) => Value::String(text.clone()),
            Proto::Bytes(bytes) => Value::String(text::write_bytes(bytes)),
            Proto::EnumNumber(number) => {
                let known = kind
                    .as_enum()
                    .and_then(|descriptor| descriptor.get_value(*number));
                known.map_or_else(
                    || Value::from(*number),
                    |known| Value::String(known.name().to_owned()),
                )
            }
            Proto::Message(message) => self.message(message)?,
            Proto::List(_) | Proto::Map(_) => Value::Null,
        })
    }

    fn any(&mut self, message: &DynamicMessage) -> Value {
        let (type_url, bytes) = any_parts(message);
        let mut view = Mapping::with_capacity(2);
        view.insert("type".into(), Value::String(type_url.clone()));
        match self.inner(&type_url, &bytes) {
            Some(inner) => view.insert("value".into(), inner),
            None => view.insert("bytes".into(), Value::String(text::write_bytes(&bytes))),
        };
        Value::Mapping(view)
    }

    /// The view of what an `Any` carries, where that gives its bytes back.
    fn inner(&mut self, type_url: &str, bytes: &[u8]) -> Option<Value> {
        let descriptor = described(self.pool, type_url)?;
        let message = DynamicMessage::decode(descriptor.clone(), bytes).ok()?;
        let inner = self.message(&message).ok()?;
        let encoded = encode(self.pool, &descriptor, &inner).ok()?;
        (encoded == bytes).then_some(inner)
    }
}

/// Types of the `Any` values anywhere in a message, also of those without a descriptor.
/// Whether a message, or one within it, holds fields that its descriptor does not have.
pub(super) fn has_unknown_fields(message: &DynamicMessage) -> bool {
    let within = |value: &Proto| match value {
        Proto::Message(inner) => has_unknown_fields(inner),
        Proto::List(items) => items
            .iter()
            .any(|item| matches!(item, Proto::Message(inner) if has_unknown_fields(inner))),
        Proto::Map(entries) => entries
            .values()
            .any(|item| matches!(item, Proto::Message(inner) if has_unknown_fields(inner))),
        _ => false,
    };
    message.unknown_fields().next().is_some() || message.fields().any(|(_, value)| within(value))
}

pub(super) fn collect_any_types(
    pool: &DescriptorPool,
    message: &DynamicMessage,
    found: &mut BTreeSet<String>,
) {
    collect(pool, message, 0, found);
}

fn collect(
    pool: &DescriptorPool,
    message: &DynamicMessage,
    depth: usize,
    found: &mut BTreeSet<String>,
) {
    if depth >= MAX_DEPTH {
        return;
    }
    if well_known(&message.descriptor()) == Some(WellKnown::Any) {
        let (type_url, bytes) = any_parts(message);
        let name = type_name(&type_url);
        if !name.is_empty() {
            found.insert(name.to_owned());
        }
        let inner = described(pool, &type_url)
            .and_then(|inner| DynamicMessage::decode(inner, &*bytes).ok());
        if let Some(inner) = inner {
            collect(pool, &inner, depth + 1, found);
        }
        return;
    }
    let values = message.fields().map(|(_, value)| value);
    for value in values.chain(message.extensions().map(|(_, value)| value)) {
        let mut each = |value: &Proto| {
            if let Proto::Message(inner) = value {
                collect(pool, inner, depth + 1, found);
            }
        };
        match value {
            Proto::List(values) => values.iter().for_each(each),
            Proto::Map(entries) => entries.values().for_each(each),
            value => each(value),
        }
    }
}

fn type_name(type_url: &str) -> &str {
    type_url.rsplit('/').next().unwrap_or(type_url)
}

fn described(pool: &DescriptorPool, type_url: &str) -> Option<MessageDescriptor> {
    pool.get_message_by_name(type_name(type_url))
}

fn any_parts(message: &DynamicMessage) -> (String, prost::bytes::Bytes) {
    let type_url = message
        .get_field_by_number(1)
        .and_then(|value| value.as_str().map(str::to_owned));
    let bytes = message
        .get_field_by_number(2)
        .and_then(|value| value.as_bytes().cloned());
    (type_url.unwrap_or_default(), bytes.unwrap_or_default())
}

fn seconds_and_nanos(message: &DynamicMessage) -> Option<(i64, i32)> {
    let seconds = message.get_field_by_number(1)?.as_i64()?;
    let nanos = message.get_field_by_number(2)?.as_i32()?;
    Some((seconds, nanos))
}

fn map_key(key: &MapKey) -> Value {
    match key {
        MapKey::Bool(truth) => Value::Bool(*truth),
        MapKey::I32(number) => Value::from(*number),
        MapKey::I64(number) => Value::from(*number),
        MapKey::U32(number) => Value::from(*number),
        MapKey::U64(number) => Value::from(*number),
        MapKey::String(text) => Value::String(text.clone()),
    }
}

/// A float as the shortest decimal that means it: 0.1, and not 0.10000000149011612.
fn widened(number: f32) -> f64 {
    if number.is_nan() {
        return f64::NAN;
    }
    let exact = f64::from(number);
    let short: f64 = number.to_string().parse().unwrap_or(exact);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "reading back is what is tested"
    )]
    let back = short as f32;
    if back.to_bits() == number.to_bits() {
        short
    } else {
        exact
    }
}
