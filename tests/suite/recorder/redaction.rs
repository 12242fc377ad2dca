//! What redaction leaves of a noted call.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use angzarr_replay::internal::model::{Case, Code, ErrorInfo, Failure, Redactions};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::record::{
    Answer, CaseMetadata, FailureLogWriter, RecordedCall, Recorder, RecordingFile, case_of,
    parse_recording, redacted, ticket_of,
};
use angzarr_replay::internal::redact::{
    Action, Key, Policy, PriorRedaction, RedactionRule, Redactor,
};
use angzarr_replay::internal::wire::{Dialect, FailingStatus, call_descriptors};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    ReflectMessage, Value,
};

use super::recorded::{bytes, calls};
use super::support::{Client, NOW, Upstream, failing, framed, request, ring, settings};

const SECRET: &str = "s3cret-of-alice";

/// Every method that is noted, with its messages.
const METHODS: [(&str, &str, &str); 9] = [
    (
        "CommandHandlerCoordinatorService/HandleCommand",
        "CommandRequest",
        "CommandResponse",
    ),
    (
        "CommandHandlerService/Handle",
        "ContextualCommand",
        "BusinessResponse",
    ),
    (
        "CommandHandlerService/HandleFact",
        "FactRequest",
        "EventBook",
    ),
    ("UpcasterService/Upcast", "UpcastRequest", "UpcastResponse"),
    ("SagaService/Handle", "SagaHandleRequest", "SagaResponse"),
    (
        "ProcessManagerService/Prepare",
        "ProcessManagerPrepareRequest",
        "ProcessManagerPrepareResponse",
    ),
    (
        "ProcessManagerService/Handle",
        "ProcessManagerHandleRequest",
        "ProcessManagerHandleResponse",
    ),
    (
        "ProjectorService/HandleSpeculative",
        "EventBook",
        "Projection",
    ),
    ("ProjectorService/Handle", "EventBook", "Projection"),
];

/// The players' types, and the calls of every dialect.
fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/poker");
        let protos = [folder.join("proto"), folder.join("hand_proto")];
        let types = Registry::from_paths(&protos).unwrap();
        Dialect::all().iter().fold(types, |all, dialect| {
            all.filled_from(&call_descriptors(*dialect)).unwrap()
        })
    });
    &REGISTRY
}

fn redactor(rules: &[(&str, &str, Action)], roots: bool) -> Redactor {
    redactor_of(rules, roots, true)
}

fn redactor_of(rules: &[(&str, &str, Action)], roots: bool, is_strict: bool) -> Redactor {
    let rules = rules
        .iter()
        .map(|(name, field, action)| RedactionRule::new(name, field, *action).unwrap())
        .collect();
    let policy = Policy {
        rules,
        key: Some(Key::new("a key that only these tests have").unwrap()),
        debug_redact: None,
        roots,
        is_strict,
    };
    Redactor::new(registry().clone(), policy).unwrap()
}

fn note(path: &str, request: Vec<u8>, answer: Answer) -> RecordedCall {
    RecordedCall {
        number: 1,
        time: NOW,
        path: path.into(),
        dialect: Dialect::of_path(path).unwrap().0,
        dialect_assumed: false,
        request: request.into(),
        answer,
        redacted: Redactions::default(),
    }
}

/// The calls of the real deployment that are noted, and that can be read.
fn real() -> Vec<RecordedCall> {
    let lenient = redactor_of(&[], false, false);
    let found: Vec<RecordedCall> = calls()
        .iter()
        .filter_map(|call| {
            let path = call["path"].as_str()?;
            METHODS.iter().find(|(method, ..)| path.ends_with(method))?;
            let answer = match call.get("response") {
                Some(reply) => Answer::Reply(bytes(reply)),
                None => Answer::Status(FailingStatus::from_details(
                    Code::from_name(call["code"].as_str()?)?,
                    call["message"].as_str()?.into(),
                    bytes::Bytes::new(),
                )),
            };
            Some(note(path, bytes(&call["request"]).to_vec(), answer))
        })
        // The dealer's types are not described here.
        .filter(|note| redacted(note, &lenient).unwrap().1.unread.is_empty())
        .collect();
    let methods: BTreeSet<_> = found.iter().map(RecordedCall::method).collect();
    assert!(
        found.len() > 40 && methods.len() == 8,
        "{} {methods:?}",
        found.len()
    );
    found
}

fn case(note: &RecordedCall) -> Option<Case> {
    let with = CaseMetadata {
        source: "recording".into(),
        captured_at: NOW,
        labels: angzarr_replay::internal::capture::Labels::default(),
    };
    case_of(note, with).ok()
}

#[test]
fn real_calls_are_described_and_keep_their_bytes_where_no_rule_is_about_them() {
    let redactor = redactor(&[], true);
    for real in real() {
        let (written, _) = redacted(&real, &redactor).unwrap();
        assert_eq!(written.request, real.request, "{}", real.path);
        assert_eq!(written.answer, real.answer, "{}", real.path);
        assert_eq!(written.redacted.fields, Vec::new());
    }
}

/// Where a call belongs is needed: rules are about what is in payloads.
#[test]
fn rules_of_any_type_leave_the_message_around_payloads() {
    let mut changed = 0;
    for action in [Action::Mask, Action::Drop, Action::Pseudonym] {
        let redactor = redactor(&[("*", "*", action)], true);
        for real in real() {
            let (written, report) = redacted(&real, &redactor).unwrap();
            assert_eq!(written.subject().ok(), real.subject().ok());
            assert_eq!(written.is_accepted(), real.is_accepted());
            changed += usize::from(written.request != real.request);
            let is_of_payload =
                |name: &str| !name.starts_with("angzarr") || name.ends_with("Cover");
            for field in report.touched {
                assert!(is_of_payload(&field.type_name), "{field:?}");
            }
        }
    }
    assert!(changed > 60, "{changed}");
}

#[test]
fn a_case_of_a_redacted_call_is_the_redacted_case_of_the_call() {
    let redactor = redactor(
        &[
            ("examples.*", "display_name", Action::Pseudonym),
            ("examples.PlayerRegistered", "email", Action::Mask),
            ("examples.Currency", "amount", Action::Pseudonym),
            ("examples.*", "player_root", Action::Drop),
        ],
        true,
    );
    let mut changed = 0;
    for real in real() {
        let (written, _) = redacted(&real, &redactor).unwrap();
        let Some(plain) = case(&real) else {
            assert_eq!(case(&written), None, "{}", real.path);
            continue;
        };
        let once = redactor.redact_case(&plain).unwrap().case;
        let noted = case(&written).unwrap();
        let before = PriorRedaction::of_case(&noted, &written.redacted.by);
        let twice = redactor.redact_case_after(&noted, &before).unwrap().case;
        changed += usize::from(once != plain);
        // The call tells of its framework fields too, where the case has them beside the payloads.
        assert!(once.redacted.iter().all(|it| twice.redacted.contains(it)));
        let redacted = Vec::new();
        assert_eq!(
            Case {
                redacted: redacted.clone(),
                ..twice
            },
            Case { redacted, ..once },
            "{}",
            real.path
        );
    }
    assert!(changed > 15, "{changed}");
}

#[test]
fn a_ticket_of_a_redacted_call_keeps_its_root_and_is_redacted_once() {
    let redactor = redactor(&[("examples.Currency", "amount", Action::Pseudonym)], true);
    let mut tickets = 0;
    for real in real() {
        let Some(plain) = ticket_of(&real) else {
            continue;
        };
        let (written, _) = redacted(&real, &redactor).unwrap();
        let ticket = ticket_of(&written).unwrap();
        let by_itself = redactor.ticket(&plain).unwrap();
        assert_eq!(ticket.command.cover.root, plain.command.cover.root);
        assert_eq!(ticket.command.pages, by_itself.command.pages);
        assert_eq!(ticket.failure.message, by_itself.failure.message);
        assert_eq!(
            redactor.ticket(&ticket).unwrap().command.pages,
            ticket.command.pages
        );
        tickets += usize::from(!ticket.redacted.fields.is_empty());
    }
    assert!(tickets > 5, "{tickets}");
}

/// Angzarr's own messages in every package.
static DESCRIBED: LazyLock<Vec<DescriptorPool>> = LazyLock::new(|| {
    let pool = |dialect: &Dialect| DescriptorPool::decode(&*call_descriptors(*dialect)).unwrap();
    Dialect::all().iter().map(pool).collect()
});

/// Those that stand inside payloads.
const FRAMEWORK: [&str; 7] = [
    "Notification",
    "RejectionNotification",
    "SagaCompensationFailed",
    "Compensate",
    "Confirmation",
    "Revocation",
    "NoOp",
];

const PLAYERS: Filling<'static> = Filling {
    member: 0,
    packed: None,
};

/// How a message is filled.
#[derive(Clone, Copy)]
struct Filling<'a> {
    /// Which member of a oneof.
    member: usize,
    /// What its payloads hold: a message of Angzarr's, else a player.
    packed: Option<&'a MessageDescriptor>,
}

impl Filling<'_> {
    const fn with_players(self) -> Self {
        Filling {
            packed: None,
            member: self.member,
        }
    }
}

/// A message with every field set, all its texts secret; of a oneof one member.
fn filled(descriptor: &MessageDescriptor, with: Filling<'_>) -> DynamicMessage {
    let Filling { member, packed } = with;
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.protobuf.Any" {
        if let Some(packed) = packed {
            let value = filled(packed, with.with_players()).encode_to_vec();
            let url = format!("t/{}", packed.full_name());
            message.set_field_by_name("type_url", Value::String(url));
            message.set_field_by_name("value", Value::Bytes(value.into()));
            return message;
        }
        let view = serde_yaml::from_str(&format!("{{display_name: {SECRET}}}")).unwrap();
        let name = "examples.PlayerRegistered";
        let value = registry().encode(name, &view).unwrap();
        message.set_field_by_name("type_url", Value::String(format!("t/{name}")));
        message.set_field_by_name("value", Value::Bytes(value.into()));
        return message;
    }
    for field in descriptor.fields() {
        let is_other_member = field.containing_oneof().is_some_and(|oneof| {
            let members: Vec<_> = oneof.fields().collect();
            members[member % members.len()] != field
        });
        if is_other_member {
            continue;
        }
        let value = match (field.is_map(), field.cardinality()) {
            (true, _) => {
                let values = map_value(&field);
                let value = scalar(&values.kind(), with);
                Value::Map([(MapKey::String(SECRET.into()), value)].into())
            }
            (false, Cardinality::Repeated) => {
                let mut values = vec![scalar(&field.kind(), with)];
                // Only what a payload said to be secret is known to be one.
                if field.name() == "pages" || field.name() == "events" {
                    values.push(scalar(
                        &field.kind(),
                        Filling {
                            member: 0,
                            ..with.with_players()
                        },
                    ));
                }
                Value::List(values)
            }
            _ => scalar(&field.kind(), with),
        };
        message.set_field(&field, value);
    }
    message
}

fn map_value(field: &FieldDescriptor) -> FieldDescriptor {
    let Kind::Message(entry) = field.kind() else {
        panic!("{field:?}");
    };
    entry.map_entry_value_field()
}

fn scalar(kind: &Kind, with: Filling<'_>) -> Value {
    match kind {
        Kind::Message(message) => Value::Message(filled(message, with)),
        Kind::String => Value::String(SECRET.into()),
        Kind::Bytes => Value::Bytes(vec![7; 16].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Uint32 => Value::U32(1),
        Kind::Uint64 => Value::U64(1),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Enum(_) => Value::EnumNumber(1),
        other => panic!("{other:?}"),
    }
}

/// The fields that hold the secret, also within packed messages of Angzarr's.
fn holding(message: &DynamicMessage, found: &mut BTreeSet<String>) {
    if let Some(packed) = unpacked(message) {
        return holding(&packed, found);
    }
    for (field, value) in message.fields() {
        let name = format!("{}.{}", message.descriptor().name(), field.name());
        hold(&name, value, found);
    }
}

fn unpacked(message: &DynamicMessage) -> Option<DynamicMessage> {
    if message.descriptor().full_name() != "google.protobuf.Any" {
        return None;
    }
    let url = message.get_field_by_name("type_url")?;
    let name = url.as_str()?.strip_prefix("t/")?.to_owned();
    let value = message.get_field_by_name("value")?;
    let all = DESCRIBED
        .iter()
        .find_map(|pool| pool.get_message_by_name(&name))?;
    DynamicMessage::decode(all, &**value.as_bytes()?).ok()
}

fn hold(name: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains(SECRET) => {
            found.insert(name.to_owned());
        }
        Value::Bytes(bytes)
            if bytes
                .windows(SECRET.len())
                .any(|it| it == SECRET.as_bytes()) =>
        {
            found.insert(name.to_owned());
        }
        Value::Message(message) => holding(message, found),
        Value::List(values) => values.iter().for_each(|value| hold(name, value, found)),
        Value::Map(entries) => {
            for (key, value) in entries {
                hold(&format!("{name}.*"), &Value::from(key.clone()), found);
                hold(name, value, found);
            }
        }
        _ => {}
    }
}

/// Names of things, which are no data: they stay, also where somebody hides a secret in one.
const NAMES: [&str; 16] = [
    "AngzarrDeferredSequence.source_component",
    "CascadeError.component_name",
    "CascadeError.component_type",
    "CascadeError.source_domain",
    "CascadeReactionError.command_type",
    "CascadeReactionError.component",
    "Compensate.command_type",
    "Cover.domain",
    "DomainDivergence.domain",
    "Edition.name",
    "ProcessManagerHandleRequest.destination_sequences.*",
    "Projection.projector",
    "RejectionNotification.code",
    "SagaCompensationFailed.saga_name",
    "SagaHandleRequest.destination_sequences.*",
    "UpcastRequest.domain",
];

#[test]
fn a_secret_in_any_field_of_any_call_of_any_dialect_is_gone() {
    let redactor = redactor(&[("examples.*", "display_name", Action::Mask)], false);
    let mut left = BTreeSet::new();
    let mut gone = BTreeSet::new();
    let mut packages = BTreeSet::new();
    for dialect in Dialect::all() {
        if !packages.insert(dialect.package()) {
            continue;
        }
        let pool = DescriptorPool::decode(&*call_descriptors(*dialect)).unwrap();
        let package = dialect.package();
        for (method, request, reply) in METHODS {
            let of = |name: &str| pool.get_message_by_name(&format!("{package}.{name}"));
            let (request, reply) = (of(request).unwrap(), of(reply).unwrap());
            // The others have the same messages under another name.
            let members = if packages.len() == 1 { 3 } else { 1 };
            let packed = FRAMEWORK.map(|name| of(name).unwrap());
            let packed = packed.iter().filter(|_| packages.len() == 1);
            let packed = packed.map(|it| Filling {
                packed: Some(it),
                ..PLAYERS
            });
            let players = (0..members).map(|member| Filling { member, ..PLAYERS });
            for with in packed.chain(players) {
                let sent = filled(&request, with);
                let answered = filled(&reply, with);
                holding(&sent, &mut gone);
                holding(&answered, &mut gone);
                let note = note(
                    &format!("/{package}.{method}"),
                    sent.encode_to_vec(),
                    Answer::Reply(answered.encode_to_vec().into()),
                );
                let (written, _) = redacted(&note, &redactor).unwrap();
                let Answer::Reply(answer) = &written.answer else {
                    panic!("{:?}", written.answer);
                };
                let sent = DynamicMessage::decode(request.clone(), &*written.request).unwrap();
                let answered = DynamicMessage::decode(reply.clone(), &**answer).unwrap();
                holding(&sent, &mut left);
                holding(&answered, &mut left);
            }
        }
    }
    let names: BTreeSet<String> = NAMES.into_iter().map(str::to_owned).collect();
    assert_eq!(left, names);
    let gone: Vec<_> = gone.difference(&left).map(String::as_str).collect();
    assert_eq!(
        gone,
        [
            "Any.value",
            "CascadeError.error_message",
            "CascadeReactionError.message",
            "CommandRequest.cascade_id",
            "Compensate.reason",
            "Confirmation.cascade_id",
            "Cover.correlation_id",
            "EventPage.cascade_id",
            "ExternalDeferredSequence.description",
            "ExternalDeferredSequence.external_id",
            "NoOp.cascade_id",
            "NoOp.reason",
            "Notification.metadata",
            "Notification.metadata.*",
            "PayloadReference.uri",
            "RejectionNotification.rejection_reason",
            "Revocation.cascade_id",
            "Revocation.reason",
            "RevocationResponse.reason",
            "SagaCompensationFailed.compensation_failure_reason",
            "SagaCompensationFailed.rejection_reason",
        ]
    );
}

#[test]
fn a_status_keeps_its_reason_and_nothing_else_of_its_details() {
    let redactor = redactor(&[("examples.*", "display_name", Action::Mask)], false);
    let pool = DescriptorPool::decode(&*call_descriptors(Dialect::ANGZARR)).unwrap();
    let command = pool.get_message_by_name("angzarr.CommandRequest").unwrap();
    let sent = filled(&command, PLAYERS).encode_to_vec();
    let failure = Failure {
        code: Code::FailedPrecondition,
        message: format!("{SECRET} asked bob@acme.io"),
        info: Some(ErrorInfo {
            reason: "TAKEN".into(),
            domain: "player".into(),
            metadata: vec![("who".into(), SECRET.into())],
        }),
    };
    // What a stale command is answered with: the events themselves.
    let book = pool.get_message_by_name("angzarr.EventBook").unwrap();
    let events = filled(&book, PLAYERS).encode_to_vec();
    for details in [FailingStatus::from(failure.clone()).details, events.into()] {
        let is_reason = details == FailingStatus::from(failure.clone()).details;
        let refusal = FailingStatus {
            failure: Failure {
                info: failure.info.clone().filter(|_| is_reason),
                ..failure.clone()
            },
            details,
        };
        let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
        let note = note(path, sent.clone(), Answer::Status(refusal));
        let Answer::Status(written) = redacted(&note, &redactor).unwrap().0.answer else {
            panic!("a status is expected");
        };
        assert!(!written.failure.message.contains(SECRET));
        assert!(!written.failure.message.contains("bob"));
        assert_eq!(written, FailingStatus::from(written.failure.clone()));
        let reason = written.failure.info.map(|info| info.reason);
        assert_eq!(reason.as_deref(), is_reason.then_some("TAKEN"));
        assert!(
            !written
                .details
                .windows(SECRET.len())
                .any(|it| it == SECRET.as_bytes())
        );
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_method_and_place() {
    let redactor = redactor(&[("examples.*", "display_name", Action::Mask)], false);
    let path = "/angzarr.CommandHandlerService/HandleFact";
    for (request, reply, expected) in [
        (
            // A field of a later version.
            vec![0x1a, 0],
            Vec::new(),
            "the request of CommandHandlerService/HandleFact (`angzarr.FactRequest`): the descriptor of \
             `angzarr.FactRequest` has no field 3 of that type",
        ),
        (
            Vec::new(),
            vec![0x0a],
            "the reply of CommandHandlerService/HandleFact (`angzarr.EventBook`): the bytes are not a valid `angzarr.EventBook`",
        ),
        (
            Vec::new(),
            // A page with an event of a type that nobody described.
            [&[0x1a, 9, 0x1a, 7, 0x0a, 3][..], b"x/T", &[0x12, 0]].concat(),
            "the reply of CommandHandlerService/HandleFact (`angzarr.EventBook`): there is no descriptor of `T`, in \
             `pages.event`",
        ),
    ] {
        let note = note(path, request, Answer::Reply(reply.into()));
        let error = redacted(&note, &redactor).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Through the recorder, into the recording and the tickets.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_written_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let redactor = redactor(&[("examples.*", "display_name", Action::Pseudonym)], true);
    let pool = DescriptorPool::decode(&*call_descriptors(Dialect::ANGZARR)).unwrap();
    let command = pool.get_message_by_name("angzarr.CommandRequest").unwrap();
    let mut sent = filled(&command, PLAYERS);
    // Names have to be names.
    let book = sent.get_field_by_name_mut("command").unwrap();
    let cover = book.as_message_mut().unwrap();
    let cover = cover.get_field_by_name_mut("cover").unwrap();
    let cover = cover.as_message_mut().unwrap();
    cover.set_field_by_name("domain", Value::String("player".into()));
    cover.clear_field_by_name("edition");
    let sent = sent.encode_to_vec();
    let upstream = Upstream::start(failing("9", "no%20s3cret-of-alice"));
    let stores: Vec<Box<dyn angzarr_replay::internal::record::CallStore>> = vec![Box::new(
        RecordingFile::open(&file("recording.jsonl"), ring(10)).unwrap(),
    )];
    let mut settings = settings(upstream.address, stores);
    settings.tickets = Some(FailureLogWriter::open(&file("failures.jsonl")).unwrap());
    settings.redact = Some(Box::new(move |note| {
        let (note, _) = redacted(&note, &redactor)?;
        Ok(note)
    }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
    let half = client
        .call(
            request(path)
                .header("authorization", format!("Bearer {SECRET}"))
                .body(())
                .unwrap(),
            framed(&sent),
        )
        .await;
    assert_eq!(half.status(), Some("9"));
    drop(client);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.kept, counts.refused), (1, 0), "{counts:?}");
    for name in ["recording.jsonl", "failures.jsonl"] {
        let text = std::fs::read_to_string(file(name)).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        assert!(
            text.contains("\"redacted\":[{\"type\":\"angzarr."),
            "{text}"
        );
    }
    let text = std::fs::read_to_string(file("recording.jsonl")).unwrap();
    let noted = parse_recording(&text).unwrap().remove(0).call;
    assert!(
        !noted
            .request
            .windows(SECRET.len())
            .any(|it| it == SECRET.as_bytes())
    );
    let ticket = std::fs::read_to_string(file("failures.jsonl")).unwrap();
    let ticket = angzarr_replay::internal::ticket::Ticket::parse_line(&ticket, 1).unwrap();
    assert_eq!(Some(ticket), ticket_of(&noted));
}
