//! How messages look, and that what is shown gives the bytes back.

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::yaml::to_yaml;

use crate::payload::{decode, encode, hex, registry, value};

/// The view of these bytes, which has to be exact, as YAML.
fn shown(type_name: &str, bytes: &[u8]) -> String {
    match decode(type_name, bytes) {
        Decoded::Exact(view) => to_yaml(&view),
        other => panic!("{type_name} is not exact: {other:?}"),
    }
}

/// A view that is written in its canonical form: it encodes, and the bytes show the very same.
fn round_trip(type_name: &str, text: &str) -> Vec<u8> {
    let bytes = encode(type_name, text);
    assert_eq!(shown(type_name, &bytes), text);
    let of_lines = registry().encode_lines(type_name, text);
    assert_eq!(of_lines.unwrap_or_else(|| bytes.clone()), bytes);
    bytes
}

#[test]
fn the_usual_lines_are_encoded_without_a_value() {
    for (type_name, lines) in [
        (
            "sample.Scalars",
            "double_field: 0.5\nint32_field: -1\nuint64_field: 7\nbool_field: true\nstring_field: \"no\"\nbytes_field: AAEC\nenum_field: HEARTS\n",
        ),
        (
            "sample.Everything",
            "  scalars:\n    int32_field: 0\n  lists:\n    sint32s:\n      - -1\n      - 300\n    strings:\n      - a\n    \
             unpacked:\n      - 1\n  maps:\n    by_text:\n      a: 0\n      b: 2\n  choice:\n    number: 0\n  inner: {}\n",
        ),
    ] {
        let encoded = registry().encode_lines(type_name, lines);
        assert_eq!(encoded, Some(encode(type_name, lines)), "{lines}");
    }
}

#[test]
fn lines_that_are_wrong_or_rare_are_left_to_a_reader_of_values() {
    for (type_name, lines) in [
        ("sample.Money", "currency: EUR\namount: 5\n"),
        ("sample.Money", "amount: 5\namount: 6\n"),
        ("sample.Money", "amount: five\n"),
        ("sample.Money", "price: 5\n"),
        ("sample.Money", "amount: 5\n  currency: EUR\n"),
        ("sample.Money", "amount:\n  - 5\n"),
        ("sample.Choice", "text: a\nnumber: 1\n"),
        ("sample.Lists", "strings:\n  a: b\n"),
        ("sample.Lists", "strings: a\n"),
        ("sample.Legacy", "[sample.note]: hello\n"),
        ("sample.Unknown", "amount: 5\n"),
    ] {
        assert_eq!(registry().encode_lines(type_name, lines), None, "{lines}");
    }
}

#[test]
fn scalars_keep_their_extremes() {
    round_trip(
        "sample.Scalars",
        "double_field: 1.7976931348623157e+308\nfloat_field: 0.1\nint32_field: -2147483648\n\
         int64_field: -9223372036854775808\nuint32_field: 4294967295\nuint64_field: 18446744073709551615\n\
         sint32_field: -2147483648\nsint64_field: -9223372036854775808\nfixed32_field: 4294967295\n\
         fixed64_field: 18446744073709551615\nsfixed32_field: -2147483648\nsfixed64_field: -9223372036854775808\n\
         bool_field: true\nstring_field: \"no\"\nbytes_field: AAEC\nenum_field: HEARTS\n",
    );
}

#[test]
fn bytes_are_those_of_other_implementations() {
    // Written by Google's Python implementation, deterministically.
    let bytes = round_trip(
        "sample.Everything",
        "scalars:\n  int32_field: -1\n  sint64_field: -3\n  enum_field: MINUS\n\
         lists:\n  sint32s:\n    - -1\n    - 300\n  strings:\n    - \"\"\n    - a\n  unpacked:\n    - 1\n    - 2\n\
         maps:\n  by_text:\n    a: 0\n    b: 2\n  by_int:\n    -1: x\n    2: \"\"\n\
         choice:\n  number: 0\ninner: {}\n",
    );
    assert_eq!(bytes, hex(EVERYTHING));
}

const EVERYTHING: &str = "0a1918ffffffffffffffffff0140058001ffffffffffffffffff011a0e120301 \
    d80422002201614001400222240a050a016110000a050a01621002120e08ffff \
    ffffffffffffff011201781204080212002a021000e21200";

#[test]
fn defaults_are_left_out_unless_their_presence_is_explicit() {
    assert_eq!(shown("sample.Scalars", &[]), "{}\n");
    assert_eq!(
        encode(
            "sample.Scalars",
            "int32_field: 0\nstring_field: ''\nenum_field: SUIT_UNSPECIFIED"
        ),
        Vec::<u8>::new()
    );
    round_trip(
        "sample.Optionals",
        "double_field: 0.0\nint32_field: 0\nbool_field: false\nstring_field: \"\"\nbytes_field: \"\"\n\
         enum_field: SUIT_UNSPECIFIED\n",
    );
    round_trip("sample.Choice", "text: \"\"\n");
}

#[test]
fn fields_come_by_number_and_not_as_they_were_typed() {
    assert_eq!(
        encode("sample.Money", "{currency: EUR, amount: 5}"),
        encode("sample.Money", "{amount: 5, currency: EUR}")
    );
}

#[test]
fn unknown_enum_number_stays_a_number() {
    round_trip("sample.Scalars", "enum_field: 99\n");
    round_trip("sample.Lists", "suits:\n  - HEARTS\n  - 99\n  - MINUS\n");
}

#[test]
fn sixteen_bytes_are_a_uuid_and_others_are_base64() {
    let bytes = round_trip(
        "sample.Scalars",
        "bytes_field: uuid:36f675cc-81e7-4ef5-a8e2-5d940ed90475\n",
    );
    assert_eq!(bytes, hex("7a10 36f675cc81e74ef5a8e25d940ed90475"));
    assert_eq!(
        encode("sample.Scalars", "bytes_field: NvZ1zIHnTvWo4l2UDtkEdQ=="),
        bytes
    );
    round_trip("sample.Scalars", "bytes_field: /w==\n");
}

#[test]
fn instants_have_the_fraction_they_need() {
    round_trip("sample.WellKnown", "at: \"2026-11-23T00:01:30Z\"\n");
    round_trip("sample.WellKnown", "at: \"2026-11-23T00:01:30.5Z\"\n");
    round_trip(
        "sample.WellKnown",
        "at: \"1969-12-31T23:59:59.999999999Z\"\n",
    );
    round_trip("sample.WellKnown", "at: \"0001-01-01T00:00:00Z\"\n");
    round_trip(
        "sample.WellKnown",
        "at: \"9999-12-30T21:59:59.999999999Z\"\n",
    );
    round_trip("sample.WellKnown", "at: \"1970-01-01T00:00:00Z\"\n");
    assert_eq!(
        encode("sample.WellKnown", "at: '2026-11-23T01:01:30+01:00'"),
        encode("sample.WellKnown", "at: '2026-11-23T00:01:30Z'")
    );
}

#[test]
fn an_instant_that_is_none_stays_numbers() {
    round_trip("sample.WellKnown", "at:\n  seconds: 253402300800\n");
    // The last hours of the year 9999, which not every time zone has.
    round_trip("sample.WellKnown", "at:\n  seconds: 253402300799\n");
    round_trip("sample.WellKnown", "at:\n  seconds: 1\n  nanos: -1\n");
    round_trip("sample.WellKnown", "at:\n  nanos: 1000000000\n");
}

#[test]
fn durations_are_seconds() {
    for text in [
        "\"1.5s\"",
        "\"-0.000000001s\"",
        "\"0s\"",
        "\"-3s\"",
        "\"315576000000.999999999s\"",
    ] {
        round_trip("sample.WellKnown", &format!("took: {text}\n"));
    }
    round_trip("sample.WellKnown", "took:\n  seconds: 1\n  nanos: -1\n");
    round_trip("sample.WellKnown", "took:\n  seconds: 315576000001\n");
}

#[test]
fn floats_show_the_shortest_decimal() {
    let bytes = round_trip("sample.Scalars", "double_field: 0.1\nfloat_field: 0.1\n");
    assert_eq!(bytes[10..], 0.1_f32.to_le_bytes());
    round_trip("sample.Scalars", "double_field: .nan\nfloat_field: .nan\n");
    round_trip("sample.Scalars", "double_field: -.inf\nfloat_field: .inf\n");
    round_trip(
        "sample.Scalars",
        "double_field: 1.0\nfloat_field: 3.4028235e+38\n",
    );
    assert_eq!(
        encode("sample.Scalars", "double_field: 3"),
        encode("sample.Scalars", "double_field: 3.0")
    );
}

#[test]
fn map_keys_are_sorted_and_may_be_text() {
    round_trip(
        "sample.Maps",
        "by_text:\n  B: 2\n  a: 1\n  \"ä\": 3\n"
            .replace("\"ä\"", "ä")
            .as_str(),
    );
    round_trip("sample.Maps", "by_int:\n  -2: m\n  0: z\n  10: t\n");
    round_trip(
        "sample.Maps",
        "by_truth:\n  false: {}\n  true:\n    amount: 1\n",
    );
    round_trip(
        "sample.Maps",
        "by_big:\n  0: SUIT_UNSPECIFIED\n  18446744073709551615: 42\n",
    );
    round_trip("sample.Maps", "by_fixed:\n  -1: AA==\n  1: \"\"\n");
    round_trip(
        "sample.Maps",
        "by_sint:\n  -9223372036854775808: 0.0\n  7: -0.0\n",
    );
    assert_eq!(
        encode(
            "sample.Maps",
            "{by_int: {'10': t, 0: z, '-2': m}, by_truth: {'true': {}}}"
        ),
        encode(
            "sample.Maps",
            "{by_int: {-2: m, 0: z, 10: t}, by_truth: {true: {}}}"
        )
    );
}

#[test]
fn any_shows_what_it_carries() {
    round_trip(
        "sample.WellKnown",
        "any:\n  type: type.googleapis.com/sample.Money\n  value:\n    amount: 5\n\
         anys:\n  - type: /sample.Choice\n    value: {}\n  - type: x/google.protobuf.Timestamp\n    value: \"1970-01-01T00:00:01Z\"\n\
         \x20 - type: type.googleapis.com/google.protobuf.Any\n    value:\n      type: /sample.Money\n      value:\n        amount: 1\n",
    );
}

#[test]
fn any_shows_bytes_where_its_type_is_unknown_or_its_bytes_are_not_canonical() {
    round_trip(
        "sample.WellKnown",
        "any:\n  type: type.googleapis.com/other.Thing\n  bytes: CAE=\n",
    );
    // amount = 5 twice: a view would give it once.
    round_trip(
        "sample.WellKnown",
        "any:\n  type: type.googleapis.com/sample.Money\n  bytes: CAUIBQ==\n",
    );
    round_trip("sample.WellKnown", "any:\n  type: \"\"\n  bytes: \"\"\n");
}

#[test]
fn wrappers_and_structs_are_ordinary_messages() {
    round_trip(
        "sample.WellKnown",
        "open:\n  fields:\n    a:\n      null_value: NULL_VALUE\n    b:\n      list_value:\n        values:\n          \
         - number_value: 0.0\nwrapped:\n  value: 7\n",
    );
}

#[test]
fn proto2_has_groups_extensions_and_presence() {
    let bytes = round_trip(
        "sample.Legacy",
        "name: \"\"\ncount: 7\nunpacked:\n  - 1\n  - 2\npacked:\n  - 1\n  - 2\nlevel: LOW\npart:\n  text: t\n  piece:\n    \
         - size: 1\n    - {}\n\"[sample.note]\": x\n\"[sample.older]\":\n  - name: o\nlast: z\n",
    );
    let expected = "0a00 1007 1801 1802 2202 0102 2801 33 0a0174 13 0801 14 13 14 34 a206 0178 aa06 030a016f c20c 017a";
    assert_eq!(bytes, hex(expected));
    // A missing required field is the sender's matter.
    assert_eq!(shown("sample.Legacy", &hex("1001")), "count: 1\n");
}

#[test]
fn types_of_nested_any_values_are_found() {
    let view = "any: {type: /sample.Choice, value: {text: a}}\nanys: [{type: /other.Thing, bytes: AA==}, \
                {type: /sample.WellKnown, value: {any: {type: /sample.Tree, bytes: ''}}}]";
    let payload = Payload::new("sample.WellKnown", encode("sample.WellKnown", view));
    assert_eq!(
        registry().nested_any_types(&payload),
        [
            "other.Thing",
            "sample.Choice",
            "sample.Tree",
            "sample.WellKnown"
        ]
    );
    assert!(
        registry()
            .nested_any_types(&Payload::new("other.Thing", vec![]))
            .is_empty()
    );
}

#[test]
fn skeleton_shows_every_field_and_encodes() {
    for name in registry().type_names() {
        let skeleton = registry().skeleton(&name).unwrap();
        let text = to_yaml(&skeleton);
        assert_eq!(value(&text), skeleton, "{name}");
        registry()
            .encode(&name, &skeleton)
            .unwrap_or_else(|error| panic!("{name}: {error} at {:?}", error.path));
    }
    assert_eq!(
        to_yaml(&registry().skeleton("sample.Tree").unwrap()),
        "name: \"\"\nchildren: []\n",
    );
    assert_eq!(
        to_yaml(&registry().skeleton("sample.Choice").unwrap()),
        "label: \"\"\nnumber: 0\n"
    );
    assert_eq!(
        to_yaml(&registry().skeleton("sample.WellKnown").unwrap()),
        "at: \"1970-01-01T00:00:00Z\"\ntook: \"0s\"\nany:\n  type: \"\"\n  bytes: \"\"\nopen:\n  fields: {}\n\
         wrapped:\n  value: 0\nanys: []\n",
    );
}
