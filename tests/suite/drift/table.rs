//! Each change of the table with what it breaks.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use angzarr_replay::internal::payload::{Breaks, ChangeKind, Rule, changes};

use super::{registry, table};

#[test]
fn every_change_names_the_rules_that_it_breaks() {
    let mut text = String::new();
    for entry in table() {
        let _ = writeln!(text, "{}", entry.name);
        for change in changes(&registry(&entry.before), &registry(&entry.after)) {
            let _ = writeln!(
                text,
                "  {:<10} {:<12} {}: {}",
                change.breaks().word(),
                change.kind.word(),
                change.type_name,
                change.description
            );
            for rule in change.rules {
                let _ = writeln!(text, "             {}", rule.name());
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_table_has_every_rule_and_every_kind_of_change() {
    let (mut rules, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for entry in table() {
        for change in changes(&registry(&entry.before), &registry(&entry.after)) {
            rules.extend(change.rules.iter().map(|rule| rule.name()));
            kinds.insert(change.kind);
        }
    }
    let all: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(rules, all);
    assert_eq!(kinds.len(), 10, "{kinds:?}");
}

#[test]
fn the_bytes_of_one_field_that_another_one_reads_break_the_wire() {
    let before = registry("syntax = \"proto3\"; message Order { int32 price = 1; int32 tax = 2; }");
    let after = registry("syntax = \"proto3\"; message Order { int32 price = 2; int32 tax = 1; }");
    let found = changes(&before, &after);
    assert_eq!(found.len(), 2);
    for change in found {
        assert_eq!(change.kind, ChangeKind::Renumbered);
        assert_eq!(change.breaks(), Breaks::Wire);
    }
}

#[test]
fn types_of_protobuf_itself_are_not_compared() {
    let text = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; \
                message Order { google.protobuf.Timestamp at = 1; }";
    let without = registry("syntax = \"proto3\"; message Order { reserved 1; reserved \"at\"; }");
    let found = changes(&registry(text), &without);
    let names: Vec<&str> = found.iter().map(|it| it.type_name.as_str()).collect();
    assert_eq!(names, ["Order"]);
}

/// A default value may be any text.
#[test]
fn a_text_of_a_file_is_shortened_and_has_no_control_characters() {
    let of = |value: &str| {
        registry(&format!(
            "syntax = \"proto2\"; message Order {{ optional string note = 1 [default = \"{value}\"]; }}"
        ))
    };
    let found = changes(&of("a\\n\\033b"), &of(&"x".repeat(1000)));
    let expected = format!(
        "the default value of field `note` (1) is {}…, it was a\\n\\u{{1b}}b",
        "x".repeat(60)
    );
    assert_eq!(found[0].description, expected);
}
