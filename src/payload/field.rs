//! What the encoder and the view need to know of a field, whether it is an extension or not.

use prost_reflect::{Cardinality, ExtensionDescriptor, FieldDescriptor, Kind};

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Single,
    List,
    Map,
}

/// A field or an extension.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) packed: bool,
    pub(super) group: bool,
    /// Whether a default value differs from no value.
    pub(super) presence: bool,
}

impl From<&FieldDescriptor> for Field {
    fn from(descriptor: &FieldDescriptor) -> Self {
        Self {
            number: descriptor.number(),
            kind: descriptor.kind(),
            form: form(descriptor.is_map(), descriptor.cardinality()),
            packed: descriptor.is_packed(),
            group: descriptor.is_group(),
            presence: descriptor.supports_presence(),
        }
    }
}

impl From<&ExtensionDescriptor> for Field {
    fn from(descriptor: &ExtensionDescriptor) -> Self {
        Self {
            number: descriptor.number(),
            kind: descriptor.kind(),
            form: form(descriptor.is_map(), descriptor.cardinality()),
            packed: descriptor.is_packed(),
            group: descriptor.is_group(),
            presence: descriptor.supports_presence(),
        }
    }
}

fn form(is_map: bool, cardinality: Cardinality) -> Form {
    match cardinality {
        Cardinality::Repeated if is_map => Form::Map,
        Cardinality::Repeated => Form::List,
        Cardinality::Optional | Cardinality::Required => Form::Single,
    }
}

/// Key of an extension in a view.
pub(super) fn extension_key(descriptor: &ExtensionDescriptor) -> String {
    format!("[{}]", descriptor.full_name())
}
