//! Files that nobody wrote: a file does not differ from itself, and what is only added breaks nothing.

use angzarr_replay::internal::payload::{Breaks, ChangeKind, Registry, changes};
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::descriptor_proto::ReservedRange;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, OneofDescriptorProto,
};

const TYPES: [Type; 12] = [
    Type::Int32,
    Type::Uint64,
    Type::Sint32,
    Type::Fixed32,
    Type::Sfixed64,
    Type::Bool,
    Type::String,
    Type::Bytes,
    Type::Float,
    Type::Double,
    Type::Message,
    Type::Enum,
];

/// A field by its number: its type, and whether it is repeated, in the oneof, or neither.
type FieldPlan = (usize, u8);

fn field(number: i32, (kind, place): FieldPlan, message: &str) -> FieldDescriptorProto {
    let kind = TYPES[kind];
    FieldDescriptorProto {
        name: Some(format!("f{number}")),
        json_name: Some(format!("f{number}")),
        number: Some(number),
        label: Some(if place == 1 {
            Label::Repeated
        } else {
            Label::Optional
        } as i32),
        r#type: Some(kind as i32),
        type_name: match kind {
            Type::Message => Some(format!(".shop.{message}")),
            Type::Enum => Some(".shop.State".to_owned()),
            _ => None,
        },
        oneof_index: (place == 2).then_some(0),
        ..FieldDescriptorProto::default()
    }
}

fn message(name: &str, other: &str, fields: &[FieldPlan]) -> DescriptorProto {
    let has_oneof = fields.iter().any(|(_, place)| *place == 2);
    DescriptorProto {
        name: Some(name.to_owned()),
        field: (1..)
            .zip(fields)
            .map(|(number, plan)| field(number, *plan, other))
            .collect(),
        oneof_decl: has_oneof
            .then(|| OneofDescriptorProto {
                name: Some("choice".to_owned()),
                options: None,
            })
            .into_iter()
            .collect(),
        reserved_range: vec![ReservedRange {
            start: Some(100),
            end: Some(110),
        }],
        reserved_name: vec!["old".to_owned()],
        ..DescriptorProto::default()
    }
}

fn registry(order: &[FieldPlan], line: &[FieldPlan], values: usize) -> Registry {
    let value = |number: usize| EnumValueDescriptorProto {
        name: Some(format!("V{number}")),
        number: i32::try_from(number).ok(),
        options: None,
    };
    let file = FileDescriptorProto {
        name: Some("shop.proto".to_owned()),
        package: Some("shop".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![
            message("Order", "Line", order),
            message("Line", "Order", line),
        ],
        enum_type: vec![EnumDescriptorProto {
            name: Some("State".to_owned()),
            value: (0..=values).map(value).collect(),
            ..EnumDescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    let set = FileDescriptorSet { file: vec![file] };
    Registry::from_descriptor_set(&set.encode_to_vec()).unwrap()
}

fn fields() -> impl Strategy<Value = Vec<FieldPlan>> {
    proptest::collection::vec((0..TYPES.len(), 0..3_u8), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_file_does_not_differ_from_itself(order in fields(), line in fields(), values in 0..4_usize) {
        let (one, same) = (registry(&order, &line, values), registry(&order, &line, values));
        prop_assert_eq!(changes(&one, &same), Vec::new());
    }

    #[test]
    fn what_is_only_added_breaks_nothing(order in fields(), line in fields(), more in fields(), values in 0..4_usize) {
        let grown: Vec<FieldPlan> = order.iter().chain(&more).copied().collect();
        let found = changes(&registry(&order, &line, values), &registry(&grown, &line, values + 1));
        prop_assert_eq!(found.len(), more.len() + 1);
        for change in found {
            prop_assert_eq!((change.kind, change.breaks()), (ChangeKind::Added, Breaks::Nothing));
        }
    }

    #[test]
    fn what_is_removed_without_a_reservation_breaks_the_wire(order in fields(), line in fields(), kept in 0..8_usize) {
        let less = &order[..kept.min(order.len())];
        let found = changes(&registry(&order, &line, 1), &registry(less, &line, 1));
        prop_assert_eq!(found.len(), order.len() - less.len());
        for change in found {
            prop_assert_eq!((change.kind, change.breaks()), (ChangeKind::Removed, Breaks::Wire));
        }
    }
}
