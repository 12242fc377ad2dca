//! The published JSON Schema is that of the structs that read. `UPDATE_SCHEMA=1` writes it anew.

use std::path::Path;

use angzarr_replay::fixture::json_schema;

fn schema() -> serde_json::Value {
    json_schema()
}

#[test]
fn the_published_schema_is_that_of_the_reader() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/fixture-1.schema.json");
    let now = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &now).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert!(
        now == published,
        "{} is out of date: run the test with UPDATE_SCHEMA=1",
        path.display()
    );
}

#[test]
fn the_schema_refuses_unknown_keys_and_lists_the_words() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"][0], "fixture");
    let words = &schema["$defs"]["Command"]["properties"]["merge_strategy"]["anyOf"][0]["enum"];
    assert_eq!(
        *words,
        serde_json::json!(["commutative", "strict", "aggregate-handles", "manual"])
    );
}
