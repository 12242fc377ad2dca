//! Production that stored what logic answered in an odd place, as its core does it; and a process manager whose stream is
//! found by correlation id alone.

use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator};
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, Server, serve_logic};
use angzarr_replay::internal::model::{
    Answer, AnsweredBy, Body, Code, CommandBook, Component, Cover, Domain, EmittedBook,
    EmittedPage, EventBook, Failure, Header, Logic, Page, Payload, Redactions, Reply, Root,
    SyncMode,
};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, encode_command_request};
use test_support::{books, coordinators};

use crate::support::{Project, ROOT, SEEDED, listener};

fn cover() -> Cover {
    Cover::main(Domain::new("player").unwrap(), Root::new([7; 16]))
}

fn body(value: &str) -> Body {
    Body::Event(Payload::new("test.Added", value.into()))
}

fn page(sequence: u32) -> Page {
    books::page(sequence, body("stored"))
}

/// Logic that puts its event where the command says.
struct Odd;

impl Logic for Odd {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        let says = command.pages[0].command.as_ref().unwrap().value[0];
        let page = EmittedPage {
            header: Header::Sequence(says.into()),
            created_at: None,
            body: body("new"),
            provisional: false,
        };
        Ok(Reply::Events(EmittedBook {
            pages: vec![page],
            ..EmittedBook::default()
        }))
    }
}

fn production(dialect: Dialect) -> Server {
    let store = coordinators::stores();
    let coordinator = LocalCoordinator::new(store, dialect, Arc::new(|| SEEDED));
    let seed = books::seed(cover(), (0..3).map(page).collect());
    coordinator.seed(&[seed], SEEDED).unwrap();
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(Odd)));
    coordinator
        .with_logic(Domain::new("player").unwrap(), logic)
        .start(listener())
        .unwrap()
}

/// Sends a command at the head for an event at a place, as a client does that writes tickets.
fn sent(server: &Server, dialect: Dialect, place: u8, persisted: u32) -> Ticket {
    let command = CommandBook {
        cover: cover(),
        pages: vec![books::command_page(
            Header::Sequence(3),
            Payload::new("test.Do", vec![place]),
        )],
        original: None,
    };
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let path = dialect.path("CommandHandlerCoordinatorService", "HandleCommand");
    let request = encode_command_request(&command, SyncMode::Simple, dialect);
    let failure = match connection.call(&path, request) {
        Ok(_) => Failure {
            code: Code::Ok,
            message: String::new(),
            info: None,
        },
        Err(error) => error.failure().unwrap().clone(),
    };
    Ticket {
        service_version: None,
        trace_id: None,
        command,
        persisted: (failure.code == Code::Ok).then_some(persisted),
        failure,
        dialect,
        dialect_assumed: false,
        time: None,
        head: Some(3),
        answered_by: AnsweredBy::NotKnown,
        redacted: Redactions::default(),
    }
}

/// What a capture says of what production did, and `replay` of what the same logic does.
fn verdict(dialect: Dialect, place: u8, persisted: u32) -> (String, String) {
    let server = production(dialect);
    let logic = serve_logic(listener(), dialect, Arc::new(Odd)).unwrap();
    let mut project = Project::of_source(
        server.address(),
        &format!(
            "dialect = \"{dialect}\"\n[logic.player]\naddress = \"{}\"\ndialect = \"{dialect}\"\n",
            logic.address()
        ),
    );
    let ticket = sent(&server, dialect, place, persisted);
    project.write("failures.jsonl", &ticket.to_line());
    let capture = [
        "capture",
        ROOT,
        "--unredacted",
        "--ticket",
        "failures.jsonl:1",
        "--name",
        "odd",
    ];
    let captured = project.run(&capture);
    assert_eq!(captured.code, 0, "{}{}", captured.out, captured.err);
    let ran = project.run(&["replay", "fixtures/odd.yaml"]);
    (project.read("fixtures/odd.yaml"), ran.out + &ran.err)
}

#[test]
fn what_a_coordinator_makes_of_an_odd_place_is_what_production_did() {
    let newest = Dialect::IO_ANGZARR_V1;
    let (case, said) = verdict(Dialect::ANGZARR, 3, 1);
    assert!(
        said.contains("reproduced") && !said.contains("not reproduced"),
        "{said}"
    );
    assert!(!case.contains("sequence: 3\n      event"), "{case}");

    let (case, said) = verdict(Dialect::ANGZARR, 0, 0);
    assert!(
        said.contains("reproduced") && !said.contains("not reproduced"),
        "{said}{case}"
    );
    assert!(said.contains("answers OK and does not store it"), "{said}");

    let (case, said) = verdict(Dialect::ANGZARR, 8, 1);
    assert!(
        said.contains("reproduced") && !said.contains("not reproduced"),
        "{said}{case}"
    );
    assert!(said.contains("stores it there, with a gap"), "{said}");
    assert!(case.contains("sequence: 8"), "{case}");

    for place in [0, 8] {
        let (case, said) = verdict(newest, place, 0);
        assert!(
            case.contains(&format!("Sequence conflict: expected 3, got {place}")),
            "{case}"
        );
        assert!(
            said.contains("reproduced") && !said.contains("not reproduced"),
            "{said}{case}"
        );
        assert!(
            said.contains("refuses the reply (Sequence conflict)"),
            "{said}"
        );
    }
}

const WORKFLOW: &str = "21bade02-6a6a-4768-b2ed-66ffdcc99396";

/// The demo's buy-in, its stream under the nil root as core 0.5.1 stores it.
fn workflow(with_state: bool) -> Server {
    let store = coordinators::stores();
    let coordinator = LocalCoordinator::new(store, Dialect::ANGZARR, Arc::new(|| SEEDED));
    let book = |domain: &str, root: u8| {
        books::seed(
            Cover {
                correlation_id: WORKFLOW.to_owned(),
                ..Cover::main(Domain::new(domain).unwrap(), Root::new([root; 16]))
            },
            vec![page(0)],
        )
    };
    let mut books = vec![book("table", 7)];
    if with_state {
        books.push(book("pmg-buy-in", 0));
    }
    coordinator.seed(&books, SEEDED).unwrap();
    coordinator.start(listener()).unwrap()
}

#[test]
fn the_stream_of_a_process_manager_is_found_by_correlation_id_or_said_to_be_new_or_unread() {
    let capture = |with_state, domains: &str, more: &[&str]| {
        let server = workflow(with_state);
        let mut project = Project::new(&format!(
            "source = \"production\"\n[sources.production]\naddress = \"{}\"\ndomains = [{domains}]\n\
             dialect = \"angzarr\"\n[logic.buy-in]\nkind = \"process-manager\"\ndomain = \"pmg-buy-in\"\n\
             in_process = \"buy-in\"\n",
            server.address()
        ));
        let root = format!("table/{ROOT}");
        let capture = [
            "capture",
            &root,
            "--unredacted",
            "--process-manager",
            "buy-in",
            "--correlation",
            WORKFLOW,
            "--name",
            "pm",
        ];
        let ran = project.run(&[&capture[..], more].concat());
        let path = project.path("fixtures/pm.yaml");
        let case = std::fs::read_to_string(path).unwrap_or_default();
        (ran.code, ran.out + &ran.err, case)
    };
    for domains in ["\"table\", \"pmg-buy-in\"", "\"table\""] {
        let (code, said, case) = capture(true, domains, &[]);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("1 event, ") && said.contains("found by its correlation id"),
            "{said}"
        );
        assert!(
            case.contains("00000000-0000-0000-0000-000000000000"),
            "{case}"
        );
    }
    let (code, said, _) = capture(false, "\"table\", \"pmg-buy-in\"", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(
            "and nothing with its correlation id: taken for a workflow that has just begun"
        ),
        "{said}"
    );
    let (code, said, case) = capture(false, "\"table\"", &[]);
    assert_eq!((code, case.as_str()), (1, ""), "{said}");
    assert!(
        said.contains(
            "the state of process manager `buy-in` cannot be read: source `production` has no domain `pmg-buy-in`, and its \
             other domains know no event of that domain with this correlation id; add the domain to the source"
        ),
        "{said}"
    );
}

#[test]
fn what_a_dialect_or_a_ticket_cannot_say_is_said_at_capture() {
    let dialect = Dialect::IO_ANGZARR_V1;
    let server = production(dialect);
    let logic = serve_logic(listener(), dialect, Arc::new(Odd)).unwrap();
    let mut project = Project::of_source(
        server.address(),
        &format!(
            "dialect = \"{dialect}\"\n[logic.player]\naddress = \"{}\"\ndialect = \"{dialect}\"\n\
             [logic.player-table]\nkind = \"saga\"\nin_process = \"player-table\"\n",
            logic.address()
        ),
    );
    let mut ticket = sent(&server, dialect, 0, 0);
    ticket.command.pages[0].header = Header::AngzarrDeferred {
        source: Some(Box::new(cover())),
        source_sequence: 2,
        source_component: "player-table".into(),
        command_index: 0,
        basis_sequence: None,
    };
    project.write("failures.jsonl", &ticket.to_line());
    let mut capture = |more: &[&str]| {
        let ran = project.run(&[&["capture", ROOT, "--unredacted"], more].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran.out + &ran.err
    };
    let said = capture(&["--compensation", "--ticket", "failures.jsonl:1"]);
    assert!(
        said.contains(
            "the notification has no code: the ticket does not tell the reason that the logic gave"
        ),
        "{said}"
    );
    let said = capture(&["--saga", "player-table", "--destination", "table=3"]);
    assert!(
        said.contains("kept, and told to nobody: `io.angzarr.v1` has no destination sequences"),
        "{said}"
    );
}
