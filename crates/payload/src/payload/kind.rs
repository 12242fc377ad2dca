//! The kinds of fields, as layouts know them: without a pool of descriptors.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prost_reflect::EnumDescriptor;

/// What a field holds.
#[derive(Clone)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// A message; for a map, its entry.
    Message {
        /// Full name.
        name: Arc<str>,
        /// Index of its layout.
        index: usize,
    },
    Enum(Arc<EnumLayout>),
}

/// As in a `.proto` file; messages and enums by their full names.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Message { name, .. } => name,
            Self::Enum(layout) => &layout.name,
        })
    }
}

/// The values of an enum.
pub(super) struct EnumLayout {
    /// Full name.
    pub(super) name: String,
    /// Ordered by number.
    values: Vec<EnumValue>,
    /// Indices of the values, ordered by name. Made when a name is first looked up.
    by_name: OnceLock<Vec<usize>>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnumValue {
    pub(super) name: String,
    pub(super) number: i32,
    /// Whether another value has the same number, and is the one that a view shows.
    pub(super) is_alias: bool,
}

impl EnumLayout {
    pub(super) fn new(name: String, mut values: Vec<EnumValue>) -> Self {
        values.sort_by_key(|value| value.number);
        Self {
            name,
            values,
            by_name: OnceLock::new(),
        }
    }

    pub(super) fn of(descriptor: &EnumDescriptor) -> Self {
        let values = descriptor.values().map(|value| {
            let shown = descriptor.get_value(value.number());
            EnumValue {
                name: value.name().to_owned(),
                number: value.number(),
                is_alias: shown.is_some_and(|shown| shown != value),
            }
        });
        Self::new(descriptor.full_name().to_owned(), values.collect())
    }

    /// All values, ordered by number.
    pub(super) fn values(&self) -> &[EnumValue] {
        &self.values
    }

    /// The name that a view shows for a number.
    pub(super) fn name_of(&self, number: i32) -> Option<&str> {
        let start = self.values.partition_point(|value| value.number < number);
        let same = self.values[start..].iter();
        let mut same = same.take_while(|value| value.number == number);
        same.find(|value| !value.is_alias)
            .map(|value| value.name.as_str())
    }

    /// The number of a name, which may be an alias.
    pub(super) fn number_of(&self, name: &str) -> Option<i32> {
        let by_name = self.by_name.get_or_init(|| {
            let mut indices: Vec<usize> = (0..self.values.len()).collect();
            indices.sort_unstable_by_key(|at| &self.values[*at].name);
            indices
        });
        let found = by_name.binary_search_by_key(&name, |at| &self.values[*at].name);
        found.ok().map(|at| self.values[by_name[at]].number)
    }
}

/// Makes the kinds of the fields of a pool.
pub(super) struct Kinds {
    /// Full names of all messages, sorted, which is the order of their layouts.
    names: Vec<Arc<str>>,
    enums: HashMap<String, Arc<EnumLayout>>,
}

impl Kinds {
    /// The names of all messages, sorted.
    pub(super) fn new(names: Vec<Arc<str>>) -> Self {
        let enums = HashMap::new();
        Self { names, enums }
    }

    /// The names of all messages, sorted.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    pub(super) fn of(&mut self, kind: &prost_reflect::Kind) -> Kind {
        match kind {
            prost_reflect::Kind::Double => Kind::Double,
            prost_reflect::Kind::Float => Kind::Float,
            prost_reflect::Kind::Int32 => Kind::Int32,
            prost_reflect::Kind::Int64 => Kind::Int64,
            prost_reflect::Kind::Uint32 => Kind::Uint32,
            prost_reflect::Kind::Uint64 => Kind::Uint64,
            prost_reflect::Kind::Sint32 => Kind::Sint32,
            prost_reflect::Kind::Sint64 => Kind::Sint64,
            prost_reflect::Kind::Fixed32 => Kind::Fixed32,
            prost_reflect::Kind::Fixed64 => Kind::Fixed64,
            prost_reflect::Kind::Sfixed32 => Kind::Sfixed32,
            prost_reflect::Kind::Sfixed64 => Kind::Sfixed64,
            prost_reflect::Kind::Bool => Kind::Bool,
            prost_reflect::Kind::String => Kind::String,
            prost_reflect::Kind::Bytes => Kind::Bytes,
            prost_reflect::Kind::Message(message) => {
                let found = self
                    .names
                    .binary_search_by_key(&message.full_name(), |name| name);
                let index = found.expect("a pool has the messages of its fields");
                let name = Arc::clone(&self.names[index]);
                Kind::Message { name, index }
            }
            prost_reflect::Kind::Enum(descriptor) => {
                let known = self.enums.entry(descriptor.full_name().to_owned());
                let layout = known.or_insert_with(|| Arc::new(EnumLayout::of(descriptor)));
                Kind::Enum(Arc::clone(layout))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_reflect::prost_types::{
        EnumDescriptorProto, EnumOptions, EnumValueDescriptorProto, FileDescriptorProto,
        FileDescriptorSet,
    };
    use prost_reflect::{DescriptorPool, EnumValueDescriptor};

    use super::*;

    /// An enum whose values have these numbers, in this order, and are called `A0`, `A1` and so on.
    fn enumeration(numbers: &[i32]) -> EnumDescriptor {
        let value = |(at, number): (usize, &i32)| EnumValueDescriptorProto {
            name: Some(format!("A{at}")),
            number: Some(*number),
            options: None,
        };
        let described = EnumDescriptorProto {
            name: Some("Word".to_owned()),
            value: numbers.iter().enumerate().map(value).collect(),
            options: Some(EnumOptions {
                allow_alias: Some(true),
                ..EnumOptions::default()
            }),
            ..EnumDescriptorProto::default()
        };
        let file = FileDescriptorProto {
            name: Some("word.proto".to_owned()),
            enum_type: vec![described],
            ..FileDescriptorProto::default()
        };
        let set = FileDescriptorSet { file: vec![file] };
        let pool = DescriptorPool::from_file_descriptor_set(set).unwrap();
        pool.get_enum_by_name("Word").unwrap()
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_descriptor(
            numbers in prop::collection::vec(-3..4_i32, 1..20)
                .prop_filter("an alias", |all| (1..all.len()).any(|at| all[..at].contains(&all[at]))),
        ) {
            let descriptor = enumeration(&numbers);
            let layout = EnumLayout::of(&descriptor);
            for number in -4..5 {
                let value = descriptor.get_value(number);
                prop_assert_eq!(layout.name_of(number), value.as_ref().map(EnumValueDescriptor::name));
            }
            for name in (0..=numbers.len()).map(|at| format!("A{at}")) {
                let value = descriptor.get_value_by_name(&name);
                prop_assert_eq!(layout.number_of(&name), value.map(|value| value.number()));
            }
            let names: Vec<String> = descriptor.values().map(|it| it.name().to_owned()).collect();
            let own: Vec<&str> = layout.values().iter().map(|it| it.name.as_str()).collect();
            prop_assert_eq!(own, names);
        }
    }
}
