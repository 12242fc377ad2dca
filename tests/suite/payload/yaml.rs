//! Canonical YAML: one spelling, read back as written.

use angzarr_replay::internal::yaml::to_yaml;
use proptest::prelude::*;
use serde_yaml::{Mapping, Number, Value};

use crate::payload::value;

fn spelt(text: &str, expected: &str) {
    assert_eq!(to_yaml(&value(text)), expected);
    assert_eq!(value(expected), value(text));
}

fn string(text: &str) -> String {
    let yaml = to_yaml(&Value::String(text.to_owned()));
    assert_eq!(value(&yaml), Value::String(text.to_owned()), "{yaml}");
    yaml.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn collections_are_in_block_style() {
    spelt(
        "{a: {b: [1, {c: 2, d: [[x, y], [], {}]}, [{e: f}]]}, g: [], h: {}}",
        "a:\n  b:\n    - 1\n    - c: 2\n      d:\n        - - x\n          - \"y\"\n        - []\n        - {}\n    - - e: f\ng: []\nh: {}\n",
    );
    spelt("[]", "[]\n");
    spelt("{}", "{}\n");
    spelt("- - a\n  - b\n- ~", "- - a\n  - b\n- null\n");
}

#[test]
fn strings_that_some_reader_takes_for_something_else_are_quoted() {
    for text in [
        "",
        "no",
        "No",
        "NO",
        "on",
        "off",
        "yes",
        "y",
        "N",
        "true",
        "False",
        "null",
        "Null",
        "~",
        "1",
        "-1",
        "+1",
        "0x1f",
        "0o17",
        "017",
        "1_000",
        "1.5",
        ".5",
        "1e3",
        "-.inf",
        ".nan",
        "12:30",
        "1:2:3",
        "2026-11-23",
        "2026-11-23T00:01:30Z",
        "<<",
        "=",
        " a",
        "a ",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "- a",
        "-",
        "? a",
        "?",
        ":",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        "\"a",
        "%a",
        "@a",
        "`a",
        "[a",
        "{a",
        "]",
        "}",
        ",",
        "---",
        "...",
    ] {
        assert_eq!(string(text), format!("\"{}\"", text.replace('"', "\\\"")));
    }
}

#[test]
fn ordinary_strings_are_plain() {
    for text in [
        "a",
        "Alice",
        "examples.Money",
        "type.googleapis.com/examples.Money",
        "/a.B",
        "uuid:36f675cc-81e7-4ef5-a8e2-5d940ed90475",
        "a b",
        "a:b",
        "a#b",
        "it's",
        "say \"hi\"",
        "C:\\x",
        "a, b [c] {d}",
        "Ćarol",
        "日本",
        "_x",
        "nope",
        "AAEC/w==",
    ] {
        assert_eq!(string(text), text);
    }
}

#[test]
fn what_cannot_be_seen_is_escaped() {
    assert_eq!(string("a\tb"), "\"a\\tb\"");
    assert_eq!(
        string("a\u{0}b\u{7f}\u{85}\r"),
        "\"a\\u0000b\\u007F\\u0085\\r\""
    );
    assert_eq!(
        string("a\u{2028}b\u{feff}\u{202e}"),
        "\"a\\u2028b\\uFEFF\\u202E\""
    );
    assert_eq!(string("a\u{e0041}b"), "\"a\\U000E0041b\"");
    assert_eq!(string("\u{1f600} ok"), "\"\u{1f600} ok\"");
}

#[test]
fn lines_are_a_literal_block_where_an_editor_cannot_harm_them() {
    spelt("a: \"x\\ny\\n\"\nb: 1", "a: |\n  x\n  y\nb: 1\n");
    spelt(
        "- \"x\\n\\n  y # no: yes\"\n- 1",
        "- |-\n  x\n\n    y # no: yes\n- 1\n",
    );
    assert_eq!(string("a\nb"), "|-\n  a\n  b");
    for text in [
        "\n",
        "a\n\n",
        " a\nb",
        "\na",
        "a \nb",
        "a\n\tb",
        "a\r\nb",
        "a\n ",
        "a\n\u{85}b",
    ] {
        assert!(string(text).starts_with('"'), "{text:?}");
    }
}

#[test]
fn floats_look_like_floats_to_every_reader() {
    for (float, text) in [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e300, "1.0e+300"),
        (1.5e-9, "1.5e-9"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::INFINITY, ".inf"),
        (f64::NEG_INFINITY, "-.inf"),
        (f64::NAN, ".nan"),
    ] {
        assert_eq!(to_yaml(&Value::from(float)), format!("{text}\n"));
    }
    assert_eq!(to_yaml(&Value::from(u64::MAX)), "18446744073709551615\n");
    assert_eq!(to_yaml(&Value::from(i64::MIN)), "-9223372036854775808\n");
}

#[test]
fn keys_are_quoted_like_strings_and_long_or_odd_ones_stand_alone() {
    spelt(
        "{no: 1, 'a: b': 2, 3: 4, true: 5, ~: 6, 1.5: 7, \"x\\ny\": 8}",
        "\"no\": 1\n\"a: b\": 2\n3: 4\ntrue: 5\nnull: 6\n1.5: 7\n\"x\\ny\": 8\n",
    );
    spelt(
        "{[a, {b: c}]: {d: e}, {f: g}: []}",
        "? - a\n  - b: c\n: d: e\n? f: g\n: []\n",
    );
    let long = "k".repeat(2000);
    let mut mapping = Mapping::new();
    mapping.insert(long.clone().into(), Value::Sequence(vec![1.into()]));
    let text = to_yaml(&Value::Mapping(mapping.clone()));
    assert_eq!(text, format!("? {long}\n: - 1\n"));
    assert_eq!(value(&text), Value::Mapping(mapping));
}

#[test]
fn tags_are_kept() {
    spelt(
        "{a: !x 1, b: !y [1], c: !z {d: e}}",
        "a: !x 1\nb: !y\n  - 1\nc: !z\n  d: e\n",
    );
}

fn texts() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "no",
        "~",
        "12:30",
        "a: b",
        " #",
        "\n",
        "\n\n",
        "  ",
        "\t",
        "- ",
        "é",
        "\u{1f600}",
        "\u{85}",
        "\u{2028}",
        "\"",
        "\\",
        "'",
        "...",
        "---",
        "x",
        "{",
        "0",
        ".",
        "e",
        "\r",
        "|",
        "%",
        "\u{0}",
        "\u{feff}",
        ":",
        "?",
        "!",
    ]);
    prop_oneof![
        prop::collection::vec(awkward, 0..6).prop_map(|parts| parts.concat()),
        any::<String>(),
        "[a-zA-Z0-9 .:_+-]{0,8}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::ANY.prop_map(|float| Value::Number(Number::from(float))),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop_oneof![4 => texts().prop_map(Value::from), 1 => any::<i64>().prop_map(Value::from), 1 => inner.clone()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Sequence),
            prop::collection::vec((key, inner), 0..5).prop_map(|entries| Value::Mapping(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_back_as_written(written in values()) {
        let text = to_yaml(&written);
        prop_assert!(text.ends_with('\n') && !text.contains('\r'));
        let read: Value = serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&read, &written, "{}", text);
        prop_assert_eq!(to_yaml(&read), text);
    }
}
