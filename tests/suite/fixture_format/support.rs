//! Cases and descriptors that the tests share.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, CommandBook, CommandPage, Cover, Domain, Failure, HeadKnowledge,
    Header, History, Observed, Page, Payload, Provenance, Root, Status, SyncMode, Timestamp,
};
use angzarr_replay::internal::payload::Registry;
pub(crate) use test_support::books::page;

/// A file below `tests/fixtures`.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}

/// Descriptors of the test messages, compiled once.
pub(crate) fn registry() -> Registry {
    static REGISTRY: LazyLock<Registry> =
        LazyLock::new(|| Registry::from_paths(&[file("protos")]).unwrap());
    REGISTRY.clone()
}

/// Encodes a view, written as YAML, of a test message.
pub(crate) fn payload(type_name: &str, view: &str) -> Payload {
    let name = format!("examples.{type_name}");
    let view = serde_yaml::from_str(view).unwrap();
    Payload::new(&name, registry().encode(&name, &view).unwrap())
}

pub(crate) fn root() -> Root {
    "6513270e-269e-4d37-b2a7-4de452e6b438".parse().unwrap()
}

pub(crate) fn player() -> Cover {
    Cover::main(Domain::new("player").unwrap(), root())
}

pub(crate) fn command_page(command: Payload) -> CommandPage {
    test_support::books::command_page(Header::Sequence(2), command)
}

/// 2026-11-23T06:12:00Z.
pub(crate) const NOON: Timestamp = Timestamp {
    seconds: 1_795_414_320,
    nanos: 0,
};

/// A withdrawal that was refused.
pub(crate) fn refused_withdrawal() -> Case {
    let registered =
        "{display_name: Ålice, email: alice@example.com, registered_at: '2026-11-23T00:01:30Z'}";
    let deposited = "{amount: {amount: 1000, currency_code: CHIPS}, new_balance: {amount: 1000, currency_code: CHIPS}}";
    let withdraw = payload(
        "WithdrawFunds",
        "{amount: {amount: 4500, currency_code: CHIPS}}",
    );
    Case {
        status: Status::Open,
        title: "Withdrawal refused though the player has funds".to_owned(),
        issue: Some("JIRA-12".to_owned()),
        source: Provenance {
            revision: None,
            name: "embedded".to_owned(),
            dialect: "angzarr".to_owned(),
            captured_at: NOON,
            head: HeadKnowledge::Checked,
            from_store: false,
        },
        logic: None,
        probe: None,
        cover: player(),
        snapshot: None,
        history: History::new(vec![
            page(0, Body::Event(payload("PlayerRegistered", registered))),
            Page {
                created_at: Some(NOON),
                ..page(1, Body::Event(payload("FundsDeposited", deposited)))
            },
        ])
        .unwrap(),
        stimulus: CaseStimulus::Command(CommandBook {
            cover: Cover {
                correlation_id: "corr-16".to_owned(),
                ..player()
            },
            pages: vec![CommandPage {
                sync_mode: Some(SyncMode::Simple),
                ..command_page(withdraw)
            }],
            original: None,
        }),
        observed: Some(Observed::Rejected(Failure::rejected("Insufficient funds"))),
        noted: None,
        rules: Vec::new(),
        redacted: Vec::new(),
    }
}
