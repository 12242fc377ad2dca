//! The published JSON Schema of a ticket, generated from the struct that reads it.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::LOGIC;
use super::line::Line;
use crate::wire::Dialect;

/// JSON Schema of `ticket: 1`.
#[must_use]
pub fn ticket_json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Line).to_value();
    // It may be null and not absent, which the struct expresses with a default.
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("sequence".into());
    }
    if let Some(sequence) = schema["properties"]["sequence"].as_object_mut() {
        sequence.remove("default");
    }
    schema
}

pub(super) fn dialect(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Dialect::all().iter().map(Dialect::name).collect();
    json_schema!({ "type": "string", "enum": names })
}

pub(super) fn answered_by(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": [LOGIC, null] })
}
