//! The published JSON Schema is that of the structs that read.

use angzarr_replay::internal::fixture::json_schema;
use test_support::published::assert_published;

#[test]
fn the_published_schema_is_that_of_the_reader() {
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    assert_published("schema/fixture-1.schema.json", &text);
}

#[test]
fn the_schema_refuses_unknown_keys_and_lists_the_words() {
    let schema = json_schema();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"][0], "fixture");
    let words = &schema["$defs"]["Command"]["properties"]["merge_strategy"]["anyOf"][0]["enum"];
    assert_eq!(
        *words,
        serde_json::json!(["commutative", "strict", "aggregate-handles", "manual"])
    );
}
