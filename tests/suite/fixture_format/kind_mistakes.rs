//! Mistakes in the keys that only some kinds have.

use crate::fixture_format::support::file;

/// A good case of a kind: everything up to the command, then these keys.
fn of(kind: &str, keys: &str) -> String {
    let text = std::fs::read_to_string(file("format-1/rejected.yaml")).unwrap();
    let (before, _) = text.split_once("command:\n").unwrap();
    let head = before.replacen("kind: command", &format!("kind: {kind}"), 1);
    format!("{head}{keys}")
}

/// The same for a component that the case names.
fn named(kind: &str, keys: &str) -> String {
    of(kind, keys).replacen("cover:\n", "logic: seating\ncover:\n", 1)
}

fn observed(kind: &str, keys: &str) -> String {
    named(kind, &format!("observed:\n{keys}"))
}

fn without_history(text: &str) -> String {
    let (before, rest) = text.split_once("history:\n").unwrap();
    let at = rest.find("\ntrigger:").map_or(rest.len(), |at| at + 1);
    format!("{before}{}", &rest[at..])
}

const TABLE: &str =
    "cover:\n      domain: table\n      root: 0b7ff1d4-8d9e-4b8d-9a4b-3d1a2c6a4d11\n";
const STATE: &str =
    "state:\n  cover:\n    domain: seating\n    root: 0b7ff1d4-8d9e-4b8d-9a4b-3d1a2c6a4d11\n";
const COMMAND: &str = "command:\n  sequence: 2\n  merge_strategy: strict\n";
const OTHER: &str = "  to:\n    domain: table\n    root: 0b7ff1d4-8d9e-4b8d-9a4b-3d1a2c6a4d11\n";

#[allow(clippy::too_many_lines, reason = "a table")]
fn stimuli() -> Vec<(&'static str, String)> {
    vec![
        (
            "a trigger of a fact",
            of("fact", "trigger: {from: 1}\nfacts: {}\n"),
        ),
        ("effects of a saga", named("saga", "effects: harmless\n")),
        ("a state of a saga", named("saga", STATE)),
        (
            "destinations of a projector",
            named("projector", "destinations: {table: 3}\n"),
        ),
        (
            "books of a command",
            of("command", &format!("books:\n  - {TABLE}{COMMAND}")),
        ),
        ("a command of an upcaster", of("upcaster", COMMAND)),
        (
            "an unknown effect",
            named("projector", "effects: harmles\n"),
        ),
        (
            "a destination twice",
            named("saga", "destinations: {table: 3, table: 4}\n"),
        ),
        (
            "a destination before its first event",
            named("saga", "destinations: {table: -1}\n"),
        ),
        ("a saga without its name", of("saga", "")),
        (
            "a process manager without its name",
            of("process-manager", STATE),
        ),
        ("a projector without its name", of("projector", "")),
        (
            "a process manager without its state",
            named("process-manager", "trigger: {from: 1}\n"),
        ),
        ("a compensation of nothing", of("compensation", "")),
        (
            "a compensation of two",
            named("compensation", &format!("{STATE}{COMMAND}")),
        ),
        ("a fact without facts", of("fact", "")),
        (
            "a flow that does not begin",
            of("flow", &format!("books:\n  - {TABLE}")),
        ),
        (
            "a flow that begins twice",
            of("flow", &format!("{COMMAND}trigger: {{from: 1}}\n")),
        ),
        (
            "a flow of a command and facts",
            of("flow", &format!("{COMMAND}facts: {{}}\n")),
        ),
        (
            "a trigger after the history",
            named("saga", "trigger: {from: 2}\n"),
        ),
        (
            "a trigger without a first page",
            named("saga", "trigger: {with_history: true}\n"),
        ),
        ("nothing to react to", without_history(&named("saga", ""))),
        (
            "a trigger of no history",
            without_history(&named("saga", "trigger: {from: 0}\n")),
        ),
        (
            "facts for another aggregate",
            of("fact", &format!("facts:\n{OTHER}")),
        ),
        (
            "a book twice",
            of("flow", &format!("{COMMAND}books:\n  - {TABLE}  - {TABLE}")),
        ),
        (
            "a book of the case's own aggregate",
            of(
                "flow",
                &format!(
                    "{COMMAND}books:\n  - cover: {{domain: player, root: 6513270e-269e-4d37-b2a7-4de452e6b438}}\n"
                ),
            ),
        ),
        (
            "sequences of a book that do not rise",
            of(
                "flow",
                &format!(
                    "{COMMAND}books:\n  - {TABLE}    history: [{{sequence: 1}}, {{sequence: 1}}]\n"
                ),
            ),
        ),
        (
            "a missing history file of a state",
            named(
                "process-manager",
                &format!("{STATE}  history_file: histories/0123456789abcdef.jsonl.gz\n"),
            ),
        ),
        (
            "two headers of a fact",
            of(
                "fact",
                "facts:\n  events:\n    - {sequence: 1, external_deferred: {external_id: a}}\n",
            ),
        ),
        (
            "a fact with a wrong event",
            of(
                "fact",
                "facts:\n  events:\n    - type: examples.FundsDeposited\n      event: {amuont: {amount: 1}}\n",
            ),
        ),
    ]
}

fn outcomes() -> Vec<(&'static str, String)> {
    let hop = "  hops:\n    - domain: table\n      root: 0b7ff1d4-8d9e-4b8d-9a4b-3d1a2c6a4d11\n";
    let flow = |keys: &str| {
        of(
            "flow",
            &format!("{COMMAND}observed:\n  outcome: accepted\n{hop}{keys}"),
        )
    };
    vec![
        (
            "events of a saga",
            observed(
                "saga",
                "  outcome: accepted\n  events:\n    - external: {}\n",
            ),
        ),
        (
            "commands of a refused saga",
            observed(
                "saga",
                "  outcome: rejected\n  code: ABORTED\n  commands:\n    - {}\n",
            ),
        ),
        (
            "a projection of an upcaster",
            observed("upcaster", "  outcome: accepted\n  projection: {}\n"),
        ),
        (
            "pages of a projector",
            observed(
                "projector",
                "  outcome: accepted\n  pages:\n    - sequence: 1\n",
            ),
        ),
        (
            "hops of a saga",
            observed("saga", &format!("  outcome: accepted\n{hop}")),
        ),
        (
            "a hop with events and a code",
            flow("      events:\n        - external: {}\n      code: ABORTED\n"),
        ),
        (
            "a hop with a message and no code",
            flow("      message: no\n"),
        ),
        ("a hop with an unknown code", flow("      code: ABORTD\n")),
        (
            "a hop in no domain",
            flow("").replace("- domain: table", "- domain: Table 1"),
        ),
        (
            "a hop at no root",
            flow("").replace("root: 0b7ff1d4-", "root: 0b7ff1-"),
        ),
        (
            "an emitted command in two places",
            observed(
                "saga",
                "  outcome: accepted\n  commands:\n    - pages:\n        - type: examples.WithdrawFunds\n          payload: {}\n          external: {}\n          merge_strategy: strict\n",
            ),
        ),
        (
            "a projection without a type",
            observed(
                "projector",
                "  outcome: accepted\n  projection:\n    projection: {}\n",
            ),
        ),
        (
            "a notification that disagrees",
            observed(
                "saga",
                "  outcome: accepted\n  notification:\n    type: examples.WithdrawFunds\n    bytes: CgIIBQ==\n    view: {amount: {amount: 6}}\n",
            ),
        ),
    ]
}

pub(crate) fn mistakes_of_kinds() -> Vec<(&'static str, String)> {
    [stimuli(), outcomes()].concat()
}
