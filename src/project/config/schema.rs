//! The published JSON Schema of `replay.toml`, generated from the structs that read it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::file::RawConfig;
use crate::redact::{Action, Form};
use crate::wire::Dialect;

/// JSON Schema of `replay.toml`, for editors. Draft 7, which the language servers for TOML know.
#[must_use]
pub fn config_json_schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(without_null));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<RawConfig>();
    schema.insert("title".into(), "replay.toml of angzarr-replay".into());
    schema.to_value()
}

/// TOML has no null: an optional key is left out.
fn without_null(schema: &mut Schema) {
    let is_null = |value: &Value| value == "null" || value["type"] == "null";
    for key in ["type", "anyOf", "enum"] {
        let Some(Value::Array(choices)) = schema.get_mut(key) else {
            continue;
        };
        choices.retain(|choice| !is_null(choice) && !choice.is_null());
        if choices.len() != 1 || key == "enum" {
            continue;
        }
        let only = choices.remove(0);
        schema.remove(key);
        match (key, only) {
            ("anyOf", Value::Object(only)) => {
                // In draft 7, the keys beside a `$ref` are ignored.
                schema.insert("allOf".into(), Value::Array(vec![Value::Object(only)]));
            }
            (key, only) => {
                schema.insert(key.into(), only);
            }
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

pub(super) fn dialect(_: &mut SchemaGenerator) -> Schema {
    words(Dialect::all().iter().map(Dialect::name))
}

pub(super) fn action(_: &mut SchemaGenerator) -> Schema {
    words(Action::words())
}

pub(super) fn form(_: &mut SchemaGenerator) -> Schema {
    words(Form::words())
}

fn words(words: impl Iterator<Item = &'static str>) -> Schema {
    json_schema!({ "type": "string", "enum": words.collect::<Vec<_>>() })
}
