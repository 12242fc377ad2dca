//! Detects unknown fields.

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

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
