//! Queries are asked again where that is safe and may help, and no faster than is allowed.

use std::time::{Duration, Instant};

use tonic::{Code, Status};

use crate::production::gate::Gate;
use crate::production::tls::{CAPTURE, production};
use crate::support::Project;

/// A gate that refuses the first calls.
fn refusing(first: usize, code: Code) -> (angzarr_replay::internal::grpc::Server, Gate) {
    let behind = production();
    let gate = Gate::refusing(behind.address(), move |number, _| {
        (number < first).then(|| Status::new(code, "not now"))
    });
    (behind, gate)
}

#[test]
fn what_may_pass_is_waited_for() {
    let (_behind, gate) = refusing(3, Code::Unavailable);
    let mut project = Project::of_source(gate.address, "");
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_refusal_that_stays_is_told_after_the_last_retry() {
    for (more, calls) in [("retries = 0\n", 1), ("retries = 1\n", 2), ("", 4)] {
        let (_behind, gate) = refusing(100, Code::Unavailable);
        let mut project = Project::of_source(gate.address, more);
        let ran = project.run(&CAPTURE);
        assert_eq!(ran.code, 1);
        assert_eq!(
            ran.err.trim_end(),
            "error: source `production`, domain `player`: 127.0.0.1:PORT answered EventQueryService/GetEventBook with \
             UNAVAILABLE: not now"
        );
        assert_eq!(gate.seen().len(), calls);
    }
}

#[test]
fn a_source_that_never_ends_is_asked_no_more_than_is_allowed() {
    let behind = production();
    for bound in ["max_queries = 1", "max_mebibytes = 0"] {
        let ran = Project::of_source(behind.address(), &format!("{bound}\n")).run(&CAPTURE);
        assert_eq!(ran.code, 1);
        let said = format!(
            "127.0.0.1:PORT has more to send, but the bound `{bound}` of its source is reached: it may ignore the requested \
             range, or send without end; raise the bound if the amount is right"
        );
        assert!(ran.err.contains(&said), "{}", ran.err);
    }
}

#[test]
fn what_will_not_pass_is_not_asked_again() {
    for code in [Code::PermissionDenied, Code::Unauthenticated] {
        let (_behind, gate) = refusing(100, code);
        let ran = Project::of_source(gate.address, "").run(&CAPTURE);
        assert_eq!(ran.code, 1);
        assert_eq!(gate.seen().len(), 1, "{}", ran.err);
    }
}

#[test]
fn queries_come_no_faster_than_allowed() {
    let behind = production();
    let gate = Gate::open(behind.address());
    let mut project = Project::of_source(gate.address, "queries_per_second = 10\n");
    let begun = Instant::now();
    let ran = project.run(&["roots", "--counts"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let queries = u32::try_from(gate.seen().len()).unwrap();
    assert!(queries >= 3);
    // However slow the machine, this holds.
    assert!(begun.elapsed() >= Duration::from_millis(100) * (queries - 1));
}
