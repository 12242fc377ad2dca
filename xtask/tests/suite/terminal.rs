//! The tool on a terminal: tables as wide as it, and colours that mean something. Pipes receive everything.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use angzarr_replay::internal::model::Cover;
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::Dialect;
use insta::assert_snapshot;
use test_support::books;
use test_support::hostile::{HOSTILE, in_yaml};
use test_support::programs::repository;
use test_support::pty::{TerminalRun, attended, run_on_terminal};
use unicode_width::UnicodeWidthStr as _;

use crate::bad_input::commands::UPCASTER;
use crate::bad_input::logic::{CASE, captured};
use crate::bad_input::recordings;
use crate::support::{
    ALICE, Project, coordinator, cover, page, recorded_failures, seed, small_pages, tool,
};

const WIDTHS: [u16; 4] = [60, 80, 120, 200];

/// Wide letters, letters of several characters, and a word that is longer than a terminal is wide.
const MESSAGES: [&str; 4] = [
    "余额不足：玩家的余额少于她想要提取的金额，因此提款被拒绝，请稍后再试",
    "👩\u{200d}👩\u{200d}👧 has fewer chips ♠ than she wants to withdraw 🂡, and nobody lends her any 🙅🏽",
    "le de\u{301}po\u{302}t a e\u{301}te\u{301} refuse\u{301} parce que le montant n'est pas positif",
    "see https://runbooks.example.com/player/withdraw-funds/insufficient-funds/what-to-do-when-it-happens-again-and-again",
];

fn on_terminal(
    project: &Project,
    columns: u16,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> TerminalRun {
    let mut command = tool(&project.path("."));
    command.args(arguments).envs(variables.iter().copied());
    run_on_terminal(command, columns)
}

/// The commands' output on a terminal without colours, in which no line but a command to copy is wider than it.
fn transcript(project: &Project, columns: u16, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in commands {
        let run = on_terminal(project, columns, arguments, &[("NO_COLOR", "1")]);
        assert!(!run.text.contains('\u{1b}'), "{}", run.text);
        for line in run.text.lines() {
            let to_copy = ["next: ", "commit: ", "capture it: "];
            let is_to_copy = to_copy.iter().any(|start| line.starts_with(start));
            assert!(is_to_copy || line.width() <= usize::from(columns), "{line}");
        }
        let _ = writeln!(text, "$ {}\n{}", arguments.join(" "), run.text);
    }
    text
}

/// Aggregates with a failure each.
fn covers() -> impl Iterator<Item = (Cover, &'static str)> {
    (7..)
        .map(|number| books::cover("player", number))
        .zip(MESSAGES)
}

#[test]
fn lists_fit_the_terminal() {
    let seeds: Vec<_> = covers()
        .map(|(cover, _)| seed(cover, small_pages(0..12)))
        .collect();
    let server = coordinator(Dialect::ANGZARR, &seeds);
    let project = Project::of_source(server.address(), "tickets = [\"failures.jsonl\"]\n");
    let recorded = recorded_failures();
    let mut log = String::new();
    for (cover, message) in covers() {
        let mut ticket = Ticket::parse_line(recorded.lines().nth(2).unwrap(), 3).unwrap();
        ticket.command.cover = cover;
        ticket.command.original = None;
        ticket.failure.message = message.into();
        log += &(ticket.to_line() + "\n");
    }
    project.write("failures.jsonl", &log);
    project.write(".angzarr-replay/editions.jsonl", EDITIONS);
    for columns in WIDTHS {
        let text = transcript(
            &project,
            columns,
            &[
                &["roots"],
                &["tickets", "failures.jsonl"],
                &["editions", "list"],
            ],
        );
        assert_snapshot!(format!("lists_{columns}"), text);
    }
}

/// An edition that an interrupted replay left behind.
const EDITIONS: &str = r#"{"ledger":1,"edition":"debug-join-table-36f675cc-4-tester-20261123T000000","coordinator":"shared","address":"coordinator.staging.example.com:1310","dialect":"angzarr","domain":"table","root":"36f675cc-81e7-4ef5-a8e2-5d940ed90475","made_for":"fixtures/table/余额不足.yaml","made_at":"2026-11-23T00:00:00Z"}
"#;

/// A case whose outcome differs from production's in several ways.
fn changed() -> Project {
    let project = captured("");
    let case = project.read(CASE);
    let changed: Vec<String> = case
        .lines()
        .map(|line| match line.trim_start().split(':').next() {
            Some("message") => format!("  message: {}", MESSAGES[0]),
            Some("captured_at") => "  captured_at: \"2026-11-25T00:00:00Z\"".to_owned(),
            Some("title") => format!("title: \"{}\"", MESSAGES[1]),
            _ => line.to_owned(),
        })
        .collect();
    project.write(CASE, &(changed.join("\n") + "\n"));
    project
}

#[test]
fn the_report_and_doctor_fit_the_terminal() {
    let project = changed();
    let protos = project.read("replay.toml");
    project.write(
        "replay.toml",
        &format!("{protos}\n[logic.dealer]\naddress = \"unix:nowhere\"\ndomain = \"dealer\"\n"),
    );
    for columns in WIDTHS {
        let text = transcript(&project, columns, &[&["replay", CASE], &["doctor"]]);
        assert_snapshot!(format!("report_{columns}"), text);
    }
}

#[test]
fn what_was_found_and_what_is_shown_fits_the_terminal() {
    let project = Project::new("[logic.player]\nin_process = \"player\"\n");
    for columns in WIDTHS {
        let text = transcript(
            &project,
            columns,
            &[&["find", ALICE], &["find", "wf-seat"], &["show", ALICE]],
        );
        assert_snapshot!(format!("found_{columns}"), text);
    }
    let coloured = on_terminal(&project, 120, &["find", ALICE], &[]).text;
    assert!(
        coloured.contains("\u{1b}[31mFAILED_PRECONDITION"),
        "{coloured}"
    );
}

#[test]
fn columns_is_the_width_of_a_terminal_and_not_of_a_pipe() {
    let project = changed();
    let narrow = on_terminal(
        &project,
        200,
        &["replay", CASE],
        &[("COLUMNS", "60"), ("NO_COLOR", "1")],
    );
    assert!(
        narrow.text.lines().all(|line| line.width() <= 60),
        "{}",
        narrow.text
    );
    let mut command = tool(&project.path("."));
    let piped = command
        .args(["replay", CASE])
        .env("COLUMNS", "60")
        .output()
        .unwrap();
    let piped = String::from_utf8(piped.stdout).unwrap();
    assert!(piped.lines().any(|line| line.width() > 200), "{piped}");
    assert!(!piped.lines().any(|line| line.ends_with('…')), "{piped}");
}

#[test]
fn colours_follow_the_option_then_the_environment_then_the_stream() {
    let project = changed();
    let case = ["replay", CASE];
    let has_colours = |text: &str| text.contains('\u{1b}');
    for (options, variables, on_a_terminal, in_a_pipe) in [
        (&[][..], &[][..], true, false),
        (&["--color", "auto"], &[], true, false),
        (&[], &[("NO_COLOR", "1")], false, false),
        (&[], &[("CLICOLOR_FORCE", "1")], true, true),
        (&["--color=never"], &[("CLICOLOR_FORCE", "1")], false, false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true, true),
    ] {
        let arguments = [&case[..], options].concat();
        let run = on_terminal(&project, 80, &arguments, variables);
        assert_eq!(
            has_colours(&run.text),
            on_a_terminal,
            "{arguments:?} {variables:?}: {}",
            run.text
        );
        let mut command = tool(&project.path("."));
        let piped = command
            .args(&arguments)
            .envs(variables.iter().copied())
            .output();
        let piped = String::from_utf8(piped.unwrap().stdout).unwrap();
        assert_eq!(
            has_colours(&piped),
            in_a_pipe,
            "{arguments:?} {variables:?}: {piped}"
        );
    }
    // Before and after the command, for errors and for usage.
    for arguments in [
        &["--color=never", "replay", "nowhere"][..],
        &["replay", "--nope", "--color", "never"],
    ] {
        let run = on_terminal(&project, 80, arguments, &[]);
        assert!(
            run.code != Some(0) && !has_colours(&run.text),
            "{}",
            run.text
        );
    }
    let error = on_terminal(&project, 80, &["replay", "nowhere"], &[]);
    assert!(
        error.text.starts_with("\u{1b}[31merror:\u{1b}[0m nowhere"),
        "{}",
        error.text
    );
}

#[test]
fn colours_mark_the_verdict_and_what_differs() {
    let project = changed();
    let report = on_terminal(&project, 80, &["replay", CASE], &[]);
    let conclusion = report.text.split_once("\nverdict").unwrap().1;
    let conclusion = conclusion.replace('\u{1b}', "ESC");
    assert_snapshot!("conclusion_in_colours", conclusion);
    let failed = on_terminal(&project, 80, &["test"], &[]);
    assert_eq!(failed.code, Some(101), "{}", failed.text);
    assert!(
        failed
            .text
            .contains("\u{1b}[31mthe open case no longer reproduces\u{1b}[0m"),
        "{}",
        failed.text
    );
    assert!(
        failed
            .text
            .contains("\u{1b}[32m\"Insufficient funds\"\u{1b}[0m"),
        "{}",
        failed.text
    );
    let json = on_terminal(&project, 80, &["test", "--format", "json"], &[]);
    assert!(
        !json.text.contains("u001b") && !json.text.contains('\u{1b}'),
        "{}",
        json.text
    );
}

#[test]
fn a_fixture_brings_no_colours() {
    let project = changed();
    let case = project.read(CASE);
    let title = case
        .lines()
        .find(|line| line.starts_with("title:"))
        .unwrap();
    let hostile = format!("title: \"\\e[35mmagenta {}", &in_yaml()[1..]);
    project.write(CASE, &case.replace(title, &hostile));
    let report = on_terminal(&project, 80, &["replay", CASE], &[]);
    assert!(report.text.contains("magenta"), "{}", report.text);
    assert!(!report.text.contains("\u{1b}[35m"), "{}", report.text);
    let ours = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m"];
    for rest in report.text.split('\u{1b}').skip(1) {
        assert!(
            ours.iter().any(|code| rest.starts_with(code)),
            "{rest:?} of {HOSTILE:?}"
        );
    }
}

#[test]
fn a_long_history_has_no_middle_unless_it_is_asked_for() {
    let mut pages = small_pages(0..1_000);
    pages[500].provisional = true;
    pages.push(page(1_000, b"the last".to_vec()));
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let mut project = Project::of_source(server.address(), "");
    let captured = project.run(&["capture", crate::support::ROOT, "--unredacted"]);
    assert_eq!(captured.code, 0, "{}", captured.err);
    let case = "fixtures/player/history-07070707-1001.yaml";
    let report = project.run(&["replay", case]).out;
    let history = report.split_once("\nhistory\n").unwrap().1;
    let history = history.split_once("\n\n").unwrap().0;
    assert_snapshot!("long_history", history);
    let all = project.run(&["replay", case, "--all"]).out;
    assert!(
        all.contains("\n    777  Added") && !all.contains('…'),
        "{all}"
    );
    let json = project.run(&["replay", case, "--json"]).out;
    assert!(json.contains("\"sequence\":777"), "{json}");
}

/// A case of an upcaster with so many deposits, of which the accepted outcome has another amount in one.
fn upcast(deposits: usize, differing: usize) -> Project {
    let mut project = Project::new(UPCASTER);
    let capture = [
        "capture",
        ALICE,
        "--component",
        "player-upcaster",
        "--name",
        "player/long",
    ];
    let captured = project.run(&capture);
    assert_eq!(captured.code, 0, "{}", captured.err);
    let case = project.read(LONG);
    let (before, pages) = case.split_once("  - sequence: 1\n").unwrap();
    let (deposit, rest) = pages.split_once("  - sequence: 2\n").unwrap();
    let after = rest.split_once("\nevents").map_or("", |(_, after)| after);
    let mut long = before.to_owned();
    for sequence in 1..=deposits {
        long.push_str("  - sequence: ");
        long.push_str(&sequence.to_string());
        long.push('\n');
        long.push_str(deposit);
    }
    project.write(LONG, &(long + after));
    let closed = project.run(&["close", LONG, "--force"]);
    assert_eq!(closed.code, 0, "{}", closed.err);
    let snapshot = LONG.replace(".yaml", ".snap");
    let accepted = project.read(&snapshot);
    let place = format!("- sequence: {differing}\n");
    let (before, after) = accepted.split_once(&place).unwrap();
    let after = after.replacen("amount: 5000", "amount: 5001", 1);
    project.write(&snapshot, &format!("{before}{place}{after}"));
    project
}

const LONG: &str = "fixtures/player/long.yaml";

#[test]
fn pages_that_differ_are_shown_in_the_middle_of_a_long_history() {
    let mut project = upcast(200, 100);
    let report = project.run(&["replay", LONG]);
    assert_eq!(report.code, 1, "{}", report.err);
    let count = |words: &str| report.out.matches(words).count();
    // Before and after the page that differs, in the history and in today's outcome.
    assert_eq!(
        count("\n  … 80 more events; --all shows them …\n"),
        2,
        "{}",
        report.out
    );
    assert_eq!(
        count("\n    - \"… 80 more pages; --all shows them …\"\n"),
        2,
        "{}",
        report.out
    );
    assert_eq!(count("\n   100  FundsDeposited"), 1, "{}", report.out);
    assert_eq!(count("\n    - sequence: 100\n"), 1, "{}", report.out);
    assert_eq!(
        count("sequence: 99\n") + count("\n    99  "),
        0,
        "{}",
        report.out
    );
}

#[test]
fn questions_fit_the_terminal() {
    let mut project = Project::new("");
    for arguments in [
        &[
            "capture",
            ALICE,
            "--domain",
            "player",
            "--name",
            "player/alice",
        ][..],
        &["close", "fixtures/player/alice.yaml", "--force"],
    ] {
        let run = project.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
    }
    let snapshot = "fixtures/player/alice.snap";
    let accepted = project.read(snapshot);
    project.write(
        snapshot,
        &accepted.replace("message: ", "message: \u{1f0b1} 余额不足 "),
    );
    let run = project.run(&["test"]);
    assert_eq!(run.code, 101, "{}", run.err);
    for columns in WIDTHS {
        let listed = transcript(&project, columns, &[&["review", "--list"]]);
        let mut command = tool(&project.path("."));
        command.arg("review").env("NO_COLOR", "1");
        let mut is_answered = false;
        let asked = attended(command, columns, &mut |text| {
            let answers = text.ends_with("(q)uit? ") && !std::mem::replace(&mut is_answered, true);
            answers.then(|| "s".to_owned())
        });
        assert_eq!(asked.code, Some(0), "{}", asked.text);
        // A terminal may show the typed letter before the program reads it.
        let (question, _) = asked.text.split_once(" (q)uit? ").unwrap();
        assert_snapshot!(format!("review_{columns}"), format!("{listed}{question}"));
    }
}

#[test]
fn flows_fit_the_terminal() {
    for columns in WIDTHS {
        let mut command = tool(&repository());
        command.args(["replay", "fixtures/flow/funds-reserved-6513270e-2.yaml"]);
        command.env("NO_COLOR", "1");
        let run = run_on_terminal(command, columns);
        assert_eq!(run.code, Some(0), "{}", run.text);
        // Payloads are YAML, which a terminal wraps.
        assert_snapshot!(format!("flow_{columns}"), run.text);
    }
}

/// The file is a pipe that its writer keeps open, so reading takes as long as it takes for the progress to be shown.
#[test]
fn whoever_waits_for_a_file_sees_how_much_has_been_read() {
    let project = Project::new("");
    let failures = recorded_failures();
    recordings::keep(&project, "calls.jsonl", [recordings::noted(108)]);
    let calls = project.read("calls.jsonl");
    let (logs, recorded) = ("reading logs: ", "reading recordings: ");
    for (activity, content, arguments) in [
        (logs, &failures, &["tickets", "file"][..]),
        (
            logs,
            &failures,
            &["capture", "--from-log", "file", "--bundle", "-"],
        ),
        (
            logs,
            &failures,
            &["capture", "--each-distinct", "--from-log", "file"],
        ),
        (logs, &failures, &["find", "nobody", "--from-log", "file"]),
        (recorded, &calls, &["find", "nobody", "--recorded", "file"]),
        (
            recorded,
            &calls,
            &["capture", "--recorded", "file", "--unredacted"],
        ),
    ] {
        let pipe = project.path("file");
        let _ = std::fs::remove_file(&pipe);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let (shown, is_shown) = std::sync::mpsc::channel::<()>();
        let lines = content.clone();
        let writer = std::thread::spawn(move || {
            let mut file = File::options().write(true).open(pipe).unwrap();
            file.write_all(lines.as_bytes()).unwrap();
            let _ = is_shown.recv();
        });
        let mut command = tool(&project.path("."));
        command.args(arguments);
        let mut shown = Some(shown);
        let run = attended(command, 80, &mut |text| {
            if text.contains(activity) {
                shown = None;
            }
            None
        });
        assert!(shown.is_none(), "{arguments:?}: {}", run.text);
        drop(shown);
        writer.join().unwrap();
    }
}

#[test]
fn each_of_several_errors_is_marked() {
    let project = Project::new("");
    let run = on_terminal(&project, 80, &["replay", "nowhere", "nobody"], &[]);
    let marked = run.text.matches("\u{1b}[31merror:\u{1b}[0m no").count();
    assert_eq!(marked, 2, "{}", run.text);
}
