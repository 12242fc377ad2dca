//! Real Python logging: the handler of `docs/failure-tickets.md` on the released client library, and the fields that
//! Angzarr's documentation has clients log, in the renderings of structlog; the log is read as `--from-log` reads it.
//!
//! Ignored, as it needs `.venv` (examples/poker-python/README.md); then a missing `.venv` is a failure.
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use angzarr_replay::internal::capture::{LogReading, Logged};
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator};
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::model::{Code, Component, Domain, Timestamp};
use angzarr_replay::internal::wire::Dialect;
use test_support::coordinators;

/// Sends a command that is refused, after the documented handler.
const DRIVER: &str = r#"
import sys
from angzarr_client.builder import CommandBuilder
from google.protobuf.empty_pb2 import Empty

structlog.configure(processors=[
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    {
        "json": structlog.processors.JSONRenderer(),
        "keyvalue": structlog.processors.KeyValueRenderer(),
        "logfmt": structlog.processors.LogfmtRenderer(),
        "console": structlog.dev.ConsoleRenderer(colors=False),
        "colours": structlog.dev.ConsoleRenderer(colors=True, force_colors=True),
    }[sys.argv[2]],
])
client = TicketClient.connect(sys.argv[1])
root = uuid.UUID("6513270e-269e-4d37-b2a7-4de452e6b438")
builder = CommandBuilder(client, "player", root).with_sequence(0).with_correlation_id("wf-1")
builder = builder.with_command("type.googleapis.com/examples.WithdrawFunds", Empty())
try:
    builder.execute()
except GRPCError as error:
    assert error.details == "Player does not exist", error.details
    cover = builder.build().cover
    log.error("command_failed", domain=cover.domain, root=cover.root.value, sequence=0,
        correlation_id=cover.correlation_id, error_code=error.code, error_message=error.details)
    log.error("handling failed", aggregate_root=cover.root.value.hex(), domain=cover.domain, sequence=0,
        error=str(error))
else:
    raise SystemExit("it was accepted")
"#;

fn documented() -> String {
    let page = std::fs::read_to_string("docs/failure-tickets.md").unwrap();
    let (_, code) = page.split_once("```python\n").unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

fn coordinator() -> Server {
    let now = Timestamp {
        seconds: 1_795_392_090,
        nanos: 0,
    };
    let stores = coordinators::stores();
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(poker::Player::default())));
    LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(move || now))
        .with_logic(Domain::new("player").unwrap(), logic)
        .start(coordinators::listener())
        .unwrap()
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn the_documented_handler_and_the_documented_fields_are_read_in_every_rendering_of_structlog() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    assert!(
        python.exists(),
        "the peer needs .venv: see examples/poker-python/README.md"
    );
    let server = coordinator();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("client.py");
    std::fs::write(&script, documented() + DRIVER).unwrap();
    for rendering in ["json", "keyvalue", "logfmt", "console", "colours"] {
        let output = Command::new(&python)
            .arg(&script)
            .arg(server.address().to_string())
            .arg(rendering)
            .output()
            .unwrap();
        let log = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{rendering}: {errors}");

        let reading = LogReading::of(&log);
        assert_eq!(reading.unusable, [], "{rendering}: {log}");
        let [ticket, fields, variant] = reading.found.as_slice() else {
            panic!("{rendering}: {log}\n{:?}", reading.found);
        };
        let Logged::Ticket(ticket) = &ticket.1 else {
            panic!("{rendering}: {log}");
        };
        assert_eq!(ticket.command.type_name(), "examples.WithdrawFunds");
        assert_eq!(ticket.command.cover.correlation_id, "wf-1");
        assert_eq!(ticket.failure.code, Code::FailedPrecondition);
        assert_eq!(ticket.failure.message, "Player does not exist");
        for (_, logged) in [fields, variant] {
            let Logged::Failure(failure) = logged else {
                panic!("{rendering}: {log}");
            };
            let (root, domain) = (failure.root, failure.domain.as_ref().unwrap());
            assert_eq!(root, ticket.command.cover.root, "{rendering}");
            assert_eq!(domain.as_str(), "player", "{rendering}");
            assert_eq!(
                failure.noted.code,
                Some(Code::FailedPrecondition),
                "{rendering}: {log}"
            );
            assert_eq!(
                failure.noted.message, "Player does not exist",
                "{rendering}: {log}"
            );
            assert_eq!(failure.noted.sequence, Some(0), "{rendering}");
            assert!(failure.noted.time.is_some(), "{rendering}: {log}");
        }
    }
}
