//! What was found, as JSON.

use serde_json::json;

use crate::capture::Aside;
use crate::cli::report::instant;
use crate::finding::{CauseTree, FindReport, Matched, Occurrence, OccurrenceKind};
use crate::model::{Code, Domain};

pub(super) fn of(report: &FindReport) -> serde_json::Value {
    let occurrences = report.occurrences.iter().map(of_occurrence);
    let workflows = report.workflows.iter().map(|workflow| {
        json!({
            "correlation_id": workflow.correlation_id,
            "trees": workflow.trees.iter().map(of_tree).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": 1,
        "matching": report.matching,
        "left_out": report.left_out,
        "occurrences": occurrences.collect::<Vec<_>>(),
        "workflows": workflows.collect::<Vec<_>>(),
        "looked_at": report.looked,
        "not_looked_at": report.not_looked,
        "capture": report.capture,
        "capture_note": report.capture_note,
    })
}

fn of_tree(tree: &CauseTree) -> serde_json::Value {
    json!({
        "occurrence": tree.occurrence,
        "caused": tree.caused.iter().map(of_tree).collect::<Vec<_>>(),
    })
}

fn of_occurrence(occurrence: &Occurrence) -> serde_json::Value {
    let matched = occurrence.matched.iter().copied();
    json!({
        "kind": word_of(occurrence.kind),
        "place": occurrence.place.to_string(),
        "matched": matched.map(Matched::words).collect::<Vec<_>>(),
        "time": occurrence.time.map(instant),
        "domain": occurrence.domain.as_ref().map(Domain::as_str),
        "root": occurrence.root.map(|root| root.to_string()),
        "edition": occurrence.edition.label(),
        "correlation_id": occurrence.correlation_id,
        "trace_id": occurrence.trace_id,
        "type": occurrence.type_name,
        "code": occurrence.code.map(Code::name),
        "message": occurrence.message,
        "about_the_logic": occurrence.is_failure_of_logic(),
        "aside": occurrence.aside.map(Aside::word),
        "cause": occurrence.cause.as_ref().map(|cause| json!({
            "domain": cause.domain.as_str(),
            "root": cause.root.to_string(),
            "sequence": cause.sequence,
            "component": cause.component,
        })),
        "sequences": occurrence.sequences.map(|(first, last)| [first, last]),
    })
}

const fn word_of(kind: OccurrenceKind) -> &'static str {
    match kind {
        OccurrenceKind::FailedCommand => "failed_command",
        OccurrenceKind::LoggedFailure => "logged_failure",
        OccurrenceKind::AcceptedCommand => "accepted_command",
        OccurrenceKind::RecordedCall => "recorded_call",
        OccurrenceKind::DeadLetter => "dead_letter",
        OccurrenceKind::Events => "events",
        OccurrenceKind::Aggregate => "aggregate",
    }
}
