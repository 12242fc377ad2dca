//! Flows and compensations: cases that are made of more than one command.

use angzarr_replay::internal::model::{Cover, Domain, Header, Root};
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};

use super::{
    Dying, ENVIRONMENT, KEY, NAME, RULES, event, payload, production, project, registry, repeating,
    serve_as_peer, ticket, without_secrets,
};
use crate::support::{Project, ROOT, cover};

const FLOW: [&str; 2] = ["--correlation", "flow-1"];

/// The ticket as part of a workflow.
fn of_the_flow() -> angzarr_replay::internal::ticket::Ticket {
    let mut ticket = ticket();
    ticket.head = None;
    ticket.command.cover.correlation_id = "flow-1".into();
    ticket
}

fn capture<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["capture", ROOT, "--domain", "player", "--force"], more].concat()
}

/// Only its message gets into the case: what its command declares is in no part of it.
#[test]
fn the_refusal_of_a_later_hop_says_nothing_of_its_command() {
    let server = production(vec![event(
        1,
        payload("FundsDeposited", "{amount: {amount: 5}}"),
    )]);
    let mut project = project(&server, RULES);
    let mut later = of_the_flow();
    let page = &mut later.command.pages[0];
    page.header = Header::Sequence(2);
    page.command = Some(payload(
        "RegisterPlayer",
        "{display_name: Zacharias Untold}",
    ));
    later.failure.message = "player Zacharias Untold may not".into();
    project.write("failures.jsonl", &(later.to_line() + "\n"));
    let arguments = capture(&[&FLOW[..], &["--at", "1", "--name", "hop"]].concat());
    let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let case = project.read("fixtures/hop.yaml");
    assert!(case.contains("message: player p-"), "{case}");
    assert!(!(ran.out + &ran.err + &case).contains("Untold"));
}

#[test]
fn a_flow_that_begins_with_a_command_of_elsewhere_is_no_demonstration() {
    let mut project = Project::new("");
    project.write("production.jsonl", &(of_the_flow().to_line() + "\n"));
    let arguments = capture(&[&FLOW[..], &["--ticket", "production.jsonl"]].concat());
    let ran = project.run(&arguments);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(
        ran.err
            .contains("so the command (from production.jsonl) is no demonstration"),
        "{}",
        ran.err
    );
    assert!(
        project
            .files()
            .into_iter()
            .all(|(name, _)| !name.starts_with("fixtures"))
    );
}

/// This test is a process of the next one.
#[test]
fn dying_peer() {
    serve_as_peer(Dying::at(|name| name.starts_with("p-")));
}

/// Which aggregates a flow comes to is found out with what was captured.
#[test]
fn the_last_words_of_logic_in_a_flow_are_not_shown() {
    let server = production(Vec::new());
    let logic = repeating().replace(
        "bad_input::redaction::peer",
        "bad_input::redaction::workflows::dying_peer",
    );
    let mut project = project(&server, &(RULES.to_owned() + &logic));
    let mut ticket = of_the_flow();
    ticket.failure.message = "no".into();
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let arguments = capture(&[&FLOW[..], &["--ticket", "failures.jsonl"]].concat());
    let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
    let said = ran.out + &ran.err;
    assert!(said.contains("its output is not shown"), "{said}");
    without_secrets(&said, "the output");
}

#[test]
fn a_flow_leaves_the_stand_ins_of_its_ticket_alone() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let rules = [
        ("display_name", Action::Pseudonym),
        ("email", Action::Pseudonym),
        ("ai_model_id", Action::Mask),
    ];
    let rules =
        rules.map(|(field, action)| RedactionRule::new("examples.*", field, action).unwrap());
    let policy = Policy {
        rules: rules.into(),
        key: Some(Key::new(KEY).unwrap()),
        debug_redact: None,
        roots: false,
        is_strict: true,
    };
    let redactor = Redactor::new(registry(), policy).unwrap();
    let redacted = redactor.ticket(&of_the_flow()).unwrap();
    project.write("failures.jsonl", &(redacted.to_line() + "\n"));
    for more in [&FLOW[..], &[]] {
        let arguments =
            capture(&[more, &["--ticket", "failures.jsonl", "--name", "case"]].concat());
        let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!ran.out.contains("stand-ins got stand-ins"), "{}", ran.out);
        without_secrets(&project.read("fixtures/case.yaml"), "the case");
    }
}

#[test]
fn the_root_of_a_refused_command_has_a_stand_in_too() {
    let server = production(Vec::new());
    let rules = RULES.replacen("[redaction]\n", "[redaction]\nroots = \"pseudonym\"\n", 1);
    let mut project = project(&server, &rules);
    let other = "41414141-4141-4141-4141-424242424242";
    let mut refused = ticket();
    refused.failure.message = format!("{other} of {NAME} is over");
    refused.command.cover = Cover {
        root: other.parse::<Root>().unwrap(),
        ..refused.command.cover
    };
    refused.command.pages[0].header = Header::AngzarrDeferred {
        source: Some(Box::new(cover())),
        source_sequence: 0,
        source_component: "saga".into(),
        command_index: 0,
        basis_sequence: None,
    };
    project.write("failures.jsonl", &(refused.to_line() + "\n"));
    let arguments = capture(&["--compensation", "--name", "case"]);
    let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let case = project.read("fixtures/case.yaml");
    for text in [&case, &ran.out] {
        assert!(
            !text.contains("41414141") && !text.contains("QUFBQUFB"),
            "{text}"
        );
        without_secrets(text, "the case");
    }
    let own = &ROOT[..8];
    assert!(!case.contains(own), "{case}");
}

/// Its aggregate is the demonstration's, and of another domain than the one that is captured.
#[test]
fn a_refused_command_for_another_domain_of_the_demonstration_is_of_it() {
    let mut project = Project::new("");
    let mut refused = ticket();
    refused.command.cover = Cover {
        domain: Domain::new("table").unwrap(),
        root: "36f675cc-81e7-4ef5-a8e2-5d940ed90475".parse().unwrap(),
        ..refused.command.cover
    };
    refused.command.pages[0].command = Some(payload("JoinTable", "{preferred_seat: 4}"));
    project.write("refused.jsonl", &(refused.to_line() + "\n"));
    let aggregate = "player/6513270e-269e-4d37-b2a7-4de452e6b438";
    let arguments = [
        "capture",
        aggregate,
        "--compensation",
        "--ticket",
        "refused.jsonl:1",
    ];
    let ran = project.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
}
