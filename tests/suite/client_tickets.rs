//! The ticket layer in a real tonic client, over loopback against the local coordinator.

use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use angzarr_failure_tickets::redaction::{Action, Key, Policy, RedactionRule, Redactor};
use angzarr_failure_tickets::{TicketLayer, TicketOptions};
use angzarr_replay::internal::capture::compensation::notification;
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, SeedBook};
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::model::{
    Code, CommandBook, Component, Cover, Failure, Header, MergeStrategy, Payload, Root, SyncMode,
    Timestamp,
};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, encode_command_request};
use bytes::Bytes;
use test_support::books::player;
use test_support::demo;
use test_support::raw_codec::Raw;
use test_support::{books, coordinators};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower_layer::Layer as _;

const NOW: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};
const LONG: Duration = Duration::from_secs(60);

/// A writer that can be looked into.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn tickets(&self) -> Vec<Ticket> {
        let tickets = Ticket::parse_lines(&self.text()).unwrap();
        tickets.into_iter().map(|(_, ticket)| ticket).collect()
    }
}

fn options() -> TicketOptions {
    TicketOptions::new().clock(|| NOW)
}

fn coordinator(dialect: Dialect) -> Server {
    let stores = coordinators::stores();
    let coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW));
    coordinator.seed(&[] as &[SeedBook], NOW).unwrap();
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(poker::Player::default())));
    coordinator
        .with_logic(player(), logic)
        .start(coordinators::listener())
        .unwrap()
}

fn command(name: &str, view: &str, sequence: u32) -> CommandBook {
    let payload = demo::payload(name, view);
    CommandBook {
        cover: Cover {
            correlation_id: "wf-1".into(),
            ..Cover::main(player(), Root::new([7; 16]))
        },
        pages: vec![books::command_page(Header::Sequence(sequence), payload)],
        original: None,
    }
}

fn register() -> CommandBook {
    command(
        "RegisterPlayer",
        "{display_name: Alice, email: alice@example.com, player_type: HUMAN}",
        0,
    )
}

fn withdraw(sequence: u32) -> CommandBook {
    command(
        "WithdrawFunds",
        "{amount: {amount: 4500, currency_code: CHIPS}}",
        sequence,
    )
}

#[test]
fn tickets_name_the_version_of_the_service_if_it_is_known() {
    for (version, written) in [
        (Some("1.4.2"), Some("1.4.2")),
        (Some("a\nb"), None),
        (Some(""), None),
        (None, None),
    ] {
        let options = match version {
            Some(version) => options().service_version(version),
            None => options(),
        };
        let server = coordinator(Dialect::ANGZARR);
        let client = Client::of(&server, Dialect::ANGZARR);
        let lines = Written::default();
        let layer = options.to_writer(lines.clone()).unwrap();
        client.send(&layer, &withdraw(9)).unwrap_err();
        assert!(layer.flush(LONG));
        assert_eq!(lines.tickets()[0].service_version.as_deref(), written);
    }
}

#[test]
fn tickets_name_the_trace_of_their_request() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    for (header, written) in [
        (Some(format!("00-{TRACE}-b7ad6b7169203331-01")), Some(TRACE)),
        (Some("not a trace".to_owned()), None),
        (None, None),
    ] {
        let lines = Written::default();
        let layer = options().to_writer(lines.clone()).unwrap();
        let mut request = client.request(&withdraw(9));
        if let Some(header) = header {
            let metadata = request.metadata_mut();
            metadata.insert("traceparent", header.parse().unwrap());
        }
        client.ask(&layer, request).unwrap_err();
        assert!(layer.flush(LONG));
        assert_eq!(lines.tickets()[0].trace_id.as_deref(), written);
    }
}

/// A client of a coordinator, with the layer or without.
struct Client {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
    dialect: Dialect,
}

impl Client {
    fn of(server: &Server, dialect: Dialect) -> Self {
        Self::at(&server.address().to_string(), dialect)
    }

    fn at(address: &str, dialect: Dialect) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        drop(inside);
        Self {
            runtime,
            channel,
            dialect,
        }
    }

    fn call(&self, layer: &TicketLayer, path: &str, request: Bytes) -> Result<Bytes, Status> {
        self.call_with(layer, path, Request::new(request))
    }

    fn call_with(
        &self,
        layer: &TicketLayer,
        path: &str,
        request: Request<Bytes>,
    ) -> Result<Bytes, Status> {
        self.runtime.block_on(async {
            let mut grpc = Grpc::new(layer.layer(self.channel.clone()));
            grpc.ready()
                .await
                .map_err(|error| Status::unknown(error.to_string()))?;
            let path = path.parse().unwrap();
            let answer = grpc.unary(request, path, Raw).await;
            answer.map(tonic::Response::into_inner)
        })
    }

    fn plain(&self, path: &str, request: Bytes) -> Result<Bytes, Status> {
        self.runtime.block_on(async {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready().await.unwrap();
            let answer = grpc.unary(Request::new(request), path.parse().unwrap(), Raw);
            answer.await.map(tonic::Response::into_inner)
        })
    }

    fn request(&self, book: &CommandBook) -> Request<Bytes> {
        Request::new(encode_command_request(book, SyncMode::Async, self.dialect))
    }

    fn ask(&self, layer: &TicketLayer, request: Request<Bytes>) -> Result<Bytes, Status> {
        let path = self
            .dialect
            .path("CommandHandlerCoordinatorService", "HandleCommand");
        self.call_with(layer, &path, request)
    }

    fn send(&self, layer: &TicketLayer, book: &CommandBook) -> Result<Bytes, Status> {
        self.ask(layer, self.request(book))
    }
}

#[test]
fn a_failing_command_becomes_a_ticket_and_its_caller_sees_no_difference() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options().to_writer(written.clone()).unwrap();
    assert!(!client.send(&layer, &register()).unwrap().is_empty());
    let refused = client.send(&layer, &withdraw(1)).unwrap_err();
    let stale = client.send(&layer, &withdraw(9)).unwrap_err();

    let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
    let request = |book| encode_command_request(book, SyncMode::Async, Dialect::ANGZARR);
    let plain = client.plain(path, request(&withdraw(9))).unwrap_err();
    let seen = |status: &Status| {
        let details = status.details().to_vec();
        (status.code(), status.message().to_owned(), details)
    };
    assert_eq!(seen(&stale), seen(&plain));
    assert!(!stale.details().is_empty());

    assert!(layer.flush(LONG));
    assert_eq!(layer.counts().written, 2);
    let tickets = written.tickets();
    assert_eq!(tickets[0].command, withdraw(1));
    assert_eq!(tickets[0].failure.code, Code::FailedPrecondition);
    assert_eq!(tickets[0].failure.message, refused.message());
    assert_eq!(
        (tickets[0].time, tickets[0].dialect),
        (Some(NOW), Dialect::ANGZARR)
    );
    assert_eq!(tickets[1].failure.message, stale.message());
}

#[test]
fn accepted_commands_are_noted_when_it_is_asked_for() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options()
        .every_command()
        .to_writer(written.clone())
        .unwrap();
    client.send(&layer, &register()).unwrap();
    client.send(&layer, &withdraw(1)).unwrap_err();
    assert!(layer.flush(LONG));
    let tickets = written.tickets();
    assert!(tickets[0].is_accepted());
    assert_eq!((tickets[0].head, tickets[0].persisted), (Some(0), Some(1)));
    assert!(!tickets[1].is_accepted());
    assert_eq!(tickets[1].persisted, None);
}

#[test]
fn other_methods_pass_by() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let layer = options()
        .every_command()
        .to_writer(Written::default())
        .unwrap();
    let query = "/angzarr.EventQueryService/GetEventBook";
    assert!(client.call(&layer, query, Bytes::new()).is_err());
    assert!(
        client
            .call(&layer, "/angzarr.Nothing/AtAll", Bytes::new())
            .is_err()
    );
    assert!(layer.flush(LONG));
    assert_eq!(
        layer.counts(),
        angzarr_failure_tickets::TicketCounts::default()
    );
}

#[test]
fn every_dialect_is_recognised_by_its_path() {
    for dialect in Dialect::all() {
        let server = coordinator(*dialect);
        let client = Client::of(&server, *dialect);
        let written = Written::default();
        let layer = options()
            .dialect(*dialect)
            .to_writer(written.clone())
            .unwrap();
        client.send(&layer, &withdraw(0)).unwrap_err();
        assert!(layer.flush(LONG));
        let tickets = written.tickets();
        assert_eq!((tickets.len(), tickets[0].dialect), (1, *dialect));
        assert_eq!(
            tickets[0].command.pages[0].merge_strategy,
            MergeStrategy::Strict,
            "{dialect}"
        );
    }
}

#[test]
fn an_assumed_dialect_is_noted_as_such() {
    for dialect in Dialect::all() {
        let server = coordinator(*dialect);
        let client = Client::of(&server, *dialect);
        for said in [None, Some(*dialect)] {
            let written = Written::default();
            let options = options();
            let options = match said {
                Some(said) => options.dialect(said),
                None => options,
            };
            let layer = options.to_writer(written.clone()).unwrap();
            client.send(&layer, &withdraw(0)).unwrap_err();
            assert!(layer.flush(LONG));
            let is_assumed = said.is_none() && dialect.is_ambiguous();
            assert_eq!(
                written.tickets()[0].dialect_assumed,
                is_assumed,
                "{dialect}"
            );
        }
    }
}

/// Descriptors of the demo's messages, with imports.
fn descriptor_set() -> Vec<u8> {
    let folder = "examples/poker/proto";
    let mut compiler = protox::Compiler::new([folder]).unwrap();
    compiler.include_imports(true);
    for file in std::fs::read_dir(format!("{folder}/examples")).unwrap() {
        compiler.open_file(file.unwrap().path()).unwrap();
    }
    compiler.encode_file_descriptor_set()
}

#[test]
fn a_redactor_that_cannot_be_made_says_why() {
    let policy = |field: &str, key| Policy {
        rules: vec![RedactionRule::new("examples.*", field, Action::Pseudonym).unwrap()],
        key,
        debug_redact: None,
        roots: false,
        is_strict: true,
    };
    let key = || Some(Key::new("a key that only these tests have").unwrap());
    let refused = |set: &[u8], policy| Redactor::new(set, policy).unwrap_err().to_string();
    let no_key = refused(&descriptor_set(), policy("email", None));
    assert!(no_key.contains("asks for pseudonyms"), "{no_key}");
    let misspelt = refused(&descriptor_set(), policy("emial", key()));
    assert!(misspelt.contains("email"), "{misspelt}");
    let unreadable = refused(b"no descriptors", policy("email", key()));
    assert!(unreadable.contains("descriptor"), "{unreadable}");
}

/// A strict redactor of the players' types, with one rule.
fn redactor(field: &str, action: Action) -> Redactor {
    let policy = Policy {
        rules: vec![RedactionRule::new("examples.*", field, action).unwrap()],
        key: Some(Key::new("a key that only these tests have").unwrap()),
        debug_redact: None,
        roots: true,
        is_strict: true,
    };
    Redactor::new(&descriptor_set(), policy).unwrap()
}

#[test]
fn rules_are_followed_and_what_cannot_be_read_is_withheld() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options()
        .redact_with(redactor("email", Action::Pseudonym))
        .to_writer(written.clone())
        .unwrap();
    let mut sent = command("RegisterPlayer", "{email: mina@corp.io}", 0);
    client.send(&layer, &sent).unwrap_err();
    sent.pages[0].command = Some(Payload::new("other.Thing", b"mina@corp.io".to_vec()));
    client.send(&layer, &sent).unwrap_err();
    assert!(layer.flush(LONG));
    let counts = layer.counts();
    assert_eq!((counts.written, counts.withheld), (1, 1));
    let [ticket] = written.tickets().try_into().unwrap();
    let value = &ticket.command.pages[0].command.as_ref().unwrap().value;
    let value = String::from_utf8_lossy(value);
    assert!(
        value.contains("@example.com") && !value.contains("mina"),
        "{value}"
    );
    assert_eq!(ticket.command.cover.root, sent.cover.root);
    let touched: Vec<_> = ticket
        .redacted
        .fields
        .iter()
        .map(|it| (it.type_name.as_str(), it.field.as_str()))
        .collect();
    assert_eq!(touched, [("examples.RegisterPlayer", "email")]);
}

/// Hooks first, rules last, in whatever order they were given.
#[test]
fn hooks_and_rules_go_together() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let (emails, names) = (
        redactor("email", Action::Mask),
        redactor("display_name", Action::Mask),
    );
    let hook = |mut ticket: Ticket| {
        "seen by the hook, mina@corp.io".clone_into(&mut ticket.failure.message);
        Some(ticket)
    };
    let again = |mut ticket: Ticket| {
        ticket.failure.message += " twice";
        Some(ticket)
    };
    for options in [
        options()
            .redact_with(emails.clone())
            .redact_with(names.clone())
            .redact(hook)
            .redact(again),
        options()
            .redact(hook)
            .redact(again)
            .redact_with(names)
            .redact_with(emails),
    ] {
        let written = Written::default();
        let layer = options.every_command().to_writer(written.clone()).unwrap();
        let sent = command(
            "RegisterPlayer",
            "{email: mina@corp.io, display_name: Wilhelmina}",
            0,
        );
        // Accepted first, and refused then.
        let _ = client.send(&layer, &sent);
        assert!(layer.flush(LONG));
        let [ticket] = written.tickets().try_into().unwrap();
        let message = &ticket.failure.message;
        assert!(message.starts_with("seen by the hook, ") && message.ends_with(" twice"));
        assert!(!message.contains("mina"), "{message}");
        let value = &ticket.command.pages[0].command.as_ref().unwrap().value;
        let value = String::from_utf8_lossy(value);
        assert!(!value.contains("mina"), "{value}");
        assert_eq!(ticket.redacted.fields.len(), 2);
    }
}

/// A strategy that is left out is the first of its enum, whose number differs between the dialects of a package.
#[test]
fn redaction_keeps_the_numbers_of_a_dialect_that_was_assumed_in_error() {
    let june: Dialect = "io.angzarr.v1-2026-06".parse().unwrap();
    let server = coordinator(june);
    let client = Client::of(&server, june);
    let written = Written::default();
    let layer = options()
        .redact_with(redactor("email", Action::Mask))
        .to_writer(written.clone())
        .unwrap();
    let mut sent = command("RegisterPlayer", "{email: mina@corp.io}", 0);
    for strategy in [
        MergeStrategy::Commutative,
        MergeStrategy::Strict,
        MergeStrategy::Manual,
    ] {
        sent.pages[0].merge_strategy = strategy;
        client.send(&layer, &sent).unwrap_err();
        assert!(layer.flush(LONG));
        let ticket = written.tickets().pop().unwrap();
        assert!(ticket.dialect_assumed && !ticket.redacted.fields.is_empty());
        assert_ne!(ticket.dialect, june);
        let read = ticket.read_in(june).unwrap();
        assert_eq!(read.command.pages[0].merge_strategy, strategy);
    }
}

/// A command of Angzarr's own, which no registry of a user describes.
#[test]
fn rules_reach_the_command_within_a_compensation() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options()
        .redact_with(redactor("email", Action::Mask))
        .to_writer(written.clone())
        .unwrap();
    let refused = command("RegisterPlayer", "{email: mina@corp.io}", 0);
    let failure = Failure::rejected("mina@corp.io is taken");
    let cover = refused.cover.clone();
    let told = notification(&cover, &refused, &failure, Dialect::ANGZARR);
    client.send(&layer, &told).unwrap_err();
    assert!(layer.flush(LONG));
    let [ticket] = written.tickets().try_into().unwrap();
    let value = &ticket.command.pages[0].command.as_ref().unwrap().value;
    let value = String::from_utf8_lossy(value);
    assert!(
        value.contains("RegisterPlayer") && !value.contains("mina"),
        "{value}"
    );
}

#[test]
fn a_hook_takes_out_what_must_not_be_seen_or_withholds_the_ticket() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options()
        .redact(|mut ticket| {
            let command = ticket.command.pages[0].command.as_mut()?;
            if command.type_name() == "examples.WithdrawFunds" {
                return None;
            }
            assert!(
                command.type_name() != "examples.DepositFunds",
                "the hook has a bug"
            );
            command.value.clear();
            "[taken out]".clone_into(&mut ticket.failure.message);
            Some(ticket)
        })
        .to_writer(written.clone())
        .unwrap();
    let mut secret = register();
    secret.cover.correlation_id = "wf".into();
    client.send(&layer, &secret).unwrap();
    // Now it exists, and the second one is refused.
    secret.pages[0].header = Header::Sequence(1);
    // A field that is not understood: the ticket would keep the command's own bytes.
    let mut request = encode_command_request(&secret, SyncMode::Async, Dialect::ANGZARR).to_vec();
    let at = request.iter().position(|byte| *byte == 0x0a).unwrap();
    request[at + 1] += 3;
    let end = at + 2 + usize::from(request[at + 1]) - 3;
    request.splice(end..end, [0x98, 0x06, 0x01]);
    let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
    client.call(&layer, path, request.into()).unwrap_err();
    client.send(&layer, &withdraw(1)).unwrap_err();
    client
        .send(&layer, &command("DepositFunds", "{}", 1))
        .unwrap_err();
    assert!(layer.flush(LONG));
    let counts = layer.counts();
    assert_eq!((counts.written, counts.withheld), (1, 2));
    let ticket = &written.tickets()[0];
    assert_eq!(ticket.failure.message, "[taken out]");
    assert_eq!(ticket.command.pages[0].command.as_ref().unwrap().value, b"");
    let email = b"alice@example.com";
    let bytes =
        angzarr_replay::internal::wire::encode_command_book(&ticket.command, Dialect::ANGZARR);
    assert!(!bytes.windows(email.len()).any(|part| part == email));
}

/// Writes nothing until it is told to.
struct Blocked(Receiver<()>);

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_disk_delays_no_call_and_what_has_no_room_is_counted() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let (go_on, blocked): (Sender<()>, _) = channel();
    let layer = options().waiting(2).to_writer(Blocked(blocked)).unwrap();
    for _ in 0..8 {
        client.send(&layer, &withdraw(0)).unwrap_err();
    }
    assert!(!layer.flush(Duration::from_millis(1)));
    drop(go_on);
    assert!(layer.flush(LONG));
    let counts = layer.counts();
    // One may be in the writer's hands while two are waiting.
    assert!((2..=3).contains(&counts.written), "{counts:?}");
    assert_eq!(counts.written + counts.dropped, 8);
}

/// Takes half of the first line, then fails; panics once; then works.
struct Failing(Written, u32);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1 += 1;
        match self.1 {
            1 => self.0.write(&bytes[..bytes.len() / 2]),
            2 => Err(std::io::Error::other("no space left")),
            3 => panic!("the writer has a bug"),
            _ => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_fails_no_call_and_tears_one_line_only() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options().to_writer(Failing(written.clone(), 0)).unwrap();
    for _ in 0..4 {
        client.send(&layer, &withdraw(0)).unwrap_err();
    }
    assert!(layer.flush(LONG));
    let counts = layer.counts();
    assert_eq!((counts.written, counts.failed), (2, 2));
    let text = written.text();
    let whole: Vec<bool> = text
        .lines()
        .map(|line| Ticket::parse_line(line, 1).is_ok())
        .collect();
    assert_eq!(whole, [false, true, true]);
}

#[test]
fn a_command_that_is_too_large_passes_and_is_counted() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let layer = options().largest(10).to_writer(Written::default()).unwrap();
    client.send(&layer, &withdraw(0)).unwrap_err();
    let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
    client
        .call(&layer, path, Bytes::from_static(b"\xff"))
        .unwrap_err();
    assert!(layer.flush(LONG));
    assert_eq!(layer.counts().unreadable, 2);
}

#[test]
fn a_server_that_hangs_up_leaves_a_ticket_of_the_transport() {
    let listener = coordinators::listener();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        // Until the request is there: its domain is in it.
        while !request.windows(6).any(|part| part == b"player") {
            let mut part = [0; 4096];
            let length = connection.read(&mut part).unwrap();
            request.extend_from_slice(&part[..length]);
        }
    });
    let client = Client::at(&address, Dialect::ANGZARR);
    let written = Written::default();
    let layer = options().to_writer(written.clone()).unwrap();
    client.send(&layer, &withdraw(0)).unwrap_err();
    assert!(layer.flush(LONG));
    let tickets = written.tickets();
    assert_eq!(tickets[0].failure.code, Code::Unavailable);
}

#[test]
fn a_file_is_written_to_at_its_end() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("failures.jsonl");
    for _ in 0..2 {
        let layer = options().to_file(&path).unwrap();
        #[cfg(unix)]
        {
            let file = std::fs::metadata(&path).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
            assert_eq!(mode & 0o777, 0o600, "it is its owner's alone");
        }
        client.send(&layer, &withdraw(0)).unwrap_err();
        assert!(layer.flush(LONG));
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(Ticket::parse_lines(&text).unwrap().len(), 2);
    assert!(options().to_file(folder.path().join("no/folder")).is_err());
}

/// Keeps what events say.
struct Events(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "angzarr_failure_tickets"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(format!("{} ", event.metadata().level()));
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn tickets_go_to_the_clients_own_log_where_a_log_reader_finds_them() {
    let server = coordinator(Dialect::ANGZARR);
    let client = Client::of(&server, Dialect::ANGZARR);
    let said = Arc::default();
    let layer = tracing::subscriber::with_default(Events(Arc::clone(&said)), || {
        options().every_command().to_tracing().unwrap()
    });
    client.send(&layer, &withdraw(0)).unwrap_err();
    client.send(&layer, &register()).unwrap();
    assert!(layer.flush(LONG));
    let said = said.lock().unwrap();
    assert!(
        said[0].starts_with("WARN message=command failed ticket="),
        "{}",
        said[0]
    );
    assert!(
        said[1].starts_with("INFO message=command accepted ticket="),
        "{}",
        said[1]
    );
    for line in said.iter() {
        let reading = angzarr_replay::internal::capture::LogReading::of(line);
        assert_eq!(
            (reading.found.len(), reading.unusable.len()),
            (1, 0),
            "{line}"
        );
    }
}
