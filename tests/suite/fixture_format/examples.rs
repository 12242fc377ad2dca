//! One committed file a feature. They stay readable for ever: a file that is there is never written again.

use angzarr_replay::internal::fixture::{Folder, render};
use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, Code, CommandBook, CommandPage, Cover, Divergence, Domain, Edition,
    EditionName, ErrorInfo, Failure, HeadKnowledge, Header, History, MergeStrategy, Observed, Page,
    Payload, PayloadReference, Probe, Provenance, Redaction, RedactionAction, ReportedFailure,
    Retention, Rule, Snapshot, Status, Storage, SyncMode, Timestamp,
};

use test_support::published::is_rewritten;

use crate::fixture_format::kind_examples::examples_of_kinds;
use crate::fixture_format::support::{
    NOON, command_page, file, page, payload, player, refused_withdrawal, registry,
};

fn accepted() -> Case {
    let withdrawn = "{amount: {amount: 10, currency_code: CHIPS}, new_balance: {amount: 990, currency_code: CHIPS}}";
    Case {
        status: Status::Closed,
        observed: Some(Observed::accepted(vec![Body::Event(payload(
            "FundsWithdrawn",
            withdrawn,
        ))])),
        rules: vec![
            Rule {
                type_pattern: "examples.*".to_owned(),
                field: "withdrawn_at".to_owned(),
                reason: "handler's clock".to_owned(),
            },
            Rule {
                type_pattern: "*".to_owned(),
                field: "*.id".to_owned(),
                reason: "made anew each time".to_owned(),
            },
        ],
        ..refused_withdrawal()
    }
}

fn history_only() -> Case {
    let mut case = Case {
        stimulus: CaseStimulus::History,
        observed: None,
        issue: None,
        ..refused_withdrawal()
    };
    case.source.head = HeadKnowledge::Current;
    "Yesterday's events still fold".clone_into(&mut case.title);
    case
}

/// The log told of the failure, and not of the command.
fn noted() -> Case {
    Case {
        noted: Some(ReportedFailure {
            code: Some(Code::FailedPrecondition),
            message: "Insufficient funds".to_owned(),
            sequence: Some(2),
            correlation_id: "corr-16".to_owned(),
            time: Some(NOON),
        }),
        ..history_only()
    }
}

fn with_snapshot() -> Case {
    let state = payload("PlayerState", "{display_name: Bob, bankroll: {amount: 7}}");
    Case {
        snapshot: Some(Snapshot {
            sequence: 10,
            state: Some(state),
            retention: Retention::Persist,
            created_at: Some(Timestamp {
                seconds: NOON.seconds,
                nanos: 120_000_000,
            }),
            original: None,
        }),
        history: History::new(vec![page(11, Body::Empty)]).unwrap(),
        ..history_only()
    }
}

/// Pages of every other form: not canonical, not described, elsewhere, empty, provisional, with odd times.
fn odd_pages() -> Case {
    let mut inexact = payload("WithdrawFunds", "{amount: {amount: 5}}");
    inexact.value.extend_from_slice(&[0xa8, 0x1f, 0x01]);
    let pages = vec![
        page(0, Body::Event(inexact)),
        page(
            1,
            Body::Event(Payload {
                type_url: "type.example.com/hand.Dealt".into(),
                value: vec![8, 1],
            }),
        ),
        page(
            2,
            Body::Event(Payload {
                value: vec![0xff],
                ..payload("FundsDeposited", "{}")
            }),
        ),
        page(
            4,
            Body::External(Box::new(PayloadReference {
                storage: Storage::S3,
                uri: "s3://bucket/key".to_owned(),
                content_hash: vec![1, 2, 3],
                original_size: 5,
                stored_at: Some(NOON),
            })),
        ),
        Page {
            provisional: true,
            cascade_id: Some(Box::new("no".to_owned())),
            created_at: Some(Timestamp {
                seconds: -1,
                nanos: -5,
            }),
            ..page(5, Body::Event(payload("FundsDeposited", "{}")))
        },
        page(6, Body::Empty),
    ];
    Case {
        history: History::new(pages).unwrap(),
        ..history_only()
    }
}

/// Everything that can stand in a command.
fn odd_command() -> Case {
    let edition = Edition::Named {
        name: EditionName::new("what-if").unwrap(),
        divergences: vec![Divergence {
            domain: Domain::new("player").unwrap(),
            sequence: 3,
        }],
    };
    let ext = Payload {
        type_url: "type.example.com/x.Tenant".into(),
        value: vec![10, 1, 65],
    };
    let mut case = refused_withdrawal();
    case.cover = Cover {
        edition,
        ext: Some(ext.clone()),
        correlation_id: "case".to_owned(),
        ..player()
    };
    let first = CommandPage {
        header: Header::AngzarrDeferred {
            source: Some(Box::new(case.cover.clone())),
            source_sequence: 4,
            source_component: "saga-table-player".to_owned(),
            command_index: 1,
            basis_sequence: Some(7),
        },
        sync_mode: Some(SyncMode::Unknown(9)),
        merge_strategy: MergeStrategy::Unknown(-7),
        ..command_page(payload("WithdrawFunds", "{}"))
    };
    let second = CommandPage {
        header: Header::ExternalDeferred {
            external_id: "0012".to_owned(),
            description: "a\nb".to_owned(),
        },
        merge_strategy: MergeStrategy::AggregateHandles,
        command: None,
        ..first.clone()
    };
    case.stimulus = CaseStimulus::Command(CommandBook {
        cover: Cover {
            ext: Some(ext),
            ..player()
        },
        pages: vec![first, second],
        original: None,
    });
    case.observed = Some(Observed::Unimplemented(Failure {
        code: Code::Unimplemented,
        message: "no handler:\n  WithdrawFunds\n".to_owned(),
        info: Some(ErrorInfo {
            reason: "NO_HANDLER_REGISTERED".to_owned(),
            domain: "angzarr.io".to_owned(),
            metadata: vec![
                ("a".to_owned(), "1.0".to_owned()),
                ("on".to_owned(), "off".to_owned()),
            ],
        }),
    }));
    case.logic = Some("player-py".to_owned());
    case.probe = Some(Probe::Never);
    case
}

fn every_value() -> Case {
    let view = r"
text: |
  no
  on: # 'quoted' and ünquoted
blob: AAECAw==
number: .nan
small: 0.1
signed: -9223372036854775808
unsigned: 18446744073709551615
flag: true
mood: MOOD_GOOD
texts: ['no', 'on', '1.0', '2026-11-23', '', ' x ', '~', 'null', '0x1F', '1e3', ':', '- a']
counts: {'no': 1, 'on': 2, 'ключ': 3}
at: '0001-01-01T00:00:00Z'
inner: {number: .inf, maybe: ''}
";
    let pages = vec![page(0, Body::Event(payload("Everything", view)))];
    Case {
        history: History::new(pages).unwrap(),
        ..history_only()
    }
}

fn long_history() -> Case {
    let pages = (0..501).map(|sequence| {
        let deposited = format!("{{amount: {{amount: {}}}}}", sequence + 1);
        (sequence, deposited)
    });
    let registry = registry();
    let pages = pages.map(|(sequence, view)| {
        let view = serde_yaml::from_str(&view).unwrap();
        let bytes = registry.encode("examples.FundsDeposited", &view).unwrap();
        page(
            sequence,
            Body::Event(Payload::new("examples.FundsDeposited", bytes)),
        )
    });
    Case {
        history: History::new(pages.collect()).unwrap(),
        ..history_only()
    }
}

/// Encodings that say more than the model understands (an unknown field 99 at the end).
fn kept_encodings() -> Case {
    use angzarr_replay::internal::wire::{
        Dialect, encode_command_book, encode_page, encode_snapshot,
    };
    let longer = |bytes: &[u8]| Some([bytes, &[0x98, 0x06, 0x01]].concat());
    let mut case = with_snapshot();
    let snapshot = case.snapshot.as_mut().unwrap();
    snapshot.original = longer(&encode_snapshot(snapshot));
    let mut empty = page(11, Body::Empty);
    empty.original = longer(&encode_page(&empty)).map(Box::new);
    case.history = History::new(vec![empty]).unwrap();
    let CaseStimulus::Command(mut book) = refused_withdrawal().stimulus else {
        unreachable!()
    };
    book.original = longer(&encode_command_book(&book, Dialect::ANGZARR));
    case.stimulus = CaseStimulus::Command(book);
    case
}

fn redacted() -> Case {
    let field = |field: &str, action| Redaction {
        type_name: "examples.PlayerRegistered".to_owned(),
        field: field.to_owned(),
        action,
    };
    Case {
        redacted: vec![
            field("display_name", RedactionAction::Mask),
            field("email", RedactionAction::Pseudonym),
            field("labels.*", RedactionAction::Drop),
        ],
        ..refused_withdrawal()
    }
}

fn known_build() -> Case {
    let case = refused_withdrawal();
    Case {
        source: Provenance {
            revision: Some("v1.4.2-3-gabcdef0".to_owned()),
            ..case.source
        },
        ..case
    }
}

/// The files with what they hold.
pub(crate) fn examples() -> Vec<(&'static str, Case)> {
    let mut examples = vec![
        ("rejected", refused_withdrawal()),
        ("accepted", accepted()),
        ("history", history_only()),
        ("noted", noted()),
        ("snapshot", with_snapshot()),
        ("odd-pages", odd_pages()),
        ("odd-command", odd_command()),
        ("every-value", every_value()),
        ("long-history", long_history()),
        ("kept-encodings", kept_encodings()),
        ("redacted", redacted()),
        ("known-build", known_build()),
    ];
    examples.extend(examples_of_kinds());
    examples
}

#[test]
fn committed_files_of_version_1_are_read_for_ever() {
    let folder = Folder::open(file("format-1"));
    for (name, case) in examples() {
        let path = format!("{name}.yaml");
        // They are never rewritten: only a new one is written.
        if is_rewritten() && !folder.root().join(&path).exists() {
            folder
                .save(&render(&case, &registry()).unwrap(), path.as_ref(), false)
                .unwrap();
        }
        let read = folder
            .read(&folder.root().join(&path))
            .unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(read.case, case, "{name}");
    }
}

#[test]
fn committed_files_are_written_the_same_today() {
    for (name, case) in examples() {
        let text = std::fs::read_to_string(file(&format!("format-1/{name}.yaml"))).unwrap();
        pretty(name, &render(&case, &registry()).unwrap().text, &text);
    }
}

fn pretty(name: &str, written: &str, text: &str) {
    let differences: Vec<_> = written
        .lines()
        .zip(text.lines())
        .filter(|(written, text)| written != text)
        .collect();
    assert!(written == text, "{name}: {differences:#?}");
}

#[test]
fn files_edited_by_people_are_read() {
    let folder = Folder::open(file("format-1"));
    let path = folder.root().join("by-hand.yaml");
    let read = folder
        .read(&path)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(read.case, refused_withdrawal());
}

#[test]
fn other_line_ends_and_a_byte_order_mark_are_read() {
    let folder = Folder::open(file("format-1"));
    let text = std::fs::read_to_string(file("format-1/rejected.yaml")).unwrap();
    for text in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("%YAML 1.2\n---\n{text}...\n"),
    ] {
        let read = folder.read_text(&text, "case.yaml".as_ref());
        assert_eq!(
            read.unwrap_or_else(|error| panic!("{}", error.report()))
                .case,
            refused_withdrawal()
        );
    }
}
