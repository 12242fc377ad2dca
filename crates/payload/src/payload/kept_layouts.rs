//! Layouts as bytes, for the cache.
//!
//! The cache checks that they are the bytes that it wrote. Whatever the bytes are, the order of the layouts and all indices are checked.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use prost::Message as _;
use prost_reflect::prost_types::field_descriptor_proto::Type;

use super::kind::{EnumLayout, EnumValue, Kind};
use super::layout::{Field, Layout, Layouts, Occurrence};

#[derive(Clone, PartialEq, prost::Message)]
struct Encoded {
    /// Ordered by name.
    #[prost(message, repeated, tag = "1")]
    messages: Vec<EncodedMessage>,
    #[prost(message, repeated, tag = "2")]
    enums: Vec<EncodedEnum>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EncodedMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    is_map_entry: bool,
    #[prost(bool, tag = "3")]
    may_hold_any: bool,
    /// [`EncodedFields`], which are read when they are needed.
    #[prost(bytes = "vec", tag = "4")]
    fields: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EncodedFields {
    #[prost(message, repeated, tag = "1")]
    fields: Vec<EncodedField>,
}

#[allow(clippy::struct_excessive_bools, reason = "as in `Field`")]
#[derive(Clone, PartialEq, prost::Message)]
struct EncodedField {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(enumeration = "Type", tag = "3")]
    kind: i32,
    /// Index of the message or enum.
    #[prost(uint32, tag = "4")]
    index: u32,
    #[prost(bool, tag = "5")]
    is_list: bool,
    #[prost(bool, tag = "6")]
    is_map: bool,
    #[prost(bool, tag = "7")]
    packed: bool,
    #[prost(bool, tag = "8")]
    group: bool,
    #[prost(bool, tag = "9")]
    presence: bool,
    #[prost(string, optional, tag = "10")]
    oneof: Option<String>,
    #[prost(bool, tag = "11")]
    debug_redact: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EncodedEnum {
    #[prost(string, tag = "1")]
    name: String,
    /// [`EncodedValues`], which are read when they are needed.
    #[prost(bytes = "vec", tag = "2")]
    values: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EncodedValues {
    #[prost(message, repeated, tag = "1")]
    values: Vec<EncodedValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EncodedValue {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "2")]
    number: i32,
    #[prost(bool, tag = "3")]
    is_alias: bool,
}

/// Encodes layouts. What was left out of them is not kept.
pub(super) fn encode(layouts: &Layouts) -> Vec<u8> {
    let mut enums = Enums::default();
    let messages = layouts.all().map(|layout| {
        let fields = layout.fields.iter();
        let fields = fields.map(|field| encoded_field(field, &mut enums));
        let fields = fields.collect();
        EncodedMessage {
            name: layout.name.to_string(),
            is_map_entry: layout.is_map_entry,
            may_hold_any: layout.may_hold_any,
            fields: EncodedFields { fields }.encode_to_vec(),
        }
    });
    let messages = messages.collect();
    let enums = enums.encoded;
    Encoded { messages, enums }.encode_to_vec()
}

/// Enums, each encoded once.
#[derive(Default)]
struct Enums {
    encoded: Vec<EncodedEnum>,
    indices: HashMap<String, usize>,
}

impl Enums {
    fn index_of(&mut self, layout: &EnumLayout) -> usize {
        if let Some(index) = self.indices.get(&layout.name) {
            return *index;
        }
        let values = layout.values().iter().map(|value| EncodedValue {
            name: value.name.clone(),
            number: value.number,
            is_alias: value.is_alias,
        });
        let values = values.collect();
        let index = self.encoded.len();
        self.encoded.push(EncodedEnum {
            name: layout.name.clone(),
            values: EncodedValues { values }.encode_to_vec(),
        });
        self.indices.insert(layout.name.clone(), index);
        index
    }
}

fn encoded_field(field: &Field, enums: &mut Enums) -> EncodedField {
    let (kind, index) = match &field.kind {
        Kind::Message { index, .. } => (Type::Message, *index),
        Kind::Enum(layout) => (Type::Enum, enums.index_of(layout)),
        Kind::Double => (Type::Double, 0),
        Kind::Float => (Type::Float, 0),
        Kind::Int64 => (Type::Int64, 0),
        Kind::Uint64 => (Type::Uint64, 0),
        Kind::Int32 => (Type::Int32, 0),
        Kind::Fixed64 => (Type::Fixed64, 0),
        Kind::Fixed32 => (Type::Fixed32, 0),
        Kind::Bool => (Type::Bool, 0),
        Kind::String => (Type::String, 0),
        Kind::Bytes => (Type::Bytes, 0),
        Kind::Uint32 => (Type::Uint32, 0),
        Kind::Sfixed32 => (Type::Sfixed32, 0),
        Kind::Sfixed64 => (Type::Sfixed64, 0),
        Kind::Sint32 => (Type::Sint32, 0),
        Kind::Sint64 => (Type::Sint64, 0),
    };
    EncodedField {
        number: field.number,
        name: field.name.clone(),
        kind: kind.into(),
        index: u32::try_from(index).unwrap_or(u32::MAX),
        is_list: field.occurrence == Occurrence::List,
        is_map: field.occurrence == Occurrence::Map,
        packed: field.packed,
        group: field.group,
        presence: field.presence,
        oneof: field.oneof.clone(),
        debug_redact: field.debug_redact,
    }
}

/// Encoded layouts. Each is decoded when it is first needed.
#[derive(Default)]
pub(super) struct KeptLayouts {
    encoded: Encoded,
    enums: Vec<OnceLock<Arc<EnumLayout>>>,
}

impl KeptLayouts {
    /// None if these are not the bytes of layouts.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let encoded = Encoded::decode(bytes).ok()?;
        let mut enums = Vec::new();
        enums.resize_with(encoded.enums.len(), OnceLock::new);
        let is_ordered = encoded.messages.is_sorted_by(|a, b| a.name < b.name);
        is_ordered.then_some(Self { encoded, enums })
    }

    /// All messages, ordered by name, and which of them are map entries.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&str, bool)> {
        let messages = self.encoded.messages.iter();
        messages.map(|message| (message.name.as_str(), message.is_map_entry))
    }

    /// The layout of a message, given the names of all messages. A field that cannot be read is left out; none is in bytes
    /// that this program wrote.
    pub(super) fn layout(
        &self,
        index: usize,
        name: &Arc<str>,
        name_of: impl Fn(usize) -> Option<Arc<str>>,
    ) -> Layout {
        let message = self.encoded.messages.get(index);
        let (is_map_entry, may_hold_any) = message.map_or((false, false), |message| {
            (message.is_map_entry, message.may_hold_any)
        });
        let fields = message.and_then(|message| EncodedFields::decode(&*message.fields).ok());
        let fields = fields.unwrap_or_default().fields.into_iter();
        let fields = fields.filter_map(|field| self.field(field, &name_of));
        Layout {
            may_hold_any,
            ..Layout::of(Arc::clone(name), is_map_entry, fields.collect())
        }
    }

    fn enumeration(&self, index: usize) -> Option<Arc<EnumLayout>> {
        let encoded = self.encoded.enums.get(index)?;
        let layout = self.enums.get(index)?.get_or_init(|| {
            let values = EncodedValues::decode(&*encoded.values).unwrap_or_default();
            let values = values.values.into_iter().map(|value| EnumValue {
                name: value.name,
                number: value.number,
                is_alias: value.is_alias,
            });
            Arc::new(EnumLayout::new(encoded.name.clone(), values.collect()))
        });
        Some(Arc::clone(layout))
    }

    fn field(
        &self,
        encoded: EncodedField,
        name_of: impl Fn(usize) -> Option<Arc<str>>,
    ) -> Option<Field> {
        let index = usize::try_from(encoded.index).ok()?;
        let kind = match Type::try_from(encoded.kind).ok()? {
            Type::Message => Kind::Message {
                name: name_of(index)?,
                index,
            },
            Type::Enum => Kind::Enum(self.enumeration(index)?),
            Type::Double => Kind::Double,
            Type::Float => Kind::Float,
            Type::Int64 => Kind::Int64,
            Type::Uint64 => Kind::Uint64,
            Type::Int32 => Kind::Int32,
            Type::Fixed64 => Kind::Fixed64,
            Type::Fixed32 => Kind::Fixed32,
            Type::Bool => Kind::Bool,
            Type::String => Kind::String,
            Type::Bytes => Kind::Bytes,
            Type::Uint32 => Kind::Uint32,
            Type::Sfixed32 => Kind::Sfixed32,
            Type::Sfixed64 => Kind::Sfixed64,
            Type::Sint32 => Kind::Sint32,
            Type::Sint64 => Kind::Sint64,
            Type::Group => return None,
        };
        let occurrence = match (encoded.is_list, encoded.is_map) {
            (false, false) => Occurrence::Single,
            (true, false) => Occurrence::List,
            (false, true) => Occurrence::Map,
            (true, true) => return None,
        };
        Some(Field {
            number: encoded.number,
            name: encoded.name,
            kind,
            occurrence,
            packed: encoded.packed,
            group: encoded.group,
            presence: encoded.presence,
            oneof: encoded.oneof,
            debug_redact: encoded.debug_redact,
        })
    }
}
