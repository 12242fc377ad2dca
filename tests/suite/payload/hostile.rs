//! Bytes that decode and are not canonical: never exact, and never lost without a word.

use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::yaml::to_yaml;

use crate::payload::{decode, hex, registry};

/// Bytes whose view is this, and would encode otherwise.
fn inexact(type_name: &str, bytes: &str, view: &str) {
    let bytes = hex(bytes);
    let Decoded::Inexact(shown) = decode(type_name, &bytes) else {
        panic!(
            "{type_name} is not inexact: {:?}",
            decode(type_name, &bytes)
        );
    };
    assert_eq!(to_yaml(&shown), view);
    let canonical = registry().encode(type_name, &shown).unwrap();
    assert_ne!(canonical, bytes);
    assert_eq!(decode(type_name, &canonical), Decoded::Exact(shown));
}

#[test]
fn unknown_field_is_inexact() {
    inexact("sample.Money", "0805 1863", "amount: 5\n");
    inexact("sample.Choice", "2204 0805 1863", "money:\n  amount: 5\n");
    // A known number with another wire type is not this field either.
    inexact("sample.Money", "0d00000000", "{}\n");
    inexact("sample.Money", "0a00 0805", "amount: 5\n");
    inexact("sample.Money", "0805 1b 0800 23 24 1c", "amount: 5\n");
}

#[test]
fn field_order_is_inexact() {
    inexact("sample.Money", "1201 61 0805", "amount: 5\ncurrency: a\n");
}

#[test]
fn long_varint_is_inexact() {
    inexact("sample.Money", "088500", "amount: 5\n");
    inexact("sample.Money", "888000 05", "amount: 5\n");
    inexact("sample.Money", "12 8100 61", "currency: a\n");
    inexact("sample.Scalars", "6802", "bool_field: true\n");
    // 32-bit values cut to 32 bits, and a negative one in five bytes.
    inexact("sample.Scalars", "18 8180808010", "int32_field: 1\n");
    inexact("sample.Scalars", "18 ffffffff0f", "int32_field: -1\n");
}

#[test]
fn default_value_on_the_wire_is_inexact() {
    inexact("sample.Money", "0800", "{}\n");
    inexact(
        "sample.WellKnown",
        "0a02 0800",
        "at: \"1970-01-01T00:00:00Z\"\n",
    );
}

#[test]
fn field_given_twice_is_inexact() {
    inexact("sample.Money", "0805 0806", "amount: 6\n");
    inexact(
        "sample.Choice",
        "2202 0805 2203 1201 61",
        "money:\n  amount: 5\n  currency: a\n",
    );
    inexact("sample.Choice", "1001 1a0161", "text: a\n");
}

#[test]
fn packing_against_the_descriptor_is_inexact() {
    inexact("sample.Lists", "1002 1004", "sint32s:\n  - 1\n  - 2\n");
    inexact(
        "sample.Lists",
        "1201 02 1201 04",
        "sint32s:\n  - 1\n  - 2\n",
    );
    inexact("sample.Lists", "1200", "{}\n");
    inexact("sample.Lists", "4202 0102", "unpacked:\n  - 1\n  - 2\n");
    inexact("sample.Legacy", "1a02 0102", "unpacked:\n  - 1\n  - 2\n");
}

#[test]
fn unusual_map_entries_are_inexact() {
    // Out of order, a key twice, value before key, key left out, an unknown field inside.
    inexact(
        "sample.Maps",
        "1205 0802 120162 1205 0801 120161",
        "by_int:\n  1: a\n  2: b\n",
    );
    inexact(
        "sample.Maps",
        "1205 0801 120161 1205 0801 120162",
        "by_int:\n  1: b\n",
    );
    inexact("sample.Maps", "1205 120161 0801", "by_int:\n  1: a\n");
    inexact("sample.Maps", "1203 120161", "by_int:\n  0: a\n");
    inexact("sample.Maps", "1207 0801 120161 1805", "by_int:\n  1: a\n");
}

#[test]
fn a_nan_with_a_payload_is_inexact() {
    inexact(
        "sample.Scalars",
        "09 010000000000f87f",
        "double_field: .nan\n",
    );
    inexact(
        "sample.Scalars",
        "09 000000000000f8ff",
        "double_field: .nan\n",
    );
    inexact("sample.Scalars", "15 0100c07f", "float_field: .nan\n");
}

#[test]
fn negative_zero_is_never_taken_for_zero() {
    for (type_name, bytes) in [
        ("sample.Scalars", "09 0000000000000080"),
        ("sample.Scalars", "15 00000080"),
    ] {
        let Decoded::Exact(view) = decode(type_name, &hex(bytes)) else {
            panic!("not exact: {bytes}")
        };
        assert!(to_yaml(&view).ends_with("_field: -0.0\n"), "{view:?}");
    }
    inexact("sample.Scalars", "09 0000000000000000", "{}\n");
}

#[test]
fn endless_any_in_any_ends() {
    let mut bytes = Vec::new();
    for _ in 0..2_000 {
        let mut outer = hex("0a14");
        outer.extend_from_slice(b"/google.protobuf.Any");
        outer.push(0x12);
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    let Decoded::Exact(view) = decode("google.protobuf.Any", &bytes) else {
        panic!("not exact")
    };
    assert!(to_yaml(&view).contains("bytes: "));
}
