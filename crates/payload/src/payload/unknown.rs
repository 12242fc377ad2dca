//! Detects unknown fields.

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

use super::MAX_DEPTH;
use super::layout::{Layout, Layouts};
use super::reader::Reader;
use super::view::message_bytes;

/// Whether the bytes may contain unknown fields, which only [`are_in`] knows for sure. Needs no pool, and the answer is almost always
/// no: most payloads that have no exact view have a map in another order.
pub(super) fn may_be_in(layouts: &Layouts, message: &Layout, bytes: &[u8]) -> bool {
    may_be_below(layouts, message, bytes, 0)
}

fn may_be_below(layouts: &Layouts, message: &Layout, bytes: &[u8], depth: usize) -> bool {
    if depth >= MAX_DEPTH {
        return true;
    }
    let mut reader = Reader::new(bytes);
    let mut near = 0;
    loop {
        let Ok(field) = reader.field() else {
            return true;
        };
        let Some((number, wire)) = field else {
            return false;
        };
        let Some(at) = message.position_of_number(number, near) else {
            return true;
        };
        near = at;
        let field = &message.fields[at];
        if let Some(inner) = layouts.of_field(field) {
            // What prost-reflect makes of another wire type depends on the field.
            let may_be = message_bytes(field, wire)
                .is_none_or(|content| may_be_below(layouts, inner, content, depth + 1));
            if may_be {
                return true;
            }
        }
    }
}

/// Whether the bytes contain unknown fields at any depth.
pub(super) fn are_in(descriptor: MessageDescriptor, bytes: &[u8]) -> bool {
    DynamicMessage::decode(descriptor, bytes).is_ok_and(|message| has_unknown(&message))
}

fn has_unknown(message: &DynamicMessage) -> bool {
    let within = |value: &Value| match value {
        Value::Message(inner) => has_unknown(inner),
        Value::List(items) => items
            .iter()
            .any(|item| matches!(item, Value::Message(inner) if has_unknown(inner))),
        Value::Map(entries) => entries
            .values()
            .any(|item| matches!(item, Value::Message(inner) if has_unknown(inner))),
        _ => false,
    };
    message.unknown_fields().next().is_some() || message.fields().any(|(_, value)| within(value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::payload::registry::Registry;
    use crate::payload::wire::Scalar;

    /// Fields with numbers that the test messages have, mostly.
    fn fields() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            (0..3_u64).prop_map(Scalar::Varint),
            (0..3_u32).prop_map(Scalar::Fixed32),
            Just(Scalar::Bytes(b"text".to_vec())),
        ];
        leaf.prop_recursive(5, 20, 4, |inner| {
            prop::collection::vec((1..9_u32, inner), 0..4)
                .prop_map(|fields| Scalar::Bytes(encoded(&fields)))
        })
        .prop_flat_map(|value| (1..9_u32, Just(value)))
        .prop_map(|field| encoded(&[field]))
    }

    fn encoded(fields: &[(u32, Scalar<'static>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, value) in fields {
            value.write_field(*number, &mut out);
        }
        out
    }

    proptest! {
        #[test]
        fn whoever_needs_no_pool_is_right(bytes in prop::collection::vec(fields(), 1..4)) {
            thread_local! {
                static REGISTRY: Registry = {
                    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                    Registry::from_paths(&[repository.join("tests/protos")]).unwrap()
                };
            }
            let bytes = bytes.concat();
            REGISTRY.with(|registry| {
                for name in registry.type_names() {
                    let message = registry.layouts().named(&name).unwrap();
                    let descriptor = registry.pool().get_message_by_name(&name).unwrap();
                    if are_in(descriptor, &bytes) {
                        prop_assert!(may_be_in(registry.layouts(), message, &bytes), "{name}");
                    }
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn a_map_in_another_order_needs_no_pool() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let registry = Registry::from_paths(&[repository.join("tests/protos")]).unwrap();
        let message = registry.layouts().named("sample.Maps").unwrap();
        let entry = |key: &'static str| {
            let fields = [(1, Scalar::Text(key)), (2, Scalar::Varint(1))];
            (1, Scalar::Bytes(encoded(&fields)))
        };
        let known = encoded(&[entry("b"), entry("a")]);
        assert!(!may_be_in(registry.layouts(), message, &known));
        let unknown = encoded(&[entry("b"), (9, Scalar::Varint(1))]);
        assert!(may_be_in(registry.layouts(), message, &unknown));
    }
}
