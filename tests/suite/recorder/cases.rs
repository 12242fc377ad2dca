//! Noted calls as cases: between a coordinator and its logic each is what capture makes of the store and a ticket.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::capture::{
    CaseParts, FailingCommand, Labels, UpTo, assemble, fetch_history,
};
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, LogicClient, QueryClient, Server, serve_logic,
};
use angzarr_replay::internal::model::{
    CascadeErrorMode, Case, CaseStimulus, Code, CommandBook, Cover, Domain, EventBook, Header,
    History, Modes, Observed, Payload, Redactions, Root, SyncMode,
};
use angzarr_replay::internal::processes::{ServerCommand, StartedServer};
use angzarr_replay::internal::project::readiness;
use angzarr_replay::internal::record::{
    Answer, CaseMetadata, FailureLogWriter, Link, RecordedCall, Recorder, RecordingFile, case_of,
    parse_recording, ticket_of,
};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{
    Dialect, FailingStatus, SpokenDialect, encode_command_book, encode_command_request,
    encode_event_book,
};
use test_support::{books, coordinators};

use super::recorded::{bytes, calls};
use super::support::{NOW, recorder, ring, settings};

fn connection(address: SocketAddr) -> Connection {
    Connection::new(&address.to_string(), ConnectionOptions::default()).unwrap()
}

/// A client's recorder, a coordinator, the logic's recorder, and the logic.
struct Chain {
    folder: tempfile::TempDir,
    coordinator: Server,
    before: Recorder,
    behind: Recorder,
}

impl Chain {
    fn before(logic: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let open = |name| Box::new(RecordingFile::open(&file(name), ring(100)).unwrap());
        let behind = recorder(logic, vec![open("behind.jsonl")]);
        let store = Arc::new(Store::in_memory().unwrap());
        let client = LogicClient::new(connection(behind.address()), Dialect::ANGZARR);
        let coordinator =
            LocalCoordinator::new(Stores::Shared(store), Dialect::ANGZARR, Arc::new(|| NOW))
                .with_logic(Domain::new("player").unwrap(), Backend::Remote(client))
                .start(TcpListener::bind("127.0.0.1:0").unwrap())
                .unwrap();
        let tickets = FailureLogWriter::open(&file("failures.jsonl")).unwrap();
        let mut settings = settings(coordinator.address(), vec![open("before.jsonl")]);
        settings.tickets = Some(tickets);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = Recorder::start(listener, settings).unwrap();
        Self {
            folder,
            coordinator,
            before,
            behind,
        }
    }

    /// Sends the recorded commands for the player's domain up to a call.
    fn send(&self, last: u64) {
        let client = connection(self.before.address());
        for call in calls()
            .into_iter()
            .take_while(|call| call["n"].as_u64().unwrap() <= last)
        {
            let path = call["path"].as_str().unwrap();
            if call["server"] == "player" && path.ends_with("CoordinatorService/HandleCommand") {
                let _ = client.call(path, bytes(&call["request"]));
            }
        }
    }

    fn end(self) -> Recorded {
        self.before.end().unwrap();
        self.behind.end().unwrap();
        let text = |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        let notes = |name| -> Vec<RecordedCall> {
            let recorded = parse_recording(&text(name)).unwrap();
            recorded.into_iter().map(|recorded| recorded.call).collect()
        };
        let tickets = Ticket::parse_lines(&text("failures.jsonl")).unwrap();
        Recorded {
            queries: QueryClient::new(connection(self.coordinator.address()), Dialect::ANGZARR),
            _coordinator: self.coordinator,
            commands: notes("before.jsonl"),
            handled: notes("behind.jsonl"),
            tickets: tickets.into_iter().map(|(_, ticket)| ticket).collect(),
        }
    }
}

struct Recorded {
    queries: QueryClient,
    _coordinator: Server,
    /// What the client's recorder noted.
    commands: Vec<RecordedCall>,
    /// What the logic's recorder noted.
    handled: Vec<RecordedCall>,
    /// The failure log.
    tickets: Vec<Ticket>,
}

impl Recorded {
    /// What capture makes of the store and a ticket.
    fn captured(&self, ticket: &Ticket) -> Case {
        let cover = Cover::main(
            ticket.command.cover.domain.clone(),
            ticket.command.cover.root,
        );
        let fetched = fetch_history(&self.queries, &cover, UpTo::Head, &mut |_| {}).unwrap();
        let failing = FailingCommand::from(ticket);
        let parts = CaseParts {
            cover: &cover,
            fetched: &fetched,
            up_to: UpTo::Head,
            failing: Some(&failing),
            noted: None,
            source: "production",
            dialect: SpokenDialect::known(Dialect::ANGZARR),
            captured_at: NOW,
            labels: Labels::default(),
        };
        assemble(parts).unwrap().case
    }

    /// The case of the call to the logic that a command led to.
    fn noted(&self, ticket: &Ticket) -> Case {
        let is_of = |case: &Case| case.stimulus.command() == Some(&ticket.command);
        let cases = self
            .handled
            .iter()
            .map(|note| case_of(note, with()).unwrap());
        cases.filter(is_of).last().unwrap()
    }
}

fn with() -> CaseMetadata {
    CaseMetadata {
        source: "recording.jsonl".into(),
        captured_at: NOW,
        labels: Labels::default(),
    }
}

fn assert_same(noted: &Case, captured: &Case) {
    assert_eq!(noted.cover, captured.cover);
    assert_eq!(noted.history, captured.history);
    assert_eq!(noted.stimulus, captured.stimulus);
    assert_eq!(noted.observed, captured.observed);
    assert!(noted.is_same_capture(captured));
}

/// Sends commands to a player and holds the noted calls against captures.
fn accepted_and_rejected_commands_become_the_same_cases(logic: SocketAddr) {
    let chain = Chain::before(logic);
    chain.send(16);
    let recorded = chain.end();

    let rejected: Vec<&Ticket> = recorded
        .tickets
        .iter()
        .filter(|ticket| ticket.failure.message == "Insufficient funds")
        .collect();
    assert_eq!(rejected.len(), 1, "{:?}", recorded.tickets);
    let noted = recorded.noted(rejected[0]);
    assert!(matches!(noted.observed, Some(Observed::Rejected(_))));
    assert!(!noted.history.pages().is_empty());
    assert_same(&noted, &recorded.captured(rejected[0]));

    let accepted: Vec<Ticket> = recorded
        .commands
        .iter()
        .filter(|note| note.is_accepted())
        .map(|note| ticket_of(note).unwrap())
        .filter(|ticket| ticket.command.type_name().ends_with(".DepositFunds"))
        .collect();
    assert!(!accepted.is_empty());
    for ticket in &accepted {
        assert_eq!(ticket.failure.code, Code::Ok);
        let noted = recorded.noted(ticket);
        assert!(matches!(&noted.observed, Some(Observed::Accepted(events)) if events.len() == 1));
        assert_eq!(ticket.head, Some(noted.head()));
        assert_same(&noted, &recorded.captured(ticket));
    }
}

#[test]
fn accepted_and_rejected_commands_become_the_same_cases_with_rust_logic() {
    let logic = serve_logic(
        TcpListener::bind("127.0.0.1:0").unwrap(),
        Dialect::ANGZARR,
        Arc::new(poker::Player::default()),
    )
    .unwrap();
    accepted_and_rejected_commands_become_the_same_cases(logic.address());
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn accepted_and_rejected_commands_become_the_same_cases_with_python_logic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let interpreter = root.join(".venv/bin/python");
    assert!(interpreter.exists(), "see examples/poker-python/README.md");
    let command = ServerCommand {
        label: "logic `player-python`".into(),
        command: vec![
            interpreter.display().to_string(),
            "examples/poker-python/player.py".into(),
        ],
        build: None,
        directory: root.to_owned(),
        environment: Vec::new(),
        port: None,
        start_timeout: Some(Duration::from_secs(60)),
        listener: None,
    };
    let python = StartedServer::launch(&command, &readiness).unwrap();
    accepted_and_rejected_commands_become_the_same_cases(python.address().parse().unwrap());
}

/// The dialect of a command that is recorded, whether it was assumed, in the recording and in the ticket, and what of
/// it the recorder tells.
fn recorded_dialect(spoken: Dialect, said: Option<Dialect>) -> (Dialect, [bool; 2], Vec<Dialect>) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let store = coordinators::stores();
    // It has no logic, and refuses every command.
    let coordinator = LocalCoordinator::new(store, spoken, Arc::new(|| NOW))
        .start(TcpListener::bind("127.0.0.1:0").unwrap())
        .unwrap();
    let recording = RecordingFile::open(&file("recording.jsonl"), ring(100)).unwrap();
    let mut settings = settings(coordinator.address(), vec![Box::new(recording)]);
    settings.dialect = said;
    settings.tickets = Some(FailureLogWriter::open(&file("failures.jsonl")).unwrap());
    let recorder = Recorder::start(TcpListener::bind("127.0.0.1:0").unwrap(), settings).unwrap();
    let command = session_call(16).command().unwrap();
    let path = spoken.path("CommandHandlerCoordinatorService", "HandleCommand");
    let request = encode_command_request(&command, SyncMode::Async, spoken);
    let client = connection(recorder.address());
    for _ in 0..2 {
        client.call(&path, request.clone()).unwrap_err();
    }
    let watch = recorder.watch();
    recorder.end().unwrap();
    let text = |name| std::fs::read_to_string(file(name)).unwrap();
    let noted = parse_recording(&text("recording.jsonl")).unwrap();
    let tickets = Ticket::parse_lines(&text("failures.jsonl")).unwrap();
    assert_eq!((noted.len(), tickets.len()), (2, 2));
    let (note, ticket) = (&noted[0].call, &tickets[0].1);
    assert_eq!(note.dialect, ticket.dialect);
    let assumed = [note.dialect_assumed, ticket.dialect_assumed];
    (note.dialect, assumed, watch.assumed_dialects())
}

#[test]
fn a_dialect_that_nobody_said_is_recorded_as_assumed_where_others_share_its_package() {
    let newest = Dialect::IO_ANGZARR_V1;
    let june: Dialect = "io.angzarr.v1-2026-06".parse().unwrap();
    let assumed = (newest, [true; 2], vec![newest]);
    assert_eq!(recorded_dialect(newest, None), assumed);
    assert_eq!(recorded_dialect(june, None), assumed);
    // What is said of another package says nothing of this one.
    assert_eq!(recorded_dialect(june, Some(Dialect::ANGZARR)), assumed);
    for (spoken, said) in [
        (june, Some(june)),
        (newest, Some(newest)),
        (Dialect::ANGZARR, None),
        (Dialect::ANGZARR, Some(june)),
    ] {
        let expected = (spoken, [false; 2], Vec::new());
        assert_eq!(recorded_dialect(spoken, said), expected, "{said:?}");
    }
}

/// A call of the recorded session as the recorder notes it.
fn session_call(number: u64) -> RecordedCall {
    let call = calls()
        .into_iter()
        .find(|call| call["n"] == number)
        .unwrap();
    RecordedCall {
        number,
        time: NOW,
        path: call["path"].as_str().unwrap().into(),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: bytes(&call["request"]),
        answer: match call.get("response") {
            Some(reply) => Answer::Reply(bytes(reply)),
            None => Answer::Status(FailingStatus::from_details(
                Code::from_name(call["code"].as_str().unwrap()).unwrap(),
                call["message"].as_str().unwrap().into(),
                bytes::Bytes::new(),
            )),
        },
        redacted: Redactions::default(),
    }
}

/// Kind of case, word of what production did, and how many pages the own book has.
fn told(number: u64) -> (&'static str, &'static str, usize) {
    let case = case_of(&session_call(number), with()).unwrap();
    let observed = case.observed.as_ref().unwrap().word();
    (case.stimulus.word(), observed, case.history.pages().len())
}

#[test]
fn every_kind_of_call_becomes_its_kind_of_case() {
    let mut kinds = std::collections::BTreeMap::new();
    for call in calls() {
        let path = call["path"].as_str().unwrap();
        let (_, method) = Dialect::of_path(path).unwrap();
        if Link::of(method) != Some(Link::CoordinatorAndLogic) {
            continue;
        }
        let note = session_call(call["n"].as_u64().unwrap());
        match case_of(&note, with()) {
            Ok(case) => *kinds.entry(case.stimulus.word()).or_insert(0) += 1,
            Err(error) => {
                let kind = error.to_string();
                assert!(
                    kind.starts_with("it asks which aggregates a process manager"),
                    "{kind}"
                );
                *kinds.entry("prepare").or_insert(0) += 1;
            }
        }
    }
    let expected = [
        ("command", 4),
        ("prepare", 1),
        ("process-manager", 2),
        ("projector", 6),
        ("saga", 7),
        ("upcaster", 1),
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(told(34).0, "saga");
    assert_eq!(told(34).1, "accepted");
    assert_eq!(told(20).1, "crashed");
    assert_eq!(told(117).0, "process-manager");
}

#[test]
fn a_saga_is_shown_what_it_was_shown() {
    let case = case_of(&session_call(34), with()).unwrap();
    let CaseStimulus::Saga { trigger, .. } = &case.stimulus else {
        panic!("{:?}", case.stimulus);
    };
    assert_eq!(trigger.from, case.history.pages()[0].sequence);
    let Some(Observed::Reacted(reaction)) = &case.observed else {
        panic!("{:?}", case.observed);
    };
    assert!(!reaction.commands.is_empty());
}

#[test]
fn a_saga_is_called_in_the_modes_that_it_was_called_in() {
    let plain = session_call(34);
    let modes = |note: &RecordedCall| match case_of(note, with()).unwrap().stimulus {
        CaseStimulus::Saga { modes, .. } => modes,
        other => panic!("{other:?}"),
    };
    let cascade = RecordedCall {
        // The last one of a field counts: CASCADE, CONTINUE.
        request: [&plain.request[..], &[2 << 3, 2, 3 << 3, 1]]
            .concat()
            .into(),
        ..plain
    };
    let expected = Modes {
        sync_mode: SyncMode::Cascade,
        cascade_error_mode: CascadeErrorMode::Continue,
    };
    assert_eq!(modes(&cascade), expected);
}

#[test]
fn a_call_that_makes_no_case_says_why() {
    let refused = |note: &RecordedCall| case_of(note, with()).unwrap_err().to_string();
    assert_eq!(
        refused(&session_call(1)),
        "the state that the command met is not in a call between a client and a coordinator"
    );
    let unavailable = RecordedCall {
        answer: Answer::Status(FailingStatus::from_details(
            Code::Unavailable,
            "connection refused".into(),
            bytes::Bytes::new(),
        )),
        ..session_call(34)
    };
    assert_eq!(
        refused(&unavailable),
        "the failure came from the transport (UNAVAILABLE), not from the logic, so there is nothing to \
         reproduce; choose another call"
    );
    let exhausted = RecordedCall {
        answer: Answer::Status(FailingStatus::from_details(
            Code::ResourceExhausted,
            "no more today".into(),
            bytes::Bytes::new(),
        )),
        ..session_call(34)
    };
    // The recorder saw the logic answer so.
    let case = case_of(&exhausted, with()).unwrap();
    assert_eq!(case.observed.as_ref().map(Observed::word), Some("rejected"));
    let damaged = RecordedCall {
        request: vec![0x0a, 0x05].into(),
        ..session_call(34)
    };
    assert!(
        refused(&damaged).starts_with("saga request: the bytes do not decode ("),
        "{}",
        refused(&damaged)
    );
}

/// A length-delimited field of protobuf.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[number << 3 | 2, length], content].concat()
}

/// A command for sequence 1 that a coordinator accepted with pages of these sequences: head and count of its ticket.
fn ticket_of_reply(sequences: &[u8]) -> (Option<u32>, Option<u32>) {
    let command = sent_for(1);
    let event = |sequence: &u8| {
        let header = match sequence {
            0 => Vec::new(),
            sequence => field(1, &[1 << 3, *sequence]),
        };
        field(3, &[header, field(3, &field(1, b"/t.Done"))].concat())
    };
    let pages: Vec<u8> = sequences.iter().flat_map(event).collect();
    let note = RecordedCall {
        number: 1,
        time: NOW,
        path: "/angzarr.CommandHandlerCoordinatorService/HandleCommand".to_owned(),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: field(1, &encode_command_book(&command, Dialect::ANGZARR)).into(),
        answer: Answer::Reply(field(1, &pages).into()),
        redacted: Redactions::default(),
    };
    let ticket = ticket_of(&note).unwrap();
    (ticket.head, ticket.persisted)
}

#[test]
fn pages_of_a_reply_that_were_not_stored_are_no_head() {
    assert_eq!(ticket_of_reply(&[1, 2]), (Some(1), Some(2)));
    // Without a header, on an aggregate that has pages: returned, and not stored.
    assert_eq!(ticket_of_reply(&[0]), (Some(1), Some(0)));
    assert_eq!(ticket_of_reply(&[0, 1]), (Some(1), Some(1)));
    // Stored with a gap.
    assert_eq!(ticket_of_reply(&[6]), (Some(1), Some(1)));
    assert_eq!(ticket_of_reply(&[]), (Some(1), Some(0)));
}

/// A command under STRICT.
fn sent_for(sequence: u32) -> CommandBook {
    CommandBook {
        cover: Cover::main(Domain::new("player").unwrap(), Root::new([7; 16])),
        pages: vec![books::command_page(
            Header::Sequence(sequence),
            Payload::new("t.Do", Vec::new()),
        )],
        original: None,
    }
}

#[test]
fn the_place_that_logic_gave_an_event_is_kept_where_it_is_not_the_next() {
    let command = sent_for(1);
    let prior = EventBook {
        cover: command.cover.clone(),
        snapshot: None,
        history: History::default(),
        next_sequence: 1,
    };
    let prior = encode_event_book(&prior, Dialect::ANGZARR);
    let command = encode_command_book(&command, Dialect::ANGZARR);
    let event = |sequence: u8| {
        let header = field(1, &[1 << 3, sequence]);
        field(3, &[header, field(3, &field(1, b"/t.Done"))].concat())
    };
    let pages = [event(6), event(2), event(0)].concat();
    let note = RecordedCall {
        number: 1,
        time: NOW,
        path: "/angzarr.CommandHandlerService/Handle".to_owned(),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: [field(1, &prior), field(2, &command)].concat().into(),
        answer: Answer::Reply(field(1, &pages).into()),
        redacted: Redactions::default(),
    };
    let with = CaseMetadata {
        source: "calls.jsonl".to_owned(),
        captured_at: NOW,
        labels: Labels::default(),
    };
    let Some(Observed::Accepted(events)) = case_of(&note, with).unwrap().observed else {
        panic!("it was accepted");
    };
    let places: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(places, [Some(6), None, Some(0)]);
}
