//! Message layouts: everything that encoding and viewing look up in descriptors, computed once.

use std::sync::{Arc, OnceLock};

use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor,
    MessageDescriptor, OneofDescriptor,
};

use super::error::LeftOut;
use super::kept_layouts::KeptLayouts;
use super::kind::{Kind, Kinds};
use super::reader::{Reader, Wire};

/// The layouts of all messages in a pool.
#[derive(Default)]
pub(super) struct Layouts {
    /// Ordered by name.
    all: Vec<Described>,
    /// From the cache. A layout is read when it is first needed, because a case needs few of them.
    kept: KeptLayouts,
    /// Full names of all messages except map entries, sorted.
    pub(super) names: Vec<Arc<str>>,
    /// Files that were left out, so their messages are missing here.
    pub(super) left_out: Vec<LeftOut>,
}

/// A message, and its layout once it is made.
struct Described {
    name: Arc<str>,
    layout: OnceLock<Layout>,
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
    pub(super) name: Arc<str>,
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
        let mut messages: Vec<_> = pool.all_messages().collect();
        messages.sort_unstable_by(|a, b| a.full_name().cmp(b.full_name()));
        let names = messages.iter().map(|it| it.full_name().into());
        let mut kinds = Kinds::new(names.collect());
        let layout = |(at, message)| Layout::new(at, message, &mut kinds);
        let mut all: Vec<_> = messages.iter().enumerate().map(layout).collect();
        mark_holders_of_any(&mut all);
        let types = all.iter().filter(|layout| !layout.is_map_entry);
        let names = types.map(|layout| Arc::clone(&layout.name)).collect();
        let described = |layout: Layout| Described {
            name: Arc::clone(&layout.name),
            layout: layout.into(),
        };
        Self {
            all: all.into_iter().map(described).collect(),
            kept: KeptLayouts::default(),
            names,
            left_out,
        }
    }

    /// Layouts from the cache. Their names are ordered.
    pub(super) fn of_kept(kept: KeptLayouts) -> Self {
        let mut names = Vec::new();
        let described = kept.messages().map(|(name, is_map_entry)| {
            let name: Arc<str> = name.into();
            if !is_map_entry {
                names.push(Arc::clone(&name));
            }
            let layout = OnceLock::new();
            Described { name, layout }
        });
        Self {
            all: described.collect(),
            kept,
            names,
            left_out: Vec::new(),
        }
    }

    /// All layouts, ordered by name.
    pub(super) fn all(&self) -> impl Iterator<Item = &Layout> {
        (0..self.all.len()).filter_map(|index| self.at(index))
    }

    fn at(&self, index: usize) -> Option<&Layout> {
        let described = self.all.get(index)?;
        Some(described.layout.get_or_init(|| {
            let name_of = |index: usize| Some(Arc::clone(&self.all.get(index)?.name));
            self.kept.layout(index, &described.name, name_of)
        }))
    }

    /// Finds a message by its full name.
    pub(super) fn named(&self, name: &str) -> Option<&Layout> {
        let found = self
            .all
            .binary_search_by_key(&name, |message| &message.name);
        self.at(found.ok()?)
    }

    /// The message type of a field.
    pub(super) fn of_field(&self, field: &Field) -> Option<&Layout> {
        match field.kind {
            Kind::Message { index, .. } => self.at(index),
            _ => None,
        }
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
        for field in &layout.fields {
            if let Kind::Message { index, .. } = field.kind {
                holders[index].push(holder);
            }
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
    fn new(at: usize, message: &MessageDescriptor, kinds: &mut Kinds) -> Self {
        let mut fields: Vec<_> = message
            .fields()
            .map(|field| Field::new(&field, kinds))
            .collect();
        fields.extend(
            message
                .extensions()
                .map(|extension| Field::of_extension(&extension, kinds)),
        );
        let name = Arc::clone(&kinds.names()[at]);
        Self::of(name, message.is_map_entry(), fields)
    }

    /// The layout of a message with these fields.
    pub(super) fn of(name: Arc<str>, is_map_entry: bool, mut fields: Vec<Field>) -> Self {
        fields.sort_by_key(|field| field.number);
        Self {
            well_known: well_known(&name),
            name,
            is_map_entry,
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
    fn new(field: &FieldDescriptor, kinds: &mut Kinds) -> Self {
        let oneof = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        Self {
            number: field.number(),
            name: field.name().to_owned(),
            kind: kinds.of(&field.kind()),
            occurrence: occurrence(field.is_map(), field.cardinality()),
            packed: field.is_packed(),
            group: field.is_group(),
            presence: field.supports_presence(),
            oneof: oneof.as_ref().map(OneofDescriptor::name).map(str::to_owned),
            debug_redact: field.field_descriptor_proto().options.is_some()
                && is_debug_redact(&field.options()),
        }
    }

    fn of_extension(field: &ExtensionDescriptor, kinds: &mut Kinds) -> Self {
        Self {
            number: field.number(),
            name: format!("[{}]", field.full_name()),
            kind: kinds.of(&field.kind()),
            occurrence: occurrence(field.is_map(), field.cardinality()),
            packed: field.is_packed(),
            group: field.is_group(),
            presence: field.supports_presence(),
            oneof: None,
            debug_redact: is_debug_redact(&field.options()),
        }
    }
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
pub(super) fn well_known(full_name: &str) -> Option<WellKnown> {
    match full_name.strip_prefix("google.protobuf.")? {
        "Any" => Some(WellKnown::Any),
        "Timestamp" => Some(WellKnown::Timestamp),
        "Duration" => Some(WellKnown::Duration),
        _ => None,
    }
}
