//! Variations of a payload that differ in one field, and that a comparison must notice.

use prost::Message;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage,
    Value,
};

/// A varint field with the highest field number, 536870911, which no message here uses.
const UNKNOWN_FIELD: [u8; 6] = [0xf8, 0xff, 0xff, 0xff, 0x0f, 0x01];

/// Messages nested more deeply are changed as a whole.
const MAX_DEPTH: usize = 32;

/// A payload that differs from the original in one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variation {
    /// Field names from the payload down, joined by dots. List indices and map keys are omitted, as in normalising
    /// rules.
    pub field: String,
    /// How it was changed.
    pub change: &'static str,
    /// The encoded variation.
    pub value: Vec<u8>,
}

const SET: &str = "set";
const CLEARED: &str = "cleared";
const CHANGED: &str = "changed";

/// One variation for each field of a message. Empty if the bytes are malformed.
pub(super) fn variations(message: MessageDescriptor, bytes: &[u8]) -> Vec<Variation> {
    let mut found = Vec::new();
    if let Ok(message) = DynamicMessage::decode(message, bytes) {
        let whole = |changed: DynamicMessage| changed.encode_to_vec();
        Varied::new(&message, String::new(), &whole).into(&mut found, 0);
    }
    found
}

/// A message in a payload, and how to put a changed copy of it back.
struct Varied<'a> {
    message: &'a DynamicMessage,
    path: String,
    whole: &'a dyn Fn(DynamicMessage) -> Vec<u8>,
}

impl<'a> Varied<'a> {
    fn new(
        message: &'a DynamicMessage,
        path: String,
        whole: &'a dyn Fn(DynamicMessage) -> Vec<u8>,
    ) -> Self {
        Self {
            message,
            path,
            whole,
        }
    }

    fn into(self, found: &mut Vec<Variation>, depth: usize) {
        if depth > 0 {
            let mut bytes = self.message.encode_to_vec();
            bytes.extend(UNKNOWN_FIELD);
            if let Ok(more) = DynamicMessage::decode(self.message.descriptor(), bytes.as_slice()) {
                found.push(self.variation(&self.path, "an unknown field more", more));
            }
        }
        if depth == MAX_DEPTH {
            return;
        }
        for field in self.message.descriptor().fields() {
            self.field(&field, found, depth);
        }
    }

    fn variation(&self, field: &str, change: &'static str, message: DynamicMessage) -> Variation {
        Variation {
            field: field.to_owned(),
            change,
            value: (self.whole)(message),
        }
    }

    fn field(&self, field: &FieldDescriptor, found: &mut Vec<Variation>, depth: usize) {
        let path = self.path_of(field);
        let is_set = self.message.has_field(field);
        let mut push = |change, value| {
            if let Some(message) = self.with(field, value) {
                found.push(self.variation(&path, change, message));
            }
        };
        if !is_set {
            push(SET, sample(field));
            return;
        }
        let value = self.message.get_field(field).into_owned();
        let mut cleared = self.message.clone();
        cleared.clear_field(field);
        for (change, value) in changed(field, &value) {
            push(change, value);
        }
        found.push(self.variation(&path, CLEARED, cleared));
        for (inner, put_back) in messages_in(&value) {
            let whole = |inner: DynamicMessage| {
                let message = self.with(field, put_back(inner));
                (self.whole)(message.unwrap_or_else(|| self.message.clone()))
            };
            match packed(&inner) {
                Some((message, repack)) => {
                    let whole = |message: DynamicMessage| whole(repack(message));
                    let path = format!("{path}.value");
                    Varied::new(&message, path, &whole).into(found, depth + 1);
                }
                None => Varied::new(&inner, path.clone(), &whole).into(found, depth + 1),
            }
        }
    }

    /// The fields of a timestamp, duration or wrapper count as the value of the enclosing field.
    fn path_of(&self, field: &FieldDescriptor) -> String {
        let message = self.message.descriptor();
        let is_scalar_in_a_view =
            message.package_name() == "google.protobuf" && message.name() != "Any";
        if is_scalar_in_a_view || self.path.is_empty() {
            let own = Some(field.name()).filter(|_| self.path.is_empty());
            return own.map_or_else(|| self.path.clone(), str::to_owned);
        }
        format!("{}.{}", self.path, field.name())
    }

    fn with(&self, field: &FieldDescriptor, value: Value) -> Option<DynamicMessage> {
        let mut message = self.message.clone();
        message.try_set_field(field, value).ok()?;
        Some(message)
    }
}

/// Puts a message back into the value that contained it.
type PutBack<'a> = Box<dyn Fn(DynamicMessage) -> Value + 'a>;

/// The messages in a field's value: a single one, the first and last of a list, those of a map.
fn messages_in(value: &Value) -> Vec<(DynamicMessage, PutBack<'_>)> {
    match value {
        Value::Message(message) => vec![(message.clone(), Box::new(Value::Message))],
        Value::List(items) => {
            let last = items.len().saturating_sub(1);
            let ends = items.iter().enumerate();
            let ends = ends.filter(|(at, _)| *at == 0 || *at == last);
            let found = ends.filter_map(|(at, item)| {
                let message = item.as_message()?.clone();
                let put_back = move |changed| {
                    let mut items = items.clone();
                    items[at] = Value::Message(changed);
                    Value::List(items)
                };
                Some((message, Box::new(put_back) as PutBack<'_>))
            });
            found.collect()
        }
        Value::Map(entries) => {
            let found = entries.iter().filter_map(|(key, item)| {
                let message = item.as_message()?.clone();
                let put_back = move |changed| {
                    let mut entries = entries.clone();
                    entries.insert(key.clone(), Value::Message(changed));
                    Value::Map(entries)
                };
                Some((message, Box::new(put_back) as PutBack<'_>))
            });
            found.collect()
        }
        _ => Vec::new(),
    }
}

/// The message in an `Any`, if its type is described, and how to pack it again.
fn packed(
    any: &DynamicMessage,
) -> Option<(
    DynamicMessage,
    impl Fn(DynamicMessage) -> DynamicMessage + use<>,
)> {
    let descriptor = any.descriptor();
    if descriptor.full_name() != "google.protobuf.Any" {
        return None;
    }
    let url = any.get_field_by_name("type_url")?;
    let name = url.as_str()?.rsplit('/').next()?.to_owned();
    let inner = descriptor.parent_pool().get_message_by_name(&name)?;
    let value = any.get_field_by_name("value")?;
    let message = DynamicMessage::decode(inner, value.as_bytes()?.clone()).ok()?;
    let any = any.clone();
    Some((message, move |changed: DynamicMessage| {
        let mut any = any.clone();
        any.set_field_by_name("value", Value::Bytes(changed.encode_to_vec().into()));
        any
    }))
}

/// A value for an unset field.
fn sample(field: &FieldDescriptor) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else {
            return Value::Bool(true);
        };
        let key = match entry.map_entry_key_field().kind() {
            Kind::Bool => MapKey::Bool(true),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(1),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(1),
            Kind::Uint32 | Kind::Fixed32 => MapKey::U32(1),
            Kind::Uint64 | Kind::Fixed64 => MapKey::U64(1),
            _ => MapKey::String("x".to_owned()),
        };
        let value = sample_of(&entry.map_entry_value_field().kind());
        return Value::Map(std::iter::once((key, value)).collect());
    }
    let value = sample_of(&field.kind());
    if field.cardinality() == Cardinality::Repeated {
        return Value::List(vec![value]);
    }
    value
}

fn sample_of(kind: &Kind) -> Value {
    match kind {
        Kind::Message(message) => Value::Message(DynamicMessage::new(message.clone())),
        Kind::Enum(numbers) => {
            let other = numbers.values().map(|value| value.number());
            Value::EnumNumber(other.filter(|number| *number != 0).min().unwrap_or(1))
        }
        kind => changed_scalar(kind, &Value::default_value(kind))
            .into_iter()
            .next()
            .map_or(Value::Bool(true), |(_, value)| value),
    }
}

/// Variations of a field's value, except for changes within its messages.
fn changed(field: &FieldDescriptor, value: &Value) -> Vec<(&'static str, Value)> {
    match value {
        Value::List(items) => changed_list(field, items),
        Value::Map(entries) => {
            let Kind::Message(entry) = field.kind() else {
                return Vec::new();
            };
            let kind = entry.map_entry_value_field().kind();
            let mut found = Vec::new();
            for (key, value) in entries {
                if entries.len() > 1 {
                    let mut less = entries.clone();
                    less.remove(key);
                    found.push(("an entry left out", Value::Map(less)));
                }
                for (_, value) in changed_scalar(&kind, value) {
                    let mut other = entries.clone();
                    other.insert(key.clone(), value);
                    found.push((CHANGED, Value::Map(other)));
                }
            }
            found
        }
        value => changed_scalar(&field.kind(), value),
    }
}

fn changed_list(field: &FieldDescriptor, items: &[Value]) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    let Some(last) = items.len().checked_sub(1) else {
        return found;
    };
    let mut push = |change, edit: &dyn Fn(&mut Vec<Value>)| {
        let mut items = items.to_vec();
        edit(&mut items);
        found.push((change, Value::List(items)));
    };
    push("an element repeated", &|items| {
        items.push(items[last].clone());
    });
    if last > 0 {
        push("an element left out", &|items| {
            items.remove(0);
        });
        if items[0] != items[last] {
            push("elements in another order", &|items| items.swap(0, last));
        }
    }
    for at in [0, last] {
        for (change, value) in changed_scalar(&field.kind(), &items[at]) {
            push(change, &|items| items[at] = value.clone());
        }
    }
    found
}

/// Close variations of a scalar, which show how precise a comparison is.
fn changed_scalar(kind: &Kind, value: &Value) -> Vec<(&'static str, Value)> {
    let value = match value {
        Value::Bool(value) => Value::Bool(!value),
        Value::I32(value) => Value::I32(value.wrapping_add(1)),
        Value::I64(value) => Value::I64(value.wrapping_add(1)),
        Value::U32(value) => Value::U32(value.wrapping_add(1)),
        Value::U64(value) => Value::U64(value.wrapping_add(1)),
        Value::F32(value) if value.is_nan() => Value::F32(1.0),
        Value::F32(value) => Value::F32(f32::from_bits(value.to_bits() ^ 1)),
        Value::F64(value) if value.is_nan() => Value::F64(1.0),
        Value::F64(value) => Value::F64(f64::from_bits(value.to_bits() ^ 1)),
        Value::String(text) => {
            return ["x", " ", "\n"]
                .map(|more| (CHANGED, Value::String(format!("{text}{more}"))))
                .to_vec();
        }
        Value::Bytes(bytes) => {
            let mut other = bytes.to_vec();
            match other.last_mut() {
                Some(last) => *last ^= 1,
                None => other.push(1),
            }
            Value::Bytes(other.into())
        }
        Value::EnumNumber(number) => {
            let Kind::Enum(numbers) = kind else {
                return Vec::new();
            };
            let known: Vec<i32> = numbers.values().map(|value| value.number()).collect();
            let highest = known.iter().copied().max().unwrap_or(0);
            let other = known.into_iter().filter(|other| other != number).max();
            let numbers = other.into_iter().chain([highest.wrapping_add(1)]);
            return numbers
                .map(|number| (CHANGED, Value::EnumNumber(number)))
                .collect();
        }
        Value::Message(_) | Value::List(_) | Value::Map(_) => return Vec::new(),
    };
    vec![(CHANGED, value)]
}
