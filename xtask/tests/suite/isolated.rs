//! The committed commands on logic in process, on logic over gRPC, and through coordinators: the same outcome.

use std::path::PathBuf;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::grpc::{Server, serve_component, serve_logic};
use angzarr_replay::internal::model::{Component, Logic, Payload};
use angzarr_replay::internal::wire::Dialect;
use serde_json::Value;
use test_support::books::{cover, domain, event, seed};
use test_support::coordinators::{NOW, listener};
use test_support::programs::repository;

use crate::support::tool;

/// Commands that a coordinator can speculate on. The others have a stored snapshot or are histories.
const CASES: [&str; 4] = [
    "player/deposit-funds-6513270e-2",
    "player/deposit-funds-d23f0824-3",
    "table/join-table-36f675cc-4",
    "table/start-hand-36f675cc-4",
];

fn logic_of(name: &str) -> Arc<dyn Logic> {
    match name {
        "player" => Arc::new(poker::Player::default()),
        _ => Arc::new(poker::Table::default()),
    }
}

/// A project in a folder of its own, with the fixtures and rules of this repository.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(coordinators: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = repository();
        let configured = format!(
            "fixtures = '{root}/fixtures'\ndescriptors = ['{root}/examples/poker/proto']\n\
             [[rules]]\ntype = 'examples.*'\nfield = '*_at'\nreason = \"the handler's clock\"\n\
             [[rules]]\ntype = 'examples.HandStarted'\nfield = 'hand_root'\nreason = 'made by a rule'\n\
             [coordinators.local]\ncommand = ['{xtask}', 'serve', '--port', '{{port}}', '--store', '{{store}}', \
             '--dialect', '{{dialect}}', '--logic', '{{domain}}={{logic}}']\ndirectory = '{root}'\n{coordinators}",
            root = root.display(),
            xtask = env!("CARGO_BIN_EXE_xtask"),
        );
        std::fs::write(folder.path().join("replay.toml"), configured).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = tool(self.folder.path())
            .args(arguments)
            .env("USER", "tester")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap();
        (code, text(&output.stdout), text(&output.stderr))
    }

    /// What a case does today, told by `replay --json`.
    fn today(&self, case: &str, options: &[&str]) -> Value {
        let file = fixture(case);
        let mut arguments = vec!["replay", &file, "--json"];
        arguments.extend(options);
        let (_, said, errors) = self.run(&arguments);
        let report: Value = serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("{case} {options:?}: {said}{errors}"));
        report["today"].clone()
    }

    fn refusal(&self, case: &str, options: &[&str]) -> String {
        let file = fixture(case);
        let mut arguments = vec!["replay", &file];
        arguments.extend(options);
        let (code, said, errors) = self.run(&arguments);
        assert_eq!((code, said.as_str()), (1, ""), "{errors}");
        errors
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join(".angzarr-replay/editions.jsonl")
    }
}

fn fixture(case: &str) -> String {
    let file = repository().join(format!("fixtures/{case}.yaml"));
    file.display().to_string()
}

/// Coordinator of both domains that others use too.
struct Shared {
    store: Arc<Store>,
    server: Server,
}

impl Shared {
    fn start() -> Self {
        let store = Arc::new(Store::in_memory().unwrap());
        let stores = Stores::Shared(Arc::clone(&store));
        let mut coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW));
        let event = event(0, Payload::new("other.Event", b"other".to_vec()));
        let other = seed(cover("player", 9), vec![event]);
        coordinator.seed(&[other], NOW).unwrap();
        for name in ["player", "table"] {
            let logic = Component::Aggregate(logic_of(name));
            coordinator = coordinator.with_logic(domain(name), Backend::InProcess(logic));
        }
        let server = coordinator.start(listener()).unwrap();
        Self { store, server }
    }

    fn configured(&self) -> String {
        format!(
            "[coordinators.shared]\naddress = '{}'\n",
            self.server.address()
        )
    }

    /// Pages and snapshots of the main timeline: the edition stands between the domain and the root.
    fn main(&self) -> Vec<String> {
        let dump = self.store.dump().unwrap().into_iter();
        dump.filter(|line| line.contains("//")).collect()
    }

    fn editions(&self) -> usize {
        self.store.editions().unwrap().len()
    }
}

#[test]
fn a_command_has_one_outcome_whichever_way_it_goes() {
    let shared = Shared::start();
    let before = shared.main();
    let project = Project::new(&shared.configured());
    for case in CASES {
        let name = case.split('/').next().unwrap();
        let listener = listener();
        let over_grpc = serve_logic(listener, Dialect::ANGZARR, logic_of(name)).unwrap();
        let address = over_grpc.address().to_string();
        let in_process = project.today(case, &[]);
        assert!(in_process["outcome"].is_string(), "{case}: {in_process}");
        for options in [
            &["--logic", &address][..],
            &["--coordinator", "local"],
            &["--coordinator", "local", "--logic", &address],
            &["--coordinator", "shared", "--force"],
        ] {
            assert_eq!(
                project.today(case, options),
                in_process,
                "{case} {options:?}"
            );
        }
    }
    assert_eq!(shared.main(), before);
    assert_eq!(before.len(), 1);
    assert_eq!(shared.editions(), CASES.len());
}

/// The demo's components, as `poker::app` registers them, and a coordinator before each kind.
fn components() -> String {
    let xtask = env!("CARGO_BIN_EXE_xtask");
    let before = |kind: &str| {
        format!(
            "[coordinators.{kind}]\nkind = '{kind}'\ncommand = ['{xtask}', 'serve', '--port', '{{port}}', '--store', '{{store}}', \
             '--dialect', '{{dialect}}', '--component', '{kind}={{logic}}']\n"
        )
    };
    let coordinators: String = ["saga", "process-manager", "projector"]
        .map(before)
        .concat();
    format!(
        "[logic.hand-player]\nkind = 'saga'\nin_process = 'hand-player'\n\
         [logic.player-table]\nkind = 'saga'\nin_process = 'player-table'\n\
         [logic.buy-in]\nkind = 'process-manager'\ndomain = 'pmg-buy-in'\nin_process = 'buy-in'\n\
         [logic.seats]\nkind = 'projector'\nin_process = 'seats'\n\
         [logic.player-upcaster]\nkind = 'upcaster'\ndomain = 'player'\nin_process = 'player-upcaster'\n{coordinators}"
    )
}

/// Every committed case of a component that reacts.
fn cases_below(folder: &str) -> Vec<String> {
    let below = std::fs::read_dir(repository().join("fixtures").join(folder)).unwrap();
    let names = below.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> = names
        .filter_map(|name| Some(format!("{folder}/{}", name.strip_suffix(".yaml")?)))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{folder}");
    cases
}

/// Without what commands are stamped with, and what a process manager prepared.
fn without_what_it_keeps(mut today: Value) -> Value {
    let commands = today["commands"].as_array_mut();
    for command in commands.into_iter().flatten() {
        assert!(command.as_object_mut().unwrap().remove("header").is_some());
    }
    today.as_object_mut().unwrap().remove("prepared");
    today
}

#[test]
fn a_component_has_one_outcome_whichever_way_it_goes() {
    let project = Project::new(&components());
    let folders = [
        (
            "hand-player",
            "saga",
            Component::Saga(Arc::new(poker::HandPlayer)),
        ),
        (
            "player-table",
            "saga",
            Component::Saga(Arc::new(poker::PlayerTable)),
        ),
        (
            "buy-in",
            "process-manager",
            Component::ProcessManager(Arc::new(poker::BuyIn::default())),
        ),
        (
            "seats",
            "projector",
            Component::Projector(Arc::new(poker::Seats::default())),
        ),
    ];
    for (folder, kind, component) in folders {
        let listener = listener();
        let over_grpc = serve_component(listener, Dialect::ANGZARR, component).unwrap();
        let address = over_grpc.address().to_string();
        for case in cases_below(folder) {
            let in_process = project.today(&case, &[]);
            assert!(in_process["outcome"].is_string(), "{case}: {in_process}");
            assert_eq!(
                project.today(&case, &["--logic", &address]),
                in_process,
                "{case}"
            );
            // No coordinator tells destination sequences in speculation, so nothing can be stamped with them; and it keeps
            // to itself what was prepared.
            let tells = std::fs::read_to_string(fixture(&case)).unwrap();
            let tells = tells.contains("\ndestinations:");
            let expected = if tells {
                without_what_it_keeps(in_process)
            } else {
                in_process
            };
            for options in [
                &["--coordinator", kind][..],
                &["--coordinator", kind, "--logic", &address],
            ] {
                let today = project.today(&case, options);
                let today = if tells {
                    without_what_it_keeps(today)
                } else {
                    today
                };
                assert_eq!(today, expected, "{case} {options:?}");
            }
        }
    }
}

#[test]
fn a_compensation_goes_through_a_coordinator_but_for_its_flags() {
    let project = Project::new("");
    let through = ["--coordinator", "local"];
    let accepted = "player/compensation-join-table-6513270e-3";
    let today = project.today(accepted, &through);
    assert_eq!(today, project.today(accepted, &[]));
    assert_eq!(today["outcome"], "accepted");
    let revoked = "table/compensation-player-action-36f675cc-10";
    let mut directly = project.today(revoked, &[]);
    let today = project.today(revoked, &through);
    assert_ne!(today, directly);
    // A coordinator tells of a revocation in words.
    let flags = directly.as_object_mut().unwrap();
    assert_eq!(flags.remove("emit_system_revocation"), Some(true.into()));
    assert_eq!(today, directly);
}

#[test]
fn a_kind_that_no_coordinator_speculates_on_is_told_before_anything_is_started() {
    // None of them is started: the program is not there.
    let project = Project::new(&format!(
        "{}[coordinators.absent]\ncommand = ['no-such-program', '{{port}}']\n",
        components()
    ));
    for (case, expected) in [
        (
            "player/fact-funds-reserved-6513270e-2",
            "a coordinator has no speculative call for facts",
        ),
        (
            "player-upcaster/upcaster-9531985d-3",
            "a coordinator has no speculative call for an upcaster",
        ),
        (
            "player/history-9531985d-3",
            "a coordinator has no speculative call for the state of a history",
        ),
        (
            "flow/reserve-funds-6513270e-2",
            "a flow goes through the components of several coordinators",
        ),
    ] {
        let told = project.refusal(case, &["--coordinator", "absent"]);
        assert_eq!(
            without_words(&told),
            format!("{expected}; replay it on the logic directly, without --coordinator"),
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn what_a_coordinator_cannot_do_is_told_with_the_way_out() {
    let project = Project::new("");
    let through = ["--coordinator", "local"];
    assert_eq!(
        without_words(&project.refusal("player/withdraw-funds-446f7261-12", &through)),
        "the case has a stored snapshot after sequence 9: a coordinator speculates on the full history and never on a \
         snapshot; replay it on the logic directly, without --coordinator"
    );
    let nowhere = project.refusal(CASES[0], &["--coordinator", "nowhere"]);
    assert_eq!(
        nowhere,
        "error: there is no coordinator `nowhere`; configured are: local\n"
    );
}

#[test]
fn a_coordinator_that_cannot_be_had_is_told() {
    let logic = serve_logic(listener(), Dialect::ANGZARR, logic_of("table")).unwrap();
    let logic = logic.address().to_string();
    let closed = listener();
    let nobody = closed.local_addr().unwrap().to_string();
    drop(closed);
    let project = Project::new(&format!(
        "[coordinators.saga]\nkind = 'saga'\naddress = '{nobody}'\n\
         [coordinators.logic]\naddress = '{logic}'\n\
         [coordinators.nobody]\naddress = '{nobody}'\n\
         [coordinators.odd]\naddress = 'nowhere'\n\
         [coordinators.ends]\ncommand = ['false', '{{port}}']\n"
    ));
    let told = |name: &str| project.refusal(CASES[2], &["--coordinator", name]);
    assert_eq!(
        told("saga"),
        "error: coordinator `saga` is for components of kind saga, the case is for one of kind aggregate\n"
    );
    assert_eq!(
        told("logic"),
        format!(
            "error: coordinator `logic`: {logic} is a gRPC server but answers no Angzarr queries in any known dialect; is it \
             the port of a coordinator?\n"
        )
    );
    let start = format!(
        "error: coordinator `nobody`: cannot reach {nobody} for EventQueryService/GetEventBook: "
    );
    let unreachable = told("nobody");
    assert!(unreachable.starts_with(&start), "{unreachable}");
    let odd = told("odd");
    let start = "error: coordinator `odd`: `nowhere` is not an address: ";
    assert!(odd.starts_with(start), "{odd}");
    let ended = told("ends");
    let start = "error: coordinator `ends`: it ended with exit status: 1 before it served";
    assert!(ended.starts_with(start), "{ended}");
}

#[test]
fn a_coordinator_that_makes_no_sense_is_refused() {
    for (configured, expected) in [
        ("", "it needs exactly one of `address` and `command`"),
        (
            "address = 'a:1'\ncommand = ['b']",
            "it needs exactly one of `address` and `command`",
        ),
        (
            "address = 'a:1'\nstart_timeout = 3",
            "`build`, `directory`, `environment` and `start_timeout` go with `command`",
        ),
        (
            "kind = 'upcaster'\naddress = 'a:1'",
            "an upcaster has no coordinator",
        ),
    ] {
        let project = Project::new(&format!("[coordinators.odd]\n{configured}\n"));
        let (code, _, errors) = project.run(&["editions", "list"]);
        assert_eq!(code, 2, "{errors}");
        assert!(
            errors.ends_with(&format!("coordinator `odd`: {expected}\n")),
            "{errors}"
        );
    }
}

#[test]
fn a_ledger_that_cannot_be_written_stops_the_load() {
    let shared = Shared::start();
    let project = Project::new(&shared.configured());
    // A file where its folder would be.
    std::fs::write(project.ledger().parent().unwrap(), "").unwrap();
    let before = shared.store.dump().unwrap();
    let told = project.refusal(CASES[2], &["--coordinator", "shared", "--force"]);
    let start =
        "nothing was loaded, because what would be left behind cannot be recorded: cannot write ";
    assert!(without_words(&told).starts_with(start), "{told}");
    assert_eq!(shared.store.dump().unwrap(), before);
}

/// The message, without the fixture before it and the coordinator's output after it.
fn without_words(message: &str) -> &str {
    let line = message.lines().next().unwrap();
    line.split_once(".yaml: ").map_or(line, |(_, said)| said)
}

#[test]
fn the_report_says_what_the_logic_sees_and_what_is_left_behind_is_listed_and_cleaned() {
    let shared = Shared::start();
    let project = Project::new(&shared.configured());
    let address = shared.server.address().to_string();
    let (code, said, errors) = project.run(&["editions", "list"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "nothing is left behind\n"),
        "{errors}"
    );

    let (_, report, errors) = project.run(&[
        "replay",
        &fixture(CASES[2]),
        "--coordinator",
        "shared",
        "--force",
    ]);
    let on = format!("today, on the logic behind the coordinator shared (at {address})\n");
    assert!(report.contains(&on), "{report}{errors}");
    let note = "note: the logic sees the edition `debug-join-table-36f675cc-4-tester-20";
    assert!(report.contains(note), "{report}");

    let (code, listed, _) = project.run(&["editions", "list"]);
    assert_eq!(code, 0);
    assert!(
        listed.starts_with("debug-join-table-36f675cc-4-tester-20")
            && listed.contains(&format!(
                "\n  table/36f675cc-81e7-4ef5-a8e2-5d940ed90475, at {address} (shared)\n  for "
            ))
            && listed.lines().count() == 3,
        "{listed}"
    );
    assert_eq!(shared.editions(), 1);
    let (code, cleaned, errors) = project.run(&["editions", "clean"]);
    assert_eq!(code, 0, "{errors}");
    assert!(
        cleaned.starts_with("deleted debug-join-table-36f675cc-4-tester-20")
            && cleaned.ends_with(&format!(" of table at {address}: 4 pages\n")),
        "{cleaned}"
    );
    assert_eq!(shared.editions(), 0);
    assert!(!project.ledger().exists());
}

#[test]
fn an_edition_that_cannot_be_deleted_stays_on_the_list_until_it_is_forgotten() {
    // Client logic, like every coordinator that was released, has no service for it.
    let component = Component::Aggregate(logic_of("table"));
    let listener = listener();
    let server = serve_component(listener, Dialect::ANGZARR, component).unwrap();
    let address = server.address().to_string();
    let project = Project::new("");
    let line = format!(
        "{{\"ledger\":1,\"edition\":\"debug-a\",\"coordinator\":\"staging\",\"address\":\"{address}\",\"dialect\":\"angzarr\",\
         \"domain\":\"table\",\"root\":\"36f675cc-81e7-4ef5-a8e2-5d940ed90475\",\"made_for\":\"a.yaml\",\"made_at\":\"then\"}}\n"
    );
    std::fs::create_dir_all(project.ledger().parent().unwrap()).unwrap();
    std::fs::write(project.ledger(), &line).unwrap();
    let (code, said, errors) = project.run(&["editions", "clean"]);
    assert_eq!(
        (code, errors.as_str()),
        (
            1,
            "error: not everything that was left behind could be deleted\n"
        )
    );
    assert_eq!(
        said,
        format!(
            "kept debug-a of table: {address} cannot list or delete editions: over gRPC, only the local coordinator of \
             angzarr-replay can. Delete its rows by SQL, in the tables of events and of snapshots of that store, \
             where the domain is 'table' and the edition 'debug-a', or drop the database; then `cargo xtask editions clean \
             --forget debug-a`\n"
        )
    );
    assert_eq!(std::fs::read_to_string(project.ledger()).unwrap(), line);
    let (code, _, errors) = project.run(&["editions", "clean", "--forget", "debug-b"]);
    assert_eq!(
        (code, errors.as_str()),
        (
            1,
            "error: no edition `debug-b` is noted; `cargo xtask editions list` says which are\n"
        )
    );
    let (code, said, _) = project.run(&["editions", "clean", "--forget", "debug-a"]);
    assert_eq!((code, said.as_str()), (0, "1 line taken off the list\n"));
    assert!(!project.ledger().exists());
}

#[test]
fn a_damaged_ledger_is_told_by_its_line() {
    let project = Project::new("");
    std::fs::create_dir_all(project.ledger().parent().unwrap()).unwrap();
    std::fs::write(project.ledger(), "\n{\"ledger\": 1}\n").unwrap();
    let (code, said, errors) = project.run(&["editions", "list"]);
    assert_eq!((code, said.as_str()), (1, ""));
    assert_eq!(
        errors,
        "error: .angzarr-replay/editions.jsonl:2: this is no line of the ledger: missing field `edition` at line 1 column 13; \
         correct it, or take it out if its edition is gone\n"
    );
}

#[test]
fn a_load_that_would_be_published_is_refused_without_force() {
    let shared = Shared::start();
    let before = shared.main();
    let project = Project::new(&shared.configured());
    let told = project.refusal(CASES[0], &["--coordinator", "shared"]);
    assert_eq!(
        told.trim_end()
            .replace(&shared.server.address().to_string(), "HOST"),
        "error: coordinator `shared` (at HOST) speaks `angzarr`, which has no sync mode ISOLATED: the history that is loaded \
         would be published, and sagas, process managers and projectors that listen there would act on it; --force loads it \
         all the same, and a coordinator that is started by `command` has nobody that listens"
    );
    assert_eq!((shared.main(), shared.editions()), (before, 0));
    assert!(!project.ledger().exists());
}
