//! Message layouts: everything that encoding and viewing look up in descriptors, computed once.

use std::collections::HashMap;

use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, OneofDescriptor,
};

use super::error::LeftOut;
use super::reader::{Reader, Wire};

/// The layouts of all messages in a pool.
#[derive(Default)]
pub(super) struct Layouts {
    all: Vec<Layout>,
    by_name: HashMap<String, usize>,
    /// Full names of all messages except map entries, sorted.
    pub(super) names: Vec<String>,
    /// Files that were left out, so their messages are missing here.
    pub(super) left_out: Vec<LeftOut>,
}

/// Well-known types with a special view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WellKnown {
    Any,
    Timestamp,
    Duration,
}

/// The layout of a message.
pub(super) struct Layout {
    pub(super) name: String,
    pub(super) is_map_entry: bool,
    pub(super) well_known: Option<WellKnown>,
    /// Whether it can contain an `Any`, at any depth, or is one.
    pub(super) may_hold_any: bool,
    /// Fields and extensions, ordered by number.
    pub(super) fields: Vec<Field>,
}

/// The cardinality of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Single,
    List,
    Map,
}

/// A field or an extension.
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are what a descriptor says, each by itself"
)]
pub(super) struct Field {
    pub(super) number: u32,
    /// Its key in a view.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Index of the layout of its message; for a map, of the entry message.
    message: Option<usize>,
    pub(super) occurrence: Occurrence,
    pub(super) packed: bool,
    pub(super) group: bool,
    /// Whether an explicit default differs from an absent value.
    pub(super) presence: bool,
    /// Name of the oneof that it belongs to.
    pub(super) oneof: Option<String>,
    /// Whether it is marked `debug_redact`.
    pub(super) debug_redact: bool,
}

impl Layouts {
    /// Computes the layouts of all messages in a pool.
    pub(super) fn new(pool: &DescriptorPool, left_out: Vec<LeftOut>) -> Self {
        let messages: Vec<_> = pool.all_messages().collect();
        let by_name: HashMap<_, _> = messages
            .iter()
            .enumerate()
            .map(|(index, message)| (message.full_name().to_owned(), index))
            .collect();
        let mut layouts: Vec<_> = messages
            .iter()
            .map(|message| Layout::new(message, &by_name))
            .collect();
        mark_holders_of_any(&mut layouts);
        let mut names: Vec<_> = messages
            .iter()
            .filter(|message| !message.is_map_entry())
            .map(|message| message.full_name().to_owned())
            .collect();
        names.sort_unstable();
        Self {
            all: layouts,
            by_name,
            names,
            left_out,
        }
    }

    /// Finds a message by its full name.
    pub(super) fn of(&self, name: &str) -> Option<&Layout> {
        self.by_name.get(name).map(|index| &self.all[*index])
    }

    /// The message type of a field.
    pub(super) fn of_field(&self, field: &Field) -> Option<&Layout> {
        field.message.map(|index| &self.all[index])
    }

    /// The key and value fields of a map's entries.
    pub(super) fn of_entry(&self, field: &Field) -> Option<(&Field, &Field)> {
        match self.of_field(field)?.fields.as_slice() {
            [key, value] => Some((key, value)),
            _ => None,
        }
    }
}

/// Marks every message that is an `Any` or has a field of a marked type.
fn mark_holders_of_any(layouts: &mut [Layout]) {
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); layouts.len()];
    for (holder, layout) in layouts.iter().enumerate() {
        for held in layout.fields.iter().filter_map(|field| field.message) {
            holders[held].push(holder);
        }
    }
    let is_any = |at: &usize| layouts[*at].well_known == Some(WellKnown::Any);
    let mut found: Vec<usize> = (0..layouts.len()).filter(is_any).collect();
    while let Some(at) = found.pop() {
        if !std::mem::replace(&mut layouts[at].may_hold_any, true) {
            found.extend_from_slice(&holders[at]);
        }
    }
}

impl Layout {
    fn new(message: &MessageDescriptor, by_name: &HashMap<String, usize>) -> Self {
        let mut fields: Vec<_> = message
            .fields()
            .map(|field| Field::new(&field, by_name))
            .collect();
        fields.extend(
            message
                .extensions()
                .map(|extension| Field::of_extension(&extension, by_name)),
        );
        fields.sort_by_key(|field| field.number);
        Self {
            name: message.full_name().to_owned(),
            is_map_entry: message.is_map_entry(),
            well_known: well_known(message),
            may_hold_any: false,
            fields,
        }
    }

    /// Index of a field. The search starts at `near`, because views mostly have their fields in order.
    pub(super) fn position(&self, name: &str, near: usize) -> Option<usize> {
        let (before, after) = self.fields.split_at(near.min(self.fields.len()));
        let found = after.iter().position(|field| field.name == name);
        found
            .map(|at| at + before.len())
            .or_else(|| before.iter().position(|field| field.name == name))
    }

    /// Index of the field with this number. Tries `near` and its successor first.
    pub(super) fn position_of_number(&self, number: u32, near: usize) -> Option<usize> {
        let is = |at: &usize| {
            self.fields
                .get(*at)
                .is_some_and(|field| field.number == number)
        };
        [near, near + 1]
            .into_iter()
            .find(is)
            .or_else(|| self.fields.binary_search_by_key(&number, |f| f.number).ok())
    }
}

impl Field {
    fn new(field: &FieldDescriptor, by_name: &HashMap<String, usize>) -> Self {
        let oneof = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        Self {
            number: field.number(),
            name: field.name().to_owned(),
            message: index(&field.kind(), by_name),
            kind: field.kind(),
            occurrence: occurrence(field.is_map(), field.cardinality()),
            packed: field.is_packed(),
            group: field.is_group(),
            presence: field.supports_presence(),
            oneof: oneof.as_ref().map(OneofDescriptor::name).map(str::to_owned),
            debug_redact: field.field_descriptor_proto().options.is_some()
                && is_debug_redact(&field.options()),
        }
    }

    fn of_extension(field: &ExtensionDescriptor, by_name: &HashMap<String, usize>) -> Self {
        Self {
            number: field.number(),
            name: format!("[{}]", field.full_name()),
            message: index(&field.kind(), by_name),
            kind: field.kind(),
            occurrence: occurrence(field.is_map(), field.cardinality()),
            packed: field.is_packed(),
            group: field.is_group(),
            presence: field.supports_presence(),
            oneof: None,
            debug_redact: is_debug_redact(&field.options()),
        }
    }
}

fn index(kind: &Kind, by_name: &HashMap<String, usize>) -> Option<usize> {
    by_name.get(kind.as_message()?.full_name()).copied()
}

/// Reads the encoded options, because the pool's own description of the options may predate this one.
fn is_debug_redact(options: &DynamicMessage) -> bool {
    const DEBUG_REDACT: u32 = 16;
    let bytes = options.encode_to_vec();
    let mut reader = Reader::new(&bytes);
    let mut is_set = false;
    while let Ok(Some((number, wire))) = reader.field() {
        if number == DEBUG_REDACT {
            is_set = matches!(wire, Wire::Varint(value) if value != 0);
        }
    }
    is_set
}

fn occurrence(is_map: bool, cardinality: Cardinality) -> Occurrence {
    match cardinality {
        Cardinality::Repeated if is_map => Occurrence::Map,
        Cardinality::Repeated => Occurrence::List,
        Cardinality::Optional | Cardinality::Required => Occurrence::Single,
    }
}

/// The special view of a message, if it has one.
pub(super) fn well_known(message: &MessageDescriptor) -> Option<WellKnown> {
    match message.full_name().strip_prefix("google.protobuf.")? {
        "Any" => Some(WellKnown::Any),
        "Timestamp" => Some(WellKnown::Timestamp),
        "Duration" => Some(WellKnown::Duration),
        _ => None,
    }
}
