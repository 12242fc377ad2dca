//! One field of a payload set or taken away, by what its type says.

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Edit, split_assignment};
use angzarr_replay::internal::yaml::to_yaml;
use proptest::prelude::*;
use serde_yaml::Value;

use crate::payload::{encode, hex, registry, value};

fn edited(type_name: &str, bytes: &[u8], path: &str, edit: &Edit) -> Result<Vec<u8>, String> {
    let (path, _) = split_assignment(path).unwrap();
    let payload = Payload::new(type_name, bytes.to_vec());
    registry()
        .edit(&payload, &path, edit)
        .map_err(|error| error.message)
}

/// A view after `PATH=TEXT`, `PATH:=YAML` or `!PATH`.
fn after(type_name: &str, before: &str, edits: &[&str]) -> Result<String, String> {
    let mut bytes = encode(type_name, before);
    for edit in edits {
        if let Some(path) = edit.strip_prefix('!') {
            bytes = edited(type_name, &bytes, path, &Edit::Unset)?;
        } else if let Some((path, yaml)) = edit.split_once(":=") {
            bytes = edited(type_name, &bytes, path, &Edit::View(value(yaml)))?;
        } else {
            let (_, text) = split_assignment(edit).unwrap();
            bytes = edited(type_name, &bytes, edit, &Edit::Text(text.unwrap().into()))?;
        }
    }
    match registry().decode(&Payload::new(type_name, bytes)) {
        Decoded::Exact(view) => Ok(to_yaml(&view)),
        other => panic!("{edits:?}: {other:?}"),
    }
}

fn becomes(type_name: &str, before: &str, edits: &[&str], view: &str) {
    let view = to_yaml(&value(view));
    assert_eq!(after(type_name, before, edits), Ok(view), "{edits:?}");
}

fn refused(type_name: &str, before: &str, edit: &str, reason: &str) {
    let error = after(type_name, before, &[edit]).unwrap_err();
    assert!(error.contains(reason), "{edit}: {error}");
}

#[test]
fn a_string_takes_every_text_as_it_is() {
    for text in [
        "Table #4",
        " x ",
        "true",
        "20161216",
        "@alice",
        "a: b",
        "null",
        "~",
        "\"q\"",
        "'q'",
        "- a",
        "{}",
        "[",
        "*x",
        "!t",
        "%",
        "line\nline\r\n",
        "\t",
        "=",
        "1e3",
        "é\u{0}\u{feff}",
    ] {
        let bytes = edited(
            "sample.Scalars",
            &[],
            "string_field",
            &Edit::Text(text.into()),
        );
        let expected = registry()
            .encode(
                "sample.Scalars",
                &value(
                    &format!("string_field: {text:?}")
                        .replace("\\u{0}", "\\0")
                        .replace("\\u{feff}", "\\uFEFF"),
                ),
            )
            .unwrap();
        assert_eq!(bytes, Ok(expected), "{text:?}");
    }
    // In an entry of a map, a list and a oneof too; an empty one is the default, and kept where that is something.
    becomes(
        "sample.Maps",
        "by_int: {1: a}",
        &["by_int.1= #"],
        "by_int: {1: ' #'}",
    );
    becomes(
        "sample.Lists",
        "strings: [a, b]",
        &["strings.1=no"],
        "strings: [a, 'no']",
    );
    becomes(
        "sample.Scalars",
        "string_field: a",
        &["string_field="],
        "{}",
    );
    becomes(
        "sample.Optionals",
        "{}",
        &["string_field="],
        "string_field: ''",
    );
    becomes("sample.Choice", "number: 1", &["text="], "text: ''");
    becomes(
        "sample.Maps",
        "by_int: {1: a}",
        &["by_int.1="],
        "by_int: {1: ''}",
    );
}

#[test]
fn other_scalars_are_written_as_in_a_view() {
    for (field, text, view) in [
        ("double_field", "1.5", "1.5"),
        ("double_field", "-3e9", "-3e9"),
        ("double_field", "7", "7.0"),
        ("double_field", ".inf", ".inf"),
        ("double_field", "100000000000000000000", "1.0e+20"),
        ("float_field", ".nan", ".nan"),
        ("int32_field", "-2147483648", "-2147483648"),
        ("int64_field", " 9223372036854775807", "9223372036854775807"),
        ("uint32_field", "0xff", "255"),
        (
            "uint64_field",
            "18446744073709551615",
            "18446744073709551615",
        ),
        ("sint32_field", "-1", "-1"),
        ("sint64_field", "-1", "-1"),
        ("fixed32_field", "1", "1"),
        ("fixed64_field", "1", "1"),
        ("sfixed32_field", "-1", "-1"),
        ("sfixed64_field", "-1", "-1"),
        ("bool_field", "true", "true"),
        ("bytes_field", "AQI=", "AQI="),
        (
            "bytes_field",
            "uuid:6513270e-269e-4d37-b2a7-4de452e6b438",
            "uuid:6513270e-269e-4d37-b2a7-4de452e6b438",
        ),
        ("enum_field", "HEARTS", "HEARTS"),
        ("enum_field", "-1", "MINUS"),
        ("enum_field", "99", "99"),
    ] {
        let (edit, view) = (format!("{field}={text}"), format!("{field}: {view}"));
        becomes(
            "sample.Scalars",
            "int32_field: 5",
            &["int32_field=0", &edit],
            &view,
        );
        becomes("sample.Scalars", "{}", &[&edit], &view);
    }
    becomes(
        "sample.WellKnown",
        "{}",
        &["at=2026-11-23T00:01:30.5Z", "took=-1.5s", "wrapped.value=3"],
        "{at: '2026-11-23T00:01:30.5Z', took: -1.5s, wrapped: {value: 3}}",
    );
    becomes(
        "sample.WellKnown",
        "at: '2026-11-23T00:01:30.5Z'",
        &["at.nanos=0", "took.seconds=3"],
        "{at: '2026-11-23T00:01:30Z', took: 3s}",
    );
}

#[test]
fn a_wrong_value_is_refused_with_what_is_expected() {
    for (field, text, reason) in [
        ("int32_field", "lots", "expected an integer (int32)"),
        ("int32_field", "", "expected an integer (int32)"),
        ("int32_field", "5 # five", "expected an integer (int32)"),
        ("int32_field", "\"5\"", "expected an integer (int32)"),
        (
            "int32_field",
            "1.5",
            "expected an integer (int32), found a float",
        ),
        (
            "int32_field",
            "2147483648",
            "out of range: -2147483648 to 2147483647",
        ),
        ("uint32_field", "-1", "out of range: 0 to 4294967295"),
        (
            "uint64_field",
            "18446744073709551616",
            "out of range: 0 to 18446744073709551615",
        ),
        (
            "int64_field",
            "-170000000000000000000",
            "out of range: -9223372036854775808 to",
        ),
        ("int64_field", "007", "expected an integer (int64)"),
        ("double_field", "1,5", "expected a number, such as"),
        ("float_field", "1e39", "out of range of a 32-bit float"),
        ("bool_field", "yes", "expected true or false"),
        ("bytes_field", "uuid:7", "is not a UUID"),
        ("bytes_field", "a", "base64"),
        ("enum_field", "HEART", "did you mean `HEARTS`?"),
        ("enum_field", "", "no value of sample.Suit has this name"),
        (
            "string_feild",
            "x",
            "no field `string_feild` in sample.Scalars; did you mean `string_field`?",
        ),
        ("stringField", "x", "did you mean `string_field`?"),
        (
            "string_field.deep",
            "x",
            "`deep` is below `string_field`, which is a plain value: string",
        ),
        ("enum_field.x", "x", "a word of sample.Suit"),
    ] {
        refused("sample.Scalars", "{}", &format!("{field}={text}"), reason);
    }
}

#[test]
fn what_is_no_scalar_says_how_it_is_set() {
    refused(
        "sample.WellKnown",
        "{}",
        "at=yesterday",
        "an instant is written like",
    );
    refused(
        "sample.WellKnown",
        "{}",
        "took=5",
        "a duration is written in seconds",
    );
    refused(
        "sample.WellKnown",
        "{}",
        "wrapped=5",
        "a message, google.protobuf.Int64Value: set one of its fields (`value`)",
    );
    refused(
        "sample.Choice",
        "{}",
        "money=5",
        "it is a message, sample.Money: set one of its fields (`amount`, `currency`), or all of it with --set-yaml",
    );
    refused(
        "sample.Choice",
        "{}",
        "pick=5",
        "`pick` is a oneof of sample.Choice: take one of `number`, `text`, `money`",
    );
    refused("sample.Lists", "{}", "strings=5", "`strings` is a list");
    refused("sample.Lists", "{}", "strings.0=5", "an empty list");
    refused(
        "sample.Lists",
        "strings: [a, b]",
        "strings.2=5",
        "`2` is not an index of `strings`, a list of 2, whose indices are 0 to 1",
    );
    refused(
        "sample.Lists",
        "strings: [a]",
        "strings[0]=5",
        "an element of `strings` is written `strings.0`",
    );
    refused(
        "sample.Lists",
        "strings: [a]",
        "strings.0.x=5",
        "plain value",
    );
}

#[test]
fn keys_of_maps_and_empty_values_are_checked() {
    refused(
        "sample.Maps",
        "{}",
        "by_text=5",
        "`by_text` is a map: set one entry of it (`by_text.KEY`, the keys are string)",
    );
    refused(
        "sample.Maps",
        "{}",
        "by_int.x=5",
        "`x` is not a key of `by_int`, a map whose keys are int32: expected an integer",
    );
    refused("sample.Maps", "{}", "by_int.2147483648=5", "out of range");
    refused(
        "sample.Maps",
        "{}",
        "by_truth.yes.amount=5",
        "expected true or false",
    );
    refused(
        "sample.Maps",
        "{}",
        "by_text.a=x",
        "expected an integer (int64)",
    );
    refused(
        "sample.Maps",
        "{}",
        "!by_text.a",
        "`by_text` has no entry with this key",
    );
    refused(
        "sample.Money",
        "{}",
        "amount:=",
        "to remove a field, use --unset",
    );
    refused(
        "sample.Lists",
        "{}",
        "strings:=a",
        "expected a list, found a string",
    );
    let deep = ["left"; 101].join(".");
    refused(
        "sample.Tree",
        "{}",
        &format!("{deep}.name=x"),
        "more than 100 steps",
    );
}

#[test]
fn entries_of_maps_have_keys_of_every_type() {
    becomes(
        "sample.Maps",
        "by_text: {b: 1}",
        &[
            "by_text.\"a.b\"=2",
            "by_text.c=3",
            "by_text.\"\"=4",
            "by_text.b=0",
        ],
        "by_text: {'': 4, a.b: 2, b: 0, c: 3}",
    );
    becomes(
        "sample.Maps",
        "{}",
        &[
            "by_int.-5=a",
            "by_int.3=b",
            "by_truth.true.amount=1",
            "by_truth.false.currency=x",
            "by_big.18446744073709551615=HEARTS",
            "by_big.0=SPADES",
            "by_fixed.-1=AQ==",
            "by_sint.-7=1.5",
            "by_int.-5=c",
        ],
        "by_int: {-5: c, 3: b}\nby_truth: {false: {currency: x}, true: {amount: 1}}\n\
         by_big: {0: SPADES, 18446744073709551615: HEARTS}\nby_fixed: {-1: AQ==}\nby_sint: {-7: 1.5}",
    );
    becomes(
        "sample.Maps",
        "{by_int: {1: a, 2: b}, by_truth: {true: {amount: 1, currency: x}}}",
        &["!by_int.1", "!by_truth.true.amount", "!by_text"],
        "{by_int: {2: b}, by_truth: {true: {currency: x}}}",
    );
    becomes("sample.Maps", "by_int: {1: a}", &["!by_int.1"], "{}");
}

#[test]
fn elements_of_lists_are_set_and_taken_away() {
    becomes(
        "sample.Lists",
        "{sint32s: [1, 2, 3], unpacked: [1, 2], moneys: [{amount: 1}, {}], suits: [HEARTS]}",
        &[
            "sint32s.1=-5",
            "!sint32s.0",
            "unpacked.1=7",
            "moneys.1.currency=x",
            "!moneys.0.amount",
            "suits.0=SPADES",
        ],
        "{sint32s: [-5, 3], suits: [SPADES], moneys: [{}, {currency: x}], unpacked: [1, 7]}",
    );
    becomes("sample.Lists", "sint32s: [1]", &["!sint32s.0"], "{}");
    becomes(
        "sample.Lists",
        "{}",
        &["moneys:=[{amount: 1}]", "moneys.0:={currency: x}"],
        "moneys: [{currency: x}]",
    );
}

#[test]
fn a_member_of_a_oneof_takes_the_place_of_the_others() {
    for (edit, view) in [
        ("text=a", "{label: l, text: a}"),
        ("number=0", "{label: l, number: 0}"),
        (
            "money.currency=x",
            "{label: l, money: {amount: 5, currency: x}}",
        ),
        ("money:={}", "{label: l, money: {}}"),
        ("!text", "{label: l, money: {amount: 5}}"),
        ("!money", "label: l"),
    ] {
        becomes(
            "sample.Choice",
            "{label: l, money: {amount: 5}}",
            &[edit],
            view,
        );
    }
    becomes(
        "sample.Choice",
        "text: a",
        &["money.amount=1"],
        "money: {amount: 1}",
    );
    // A path into a member that is not there takes nothing away.
    becomes("sample.Choice", "text: a", &["!money.amount"], "text: a");
}

#[test]
fn an_any_has_its_type_and_its_value_or_bytes() {
    let any = "any: {type: type.googleapis.com/sample.Money, value: {amount: 5}}";
    becomes(
        "sample.WellKnown",
        any,
        &["any.value.currency=x"],
        "any: {type: type.googleapis.com/sample.Money, value: {amount: 5, currency: x}}",
    );
    becomes(
        "sample.WellKnown",
        any,
        &["any.type=x/no.Such"],
        "any: {type: x/no.Such, bytes: CAU=}",
    );
    becomes(
        "sample.WellKnown",
        any,
        &[
            "any.bytes=CAY=",
            "any.value:={currency: x}",
            "!any.value.currency",
        ],
        "any: {type: type.googleapis.com/sample.Money, value: {}}",
    );
    becomes(
        "sample.WellKnown",
        "{}",
        &["any.type=a/sample.Money"],
        "any: {type: a/sample.Money, value: {}}",
    );
    refused(
        "sample.WellKnown",
        any,
        "any.amount=5",
        "which has `type`, and `value` or `bytes`",
    );
    refused(
        "sample.WellKnown",
        any,
        "any=5",
        "it is an Any: set its `type`",
    );
    refused(
        "sample.WellKnown",
        "{}",
        "any.value.amount=5",
        "there is no descriptor of ``",
    );
}

#[test]
fn groups_extensions_and_the_whole_are_reached() {
    becomes(
        "sample.Legacy",
        "name: a",
        &[
            "part.text=x",
            "[sample.note]=n = 1",
            "part.piece:=[{size: 1}]",
            "part.piece.0.size=2",
            "count=0",
        ],
        "{name: a, count: 0, part: {text: x, piece: [{size: 2}]}, '[sample.note]': n = 1}",
    );
    refused(
        "sample.Legacy",
        "name: a",
        "note=x",
        "did you mean `[sample.note]`?",
    );
    let payload = Payload::new("sample.Money", hex("0805"));
    let whole = |edit: &Edit| {
        registry()
            .edit(&payload, &[], edit)
            .map_err(|error| error.message)
    };
    assert_eq!(whole(&Edit::View(value("amount: 1"))), Ok(hex("0801")));
    assert!(
        whole(&Edit::Text("x".into()))
            .unwrap_err()
            .contains("--set-yaml")
    );
    assert!(
        whole(&Edit::Unset)
            .unwrap_err()
            .contains("fields of sample.Money")
    );
}

#[test]
fn all_else_stays_bit_for_bit() {
    // An unknown field, fields out of order, a long number.
    let before = hex("1863 1201 61 088500");
    let set = |path: &str, text: &str| {
        edited("sample.Money", &before, path, &Edit::Text(text.into())).unwrap()
    };
    assert_eq!(set("amount", "6"), hex("1863 1201 61 0806"));
    assert_eq!(set("currency", "b"), hex("1863 1201 62 088500"));
    let nested = hex("2204 0805 1863");
    let set = edited(
        "sample.Choice",
        &nested,
        "money.amount",
        &Edit::Text("6".into()),
    );
    assert_eq!(set, Ok(hex("2204 0806 1863")));
    let error = edited("sample.Money", &hex("08"), "amount", &Edit::Unset).unwrap_err();
    assert_eq!(
        error,
        "the bytes are not a valid sample.Money: a field ends early"
    );
}

proptest! {
    #[test]
    fn what_is_set_is_read(
        text in ".*",
        key in ".*",
        number in any::<i32>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        nested in any::<bool>(),
    ) {
        let at = |field: &str| {
            let path = if nested { format!("scalars.{field}") } else { field.to_owned() };
            split_assignment(&path).unwrap().0
        };
        let type_name = if nested { "sample.Everything" } else { "sample.Scalars" };
        let filled = value("{bool_field: true, string_field: before, int32_field: 7}");
        let filled = if nested { value("scalars: {bool_field: true}") } else { filled };
        let mut payload = Payload::new(type_name, registry().encode(type_name, &filled).unwrap());
        let mut set = |path: &[String], edit: &Edit| {
            payload.value = registry().edit(&payload, path, edit).unwrap();
            let Decoded::Exact(view) = registry().decode(&payload) else { panic!("{payload:?}") };
            if nested { view["scalars"].clone() } else { view }
        };
        let view = set(&at("string_field"), &Edit::Text(text.clone()));
        prop_assert_eq!(view["string_field"].as_str().unwrap_or_default(), &text);
        let view = set(&at("sint32_field"), &Edit::Text(number.to_string()));
        prop_assert_eq!(view["sint32_field"].as_i64().unwrap_or_default(), i64::from(number));
        let view = set(&at("bytes_field"), &Edit::View(Value::from(base64_of(&bytes))));
        prop_assert_eq!(view["bool_field"].as_bool(), Some(true));
        let view = set(&at("bytes_field"), &Edit::Unset);
        prop_assert!(view.get("bytes_field").is_none());

        // A key of any text, by itself and as it is written in a path.
        let quoted = key.replace('\\', "\\\\").replace('"', "\\\"");
        let assignment = format!("by_text.\"{quoted}\"={number}");
        let (path, given) = split_assignment(&assignment).unwrap();
        prop_assert_eq!(&path, &["by_text".to_owned(), key.clone()]);
        let maps = Payload::new("sample.Maps", encode("sample.Maps", "by_text: {m: 1, \"\": 2}"));
        let bytes = registry().edit(&maps, &path, &Edit::Text(given.unwrap().to_owned())).unwrap();
        let Decoded::Exact(view) = registry().decode(&Payload::new("sample.Maps", bytes)) else {
            panic!("{assignment}")
        };
        prop_assert_eq!(view["by_text"][key.as_str()].as_i64(), Some(i64::from(number)));
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
