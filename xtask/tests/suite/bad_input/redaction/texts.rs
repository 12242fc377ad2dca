//! What stays in a message, and what is said of it.

use std::sync::Arc;

use angzarr_replay::internal::grpc::serve_logic;
use angzarr_replay::internal::model::{Answer, CommandBook, EventBook, Failure, Logic};
use angzarr_replay::internal::wire::Dialect;

use super::{ENVIRONMENT, RULES, production, project, ticket};
use crate::support::{ROOT, listener};

const MESSAGE: &str = "account locked, write to help@acme.io";

struct Saying;

impl Logic for Saying {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        Err(Failure::rejected(MESSAGE))
    }
}

#[test]
fn an_address_of_nobody_is_allowed_and_the_case_is_captured() {
    let logic = serve_logic(listener(), Dialect::ANGZARR, Arc::new(Saying)).unwrap();
    let server = production(Vec::new());
    let rules = format!("{RULES}[logic.player]\naddress = \"{}\"\n", logic.address());
    let mut project = project(&server, &rules);
    let mut ticket = ticket();
    ticket.failure.message = MESSAGE.into();
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let capture = ["capture", ROOT, "--name", "player/case"];
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("it looks like email; where that is no secret, allow it with [[audit.allow]] in replay.toml"),
        "{}",
        ran.err
    );
    let toml = project.read("replay.toml");
    let allow = |more: &str| {
        format!(
            "{toml}[[audit.allow]]\ntext = \"help@*\"\n{more}reason = \"an address of a role\"\n"
        )
    };
    // One about files, or about something else, is not about messages.
    for more in ["files = \"fixtures/*\"\n", "finding = \"JWT\"\n"] {
        project.write("replay.toml", &allow(more));
        assert_eq!(
            project.run_as(&capture, "", &ENVIRONMENT[..1]).code,
            1,
            "{more}"
        );
    }
    project.write("replay.toml", &allow("finding = \"email\"\n"));
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let case = project.read("fixtures/player/case.yaml");
    assert!(case.contains(MESSAGE), "{case}");
    assert!(
        project
            .run(&["replay", "fixtures/player/case.yaml"])
            .out
            .contains("reproduced")
    );
    assert_eq!(project.run(&["audit", "fixtures"]).code, 0);
}
