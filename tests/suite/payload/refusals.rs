//! Views that are no message: what is said, and where.

use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::yaml::to_yaml;

use serde_yaml::Value;

use crate::payload::{decode, hex, registry, value};

/// Path and message of what is wrong with a view.
fn refused(type_name: &str, text: &str) -> (String, String) {
    let error = registry().encode(type_name, &value(text)).unwrap_err();
    (error.path.join("/"), error.to_string())
}

fn says(type_name: &str, text: &str, path: &str, message: &str) {
    assert_eq!(
        refused(type_name, text),
        (path.to_owned(), message.to_owned()),
        "{text}"
    );
}

#[test]
fn misspelt_field_is_refused_with_the_nearest_name() {
    let says_of_money = "no field `amuont` in sample.Money; did you mean `amount`?";
    says("sample.Money", "amuont: 5", "amuont", says_of_money);
    says(
        "sample.Lists",
        "moneys: [{}, {amuont: 5}]",
        "moneys/1/amuont",
        says_of_money,
    );
    says(
        "sample.Maps",
        "by_truth: {true: {amuont: 5}}",
        "by_truth/true/amuont",
        says_of_money,
    );
    says(
        "sample.Money",
        "quux: 5",
        "quux",
        "no field `quux` in sample.Money",
    );
    says(
        "sample.Legacy",
        "note: x",
        "note",
        "no field `note` in sample.Legacy; did you mean `[sample.note]`?",
    );
}

#[test]
fn wrong_yaml_type_is_refused() {
    let nothing = "nothing (leave the field out, or write `{}` for an empty message)";
    for (text, path, message) in [
        (
            "string_field: 12",
            "string_field",
            "expected a string, found an integer".to_owned(),
        ),
        (
            "string_field: true",
            "string_field",
            "expected a string, found true or false (quote it to have a string)".into(),
        ),
        (
            "int32_field: '1'",
            "int32_field",
            "expected an integer, found a string".into(),
        ),
        (
            "int32_field: 1.0",
            "int32_field",
            "expected an integer, found a float".into(),
        ),
        (
            "int32_field: 2147483648",
            "int32_field",
            "2147483648 is out of range: -2147483648 to 2147483647".into(),
        ),
        (
            "uint64_field: -1",
            "uint64_field",
            "-1 is out of range: 0 to 18446744073709551615".into(),
        ),
        (
            "double_field: '1'",
            "double_field",
            "expected a number, found a string".into(),
        ),
        (
            "float_field: 1e300",
            "float_field",
            "1e300 is out of range of a 32-bit float".into(),
        ),
        (
            "bool_field: 1",
            "bool_field",
            "expected true or false, found an integer".into(),
        ),
        (
            "bytes_field: [1]",
            "bytes_field",
            "expected bytes, written as `uuid:…` or base64, found a list".into(),
        ),
        (
            "bytes_field: uuid:12",
            "bytes_field",
            "what follows `uuid:` is not a UUID".into(),
        ),
        (
            "enum_field: HEART",
            "enum_field",
            "`HEART` is not a value of sample.Suit; did you mean `HEARTS`?".into(),
        ),
        (
            "enum_field: 4294967296",
            "enum_field",
            "4294967296 is out of range: -2147483648 to 2147483647".into(),
        ),
        (
            "enum_field: 1.5",
            "enum_field",
            "expected a value of sample.Suit, found a float".into(),
        ),
        (
            "int32_field:",
            "int32_field",
            format!("expected an integer, found {nothing}"),
        ),
        (
            "int32_field: !x 1",
            "int32_field",
            "expected an integer, found a value with a YAML tag".into(),
        ),
    ] {
        says("sample.Scalars", text, path, &message);
    }
    let (path, message) = refused("sample.Scalars", "bytes_field: '%'");
    assert_eq!(path, "bytes_field");
    assert!(
        message.starts_with("bytes are written as `uuid:…` or as base64 with padding: "),
        "{message}"
    );
}

#[test]
fn wrong_collection_is_refused() {
    says(
        "sample.Lists",
        "strings: a",
        "strings",
        "expected a list, found a string",
    );
    says(
        "sample.Lists",
        "doubles: [1, a]",
        "doubles/1",
        "expected a number, found a string",
    );
    says(
        "sample.Lists",
        "moneys: [5]",
        "moneys/0",
        "expected a mapping of sample.Money, found an integer",
    );
    says(
        "sample.Maps",
        "by_int: [a]",
        "by_int",
        "expected a mapping, found a list",
    );
    says(
        "sample.Maps",
        "by_int: {a: b}",
        "by_int/a",
        "in a key: expected an integer, found a string",
    );
    says(
        "sample.Maps",
        "by_int: {1: a, '1': b}",
        "by_int/1",
        "this key appears twice",
    );
    says(
        "sample.Maps",
        "by_text: {1: 2}",
        "by_text/1",
        "in a key: expected a string, found an integer",
    );
    says(
        "sample.Money",
        "[1]",
        "",
        "expected a mapping of sample.Money, found a list",
    );
    says(
        "sample.Money",
        "1: 2",
        "",
        "expected the name of a field of sample.Money, found an integer",
    );
}

#[test]
fn two_members_of_a_oneof_are_refused() {
    let message = "`number` and `text` both belong to the oneof `pick`: give one of them";
    says("sample.Choice", "{number: 1, text: a}", "text", message);
}

#[test]
fn ill_formed_any_is_refused() {
    says(
        "sample.WellKnown",
        "any: {type: /a.B}",
        "any",
        "an Any has `type`, and `value` or `bytes`",
    );
    says(
        "sample.WellKnown",
        "any: {type: /a.B, value: {}, bytes: ''}",
        "any",
        "give `value` or `bytes`, not both",
    );
    says(
        "sample.WellKnown",
        "any: {type: 1, bytes: ''}",
        "any/type",
        "expected a type URL, found an integer",
    );
    says(
        "sample.WellKnown",
        "any: 1",
        "any",
        "expected a mapping of `type` and `value`, found an integer",
    );
    says(
        "sample.WellKnown",
        "any: {typ: a}",
        "any",
        "this is not part of an Any, which has `type`, and `value` or `bytes`",
    );
    says(
        "sample.WellKnown",
        "any: {type: /a.B, value: {}}",
        "any/value",
        "there is no descriptor of `a.B`: give its `bytes`",
    );
}

#[test]
fn text_that_is_no_instant_or_duration_is_refused() {
    let (path, message) = refused("sample.WellKnown", "at: yesterday");
    assert_eq!(path, "at");
    assert!(
        message.starts_with("an instant is written like `2026-11-23T00:01:30.5Z`: "),
        "{message}"
    );
    says(
        "sample.WellKnown",
        "at: '0000-12-31T00:00:00Z'",
        "at",
        "an instant is written like `2026-11-23T00:01:30.5Z`: it is outside the years 1 to 9999",
    );
    for text in ["1", "1.s", ".5s", "1.0000000001s", "+1s", "1 s", "--1s"] {
        says(
            "sample.WellKnown",
            &format!("took: '{text}'"),
            "took",
            "a duration is written in seconds, like `1.5s`",
        );
    }
    says(
        "sample.WellKnown",
        "took: '315576000001s'",
        "took",
        "a duration has at most 315576000000 seconds",
    );
}

#[test]
fn too_deep_a_view_is_refused_and_too_deep_bytes_cannot_be_shown() {
    let mut view = value("{}");
    let mut bytes = Vec::new();
    for _ in 0..70 {
        let level = [("children".into(), Value::Sequence(vec![view]))];
        view = Value::Mapping(level.into_iter().collect());
        let mut outer = vec![0x12];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    let error = registry().encode("sample.Tree", &view).unwrap_err();
    assert_eq!(error.to_string(), "nested deeper than 100 levels");
    assert_eq!(
        decode("sample.Tree", &bytes),
        Decoded::Malformed("nested deeper than 100 levels, in `children` of sample.Tree".into())
    );
}

#[test]
fn the_deepest_view_can_be_read_from_yaml() {
    let mut bytes = Vec::new();
    for _ in 0..49 {
        let mut outer = vec![0x12];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    let Decoded::Exact(view) = decode("sample.Tree", &bytes) else {
        panic!("not exact")
    };
    assert_eq!(value(&to_yaml(&view)), view);
}

#[test]
fn bytes_that_do_not_decode_are_malformed_without_their_contents() {
    let Decoded::Malformed(reason) = decode("sample.Money", &hex("1203 ff fe fd")) else {
        panic!("decoded")
    };
    assert_eq!(
        reason,
        "a string is not UTF-8, in `currency` of sample.Money"
    );
    for bytes in ["0a", "12ff", "07", "1205 61"] {
        assert!(
            matches!(decode("sample.Money", &hex(bytes)), Decoded::Malformed(_)),
            "{bytes}"
        );
    }
    assert_eq!(decode("sample.Nothing", &[]), Decoded::Undescribed);
    assert_eq!(decode("sample.Maps.ByIntEntry", &[]), Decoded::Undescribed);
}

#[test]
fn unknown_type_is_refused_with_similar_names() {
    let error = registry().encode("sample.Mony", &value("{}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no descriptor of `sample.Mony`; did you mean `sample.Money`?"
    );
    let error = registry().skeleton("Quux").unwrap_err();
    assert_eq!(error.to_string(), "there is no descriptor of `Quux`");
}
