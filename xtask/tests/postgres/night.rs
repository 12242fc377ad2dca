//! The night: an alert names a trace, production is behind port forwards that are killed, and its store holds a million
//! events. Three commands lead to the reproduced case.

use std::fmt::Write as _;
use std::time::Instant;

use angzarr_replay::internal::capture::{UpTo, fetch_history};
use angzarr_replay::internal::coordinator::LocalCoordinator;
use angzarr_replay::internal::grpc::{ConnectionOptions, QueryClient, QueryConnection, Server};
use angzarr_replay::internal::model::{Body, Cover, Header, Page, Timestamp};
use angzarr_replay::internal::project::system_clock;
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, encode_page};
use postgres::Client;
use test_support::programs::repository;
use test_support::pty::{TerminalRun, run_on_terminal};
use test_support::{coordinators, recorded};

use crate::cluster::{Cluster, Layout};
use crate::forwarder;
use crate::reading::{Project, writes};

const ALICE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
const TABLE: &str = "36f675cc-81e7-4ef5-a8e2-5d940ed90475";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The workflow in which Alice took a seat, in the recorded deployment too.
const WORKFLOW: &str = "wf-seat";

/// Other players in the store, and the events of each.
const PLAYERS: u32 = 20_000;
const EVENTS: u32 = 50;

/// The recorded deployment, as a coordinator.
fn demo() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let project =
        angzarr_replay::internal::project::Project::open(poker::app(), folder.path()).unwrap();
    let coordinator =
        LocalCoordinator::new(coordinators::stores(), Dialect::ANGZARR, system_clock());
    project.embedded().unwrap().seed(&coordinator).unwrap();
    coordinator.start(coordinators::listener()).unwrap()
}

/// Alice's events in the recorded deployment.
fn pages(server: &Server) -> Vec<Page> {
    let address = server.address().to_string();
    let connection = QueryConnection::plain(&address, ConnectionOptions::default()).unwrap();
    let client = QueryClient::new(connection, Dialect::ANGZARR);
    let alice = Cover::main("player".parse().unwrap(), ALICE.parse().unwrap());
    let fetched = fetch_history(&client, &alice, UpTo::Head, &mut |_| {}).unwrap();
    fetched.history.into_pages()
}

fn numbered(page: &Page, sequence: u32) -> Page {
    Page {
        sequence,
        original: None,
        ..page.clone()
    }
}

/// The same registration by somebody else.
fn of_somebody_else(page: &Page) -> Page {
    let mut page = numbered(page, 0);
    if let Body::Event(payload) = &mut page.body {
        let name = b"alice@example.com";
        let mut value = payload.value.clone();
        let at = value.windows(name.len()).position(|part| part == name);
        let at = at.unwrap();
        value[at..at + name.len()].copy_from_slice(b"other@example.com");
        payload.value = value;
    }
    page
}

/// A million events of other players, and Alice's. The bug: a saga reserved her funds twice for the same event.
fn fill(owner: &mut Client, pages: &[Page]) {
    owner
        .batch_execute("CREATE TEMPORARY TABLE kinds (number INTEGER, data BYTEA)")
        .unwrap();
    for number in 0..EVENTS {
        let page = match number {
            0 => of_somebody_else(&pages[0]),
            number => numbered(&pages[1], number),
        };
        let number = i32::try_from(number).unwrap();
        let data = encode_page(&page).to_vec();
        owner
            .execute("INSERT INTO kinds VALUES ($1, $2)", &[&number, &data])
            .unwrap();
    }
    owner
        .batch_execute(&format!(
            "INSERT INTO events (domain, edition, root, sequence, created_at, event_data, correlation_id)
             SELECT 'player', 'angzarr', CAST(CAST(md5(CAST(player AS TEXT)) AS UUID) AS TEXT), number,
                    '2026-11-22T00:00:00.000000000+00:00', data, 'wf-' || player
             FROM generate_series(1, {PLAYERS}) AS player, kinds"
        ))
        .unwrap();
    let reserved_again = numbered(&pages[2], 3);
    for page in pages.iter().chain([&reserved_again]) {
        let sequence = i32::try_from(page.sequence).unwrap();
        let (workflow, cause) = if sequence < 2 {
            ("", None)
        } else {
            (WORKFLOW, Some(2_i32))
        };
        owner
            .execute(
                "INSERT INTO events (domain, edition, root, sequence, created_at, event_data, correlation_id,
                                     source_domain, source_root, source_seq)
                 VALUES ('player', 'angzarr', $1, $2, $3, $4, $5, 'table', $6, $7)",
                &[
                    &ALICE,
                    &sequence,
                    &format!("2026-11-23T00:01:0{sequence}.000000000+00:00"),
                    &encode_page(page).to_vec(),
                    &workflow,
                    &TABLE,
                    &cause,
                ],
            )
            .unwrap();
    }
    owner.batch_execute("ANALYZE events").unwrap();
}

/// The withdrawal that failed, as the client noted it.
fn ticket() -> Ticket {
    let file = repository().join("examples/poker/recorded/failures.jsonl");
    let lines = std::fs::read_to_string(file).unwrap();
    let mut ticket = Ticket::parse_line(lines.lines().nth(2).unwrap(), 3).unwrap();
    ticket.command.pages[0].header = Header::Sequence(4);
    ticket.command.cover.correlation_id = WORKFLOW.into();
    ticket.command.original = None;
    ticket.time = Some(Timestamp {
        seconds: coordinators::NOW.seconds,
        nanos: 0,
    });
    ticket
}

/// The project of whoever is called at night.
fn project(cluster: &Cluster, coordinator: &Server) -> Project {
    let connect = forwarder::command(&coordinator.address().to_string(), "coordinator.died", 600);
    let store = format!("127.0.0.1:{}", cluster.port);
    let store_connect = forwarder::command(&store, "store.died", 3_000);
    let project = Project::of(&format!(
        "address = \"127.0.0.1:{{port}}\"\ndomains = [\"player\", \"table\", \"hand\"]\n\
         connect = {connect}\n\
         stores = {{ player = \"postgres://replay@127.0.0.1:{{port}}/night\" }}\n\
         store_password = {{ environment = \"STORE_PASSWORD\" }}\nstore_connect = {store_connect}\n\
         tickets = [\"failures.jsonl\"]\nlogs = [\"app.log\"]\n\
         [logic.player]\nin_process = \"player\""
    ));
    let write = |name: &str, text: String| {
        std::fs::write(project.folder.path().join(name), text).unwrap();
    };
    write("failures.jsonl", ticket().to_line() + "\n");
    let mut log = String::new();
    for line in 0..10_000 {
        let _ = writeln!(
            log,
            "{{\"level\":\"info\",\"msg\":\"request {line} answered\"}}"
        );
    }
    let _ = writeln!(
        log,
        "{{\"time\":\"2026-11-23T00:01:30Z\",\"level\":\"error\",\"traceparent\":\"00-{TRACE}-b7ad6b7169203331-01\",\
         \"domain\":\"player\",\"root\":\"{ALICE}\",\"error_code\":\"FAILED_PRECONDITION\",\
         \"error_message\":\"Insufficient funds\",\"correlation_id\":\"{WORKFLOW}\"}}"
    );
    write("app.log", log);
    // The command to the coordinator, and a call of the logic.
    let calls = [recorded::noted(16), recorded::noted(108)];
    recorded::keep(&project.folder.path().join("calls.jsonl"), calls);
    project
}

/// Runs a command whose ways were both killed in the middle, and says how long it took.
fn step(project: &Project, words: &[&str], killed: &[&str]) -> String {
    let begun = Instant::now();
    let (code, out, err) = project.run(words);
    assert_eq!(code, Some(0), "{words:?}: {out}{err}");
    done(project, words, begun, killed);
    out
}

/// Says how long a command took whose ways were killed in the middle.
fn done(project: &Project, words: &[&str], begun: Instant, killed: &[&str]) {
    println!(
        "     {:5} ms  {}",
        begun.elapsed().as_millis(),
        words.join(" ")
    );
    for way in killed {
        let died = project.folder.path().join(format!("{way}.died"));
        assert!(
            died.exists(),
            "{words:?}: the way to the {way} was not killed"
        );
        std::fs::remove_file(died).unwrap();
    }
}

/// The command that `find` printed.
fn printed(out: &str) -> Vec<&str> {
    let printed = out
        .lines()
        .find_map(|line| line.strip_prefix("capture it: cargo xtask "));
    printed
        .unwrap_or_else(|| panic!("{out}"))
        .split(' ')
        .collect()
}

/// What the documentation shows of an event store is in this output. `…` stands for anything.
fn the_page_shows(found: &str) {
    let page = std::fs::read_to_string(repository().join("docs/from-alert-to-case.md")).unwrap();
    let (_, block) = page.split_once("```text fragment\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    for line in block.lines() {
        let is_shown = |said: &str| {
            let mut rest = said;
            line.split('…').all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
        };
        assert!(found.lines().any(is_shown), "{line}\n{found}");
    }
}

pub(crate) fn from_an_id_in_an_alert_to_a_reproduced_case(cluster: &Cluster) {
    let coordinator = demo();
    let mut owner = cluster.database("night", Layout::April);
    let begun = Instant::now();
    fill(&mut owner, &pages(&coordinator));
    println!(
        "\n     {:5} ms  a million events are stored",
        begun.elapsed().as_millis()
    );
    let before = writes(&mut owner);
    let project = project(cluster, &coordinator);
    let ways = ["coordinator", "store"];

    let found = step(
        &project,
        &["find", TRACE, "--recorded", "calls.jsonl"],
        &ways,
    );
    for expected in [
        "app.log:10001: failure in a log, without its command, found by its trace id",
        // The planted bug: one event of the table caused both.
        "events 2 to 3, the last is FundsReserved",
        "caused by table/36f675cc event 2",
        "✗ player/6513270e-269e-4d37-b2a7-4de452e6b438 WithdrawFunds FAILED_PRECONDITION \"Insufficient funds\"  [failures.jsonl:1]",
        "calls.jsonl, call 1",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
    the_page_shows(&found);
    let captured = step(&project, &printed(&found), &["store"]);
    assert!(captured.contains("verdict      reproduced"), "{captured}");
    let file = captured
        .lines()
        .find_map(|line| line.strip_prefix("written "));
    let file = file.unwrap().split(' ').next().unwrap().to_owned();
    // The case needs no production any more.
    let replayed = step(&project, &["replay", &file], &[]);
    assert!(replayed.contains("reproduced"), "{replayed}");

    // What a customer gives instead: an e-mail address, which is in none of the logs, and the beginning of a root.
    let by_field = [
        "find",
        "--where",
        "PlayerRegistered.email=alice@example.com",
    ];
    let begun = Instant::now();
    let TerminalRun { text: found, .. } = run_on_terminal(project.command(&by_field), 200);
    done(&project, &by_field, begun, &["store"]);
    for part in [
        // It takes so long that it shows how far it is.
        "searching event stores: ",
        &format!("player/{ALICE} event 0: PlayerRegistered"),
    ] {
        assert!(found.contains(part), "{found}");
    }
    let found = step(&project, &["find", "player/65132"], &["store"]);
    assert!(
        found.contains("events 0 to 3, the last is FundsReserved"),
        "{found}"
    );
    let listed = step(&project, &["roots", "player/65", "--counts"], &["store"]);
    assert!(listed.contains(ALICE), "{listed}");

    // By the database's own statistics, nothing was written.
    assert!(
        before
            .iter()
            .any(|(table, count)| table == "events" && *count > 1_000_000),
        "{before:?}"
    );
    assert_eq!(writes(&mut owner), before);
}
