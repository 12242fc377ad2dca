//! The JSON Schema of fixtures: what it refuses. A test of all schemas compares it with the published file.

use angzarr_replay::internal::fixture::json_schema;

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
