//! Text from files and servers that could act on a terminal or on the runner of a CI.

use angzarr_replay::internal::model::{Cover, Domain, Payload, Root};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::Dialect;

use crate::bad_input::logic::{CASE, captured};
use crate::support::{Project, coordinator, recorded_failures, seed};
use test_support::books;
use test_support::hostile::{HOSTILE, harmless, in_yaml};

/// A committed file can say what it likes.
#[test]
fn a_hostile_fixture_is_shown_and_does_not_act() {
    let mut project = captured("");
    let hostile = in_yaml();
    let case = project.read(CASE);
    let title = case
        .lines()
        .find(|line| line.starts_with("title:"))
        .unwrap();
    let message = case
        .lines()
        .find(|line| line.starts_with("  message:"))
        .unwrap();
    let changed = case
        .replace(title, &format!("title: {hostile}\nissue: {hostile}"))
        .replace(message, &format!("  message: {hostile}"))
        .replace("  name: embedded", &format!("  name: {hostile}"));
    project.write(CASE, &changed);
    for arguments in [
        &["replay", CASE][..],
        &["replay", CASE, "--json"],
        &["replay", CASE, "--set", "command.nope=1"],
        &["close", CASE],
        &["close", CASE, "--force"],
        &["audit"],
    ] {
        let ran = project.run(arguments);
        harmless(&(ran.out + &ran.err), &format!("{arguments:?}"));
    }
    let ran = project.run(&["replay", CASE]);
    let said = ran.out + &ran.err;
    assert!(said.contains("\\u001b[2J"), "{said}");
    assert_eq!(said.matches("\nverdict").count(), 1, "{said}");
}

/// So can a server, and who writes a log.
#[test]
fn a_hostile_server_or_log_is_shown_and_does_not_act() {
    let cover = Cover::main(Domain::new("player").unwrap(), Root::new([7; 16]));
    let page = books::event(0, Payload::new(&format!("t.{HOSTILE}"), vec![1]));
    let server = coordinator(Dialect::ANGZARR, &[seed(cover.clone(), vec![page])]);
    let mut project = Project::of_source(server.address(), "tickets = [\"failures.jsonl\"]\n");
    let line = recorded_failures();
    let mut ticket = Ticket::parse_line(line.lines().nth(2).unwrap(), 3).unwrap();
    ticket.command.cover = cover;
    ticket.command.original = None;
    ticket.failure.message = HOSTILE.into();
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let root = "07070707-0707-0707-0707-070707070707";
    for arguments in [
        &["roots"][..],
        &["roots", "--json"],
        &["tickets", "failures.jsonl"],
        &[
            "capture",
            root,
            "--unredacted",
            "--dry-run",
            "--to-sequence",
            "0",
        ],
        &[
            "capture",
            root,
            "--unredacted",
            "--json",
            "--to-sequence",
            "0",
        ],
        &["capture", root, "--history", "--unredacted", "--dry-run"],
        &[
            "capture",
            root,
            "--ticket",
            &format!("{HOSTILE}:1"),
            "--unredacted",
        ],
    ] {
        let ran = project.run(arguments);
        harmless(&(ran.out + &ran.err), &format!("{arguments:?}"));
    }
}
