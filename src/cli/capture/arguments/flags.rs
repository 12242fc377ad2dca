//! Flags that belong to some kinds of case only.

use super::failure::FailureArguments;
use super::kind::KindArguments;
use crate::capturing::{FailureOrigin, RequestedKind, RequestedStart};
use crate::cli::Stop;

/// Refuses the first flag that does not belong to the kind.
pub(super) fn refuse_others(
    requested: &RequestedKind,
    kind: &KindArguments,
    failure: &FailureArguments,
) -> Result<(), Stop> {
    let of_kind = flags_of(requested);
    let others = FLAGS.iter().filter(|flag| !of_kind.contains(&flag.name));
    match others
        .into_iter()
        .find(|flag| (flag.is_there)(kind, failure))
    {
        None => Ok(()),
        Some(flag) => Err(Stop::Usage(format!(
            "{} goes with {}",
            flag.name, flag.goes_with
        ))),
    }
}

/// The flags that belong to a kind.
const fn flags_of(kind: &RequestedKind) -> &'static [&'static str] {
    match kind {
        RequestedKind::Command(failure) => match failure.origin {
            FailureOrigin::Recording { .. } => &["--persisted", "--answered-by"],
            FailureOrigin::Bundle(_) => &[],
            _ => &[
                "--ticket",
                "--command",
                "--from-log",
                "--dead-letter",
                "--history",
                "--each-distinct",
                "--persisted",
                "--answered-by",
                "--correlation",
            ],
        },
        RequestedKind::Saga { .. } => &["--at", "--with-history", "--destination", "--correlation"],
        RequestedKind::ProcessManager { .. } => &[
            "--at",
            "--with-history",
            "--destination",
            "--book",
            "--correlation",
        ],
        RequestedKind::Projector { .. } => {
            &["--at", "--with-history", "--harmless", "--correlation"]
        }
        RequestedKind::Upcaster { .. } => &["--correlation"],
        RequestedKind::Fact { .. } => &["--at", "--correlation"],
        RequestedKind::Compensation {
            process_manager: None,
            ..
        } => &["--ticket", "--correlation"],
        RequestedKind::Compensation { .. } => &["--ticket", "--destination", "--correlation"],
        RequestedKind::Flow { start, .. } => match start {
            RequestedStart::FirstEvent | RequestedStart::Events(_) => {
                &["--at", "--book", "--correlation"]
            }
            RequestedStart::Written(_) => &["--command", "--book", "--correlation"],
            RequestedStart::Ticket(_) => &["--ticket", "--book", "--correlation"],
        },
    }
}

struct KindFlag {
    name: &'static str,
    is_there: fn(&KindArguments, &FailureArguments) -> bool,
    goes_with: &'static str,
}

const FLAGS: [KindFlag; 14] = [
    KindFlag {
        name: "--at",
        is_there: |kind, _| kind.at.is_some(),
        goes_with: "a case of a saga, process manager, projector, fact, or workflow that begins with an event",
    },
    KindFlag {
        name: "--with-history",
        is_there: |kind, _| kind.with_history,
        goes_with: "a case of a saga, process manager or projector",
    },
    KindFlag {
        name: "--destination",
        is_there: |kind, _| !kind.destination.is_empty(),
        goes_with: "a case of a saga or process manager",
    },
    KindFlag {
        name: "--book",
        is_there: |kind, _| !kind.book.is_empty(),
        goes_with: "a case of a process manager or workflow",
    },
    KindFlag {
        name: "--harmless",
        is_there: |kind, _| kind.harmless,
        goes_with: "a case of a projector",
    },
    KindFlag {
        name: "--ticket",
        is_there: |_, failure| failure.ticket().is_some(),
        goes_with: "a case of a command, compensation or workflow",
    },
    KindFlag {
        name: "--command",
        is_there: |_, failure| failure.command.is_some(),
        goes_with: "a case of a command or workflow",
    },
    KindFlag {
        name: "--from-log",
        is_there: |_, failure| failure.from_log.is_some(),
        goes_with: "a case of a command",
    },
    KindFlag {
        name: "--dead-letter",
        is_there: |_, failure| failure.has_dead_letter(),
        goes_with: "a case of a command",
    },
    KindFlag {
        name: "--history",
        is_there: |_, failure| failure.is_history_alone(),
        goes_with: "a case of the history alone",
    },
    KindFlag {
        name: "--each-distinct",
        is_there: |_, failure| failure.each_distinct,
        goes_with: "cases of commands from a log",
    },
    KindFlag {
        name: "--persisted",
        is_there: |_, failure| failure.persisted.is_some(),
        goes_with: "a case of a command",
    },
    KindFlag {
        name: "--answered-by",
        is_there: |_, failure| failure.answered_by.is_some(),
        goes_with: "a case of a command",
    },
    KindFlag {
        name: "--correlation",
        is_there: |kind, _| kind.correlation.is_some(),
        goes_with: "a log, or with a case of a component or workflow; a recorded call says itself which workflow it belongs to",
    },
];
