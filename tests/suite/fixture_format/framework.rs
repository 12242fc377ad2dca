//! Angzarr's own messages in a case: readable, editable, and the same bytes.

use std::path::Path;

use angzarr_replay::internal::fixture::{Folder, render};
use angzarr_replay::internal::model::{Case, CaseStimulus, CommandBook, History, Payload};
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::wire::{Dialect, framework_descriptors};

use crate::fixture_format::round_trip::survives_with;
use crate::fixture_format::support::{command_page, payload, player, refused_withdrawal, registry};

fn with_framework(dialect: Dialect) -> Registry {
    registry()
        .filled_from(&framework_descriptors(dialect))
        .unwrap()
}

/// A field of a length, by hand.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(value.len()).unwrap()];
    bytes.extend_from_slice(value);
    bytes
}

/// `Any` by hand.
fn any(url: &str, value: &[u8]) -> Vec<u8> {
    [field(1, url.as_bytes()), field(2, value)].concat()
}

/// A notification of a refused withdrawal with merge strategy 1, worked out from the tables of the protocol.
fn notification(package: &str) -> Payload {
    let command = payload("WithdrawFunds", "{amount: {amount: 5}}");
    let page = [
        vec![0x10, 1],
        field(3, &any("/examples.WithdrawFunds", &command.value)),
    ]
    .concat();
    let book = field(2, &page);
    let rejection = [field(1, &book), field(2, b"no")].concat();
    let url = format!("/{package}.RejectionNotification");
    Payload {
        type_url: format!("/{package}.Notification").into(),
        value: field(2, &any(&url, &rejection)),
    }
}

/// A notification to an aggregate without history: nothing else describes the refused command.
fn compensation(package: &str) -> Case {
    Case {
        stimulus: CaseStimulus::Compensation(CommandBook {
            cover: player(),
            pages: vec![command_page(notification(package))],
            original: None,
        }),
        observed: None,
        history: History::default(),
        ..refused_withdrawal()
    }
}

#[test]
fn a_notification_reads_by_the_numbers_of_its_dialect() {
    let mut packages = Vec::new();
    for dialect in Dialect::all() {
        let (name, dialect) = (dialect.name(), *dialect);
        let Decoded::Exact(view) = with_framework(dialect).decode(&notification(dialect.package()))
        else {
            panic!("{name}: not readable")
        };
        let page = &view["payload"]["value"]["rejected_command"]["pages"][0];
        let strategy = if name == "io.angzarr.v1" {
            "COMMUTATIVE"
        } else {
            "STRICT"
        };
        assert_eq!(page["merge_strategy"], strategy, "{name}");
        assert_eq!(page["command"]["value"]["amount"]["amount"], 5, "{name}");
        packages.push(dialect.package());
    }
    assert!(packages.len() > 1);
}

#[test]
fn a_compensation_case_is_readable_and_editable_without_other_descriptors() {
    let case = compensation("angzarr");
    let rendered = render(&case, &with_framework(Dialect::ANGZARR)).unwrap();
    assert_eq!(rendered.undescribed, Vec::<String>::new());
    assert_eq!(rendered.inexact, Vec::<String>::new());
    let lines: Vec<&str> = rendered.text.lines().map(str::trim).collect();
    let command = [
        "type: /examples.WithdrawFunds",
        "value:",
        "amount:",
        "amount: 5",
    ];
    let is_there = lines.windows(4).any(|lines| lines == command);
    assert!(is_there, "{}", rendered.text);
    survives_with(&case, &with_framework(Dialect::ANGZARR)).unwrap();

    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open(temporary.path());
    folder
        .save(&rendered, Path::new("case.yaml"), false)
        .unwrap();
    let edited = rendered
        .text
        .replace("rejection_reason: \"no\"", "rejection_reason: \"on\"");
    assert_ne!(edited, rendered.text, "{}", rendered.text);
    let read = folder.read_text(&edited, Path::new("case.yaml"));
    let read = read.unwrap_or_else(|error| panic!("{}", error.report()));
    let value = &read.case.stimulus.command().unwrap().pages[0]
        .command
        .as_ref()
        .unwrap()
        .value;
    assert!(value.ends_with(b"on"), "{value:?}");
}

#[test]
fn what_the_user_describes_stands() {
    let temporary = tempfile::tempdir().unwrap();
    let proto = "syntax = \"proto3\"; package angzarr; message Notification { string mine = 1; }";
    std::fs::write(temporary.path().join("mine.proto"), proto).unwrap();
    let own = Registry::from_paths(&[temporary.path().to_owned()]).unwrap();
    let filled = own
        .filled_from(&framework_descriptors(Dialect::ANGZARR))
        .unwrap();
    let mine = Payload::new("angzarr.Notification", vec![10, 1, 65]);
    let Decoded::Exact(view) = filled.decode(&mine) else {
        panic!("not readable")
    };
    assert_eq!(view["mine"], "A");
    assert!(filled.knows("angzarr.RejectionNotification"));
    let alone = Registry::default().filled_from(&framework_descriptors(Dialect::ANGZARR));
    assert!(alone.unwrap().knows("angzarr.NoOp"));
}
