//! The harness on projects with mistakes: this program runs itself as the harness of another project.

#[path = "hostile/mod.rs"]
mod hostile;
#[path = "harness/output.rs"]
mod output;
#[path = "harness/pending.rs"]
mod pending;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use angzarr_replay::App;
use angzarr_replay::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::grpc::serve_logic;
use angzarr_replay::model::{
    Answer, Body, CommandBook, Cover, EventBook, Failure, Logic, Page, Payload, Root, Snapshot,
    Timestamp,
};
use angzarr_replay::wire::Dialect;
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

const TIME: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};
const INSIDE: &str = "RUN_AS_HARNESS";
const LOGIC: &str = "RUN_AS_LOGIC";
const TELLING: &str = "RUN_WITH_TELLING_LOGIC";
const PANICKING: &str = "RUN_WITH_PANICKING_LOGIC";
const MUTATE: [(&str, &str); 1] = [("ANGZARR_REPLAY__MUTATE", "true")];

fn main() -> ExitCode {
    // Logic is started by the harness, whose environment it has.
    if std::env::var_os(LOGIC).is_some() {
        return crashing_logic();
    }
    if std::env::var_os(TELLING).is_some() {
        return App::new().logic("player", Telling).harness();
    }
    if std::env::var_os(PANICKING).is_some() {
        return App::new().logic("player", Panicking).harness();
    }
    if std::env::var_os(INSIDE).is_some() {
        return poker::app().harness();
    }
    let mut trials = vec![
        Trial::test("no_fixtures_fail", no_fixtures_fail),
        Trial::test(
            "an_unreadable_fixture_fails_alone",
            an_unreadable_fixture_fails_alone,
        ),
        Trial::test(
            "an_invalid_configuration_is_told",
            an_invalid_configuration_is_told,
        ),
        Trial::test(
            "broken_descriptors_fail_each_case",
            broken_descriptors_fail_each_case,
        ),
        Trial::test(
            "a_large_history_passes_from_its_own_file",
            a_large_history_passes,
        ),
        Trial::test(
            "a_case_outside_its_domains_folder_is_replayed",
            a_case_outside_its_domains_folder_is_replayed,
        ),
        Trial::test("another_ending_is_told", another_ending_is_told),
        Trial::test(
            "a_field_at_zero_is_told_as_zero",
            a_field_at_zero_is_told_as_zero,
        ),
        Trial::test(
            "a_crash_is_told_wherever_the_logic_is_asked",
            a_crash_is_told_wherever_the_logic_is_asked,
        ),
        Trial::test(
            "a_crash_shows_what_the_logic_wrote_last",
            a_crash_shows_what_the_logic_wrote_last,
        ),
        Trial::test("mutants_are_all_noticed", mutants_are_all_noticed),
        Trial::test(
            "mutants_that_a_rule_hides_are_reported",
            mutants_that_a_rule_hides_are_reported,
        ),
        Trial::test(
            "a_process_a_trial_reports_mutants_of_its_own",
            a_process_a_trial_reports_mutants_of_its_own,
        ),
        Trial::test(
            "mutants_of_open_cases_are_judged",
            mutants_of_open_cases_are_judged,
        ),
        Trial::test(
            "mutants_ask_the_logic_no_more_often",
            mutants_ask_the_logic_no_more_often,
        ),
        Trial::test(
            "an_orphan_is_told_with_the_command_that_deletes_it",
            an_orphan_is_told_with_the_command_that_deletes_it,
        ),
        Trial::test(
            "replay_of_several_cases_counts_as_the_harness_does",
            replay_of_several_cases_counts_as_the_harness_does,
        ),
        #[cfg(unix)]
        Trial::test("a_linked_folder_is_replayed", a_linked_folder_is_replayed),
    ];
    trials.extend(output::trials());
    trials.extend(pending::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs this program as the harness of a project: code, standard output, standard error.
fn harness(folder: &Path) -> Result<(i32, String, String), Failed> {
    harness_with(folder, &[], &[])
}

fn harness_with(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(i32, String, String), Failed> {
    let output = harness_command(folder, arguments, environment)?.output()?;
    let folder = folder.display().to_string();
    let text = |bytes| Ok::<_, Failed>(String::from_utf8(bytes)?.replace(&folder, "PROJECT"));
    Ok((
        output.status.code().ok_or("it was killed")?,
        text(output.stdout)?,
        text(output.stderr)?,
    ))
}

fn harness_command(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Command, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    for (key, _) in std::env::vars() {
        let ours = ["ANGZARR_", "INSTA_", "CI", "NEXTEST", "TF_BUILD"];
        if ours.iter().any(|prefix| key.starts_with(prefix)) {
            command.env_remove(key);
        }
    }
    command
        .args(arguments)
        .env(INSIDE, "1")
        .envs(environment.iter().copied())
        .current_dir(folder);
    Ok(command)
}

fn tool(folder: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .current_dir(folder)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

fn expect(found: &str, expected: &str) -> Result<(), Failed> {
    if found == expected {
        return Ok(());
    }
    Err(format!("--- expected\n{expected}\n--- found\n{found}").into())
}

/// Logic with a defect.
struct Crashing;

impl Logic for Crashing {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        // The variable says where the defect is.
        if std::env::var(LOGIC).as_deref() == Ok("fold") {
            return Err(Failure::rejected("Insufficient funds"));
        }
        eprintln!("Traceback: the defect is in line 7");
        Err(Failure::crashed("Exception calling application"))
    }

    fn fold(&self, _: Option<&Snapshot>, _: &[Page]) -> Result<Payload, Failure> {
        eprintln!("Traceback: the defect is in line 9");
        Err(Failure::crashed("Exception calling application"))
    }
}

fn crashing_logic() -> ExitCode {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok());
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).expect("the port is free");
    serve_logic(listener, Dialect::ANGZARR, Arc::new(Crashing))
        .expect("it serves")
        .wait();
    ExitCode::SUCCESS
}

fn a_crash_shows_what_the_logic_wrote_last() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    tool(folder.path(), &["capture", "6513270e"])?;
    let own = std::env::current_exe()?;
    std::fs::write(
        folder.path().join("replay.toml"),
        format!(
            "[logic.player]\ncommand = ['{}']\nenvironment = {{ {LOGIC} = '1' }}\n",
            own.display()
        ),
    )?;
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    for part in [
        "crashed",
        "logic `player` is still running; its last output:",
        "Traceback: the defect is in line 7",
    ] {
        if !out.contains(part) {
            return Err(format!("{part:?} is missing in\n{out}").into());
        }
    }
    Ok(())
}

/// The part of the output that is about mutants.
fn of_mutants(out: &str) -> &str {
    out.find("mutants: ").map_or("", |at| &out[at..])
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A project with committed cases of this repository, their snapshots and a rule for clocks.
fn project_of(cases: &[&str]) -> Result<tempfile::TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    let fixtures = repository().join("fixtures");
    let mut files: Vec<PathBuf> = cases
        .iter()
        .flat_map(|case| ["yaml", "snap"].map(|ending| format!("{case}.{ending}").into()))
        .collect();
    for file in std::fs::read_dir(fixtures.join("descriptors"))? {
        files.push(Path::new("descriptors").join(file?.file_name()));
    }
    for file in files.iter().filter(|file| fixtures.join(file).exists()) {
        let copy = folder.path().join("fixtures").join(file);
        std::fs::create_dir_all(copy.parent().ok_or("it has no folder")?)?;
        std::fs::copy(fixtures.join(file), copy)?;
    }
    let rule = "[[rules]]\ntype = 'examples.*'\nfield = '*_at'\nreason = \"the handler's clock\"\n";
    std::fs::write(folder.path().join("replay.toml"), rule)?;
    Ok(folder)
}

fn mutants_are_all_noticed() -> Result<(), Failed> {
    let folder = project_of(&["table/join-table-36f675cc-4"])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(of_mutants(&out), "mutants: 31 of 1 case, each noticed\n\n")?;
    let (code, out, err) = harness(folder.path())?;
    expect(&format!("[{code}]{err}{}", of_mutants(&out)), "[0]")
}

fn mutants_that_a_rule_hides_are_reported() -> Result<(), Failed> {
    let folder = project_of(&[
        "player/deposit-funds-d23f0824-3",
        "player/fact-funds-deposited-6513270e-1",
        "table/join-table-36f675cc-4",
    ])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 136 of 3 cases, 26 not noticed
  hidden by rules:
    examples.FundsDeposited.deposited_at changed, cleared -- a rule in replay.toml: the handler's clock \
         [player::deposit-funds-d23f0824-3, player::fact-funds-deposited-6513270e-1]
  never compared:
    an event deferred -- the coordinator stamps an event that names no sequence with the next one [2 cases]
    an event without its sequence -- the coordinator stamps an event that names no sequence with the next one [1 case]
    another correlation id in a cover -- some libraries make one up, and a coordinator fills it in [2 cases]
    another extension in a cover -- a cover is shown by domain, root and edition; coordinators fill in the rest [2 cases]
    another next sequence of a book -- stale or left out by many libraries; a coordinator counts for itself [2 cases]
    another prefix of a type URL -- prefixes differ between libraries and dialects [2 cases]
    another state stored with the events -- optional, and derived from the events [2 cases]
    another time beside a payload -- a wall clock or nothing [2 cases]
    history repeated before the events -- a coordinator drops pages that the logic was shown [2 cases]
    no cover around the events -- a cover is shown only where it is another aggregate or edition [1 case]

",
    )
}

fn a_process_a_trial_reports_mutants_of_its_own() -> Result<(), Failed> {
    let folder = project_of(&[
        "player/deposit-funds-d23f0824-3",
        "table/join-table-36f675cc-4",
    ])?;
    // A rule of the case beside that of the configuration.
    let case = folder
        .path()
        .join("fixtures/player/deposit-funds-d23f0824-3");
    let rule = "rules:\n  - type: examples.FundsDeposited\n    field: new_balance.amount\n    reason: rounded\ncover:";
    replace_in(&case.with_extension("yaml"), "cover:", rule)?;
    let balance = "amount: 5250";
    replace_in(
        &case.with_extension("snap"),
        balance,
        "amount: \"[rounded]\"",
    )?;
    let one = ["--exact", "player::deposit-funds-d23f0824-3"];
    let (code, out, err) = harness_with(folder.path(), &one, &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 52 of 1 case, 13 not noticed
  hidden by rules:
    examples.FundsDeposited.deposited_at changed, cleared -- a rule in replay.toml: the handler's clock \
         [player::deposit-funds-d23f0824-3]
    examples.FundsDeposited.new_balance.amount changed -- a rule of the case: rounded [player::deposit-funds-d23f0824-3]
  never compared:
    an event deferred -- the coordinator stamps an event that names no sequence with the next one [1 case]
    another correlation id in a cover -- some libraries make one up, and a coordinator fills it in [1 case]
    another extension in a cover -- a cover is shown by domain, root and edition; coordinators fill in the rest [1 case]
    another next sequence of a book -- stale or left out by many libraries; a coordinator counts for itself [1 case]
    another prefix of a type URL -- prefixes differ between libraries and dialects [1 case]
    another state stored with the events -- optional, and derived from the events [1 case]
    another time beside a payload -- a wall clock or nothing [1 case]
    history repeated before the events -- a coordinator drops pages that the logic was shown [1 case]

",
    )
}

fn an_orphan_is_told_with_the_command_that_deletes_it() -> Result<(), Failed> {
    let case = "table/join-table-36f675cc-4";
    let folder = project_of(&[case])?;
    let snapshot = folder.path().join(format!("fixtures/{case}.snap"));
    std::fs::copy(&snapshot, snapshot.with_file_name("gone.snap"))?;
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    demand(
        &out,
        &[
            "snapshots without a fixture:\n  fixtures/table/gone.snap\n",
            "cargo xtask clean",
        ],
    )?;
    tool(folder.path(), &["clean"])?;
    let (code, _, err) = harness(folder.path())?;
    expect(&format!("[{code}]{err}"), "[0]")
}

fn replay_of_several_cases_counts_as_the_harness_does() -> Result<(), Failed> {
    let folder = project_of(&[
        "player/deposit-funds-d23f0824-3",
        "player/deposit-funds-6513270e-2",
        "player/fact-funds-deposited-6513270e-1",
        "table/join-table-36f675cc-4",
        "hand/history-dbc3da80-12",
    ])?;
    let configuration = folder.path().join("replay.toml");
    let rule = std::fs::read_to_string(&configuration)?;
    std::fs::write(
        &configuration,
        format!(
            "{rule}[[skip]]\nfixtures = 'player/fact-*'\nreason = 'tried'\n\
             [logic.twin]\ntwin = true\ndomain = 'player'\ncommand = ['nothing']\nrequires = 'nothing'\n"
        ),
    )?;
    // Without its snapshot a closed case fails.
    std::fs::remove_file(
        folder
            .path()
            .join("fixtures/table/join-table-36f675cc-4.snap"),
    )?;
    let before = names(folder.path());
    let replayed = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["replay", "fixtures"])
        .current_dir(folder.path())
        .output()?;
    let said = String::from_utf8(replayed.stdout)?;
    expect(&format!("{:?}", replayed.status.code()), "Some(1)")?;
    let (code, out, err) = harness_with(folder.path(), &[], &[("CI", "1")])?;
    expect(&format!("[{code}]{err}"), "[101]")?;
    // The case is named with all its files, and the files that no case has with what deletes them.
    let commit = "then commit:   fixtures/table/join-table-36f675cc-4.yaml \
                  fixtures/table/join-table-36f675cc-4.snap fixtures/descriptors/";
    demand(&out, &[commit])?;
    let totals = "replay: 1 closed, 1 open (known bugs that still reproduce), 5 not checked";
    demand(&out, &[totals, "; 1 failed;"])?;
    let last = said.lines().last().unwrap_or_default();
    expect(last, &format!("{totals}, 1 failed"))?;
    expect(&names(folder.path()).join(" "), &before.join(" "))
}

/// The names of all files, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            names.push(entry.path().display().to_string());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    names.sort();
    names
}

fn replace_in(file: &Path, part: &str, other: &str) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    if !text.contains(part) {
        return Err(format!("{part:?} is missing in\n{text}").into());
    }
    Ok(std::fs::write(file, text.replacen(part, other, 1))?)
}

fn mutants_of_open_cases_are_judged() -> Result<(), Failed> {
    let folder = project_of(&["player/deposit-funds-6513270e-2"])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 30 of 1 case, 1 not noticed
  noticed only by a snapshot, which an open case does not have:
    rejected: error info: more [player::deposit-funds-6513270e-2]

",
    )
}

/// Logic that says when it is asked.
struct Telling;

impl Logic for Telling {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        eprintln!("asked");
        Err(Failure::rejected("not today"))
    }
}

/// Logic that panics with what may come from anywhere.
struct Panicking;

impl Logic for Panicking {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        panic!("{}", hostile::HOSTILE);
    }
}

fn mutants_ask_the_logic_no_more_often() -> Result<(), Failed> {
    let folder = project_of(&["player/deposit-funds-d23f0824-3"])?;
    let snapshot = "fixtures/player/deposit-funds-d23f0824-3.snap";
    std::fs::write(
        folder.path().join(snapshot),
        "---\nsource: by hand\n---\noutcome: rejected\ncode: FAILED_PRECONDITION\nmessage: not today\n",
    )?;
    let environment = [MUTATE[0], (TELLING, "1")];
    let (code, out, err) = harness_with(folder.path(), &[], &environment)?;
    expect(
        &format!("[{code}]{err}{}", of_mutants(&out)),
        "[0]asked\nmutants: 30 of 1 case, each noticed\n\n",
    )?;
    // What failed has nothing to report.
    std::fs::write(
        folder.path().join(snapshot),
        "---\nsource: by hand\n---\noutcome: accepted\n",
    )?;
    let (code, out, _) = harness_with(folder.path(), &[], &environment)?;
    expect(
        &format!("[{code}]{}", of_mutants(&out)),
        "[101]mutants: none, since no case passed\n\n",
    )
}

/// A project whose logic of a domain is this program.
fn with_crashing(domain: &str, defect: &str) -> Result<TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    let own = std::env::current_exe()?;
    std::fs::write(
        folder.path().join("replay.toml"),
        format!(
            "[logic.{domain}]\ncommand = ['{}']\nenvironment = {{ {LOGIC} = '{defect}' }}\n",
            own.display()
        ),
    )?;
    Ok(folder)
}

fn demand(said: &str, parts: &[&str]) -> Result<(), Failed> {
    match parts.iter().find(|part| !said.contains(**part)) {
        Some(part) => Err(format!("{part:?} is missing in\n{said}").into()),
        None => Ok(()),
    }
}

fn a_crash_is_told_wherever_the_logic_is_asked() -> Result<(), Failed> {
    let output = |folder: &Path, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .current_dir(folder)
            .output()?;
        Ok::<_, Failed>(String::from_utf8(output.stdout)?)
    };
    let words = "logic `player` is still running; its last output:";
    let folder = with_crashing("player", "handle")?;
    let captured = output(folder.path(), &["capture", "6513270e"])?;
    demand(
        &captured,
        &[
            &format!("  last output  {words}\n"),
            "Traceback: the defect is in line 7",
        ],
    )?;

    let folder = with_crashing("player", "fold")?;
    output(
        folder.path(),
        &["capture", "6513270e", "--name", "player/case"],
    )?;
    let replayed = output(folder.path(), &["replay", "fixtures/player/case.yaml"])?;
    demand(
        &replayed,
        &[
            "note: a state cannot be shown, as `Replay` of the logic failed on its own defect: UNKNOWN: \
             \"Exception calling application\"",
            words,
            "Traceback: the defect is in line 9",
            "verdict    reproduced",
        ],
    )?;

    // In a flow, of the component that crashed.
    let folder = with_crashing("table", "handle")?;
    let toml = std::fs::read_to_string(folder.path().join("replay.toml"))?;
    let saga = "[logic.player-table]\nin_process = 'player-table'\nkind = 'saga'\n\
                subscriptions = { player = ['examples.FundsReserved'] }\n";
    std::fs::write(folder.path().join("replay.toml"), toml + saga)?;
    let case = "flow/reserve-funds-6513270e-2";
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let to = folder.path().join("fixtures");
    let text = std::fs::read_to_string(from.join(format!("{case}.yaml")))?;
    let descriptors = text
        .lines()
        .find_map(|line| line.strip_prefix("descriptors: "));
    let descriptors = format!(
        "descriptors/{}.binpb",
        descriptors.unwrap_or_default().trim_matches('"')
    );
    for file in [format!("{case}.yaml"), format!("{case}.snap"), descriptors] {
        let to = to.join(&file);
        std::fs::create_dir_all(to.parent().ok_or("it is in a folder")?)?;
        std::fs::copy(from.join(&file), to)?;
    }
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    let of_table = "logic `table` is still running; its last output:";
    demand(&out, &[of_table, "Traceback: the defect is in line 7"])
}

fn no_fixtures_fail() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (code, out, err) = harness(folder.path())?;
    expect(
        &format!("{out}{err}[{code}]"),
        "error: there is no fixture in fixtures; an empty suite would look like a success. Capture one: cargo xtask capture <root>\n[1]",
    )
}

fn an_unreadable_fixture_fails_alone() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    tool(folder.path(), &["capture", "6513270e"])?;
    std::fs::write(
        folder.path().join("fixtures/player/broken.yaml"),
        "fixture: 1\nkind: comand\n",
    )?;
    let (code, out, err) = harness(folder.path())?;
    expect(&format!("[{code}]{err}"), "[101]")?;
    for line in [
        "test player::broken                    ... FAILED",
        "test player::withdraw-funds-6513270e-3 ... ok",
        "error: `comand` is not a kind of case: did you mean `command`?",
        " --> PROJECT/fixtures/player/broken.yaml:2:7",
        "replay: 0 closed, 1 open (known bugs that still reproduce), 0 not checked",
    ] {
        if !out.contains(line) {
            return Err(format!("{line:?} is missing in\n{out}").into());
        }
    }
    Ok(())
}

fn an_invalid_configuration_is_told() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("replay.toml"), "fixtuers = \"x\"\n")?;
    let (code, out, err) = harness(folder.path())?;
    let begins = "error: PROJECT/replay.toml: TOML parse error at line 1, column 1\n";
    if code == 2 && out.is_empty() && err.starts_with(begins) {
        return Ok(());
    }
    Err(format!("{out}{err}[{code}]").into())
}

fn broken_descriptors_fail_each_case() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    tool(folder.path(), &["capture", "6513270e"])?;
    std::fs::write(
        folder.path().join("replay.toml"),
        "descriptors = [\"nowhere\"]\n",
    )?;
    let (code, out, _) = harness(folder.path())?;
    if code == 101 && out.contains("PROJECT/nowhere") && !out.contains("panicked") {
        return Ok(());
    }
    Err(format!("{out}[{code}]").into())
}

/// More pages than a fixture holds itself: they are in a file beside it.
fn a_large_history_passes() -> Result<(), Failed> {
    let cover = Cover::main("player".parse()?, Root::new([7; 16]));
    let page = |sequence| Page {
        sequence,
        created_at: None,
        body: Body::Event(Payload::new("test.Added", b"an event".to_vec())),
        provisional: false,
        cascade_id: None,
        original: None,
    };
    let book = SeedBook {
        cover,
        pages: (0..600).map(page).collect(),
        snapshot: None,
    };
    let stores = Stores::Shared(Arc::new(Store::in_memory()?));
    let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| TIME));
    coordinator.seed(&[book], TIME)?;
    let server = coordinator.start(TcpListener::bind("127.0.0.1:0")?)?;
    let folder = tempfile::tempdir()?;
    let toml = format!(
        "source = \"production\"\n[sources.production]\naddresses = {{ player = \"{}\" }}\n",
        server.address()
    );
    std::fs::write(folder.path().join("replay.toml"), toml)?;
    tool(
        folder.path(),
        &[
            "capture",
            "07",
            "--domain",
            "player",
            "--unredacted",
            "--accept",
        ],
    )?;
    let beside = std::fs::read_dir(folder.path().join("fixtures/histories"))?.count();
    let (code, out, err) = harness(folder.path())?;
    if code == 0 && beside == 1 && out.contains("replay: 1 closed, 0 open, 0 not checked") {
        return Ok(());
    }
    Err(format!("{beside}\n{out}{err}[{code}]").into())
}

/// Folders are named as one likes.
fn a_case_outside_its_domains_folder_is_replayed() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    tool(folder, &["capture", "6513270e", "--name", "bugs/chips"])?;
    let hand = [
        "capture",
        "hand/dbc3da80",
        "--history",
        "--name",
        "bugs/hand",
    ];
    tool(folder, &hand)?;
    // A case that names its logic is not judged by its domain.
    let text = std::fs::read_to_string(folder.join("fixtures/bugs/hand.yaml"))?;
    let text = text.replacen("cover:", "logic: player\ncover:", 1);
    std::fs::write(folder.join("fixtures/bugs/named.yaml"), text)?;
    std::fs::write(folder.join("fixtures/bugs/broken.yaml"), "{ [ : no YAML")?;

    let (code, out, err) = harness_with(folder, &["--list", "--ignored"], &[])?;
    expect(&format!("{out}{err}[{code}]"), "bugs::hand: test\n[0]")?;
    let (_, out, _) = harness(folder)?;
    for line in [
        "test bugs::broken                  ... FAILED",
        "test bugs::chips                   ... ok",
        "test bugs::hand                    ... ignored (not checked: no logic is configured for the domain `hand`)",
        "test bugs::named                   ... ignored (not checked: the case is open, but",
    ] {
        if !out.contains(line) {
            return Err(format!("{line:?} is missing in\n{out}").into());
        }
    }
    Ok(())
}

fn a_field_at_zero_is_told_as_zero() -> Result<(), Failed> {
    let folder = project_of(&["player/deposit-funds-d23f0824-3"])?;
    let snapshot = "fixtures/player/deposit-funds-d23f0824-3.snap";
    // The new balance was zero.
    replace_in(&folder.path().join(snapshot), "        amount: 5250\n", "")?;
    let (_, out, _) = harness(folder.path())?;
    demand(
        &out,
        &[
            "the outcome changed, on player (in process)\n  events[0].event.new_balance.amount: 0 became 5250\n",
        ],
    )
}

fn another_ending_is_told() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    tool(folder.path(), &["capture", "6513270e"])?;
    std::fs::write(folder.path().join("fixtures/player/other.yml"), "")?;
    let (code, out, err) = harness(folder.path())?;
    expect(
        &format!("{out}{err}[{code}]"),
        "error: fixtures/player/other.yml ends with .yml, but fixtures end with .yaml; rename it, or it would never be replayed\n[1]",
    )
}

#[cfg(unix)]
fn a_linked_folder_is_replayed() -> Result<(), Failed> {
    let (folder, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    tool(elsewhere.path(), &["capture", "6513270e"])?;
    std::fs::create_dir(folder.path().join("fixtures"))?;
    for name in ["player", "descriptors"] {
        let original = elsewhere.path().join("fixtures").join(name);
        if original.exists() {
            std::os::unix::fs::symlink(original, folder.path().join("fixtures").join(name))?;
        }
    }
    let (code, out, err) = harness(folder.path())?;
    if code == 0 && out.contains("replay: 0 closed, 1 open") {
        return Ok(());
    }
    Err(format!("{out}{err}[{code}]").into())
}
