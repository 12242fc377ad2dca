//! A source is asked queries and nothing else, by every form of every command that reaches one, and an event store stays as
//! it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use angzarr_replay::internal::coordinator::LocalCoordinator;
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::project::system_clock;
use angzarr_replay::internal::wire::Dialect;
use rusqlite::Connection;
use test_support::{coordinators, stores};
use tonic::Status;

use crate::production::gate::{Gate, Seen};
use crate::support::{ALICE, Project, Ran, listener, recorded_failures, tool};

/// The demo behind one address, as a user's production would be.
pub(crate) fn demo() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let project =
        angzarr_replay::internal::project::Project::open(poker::app(), folder.path()).unwrap();
    let store = coordinators::stores();
    let coordinator = LocalCoordinator::new(store, Dialect::ANGZARR, system_clock());
    project.embedded().unwrap().seed(&coordinator).unwrap();
    coordinator.start(listener()).unwrap()
}

/// A player with three events in the given stores.
const SOMEBODY: &str = "2c048b2a-6b15-4460-8a9a-ced35fede715";

const QUERIES: [&str; 3] = [
    "EventQueryService/GetEventBook",
    "EventQueryService/GetEvents",
    "EventQueryService/GetAggregateRoots",
];

fn is_query(seen: &Seen) -> bool {
    // A dialect's package before it, of any dialect: which one is spoken is found out by asking.
    let is_one = |query: &&str| {
        seen.path
            .strip_suffix(*query)
            .is_some_and(|package| package.ends_with('.'))
    };
    QUERIES.iter().any(is_one) || seen.path == "/grpc.health.v1.Health/Check"
}

/// What is captured, and what more there is to say of it. `{…}` is filled in.
const FORMS: [&[&str]; 20] = [
    &["capture", "{alice}"],
    &["capture", "{alice-without-dashes}", "--json"],
    &[
        "capture",
        "ZRMnDiaeTTeyp03kUua0OA==",
        "--history",
        "--name",
        "a",
    ],
    &[
        "capture",
        "player/6513",
        "--title",
        "t",
        "--issue",
        "i",
        "--name",
        "b",
    ],
    &["capture", "player/{alice}", "--fixtures", "elsewhere"],
    &["capture", "{alice}", "--history", "--accept", "--name", "c"],
    &["capture", "{alice}", "--accept", "--name", "d"],
    &["capture", "{alice}", "--probe", "always", "--name", "e"],
    &["capture", "{alice}", "--probe", "never", "--name", "f"],
    &["capture", "{alice}", "--to-sequence", "2", "--name", "g"],
    &["capture", "{alice}", "--to-sequence", "-1", "--dry-run"],
    &[
        "capture",
        "{alice}",
        "--history",
        "--as-of",
        "2030-01-01T00:00:00Z",
        "--name",
        "h",
    ],
    &["capture", "{alice}", "--edition", "main", "--force"],
    &["capture", "{alice}", "--edition", "what-if", "--dry-run"],
    &[
        "capture",
        "{alice}",
        "--ticket",
        "failures.jsonl",
        "--name",
        "i",
    ],
    &[
        "capture",
        "{alice}",
        "--command",
        "command.yaml",
        "--name",
        "j",
    ],
    &[
        "capture",
        "{alice}",
        "--domain",
        "player",
        "--source",
        "production",
        "--dry-run",
    ],
    &["capture", "player/00000000-0000-0000-0000-000000000000"],
    &["roots", "--config", "replay.toml"],
    &[
        "roots",
        "--domain",
        "player",
        "--source",
        "production",
        "--json",
    ],
];

/// Forms of other kinds, which may find nothing to capture in the demo; what they ask is the point.
const MORE: [&[&str]; 19] = [
    &[
        "find",
        "{alice}",
        "wf-seat",
        "--from-log",
        "failures.jsonl",
        "--where",
        "WithdrawFunds.amount.amount=4500",
        "--source",
        "production",
    ],
    &[
        "find",
        "player/6513",
        "--json",
        "--domain",
        "player",
        "--config",
        "replay.toml",
    ],
    &[
        "show",
        "{alice}",
        "--at",
        "1",
        "--all",
        "--domain",
        "player",
        "--source",
        "production",
        "--config",
        "replay.toml",
    ],
    &["show", "{alice}", "--edition", "what-if", "--json"],
    &["roots", "player/65", "--counts"],
    &["capture", "{alice}", "--compensation"],
    &["capture", "{alice}", "--intended", "--dry-run"],
    &["capture", "{alice}", "--keep-external", "--dry-run"],
    &["capture", "--from-log", "failures.jsonl"],
    &["capture", "--from-log", "failures.jsonl", "--each-distinct"],
    &[
        "capture",
        "{alice}",
        "--command",
        "command.yaml",
        "--persisted",
        "unknown",
        "--answered-by",
        "logic",
        "--config",
        "replay.toml",
    ],
    &[
        "capture",
        "{alice}",
        "--saga",
        "player-table",
        "--at",
        "2",
        "--with-history",
        "--destination",
        "table=3",
    ],
    &[
        "capture",
        "{alice}",
        "--process-manager",
        "buy-in",
        "--at",
        "0",
        "--correlation",
        "id",
        "--book",
        "table/{alice}",
    ],
    &["capture", "{alice}", "--projector", "seats", "--harmless"],
    &["capture", "{alice}", "--component", "player-table"],
    &["capture", "{alice}", "--upcaster"],
    &["capture", "{alice}", "--fact", "--at", "1"],
    &["capture", "{alice}", "--correlation", "id"],
    &["capture", "{alice}", "--bundle", "-", "--revision", "1.4.2"],
];

/// Components as the demo registers them.
const COMPONENTS: &str = "
[logic.player-table]
kind = \"saga\"
in_process = \"player-table\"
subscriptions = { player = [\"examples.*\"] }
[logic.buy-in]
kind = \"process-manager\"
domain = \"pmg-buy-in\"
in_process = \"buy-in\"
subscriptions = { player = [\"examples.*\"] }
[logic.seats]
kind = \"projector\"
in_process = \"seats\"
subscriptions = { player = [\"examples.*\"] }
[logic.player-upcaster]
kind = \"upcaster\"
domain = \"player\"
in_process = \"player-upcaster\"
";

/// A project that has this source and what the forms name.
fn project(source: &str) -> Project {
    let project = Project::new(&format!(
        "[sources.production]\n{source}\ndomains = [\"player\", \"hand\", \"table\"]\n\
         tickets = [\"failures.jsonl\"]\n{COMPONENTS}"
    ));
    project.write("replay.local.toml", "source = \"production\"\n");
    project.write("failures.jsonl", &recorded_failures());
    project.write("command.yaml", "type: examples.DepositFunds\npayload: {}\n");
    project
}

/// Runs every form in a project. `ran` receives the words of each, after it ran.
fn run_forms(project: &mut Project, ran: &mut dyn FnMut(&[&str], &Ran)) {
    for (number, form) in (0..).zip(FORMS.iter().chain(&MORE)) {
        let fill = |word: &&str| {
            word.replace("{alice-without-dashes}", &ALICE.replace('-', ""))
                .replace("{alice}", ALICE)
        };
        let mut words: Vec<String> = form.iter().map(fill).collect();
        if words[0] == "capture" {
            words.push("--unredacted".into());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = project.run(&words);
        // Of those that ask for what is not there, the others succeed.
        let is_there = !words[1..]
            .iter()
            .any(|word| word.contains("0000-") || *word == "what-if");
        let succeeds = number < FORMS.len() && is_there;
        assert!(!succeeds || done.code == 0, "{words:?}: {}", done.err);
        ran(&words, &done);
    }
}

#[test]
fn every_form_of_capture_and_roots_asks_queries_only() {
    let server = demo();
    let gate = Gate::refusing(server.address(), |_, seen| {
        (!is_query(seen)).then(|| Status::internal("this test lets only queries pass"))
    });
    let mut project = project(&format!("address = \"{}\"", gate.address));
    let mut asked = 0;
    run_forms(&mut project, &mut |words, ran| {
        let now = gate.seen().len();
        assert!(now > asked, "{words:?} asks nothing: {}", ran.err);
        asked = now;
    });
    let others: Vec<String> = gate
        .seen()
        .iter()
        .filter(|seen| !is_query(seen))
        .map(|seen| seen.path.clone())
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Names, times and contents of the files in a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let changed = path.metadata().unwrap().modified().unwrap();
            let content = std::fs::read(&path).unwrap();
            (path, (changed, content))
        })
        .collect()
}

#[test]
fn every_form_leaves_an_event_store_as_it_is() {
    // Alone, and beside a coordinator, which tells the dialect.
    let server = demo();
    let gate = Gate::refusing(server.address(), |_, seen| {
        (!is_query(seen)).then(|| Status::internal("this test lets only queries pass"))
    });
    let store = "store = \"sqlite:stores/{domain}.sqlite\"";
    for source in [
        store.to_owned(),
        format!("{store}\naddress = \"{}\"", gate.address),
    ] {
        let mut project = project(&source);
        let folder = project.path("stores");
        std::fs::create_dir(&folder).unwrap();
        for domain in ["player", "hand", "table"] {
            let store = Connection::open(stores::unpacked(&folder, domain)).unwrap();
            // Opening it for writing would create files beside it.
            store.pragma_update(None, "journal_mode", "WAL").unwrap();
            store
                .execute(
                    "UPDATE events SET root = ?1 WHERE root = ?2",
                    (ALICE, SOMEBODY),
                )
                .unwrap();
        }
        let before = files(&folder);
        assert_eq!(before.len(), 3);
        let mut shown = 0;
        run_forms(&mut project, &mut |words, ran| {
            assert!(files(&folder) == before, "{words:?} changed a file");
            shown += usize::from((ran.out.clone() + &ran.err).contains("sqlite:stores/"));
        });
        assert!(shown > FORMS.len() / 2, "{shown}");
    }
    assert!(gate.seen().iter().all(is_query));
}

/// Said with every form; of a recording or a bundle, which is read instead of the source or before it; or tried with
/// `dead_letters`.
const ELSEWHERE: [&str; 8] = [
    "color",
    "help",
    "unredacted",
    "recorded",
    "recording",
    "root",
    "dead-letter",
    "from-bundle",
];

#[test]
fn no_flag_of_these_commands_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["capture", "find", "roots", "show"] {
        let help = tool(folder.path())
            .args([command, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let flags = help
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("--"))
            .map(|rest| rest.split([' ', '[']).next().unwrap());
        let mut count = 0;
        for flag in flags.filter(|flag| !ELSEWHERE.contains(flag)) {
            count += 1;
            let flag = format!("--{flag}");
            let is_tried = FORMS
                .iter()
                .chain(&MORE)
                .any(|form| form[0] == command && form.contains(&flag.as_str()));
            assert!(is_tried, "add a form with `{command} {flag}`");
        }
        assert!(count >= 3, "{help}");
    }
}
