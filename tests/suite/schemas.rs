//! The published JSON Schemas are those of the structs that read, and explain every key.

use std::process::Command;

use angzarr_replay::internal::fixture::json_schema;
use angzarr_replay::internal::project::config_json_schema;
use angzarr_replay::internal::ticket::{KEYS, ticket_json_schema};
use serde_json::Value;
use test_support::published::assert_published;

/// The word for each schema on the command line, its file, and what the code makes of it.
fn schemas() -> [(&'static str, &'static str, Value); 3] {
    [
        ("fixture", "schema/fixture-1.schema.json", json_schema()),
        (
            "config",
            "schema/replay-toml.schema.json",
            config_json_schema(),
        ),
        (
            "ticket",
            "schema/ticket-1.schema.json",
            ticket_json_schema(),
        ),
    ]
}

fn text(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).unwrap() + "\n"
}

#[test]
fn the_published_schemas_are_those_of_the_readers() {
    for (_, file, schema) in schemas() {
        assert_published(file, &text(&schema));
    }
}

#[test]
fn the_program_prints_them() {
    for (word, _, schema) in schemas() {
        let output = Command::new(env!("CARGO_BIN_EXE_angzarr-replay"))
            .args(["schema", word])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        let is_same = String::from_utf8(output.stdout).unwrap() == text(&schema);
        assert!(is_same, "{word}: the program carries an older schema");
    }
}

#[test]
fn another_format_and_a_configuration_are_refused() {
    for (words, expected) in [
        (
            &["schema", "snapshot"][..],
            "[possible values: fixture, config, ticket]",
        ),
        (
            &["--config", "x.toml", "schema", "config"],
            "error: `init`, `completions` and `schema` read no configuration; leave out --config\n",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_angzarr-replay"))
            .args(words)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

/// Adds the path of every key without a description, and counts the others.
fn keys(schema: &Value, path: &str, bare: &mut Vec<String>) -> usize {
    let mut described = 0;
    match schema {
        Value::Object(entries) => {
            for (name, value) in entries {
                let here = format!("{path}/{name}");
                if name == "properties" {
                    for (key, value) in value.as_object().unwrap() {
                        match value["description"].as_str() {
                            Some(text) if text.ends_with(['.', '`']) => described += 1,
                            _ => bare.push(format!("{path}/{key}")),
                        }
                    }
                }
                described += keys(value, &here, bare);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                described += keys(item, &format!("{path}/{at}"), bare);
            }
        }
        _ => {}
    }
    described
}

#[test]
fn every_key_is_described_in_a_sentence() {
    for (word, _, schema) in schemas() {
        let mut bare = Vec::new();
        let described = keys(&schema, "", &mut bare);
        assert_eq!(bare, Vec::<String>::new(), "{word}");
        assert!(described > 15, "{word}: {described}");
    }
}

#[test]
fn the_schema_of_tickets_has_the_keys_of_tickets() {
    let schema = ticket_json_schema();
    let found = schema["properties"].as_object().unwrap();
    let mut known = KEYS.to_vec();
    known.sort_unstable();
    let mut found: Vec<&str> = found.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, known);
}

/// Editors complete a key without asking what null would mean: TOML has none.
#[test]
fn the_schema_of_the_configuration_has_no_null() {
    assert!(!text(&config_json_schema()).contains("null"));
}
