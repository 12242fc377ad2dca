//! How differences tell of a field that one of the two payloads leaves out.

use angzarr_replay::internal::snapshot::differences;
use serde_yaml::{Mapping, Value};

use super::{registry, value};

/// The differences of two events, a line each.
fn told(type_name: &str, before: &str, now: &str) -> Vec<String> {
    told_of((type_name, before), (type_name, now))
}

fn told_of((before, left): (&str, &str), (now, right): (&str, &str)) -> Vec<String> {
    let outcome = |type_name: &str, event: &str| -> Value {
        let fields = [("type", type_name.into()), ("event", value(event))];
        Mapping::from_iter(fields.map(|(key, value)| (Value::from(key), value))).into()
    };
    let (expected, actual) = (outcome(before, left), outcome(now, right));
    let found = differences(&expected, &actual, &[registry()]);
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_field_at_its_default_is_told_as_the_default() {
    for (field, default, other) in [
        ("int32_field", "0", "-25"),
        ("uint64_field", "0", "7"),
        ("sfixed64_field", "0", "7"),
        ("double_field", "0.0", "1.5"),
        ("bool_field", "false", "true"),
        ("string_field", "\"\"", "\"x\""),
        ("bytes_field", "\"\"", "\"AA==\""),
        ("enum_field", "\"SUIT_UNSPECIFIED\"", "\"HEARTS\""),
    ] {
        let with = format!("{{{field}: {other}}}");
        assert_eq!(
            told("sample.Scalars", "{}", &with),
            [format!("event.{field}: {default} became {other}")]
        );
        assert_eq!(
            told("sample.Scalars", &with, "{}"),
            [format!("event.{field}: {other} became {default}")]
        );
    }
}

#[test]
fn lists_and_maps_that_are_left_out_are_empty() {
    for (type_name, before, now, line) in [
        (
            "sample.Lists",
            "{}",
            "{sint32s: [1]}",
            "event.sint32s: [] became [1]",
        ),
        (
            "sample.Maps",
            "{by_text: {a: 1}}",
            "{}",
            r#"event.by_text: {"a":1} became {}"#,
        ),
        (
            "sample.Maps",
            "{by_text: {a: 1}}",
            "{by_text: {a: 1, b: 0}}",
            "event.by_text.b: nothing became 0",
        ),
        (
            "sample.Lists",
            "{sint32s: [1]}",
            "{sint32s: [1, 0]}",
            "event.sint32s[1]: nothing became 0",
        ),
    ] {
        assert_eq!(told(type_name, before, now), [line]);
    }
}

#[test]
fn what_can_be_absent_is_told_as_nothing() {
    for (type_name, now, line) in [
        (
            "sample.Optionals",
            "{int32_field: 0}",
            "event.int32_field: nothing became 0",
        ),
        (
            "sample.Choice",
            "{number: 0}",
            "event.number: nothing became 0",
        ),
        ("sample.Tree", "{left: {}}", "event.left: nothing became {}"),
        (
            "sample.Legacy",
            "{count: 0}",
            "event.count: nothing became 0",
        ),
        (
            "sample.Legacy",
            "{'[sample.note]': ''}",
            r#"event.[sample.note]: nothing became """#,
        ),
        // Not described.
        ("sample.Nobody", "{n: 1}", "event.n: nothing became 1"),
        ("sample.Scalars", "{n: 1}", "event.n: nothing became 1"),
    ] {
        assert_eq!(told(type_name, "{}", now), [line]);
    }
}

#[test]
fn defaults_are_known_at_any_depth() {
    let any = |value: &str| {
        format!("{{any: {{type: type.googleapis.com/sample.Money, value: {value}}}}}")
    };
    for (type_name, before, now, line) in [
        (
            "sample.Lists",
            "{moneys: [{}]}".to_owned(),
            "{moneys: [{amount: 5}]}".to_owned(),
            "event.moneys[0].amount: 0 became 5",
        ),
        (
            "sample.Maps",
            "{by_truth: {true: {amount: 5}}}".to_owned(),
            "{by_truth: {true: {}}}".to_owned(),
            "event.by_truth.true.amount: 5 became 0",
        ),
        (
            "sample.WellKnown",
            any("{}"),
            any("{amount: 5}"),
            "event.any.value.amount: 0 became 5",
        ),
        (
            "sample.Everything",
            "{choice: {money: {amount: 5}}}".to_owned(),
            "{choice: {money: {}}}".to_owned(),
            "event.choice.money.amount: 5 became 0",
        ),
    ] {
        assert_eq!(told(type_name, &before, &now), [line]);
    }
}

#[test]
fn each_side_is_told_by_its_own_type() {
    assert_eq!(
        told_of(
            ("sample.Money", "{amount: 5}"),
            ("sample.Tree", "{name: x}")
        ),
        [
            r#"type: "sample.Money" became "sample.Tree""#,
            "event.amount: 5 became nothing",
            r#"event.name: nothing became "x""#
        ]
    );
}
