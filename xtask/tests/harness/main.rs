//! The harness on projects with mistakes: this program runs itself as the harness of another project.

mod crashes;
mod listing;
mod mutants;
mod output;
mod pending;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use angzarr_replay::App;
use angzarr_replay::internal::model::{Answer, CommandBook, EventBook, Logic};
use angzarr_replay::internal::wire::Dialect;
use libtest_mimic::{Arguments, Failed, Trial};
use test_support::books::{added, cover, seed};
use test_support::coordinators::coordinator;
use test_support::programs::{program, repository};

const INSIDE: &str = "RUN_AS_HARNESS";
const LOGIC: &str = "RUN_AS_LOGIC";
const TELLING: &str = "RUN_WITH_TELLING_LOGIC";
const PANICKING: &str = "RUN_WITH_PANICKING_LOGIC";

fn main() -> ExitCode {
    // Logic is started by the harness, whose environment it has.
    if std::env::var_os(LOGIC).is_some() {
        return crashes::crashing_logic();
    }
    if std::env::var_os(TELLING).is_some() {
        return App::new().logic("player", mutants::Telling).harness();
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
    trials.extend(crashes::trials());
    trials.extend(listing::trials());
    trials.extend(mutants::trials());
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
    let mut command = program(std::env::current_exe()?, folder);
    command
        .args(arguments)
        .env(INSIDE, "1")
        .envs(environment.iter().copied());
    Ok(command)
}

fn tool(folder: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let output = program(env!("CARGO_BIN_EXE_xtask"), folder)
        .args(arguments)
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
    let replayed = program(env!("CARGO_BIN_EXE_xtask"), folder.path())
        .args(["replay", "fixtures"])
        .output()?;
    let said = String::from_utf8(replayed.stdout)?;
    expect(&format!("{:?}", replayed.status.code()), "Some(1)")?;
    let (code, out, err) = harness_with(folder.path(), &["--no-cache"], &[("CI", "1")])?;
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

/// Logic that panics with what may come from anywhere.
struct Panicking;

impl Logic for Panicking {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        panic!("{}", test_support::hostile::HOSTILE);
    }
}

fn demand(said: &str, parts: &[&str]) -> Result<(), Failed> {
    match parts.iter().find(|part| !said.contains(**part)) {
        Some(part) => Err(format!("{part:?} is missing in\n{said}").into()),
        None => Ok(()),
    }
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
    let pages = (0..600).map(|sequence| added(sequence, "an event"));
    let book = seed(cover("player", 7), pages.collect());
    let server = coordinator(Dialect::ANGZARR, &[book]);
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
