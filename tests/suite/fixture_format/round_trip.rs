//! Whatever a case holds: what is written is read back, byte for byte, and written the same again.

use std::path::Path;
use std::sync::LazyLock;

use angzarr_replay::internal::fixture::{FixtureError, Folder, render};
use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, Code, CommandBook, CommandPage, Cover, Divergence, Domain, Edition,
    EditionName, ErrorInfo, Failure, HeadKnowledge, Header, History, MergeStrategy, Observed,
    ObservedEvent, Page, Payload, PayloadReference, Probe, Redaction, RedactionAction,
    ReportedFailure, Retention, Root, Rule, Snapshot, Status, Storage, SyncMode, Timestamp,
};
use angzarr_replay::internal::payload::Registry;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_yaml::{Mapping, Value};

use crate::fixture_format::support::{refused_withdrawal, registry};
use crate::payload::yaml_read::{edited, edits};

pub(crate) static REGISTRY: LazyLock<Registry> = LazyLock::new(registry);

/// Texts that YAML readers like to take for something else, and any other.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let traps = [
        "",
        "no",
        "on",
        "off",
        "y",
        "~",
        "null",
        "true",
        "1.0",
        "1e3",
        "0x1F",
        "0o7",
        "017",
        "1_000",
        "12:30:45",
        "2026-11-23",
        "2026-11-23T06:12:00Z",
        ".nan",
        "-",
        "- a",
        "? a",
        "a: b",
        "a #b",
        "#",
        "'",
        "\"",
        "\\",
        "%a",
        "@a",
        "`a`",
        "!a",
        "&a",
        "*a",
        "|",
        ">",
        "[a]",
        "{a}",
        " a",
        "a ",
        "\ta",
        "a\n",
        "\na",
        "a\n\n b\n",
        "a\r\nb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}a",
        "\u{0}",
        "\u{7f}",
        "ключ",
        "日本",
        "🂡",
        "=",
        "<<",
        "---",
        "...",
    ];
    prop_oneof![
        3 => proptest::sample::select(traps.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..12)
}

fn everything() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<f64>(),
        proptest::sample::select(vec![
            1.0,
            -0.0,
            1e300,
            0.1,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN
        ]),
    ];
    let fields = (
        option::of(text()),
        option::of(number),
        option::of(any::<i64>()),
        option::of(any::<u64>()),
        vec(text(), 0..3),
        btree_map(text(), any::<i64>(), 0..3),
        option::of(text()),
    );
    fields.prop_map(|(plain, number, signed, unsigned, texts, counts, maybe)| {
        let mut view = Mapping::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                view.insert(key.into(), value);
            }
        };
        put("text", plain.map(Value::from));
        put("number", number.map(Value::from));
        put("signed", signed.map(Value::from));
        put("unsigned", unsigned.map(Value::from));
        put("texts", Some(texts.into()));
        put(
            "counts",
            Some(
                counts
                    .into_iter()
                    .map(|(key, value)| (Value::from(key), Value::from(value)))
                    .collect::<Mapping>()
                    .into(),
            ),
        );
        put("maybe", maybe.map(Value::from));
        Value::Mapping(view)
    })
}

/// Canonical, with something unknown at the end, cut off, or of a type that nothing describes.
pub(crate) fn payload() -> BoxedStrategy<Payload> {
    let described = everything()
        .prop_map(|view| REGISTRY.encode("examples.Everything", &view).unwrap())
        .boxed();
    prop_oneof![
        4 => described.clone().prop_map(|value| Payload::new("examples.Everything", value)),
        1 => (described.clone(), any::<bool>()).prop_map(|(mut value, longer)| {
            if longer { value.extend([0xf8, 0x06, 0x01]) } else { value.pop(); }
            Payload::new("examples.Everything", value)
        }),
        1 => bytes().prop_map(|value| Payload::new("examples.Everything", value)),
        1 => (text(), bytes()).prop_map(|(type_url, value)| Payload { type_url: type_url.into(), value }),
    ]
    .boxed()
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-62_135_596_800..253_402_300_799_i64, 0..1_000_000_000),
        (any::<i64>(), any::<i32>()),
        Just((253_402_300_799, 999_999_999)),
        Just((-1, 1)),
    ]
    .prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

pub(crate) fn cover_for(domain: &'static str, root: [u8; 16]) -> BoxedStrategy<Cover> {
    let edition = prop_oneof![
        Just(Edition::Main),
        ("[a-z][a-z0-9_-]{0,9}", vec(any::<u32>(), 0..3)).prop_filter_map(
            "a spelling of main",
            |(name, sequences)| {
                let domain = Domain::new("table").unwrap();
                let divergences = sequences.into_iter().map(|sequence| Divergence {
                    domain: domain.clone(),
                    sequence,
                });
                let name = EditionName::new(name)
                    .ok()
                    .filter(|name| !["main", "angzarr"].contains(&name.as_str()))?;
                Some(Edition::Named {
                    name,
                    divergences: divergences.collect(),
                })
            }
        ),
    ];
    let ext = option::of((text(), bytes()).prop_map(|(type_url, value)| Payload {
        type_url: type_url.into(),
        value,
    }));
    (text(), edition, ext)
        .prop_map(move |(correlation_id, edition, ext)| Cover {
            domain: Domain::new(domain).unwrap(),
            root: Root::new(root),
            correlation_id,
            edition,
            ext,
        })
        .boxed()
}

fn reference() -> BoxedStrategy<PayloadReference> {
    let storage = prop_oneof![
        Just(Storage::Unspecified),
        Just(Storage::Filesystem),
        Just(Storage::Gcs),
        Just(Storage::S3),
        any::<i32>().prop_map(Storage::Unknown),
    ];
    (
        storage,
        text(),
        bytes(),
        any::<u64>(),
        option::of(timestamp()),
    )
        .prop_map(
            |(storage, uri, content_hash, original_size, stored_at)| PayloadReference {
                storage,
                uri,
                content_hash,
                original_size,
                stored_at,
            },
        )
        .boxed()
}

pub(crate) fn body() -> BoxedStrategy<Body> {
    prop_oneof![4 => payload().prop_map(Body::Event), 1 => reference().prop_map(|it| Body::External(Box::new(it))), 1 => Just(Body::Empty)].boxed()
}

pub(crate) fn history() -> BoxedStrategy<History> {
    let page = (
        1..1000_u32,
        body(),
        option::of(timestamp()),
        any::<bool>(),
        option::of(text()),
    );
    vec(page, 0..4)
        .prop_map(|pages| {
            let mut next = 0;
            let pages =
                pages
                    .into_iter()
                    .map(|(step, body, created_at, provisional, cascade_id)| {
                        next += step;
                        Page {
                            sequence: next,
                            created_at,
                            body,
                            provisional,
                            cascade_id: cascade_id.map(Box::new),
                            original: None,
                        }
                    });
            History::new(pages.collect()).unwrap()
        })
        .boxed()
}

pub(crate) fn snapshot() -> BoxedStrategy<Snapshot> {
    let retention = prop_oneof![
        Just(Retention::Default),
        Just(Retention::Persist),
        Just(Retention::Transient),
        any::<i32>().prop_map(Retention::Unknown),
    ];
    (
        any::<u32>(),
        option::of(payload()),
        retention,
        option::of(timestamp()),
    )
        .prop_map(|(sequence, state, retention, created_at)| Snapshot {
            sequence,
            state,
            retention,
            created_at,
            original: None,
        })
        .boxed()
}

pub(crate) fn header() -> BoxedStrategy<Header> {
    let source = option::of(cover_for("table", [9; 16]).prop_map(Box::new));
    prop_oneof![
        Just(Header::Absent),
        any::<u32>().prop_map(Header::Sequence),
        (text(), text()).prop_map(|(external_id, description)| Header::ExternalDeferred {
            external_id,
            description
        }),
        (
            source,
            any::<u32>(),
            text(),
            any::<u32>(),
            option::of(any::<u32>())
        )
            .prop_map(
                |(source, source_sequence, source_component, command_index, basis_sequence)| {
                    Header::AngzarrDeferred {
                        source,
                        source_sequence,
                        source_component,
                        command_index,
                        basis_sequence,
                    }
                }
            ),
    ]
    .boxed()
}

pub(crate) fn command() -> BoxedStrategy<CommandPage> {
    let sync_mode = prop_oneof![
        Just(SyncMode::Async),
        Just(SyncMode::Isolated),
        any::<i32>().prop_map(SyncMode::Unknown)
    ];
    let merge = prop_oneof![
        Just(MergeStrategy::Commutative),
        Just(MergeStrategy::AggregateHandles),
        any::<i32>().prop_map(MergeStrategy::Unknown),
    ];
    (header(), option::of(sync_mode), merge, body())
        .prop_map(|(header, sync_mode, merge_strategy, body)| {
            let (command, external) = match body {
                Body::Event(command) => (Some(command), None),
                Body::External(reference) => (None, Some(*reference)),
                Body::Empty => (None, None),
            };
            CommandPage {
                header,
                sync_mode,
                merge_strategy,
                command,
                external,
            }
        })
        .boxed()
}

/// A failing status of any kind.
pub(crate) fn failure() -> BoxedStrategy<Failure> {
    let info =
        (text(), text(), btree_map(text(), text(), 0..3)).prop_map(|(reason, domain, metadata)| {
            ErrorInfo {
                reason,
                domain,
                metadata: metadata.into_iter().collect(),
            }
        });
    let codes = proptest::sample::select(Code::all().collect::<Vec<_>>());
    (codes, text(), option::of(info))
        .prop_map(|(code, message, info)| Failure {
            code,
            message,
            info,
        })
        .boxed()
}

/// What any component may have done instead of what it is asked for.
pub(crate) fn failed() -> BoxedStrategy<Observed> {
    let failure = failure().boxed();
    prop_oneof![
        failure.clone().prop_map(Observed::Rejected),
        failure.clone().prop_map(Observed::Revoked),
        failure.clone().prop_map(Observed::Crashed),
        failure.clone().prop_map(Observed::Unimplemented),
        failure.prop_map(Observed::Refused),
    ]
    .boxed()
}

fn observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        1 => vec((body(), proptest::option::of(any::<u32>())), 0..3).prop_map(|events| {
            let event = |(body, sequence)| ObservedEvent { body, sequence };
            Observed::Accepted(events.into_iter().map(event).collect())
        }),
        1 => Just(Observed::Notified),
        5 => failed(),
    ]
}

prop_compose! {
    pub(crate) fn about()(
        title in text(), issue in option::of(text()), name in text(), dialect in text(), captured_at in timestamp(),
        logic in option::of(text()), rule in "[a-z*.]{1,9}", closed in any::<bool>(),
    ) -> Case {
        let mut case = refused_withdrawal();
        case.status = if closed { Status::Closed } else { Status::Open };
        case.title = title;
        case.issue = issue;
        case.source.name = name;
        case.source.dialect = dialect;
        case.source.captured_at = captured_at;
        case.source.head = if closed { HeadKnowledge::Assumed } else { HeadKnowledge::Given };
        case.probe = closed.then_some(Probe::Always);
        case.logic = logic;
        case.redacted = vec![Redaction {
            type_name: rule.clone(), field: rule.clone(),
            action: if closed { RedactionAction::Drop } else { RedactionAction::Pseudonym },
        }];
        case.rules = vec![Rule { type_pattern: rule.clone(), field: rule.clone(), reason: rule }];
        case
    }
}

fn noted() -> impl Strategy<Value = ReportedFailure> {
    let code = option::of(proptest::sample::select(Code::all().collect::<Vec<_>>()));
    let fields = (
        code,
        text(),
        option::of(any::<u32>()),
        text(),
        option::of(timestamp()),
    );
    fields.prop_map(
        |(code, message, sequence, correlation_id, time)| ReportedFailure {
            code,
            message,
            sequence,
            correlation_id,
            time,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let book = (cover_for("player", [7; 16]), vec(command(), 0..3));
    (
        about(),
        cover_for("player", [7; 16]),
        option::of(snapshot()),
        history(),
        option::of(book),
        option::of(observed()),
        option::of(noted()),
    )
        .prop_map(
            |(about, cover, snapshot, history, book, observed, noted)| Case {
                // Of a known command there is what production did with it.
                noted: noted.filter(|_| book.is_none()),
                cover,
                snapshot,
                history,
                stimulus: book.map_or(CaseStimulus::History, |(cover, pages)| {
                    CaseStimulus::Command(CommandBook {
                        cover,
                        pages,
                        original: None,
                    })
                }),
                observed,
                ..about
            },
        )
}

/// Written, read back by both readers, and written the same again.
pub(crate) fn survives(case: &Case) -> Result<(), TestCaseError> {
    survives_with(case, &REGISTRY)
}

/// The same, with other descriptors.
pub(crate) fn survives_with(case: &Case, registry: &Registry) -> Result<(), TestCaseError> {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open(temporary.path());
    let rendered = render(case, registry)
        .map_err(|error| TestCaseError::fail(format!("{error}\n{case:#?}")))?;
    folder
        .save(&rendered, Path::new("case.yaml"), false)
        .unwrap();
    let fail =
        |error: FixtureError| TestCaseError::fail(format!("{}\n{}", error.report(), rendered.text));
    let path = temporary.path().join("case.yaml");
    let read = folder.read(&path).map_err(fail)?;
    prop_assert_eq!(&read.case, case, "{}", rendered.text);
    prop_assert_eq!(
        render(&read.case, &read.descriptors).unwrap().text,
        rendered.text.clone()
    );
    // The quick reader leaves a text with a comment to the whole one: both have to read the same.
    let commented = rendered.text.replacen('\n', " # comment\n", 1);
    let whole = folder.read_text(&commented, &path).map_err(fail)?;
    prop_assert_eq!(&whole.case, case, "{}", rendered.text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_case_survives_the_disk(case in case()) {
        survives(&case)?;
    }

    #[test]
    fn an_edited_case_is_what_the_general_reader_makes_of_it(case in case(), edits in edits()) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path());
        let rendered = render(&case, &REGISTRY).unwrap();
        folder.save(&rendered, Path::new("case.yaml"), false).unwrap();
        let path = temporary.path().join("case.yaml");
        let text = edited(&rendered.text, &edits);
        // The quick reader does not support comments.
        let commented = format!("# comment\n{}", text.trim_start_matches('\u{feff}'));
        let quick = folder.read_text(&text, &path).map(|it| it.case);
        let whole = folder.read_text(&commented, &path).map(|it| it.case);
        match (quick, whole) {
            (Ok(quick), Ok(whole)) => prop_assert_eq!(quick, whole, "{}", text),
            (Err(_), Err(_)) => {}
            (quick, whole) => prop_assert!(false, "{quick:?}\n{whole:?}\n{text}"),
        }
    }
}
