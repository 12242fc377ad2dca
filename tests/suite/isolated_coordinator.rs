//! A case through a real coordinator: what is loaded, what it refuses, and what it leaves alone.
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::coordinator::{
    Backend, HostedComponent, LocalCoordinator, SeedBook, Store, StoreError, Stores,
};
use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, LogicClient, Methods, Server, serve_component, serve_logic,
};
use angzarr_replay::internal::model::{
    Answer, Body, CommandBook, Component, Cover, Destinations, Domain, Edition, EmittedBook,
    EmittedPage, EventBook, Failure, Header, History, Logic, Outcome, Page, Payload, Reply,
    Retention, Revocation, Root, Snapshot, Stimulus, Timestamp,
};
use angzarr_replay::internal::replay::{InProcess, Isolated, Target, debug_edition};
use angzarr_replay::internal::wire::{
    Dialect, FailingStatus, encode_event_book, placeholder, stimulus_of_request,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::bytes::Bytes;
use test_support::books;

const NOW: Timestamp = Timestamp {
    seconds: 1_795_392_190,
    nanos: 0,
};
const THEN: Timestamp = Timestamp {
    seconds: 1_795_392_000,
    nanos: 250,
};

/// Says what it was shown, or does what the command says.
struct Witness;

impl Logic for Witness {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        match command.type_name() {
            "test.Reject" => return Err(Failure::rejected("not today")),
            "test.Revoke" => {
                return Ok(Reply::Revocation(Revocation {
                    reason: "too late".into(),
                    ..Revocation::default()
                }));
            }
            _ => {}
        }
        let pages = prior.history.pages().iter().map(|page| {
            let text = page.body.event().map_or(&[][..], |event| &event.value);
            let time = page.created_at.map_or(0, |time| time.seconds);
            format!("{}={}@{time}", page.sequence, String::from_utf8_lossy(text))
        });
        let pages: Vec<String> = pages.collect();
        let seen = format!(
            "{} in {}: [{}] next {}",
            prior.cover.root,
            prior.cover.edition.label(),
            pages.join(" "),
            prior.next_sequence
        );
        Ok(Reply::Events(EmittedBook {
            pages: vec![EmittedPage::event(Payload::new(
                "test.Seen",
                seen.into_bytes(),
            ))],
            ..EmittedBook::default()
        }))
    }
}

struct Peer {
    dialect: Dialect,
    store: Arc<Store>,
    connection: Connection,
    _server: Server,
}

fn start(dialect: Dialect, books: &[SeedBook]) -> Peer {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW));
    coordinator.seed(books, NOW).unwrap();
    let logic = Component::Aggregate(Arc::new(Witness));
    let server = coordinator
        .with_logic(player(), Backend::InProcess(logic))
        .start(TcpListener::bind("127.0.0.1:0").unwrap())
        .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    Peer {
        dialect,
        store,
        connection,
        _server: server,
    }
}

impl Peer {
    fn fresh(&self) -> Isolated {
        Isolated::on_fresh_store(&self.connection, self.dialect)
    }

    fn edition(&self) -> Isolated {
        let name = debug_edition("JIRA-12", "me", "2026-11-25T18:00:00Z");
        Isolated::in_edition(
            &self.connection,
            self.dialect,
            name,
            Box::new(|_, _| Ok(())),
        )
    }

    /// What is stored on the main timeline; a line begins with its kind, domain, edition and root.
    fn main(&self) -> Result<Vec<String>, StoreError> {
        let lines = self.store.dump()?.into_iter();
        Ok(lines.filter(|line| line.contains("//")).collect())
    }
}

fn player() -> Domain {
    Domain::new("player").unwrap()
}

fn cover() -> Cover {
    Cover::main(player(), Root::new([7; 16]))
}

fn page(sequence: u32) -> Page {
    Page {
        sequence,
        created_at: sequence.is_multiple_of(2).then_some(THEN),
        body: Body::Event(Payload::new(
            "test.Added",
            format!("event {sequence}").into_bytes(),
        )),
        provisional: false,
        cascade_id: None,
        original: None,
    }
}

fn prior(cover: &Cover, count: u32) -> EventBook {
    EventBook {
        cover: cover.clone(),
        snapshot: None,
        history: History::new((0..count).map(page).collect()).unwrap(),
        next_sequence: count,
    }
}

fn command(cover: &Cover, type_name: &str, sequence: u32) -> CommandBook {
    let page = books::command_page(
        Header::Sequence(sequence),
        Payload::new(type_name, b"payload".to_vec()),
    );
    CommandBook {
        cover: cover.clone(),
        pages: vec![page],
        original: None,
    }
}

fn stimulus(cover: &Cover, count: u32, type_name: &str) -> Stimulus {
    Stimulus::Command {
        prior: prior(cover, count),
        command: command(cover, type_name, count),
    }
}

fn seen(outcome: Outcome) -> String {
    let Outcome::Accepted(book) = outcome else {
        panic!("{outcome:?}");
    };
    let event = book.pages[0].body.event().unwrap().value.clone();
    String::from_utf8(event).unwrap()
}

const SEEN: &str = "07070707-0707-0707-0707-070707070707 in";

#[test]
fn the_logic_sees_the_captured_history_at_the_command() {
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[]);
        let outcome = peer.fresh().ask(&stimulus(&cover(), 3, "test.See"));
        assert_eq!(
            seen(outcome.unwrap()),
            format!(
                "{SEEN} main: [0=event 0@1795392000 1=event 1@1795392190 2=event 2@1795392000] next 3"
            ),
            "{dialect}"
        );
    }
}

#[test]
fn a_captured_edition_keeps_its_name_on_a_fresh_store() {
    let captured = Cover {
        edition: Edition::from_name("what-if").unwrap(),
        ..cover()
    };
    let peer = start(Dialect::ANGZARR, &[]);
    let outcome = peer.fresh().ask(&stimulus(&captured, 1, "test.See"));
    assert_eq!(
        seen(outcome.unwrap()),
        format!("{SEEN} what-if: [0=event 0@1795392000] next 1")
    );
}

#[test]
fn at_an_address_the_history_goes_into_an_edition_and_main_stays_as_it_is() {
    let other = books::seed(Cover::main(player(), Root::new([8; 16])), vec![page(0)]);
    for dialect in Dialect::all() {
        let peer = start(*dialect, std::slice::from_ref(&other));
        let before = peer.main().unwrap();
        let outcome = peer.edition().ask(&stimulus(&cover(), 1, "test.See"));
        assert_eq!(
            seen(outcome.unwrap()),
            format!("{SEEN} debug-jira-12-me-2026-11-25t18-00-00z: [0=event 0@1795392000] next 1"),
            "{dialect}"
        );
        assert_eq!(peer.main().unwrap(), before, "{dialect}");
        assert_eq!(before.len(), 1);
        // The page and its key.
        assert_eq!(peer.store.dump().unwrap().len(), 3, "{dialect}");
    }
}

#[test]
fn a_command_before_the_first_event_loads_nothing() {
    let peer = start(Dialect::ANGZARR, &[]);
    for target in [peer.fresh(), peer.edition()] {
        let outcome = target.ask(&stimulus(&cover(), 0, "test.See")).unwrap();
        assert!(seen(outcome).ends_with(": [] next 0"));
    }
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
}

#[test]
fn later_steps_load_what_is_new_and_earlier_ones_are_asked_as_of_then() {
    let peer = start(Dialect::ANGZARR, &[]);
    let target = peer.fresh();
    for (count, stored) in [(2, 2), (4, 4), (1, 4)] {
        let outcome = target.ask(&stimulus(&cover(), count, "test.See")).unwrap();
        assert!(seen(outcome).ends_with(&format!("next {count}")));
        let dump = peer.store.dump().unwrap();
        let pages = dump.iter().filter(|line| line.starts_with("page")).count();
        assert_eq!(pages, stored);
    }
    // The state before the first event is past, and another history is another.
    let empty = target.ask(&stimulus(&cover(), 0, "test.See")).unwrap_err();
    let mut other = prior(&cover(), 2);
    let mut pages = other.history.into_pages();
    pages[1].body = Body::Empty;
    other.history = History::new(pages).unwrap();
    let other = target.ask(&Stimulus::Command {
        prior: other,
        command: command(&cover(), "test.See", 2),
    });
    let words = "player/07070707-0707-0707-0707-070707070707 was loaded with another history before, which this one \
                 does not extend; use a fresh store";
    assert_eq!(empty.to_string(), words);
    assert_eq!(other.unwrap_err().to_string(), words);
}

#[test]
fn rejections_are_outcomes_and_revocations_lose_their_flags() {
    let peer = start(Dialect::ANGZARR, &[]);
    let target = peer.fresh();
    let rejected = target.ask(&stimulus(&cover(), 1, "test.Reject"));
    assert_eq!(
        rejected.unwrap(),
        Outcome::Rejected(Failure::rejected("not today"))
    );
    let revoked = target.ask(&stimulus(&cover(), 1, "test.Revoke"));
    assert_eq!(
        revoked.unwrap(),
        Outcome::Revoked(Revocation {
            reason: "too late".into(),
            ..Revocation::default()
        })
    );
}

#[test]
fn an_aggregate_that_is_there_is_not_touched() {
    let there = books::seed(cover(), vec![page(0)]);
    let peer = start(Dialect::ANGZARR, &[there]);
    let before = peer.store.dump().unwrap();
    for target in [peer.fresh(), peer.edition()] {
        for count in [0, 2] {
            let error = target.ask(&stimulus(&cover(), count, "test.See"));
            assert_eq!(
                error.unwrap_err().to_string(),
                format!(
                    "player/07070707-0707-0707-0707-070707070707 has events at {} already, on the main timeline or in this \
                     edition: a history that is loaded there would be appended after them; use a coordinator on a fresh \
                     store (`command`), or one that does not have the aggregate",
                    peer.connection.address()
                )
            );
        }
    }
    assert_eq!(peer.store.dump().unwrap(), before);
}

#[test]
fn what_facts_cannot_say_is_refused_before_anything_is_loaded() {
    let directly = "replay it on the logic directly, without --coordinator";
    let book = prior(&cover(), 2);
    let mut gap = book.clone();
    gap.history = History::new(vec![page(0), page(2)]).unwrap();
    gap.next_sequence = 3;
    let mut short = book.clone();
    short.next_sequence = 3;
    let with_page = |change: &dyn Fn(&mut Page)| {
        let mut book = book.clone();
        let mut pages = book.history.into_pages();
        change(&mut pages[1]);
        book.history = History::new(pages).unwrap();
        book
    };
    let provisional = with_page(&|page| page.provisional = true);
    let placeholder = with_page(&|page| {
        page.body = Body::Event(placeholder(Dialect::ANGZARR, page));
    });
    let huge = with_page(&|page| {
        page.body = Body::Event(Payload::new("test.Huge", vec![0; 11 * 1024 * 1024]));
    });
    let mut snapshot = book.clone();
    snapshot.snapshot = Some(Snapshot {
        sequence: 0,
        state: None,
        retention: Retention::Default,
        created_at: None,
        original: None,
    });
    let gap_at = |sequence| {
        format!(
            "the history has no page {sequence}: facts are numbered without gaps, so it cannot be loaded into a \
             coordinator; {directly}"
        )
    };
    let unconfirmed = format!(
        "page 1 is provisional or the framework's own: facts cannot be, so the history cannot be loaded into a coordinator; \
         {directly}"
    );
    let peer = start(Dialect::ANGZARR, &[]);
    let refused = |prior: EventBook, expected: &str| {
        let command = command(&cover(), "test.See", prior.next_sequence);
        let error = peer.fresh().ask(&Stimulus::Command { prior, command });
        assert_eq!(error.unwrap_err().to_string(), expected);
    };
    refused(gap, &gap_at(1));
    refused(short, &gap_at(2));
    refused(provisional, &unconfirmed);
    refused(placeholder, &unconfirmed);
    refused(
        snapshot,
        &format!(
            "the case has a stored snapshot after sequence 0: a coordinator speculates on the full history and never on a \
             snapshot; {directly}"
        ),
    );
    let error = peer.fresh().ask(&Stimulus::Command {
        prior: huge,
        command: command(&cover(), "test.See", 2),
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("the history has 11534")
            && error.ends_with(&format!(
                " bytes, a coordinator takes at most 10 MiB in a message; {directly}"
            )),
        "{error}"
    );
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
}

#[test]
fn a_command_that_a_coordinator_does_not_take_is_refused() {
    let directly = "replay it on the logic directly, without --coordinator";
    let peer = start(Dialect::ANGZARR, &[]);
    let refused = |command: CommandBook, expected: String| {
        let prior = prior(&cover(), 1);
        let error = peer.fresh().ask(&Stimulus::Command { prior, command });
        assert_eq!(error.unwrap_err().to_string(), expected);
    };
    let mut large = command(&cover(), "test.See", 1);
    large.pages[0].command = Some(Payload::new("test.See", vec![0; 262_145]));
    refused(
        large.clone(),
        format!("the command has 262145 bytes, a coordinator takes at most 256 KiB; {directly}"),
    );
    let mut many = command(&cover(), "test.See", 1);
    many.pages = vec![many.pages[0].clone(); 101];
    refused(
        many,
        format!("the command book has 101 pages, a coordinator takes at most 100; {directly}"),
    );
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
    large.pages[0].command = Some(Payload::new("test.See", vec![0; 262_144]));
    let outcome = peer.fresh().ask(&Stimulus::Command {
        prior: prior(&cover(), 1),
        command: large,
    });
    assert!(seen(outcome.unwrap()).ends_with("next 1"));
}

#[test]
fn what_has_no_speculative_call_is_told() {
    let peer = start(Dialect::ANGZARR, &[]);
    let told = |stimulus: &Stimulus| peer.fresh().ask(stimulus).unwrap_err().to_string();
    let words = |what: &str| {
        format!(
            "a coordinator has no speculative call for {what}; replay it on the logic directly, without --coordinator"
        )
    };
    let pages = prior(&cover(), 1).history.into_pages();
    assert_eq!(
        told(&Stimulus::Fold {
            snapshot: None,
            pages: pages.clone().into()
        }),
        words("the state of a history")
    );
    assert_eq!(
        told(&Stimulus::Upcast {
            domain: player(),
            pages: pages.into()
        }),
        words("an upcaster")
    );
    assert_eq!(
        told(&Stimulus::Fact {
            facts: EmittedBook::default(),
            prior: prior(&cover(), 1)
        }),
        words("facts")
    );
    assert_eq!(
        told(&Stimulus::Project {
            events: prior(&cover(), 1),
            with_effects: true
        }),
        words("a projector with its effects")
    );
}

#[test]
fn nothing_is_loaded_that_was_not_noted_before() {
    let peer = start(Dialect::ANGZARR, &[]);
    let noted = Arc::new(Mutex::new(Vec::new()));
    let isolated = |refusal: Option<&'static str>| {
        let (noted, store) = (Arc::clone(&noted), Arc::clone(&peer.store));
        let name = debug_edition("case", "me", "now");
        Isolated::in_edition(
            &peer.connection,
            Dialect::ANGZARR,
            name,
            Box::new(move |edition, cover| {
                let stored = store.dump().unwrap().len();
                let line = format!("{edition} {}/{} {stored}", cover.domain, cover.root);
                noted.lock().unwrap().push(line);
                refusal.map_or(Ok(()), |reason| Err(reason.into()))
            }),
        )
    };
    let error = isolated(Some("the disk is full")).ask(&stimulus(&cover(), 1, "test.See"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "nothing was loaded, because what would be left behind cannot be recorded: the disk is full"
    );
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
    isolated(None)
        .ask(&stimulus(&cover(), 1, "test.See"))
        .unwrap();
    let line = "debug-case-me-now player/07070707-0707-0707-0707-070707070707 0";
    assert_eq!(*noted.lock().unwrap(), [line, line]);
}

const CALLS: &str = include_str!("../../examples/poker/recorded/calls.jsonl");

/// What a recorded call asked of a component, with no destinations told, as a coordinator asks it.
fn recorded(number: u32) -> Stimulus {
    let call = CALLS
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|call| call["n"] == number)
        .unwrap();
    let request = STANDARD.decode(call["request"].as_str().unwrap()).unwrap();
    let method = call["path"].as_str().unwrap().replace("/angzarr.", "");
    let stimulus = stimulus_of_request(&method, request.into(), Dialect::ANGZARR);
    match stimulus.unwrap().unwrap() {
        Stimulus::Saga { source, modes, .. } => Stimulus::Saga {
            source,
            destinations: Destinations::new(),
            modes,
        },
        Stimulus::ProcessManager { trigger, state, .. } => Stimulus::ProcessManager {
            trigger,
            state,
            destinations: Destinations::new(),
        },
        other => other,
    }
}

#[test]
fn components_do_through_a_coordinator_what_they_do_directly() {
    let view = match recorded(115) {
        Stimulus::Saga { source, .. } => Stimulus::Project {
            events: source,
            with_effects: false,
        },
        other => panic!("{other:?}"),
    };
    let saga = Component::Saga(Arc::new(poker::HandPlayer));
    let manager = Component::ProcessManager(Arc::new(poker::BuyIn::new(|| NOW)));
    let projector = Component::Projector(Arc::new(poker::Seats::default()));
    let asked = [
        (saga, vec![recorded(34), recorded(54), recorded(74)]),
        (manager, vec![recorded(117), recorded(118)]),
        (projector, vec![view]),
    ];
    for (component, stimuli) in asked {
        let directly = InProcess::component(component.clone(), Dialect::ANGZARR, false);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let behind = serve_component(listener, Dialect::ANGZARR, component.clone()).unwrap();
        let over_grpc = LogicClient::new(connected(&behind), Dialect::ANGZARR);
        for backend in [
            Backend::InProcess(component.clone()),
            Backend::Remote(over_grpc),
        ] {
            let store = Arc::new(Store::in_memory().unwrap());
            let stores = Stores::Shared(Arc::clone(&store));
            let server = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW))
                .with_reacting(HostedComponent {
                    name: "it".into(),
                    kind: component.kind(),
                    subscriptions: std::collections::BTreeMap::new(),
                    backend,
                })
                .start(TcpListener::bind("127.0.0.1:0").unwrap())
                .unwrap();
            let isolated = Isolated::on_fresh_store(&connected(&server), Dialect::ANGZARR);
            for stimulus in &stimuli {
                let expected = directly.ask(stimulus).unwrap();
                assert!(
                    matches!(&expected, Outcome::Reacted(_) | Outcome::Projected(_)),
                    "{expected:?}"
                );
                assert_eq!(isolated.ask(stimulus).unwrap(), expected);
            }
            assert_eq!(store.dump().unwrap(), Vec::<String>::new());
        }
    }
}

fn connected(server: &Server) -> Connection {
    let address = server.address().to_string();
    Connection::new(&address, ConnectionOptions::default()).unwrap()
}

/// A coordinator that has stored something other than what it was given.
struct Unfaithful {
    stored: EventBook,
    already_processed: bool,
}

impl Methods for Unfaithful {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        // A whole read has no selection; that of a range is the one after the load.
        let is_whole = !request.windows(2).any(|pair| pair == [0x10, 0x01]);
        let book = encode_event_book(&self.stored, Dialect::ANGZARR);
        let reply = match method {
            "EventQueryService/GetEventBook" if is_whole => Bytes::new(),
            "EventQueryService/GetEventBook" => book,
            "CommandHandlerCoordinatorService/HandleEvent" => {
                let mut reply = vec![0x0a, u8::try_from(book.len()).unwrap()];
                reply.extend(book);
                if self.already_processed {
                    reply.extend([0x10, 0x01]);
                }
                reply.into()
            }
            _ => return None,
        };
        Some(Ok(vec![reply]))
    }
}

#[test]
fn what_was_not_stored_as_it_was_loaded_is_noticed() {
    let small = |sequence: u32, value: &[u8], time| Page {
        sequence,
        created_at: time,
        body: Body::Event(Payload {
            type_url: "/t.A".into(),
            value: value.to_vec(),
        }),
        provisional: false,
        cascade_id: None,
        original: None,
    };
    let loaded = || vec![small(0, b"a", None), small(1, b"b", Some(THEN))];
    let book = |pages: Vec<Page>| EventBook {
        cover: cover(),
        snapshot: None,
        history: History::new(pages).unwrap(),
        next_sequence: 0,
    };
    let told = |stored: Vec<Page>, already_processed| {
        let methods = Arc::new(Unfaithful {
            stored: book(stored),
            already_processed,
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, Dialect::ANGZARR, methods, None).unwrap();
        let connection = connected(&server);
        let target = Isolated::on_fresh_store(&connection, Dialect::ANGZARR);
        let mut prior = book(loaded());
        prior.next_sequence = 2;
        let command = command(&cover(), "test.See", 2);
        let error = target.ask(&Stimulus::Command { prior, command });
        let words = error.unwrap_err().to_string();
        words.replace(connection.address(), "ADDRESS")
    };
    let words = |sequence, reason: &str| {
        format!("ADDRESS did not store page {sequence} as it was loaded: {reason}")
    };
    let (first, second) = (loaded().remove(0), loaded().remove(1));
    assert_eq!(
        told(loaded(), true),
        words(0, "it treats the page as already stored")
    );
    assert_eq!(
        told(vec![first.clone()], false),
        words(1, "the page is missing")
    );
    let moved = vec![small(3, b"a", None), small(4, b"b", Some(THEN))];
    assert_eq!(told(moved, false), words(0, "it has sequence 3"));
    let other = vec![small(0, b"x", None), second.clone()];
    assert_eq!(told(other, false), words(0, "the event differs"));
    let undated = vec![first, small(1, b"b", Some(NOW))];
    assert_eq!(told(undated, false), words(1, "the time differs"));
    let mut more = loaded();
    more.push(small(2, b"c", None));
    assert_eq!(
        told(more, false),
        words(2, "the page was not loaded by this replay")
    );
}

#[test]
fn a_coordinator_that_takes_no_facts_is_told() {
    let there = serve_logic(
        TcpListener::bind("127.0.0.1:0").unwrap(),
        Dialect::ANGZARR,
        Arc::new(Witness),
    )
    .unwrap();
    let connection = connected(&there);
    let target = Isolated::on_fresh_store(&connection, Dialect::ANGZARR);
    let error = target.ask(&stimulus(&cover(), 1, "test.See")).unwrap_err();
    let address = connection.address();
    assert_eq!(
        error.to_string(),
        format!("{address} answered EventQueryService/GetEventBook with UNIMPLEMENTED: ")
    );
    let error = target.ask(&recorded(34)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{address} does not serve SagaCoordinatorService/ExecuteSpeculative in the dialect angzarr: is it client logic, \
             and is this its dialect?"
        )
    );
}
