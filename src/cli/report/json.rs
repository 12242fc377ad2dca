//! The report as JSON.

use serde_json::json;
use serde_yaml::Value;

use super::plain;
use crate::diagram::mermaid;
use crate::model::{Code, Observed, Payload, ReportedFailure};
use crate::project::{CaseResult, Project};
use crate::replaying::{ReplayReport, SnapshotComparison};
use crate::snapshot::{Difference, Verdict};

/// The report as one JSON object.
pub(in crate::cli) fn json(report: &ReplayReport) -> serde_json::Value {
    let case = &report.fixture.case;
    let events = case.history.pages().iter().map(|page| {
        let payload = page.body.event();
        json!({
            "sequence": page.sequence,
            "type": payload.map(Payload::type_name),
            "event": payload.and_then(|payload| report.decode(payload)).map(|view| in_json(&view)),
        })
    });
    let events: Vec<_> = events.collect();
    let command = case.stimulus.command();
    let command = command
        .and_then(|command| command.pages.first())
        .and_then(|page| page.command.as_ref());
    let mut object = json!({
        "replay": 1,
        "fixture": Project::shown(&report.path),
        "status": case.status.word(),
        "kind": case.stimulus.word(),
        "title": case.title,
        "what_if": report.is_what_if,
        "domain": case.cover.domain.as_str(),
        "root": case.cover.root.to_string(),
        "edition": case.cover.edition.label(),
        "logic": report.replayed.logic.selected().config.name,
        "history": events,
        "command": command.map(|payload| json!({
            "type": payload.type_name(),
            "payload": report.decode(payload).map(|view| in_json(&view)),
        })),
        "state_before": report.states.before.as_ref().map(in_json),
        "today": report.replayed.view.as_ref().map(in_json),
        "state_after": report.states.after.as_ref().map(in_json),
        "production": case.observed.as_ref().map(production),
        "noted": case.noted.as_ref().map(noted),
        "diagram": match &report.replayed.result {
            CaseResult::Flow(run) => Some(mermaid(run)),
            CaseResult::Step(_) | CaseResult::History(_) => None,
        },
        "notes": report.notes,
    });
    for (key, value) in comparisons(report) {
        object[key] = value;
    }
    if let Some(output) = &report.last_output {
        object["last_output"] = output.as_str().into();
    }
    if let Some(coordinator) = &report.coordinator {
        object["coordinator"] = coordinator.description.as_str().into();
    }
    object
}

/// What production did. The events are those of an accepted command.
pub(in crate::cli) fn production(observed: &Observed) -> serde_json::Value {
    let failure = observed.failure();
    let events = match observed {
        Observed::Accepted(events) => Some(events),
        _ => None,
    };
    let events = events.map(|events| {
        let bodies = events.iter().map(|event| event.body.event());
        let types = bodies.map(|event| event.map(Payload::type_name));
        types.collect::<Vec<_>>()
    });
    json!({
        "outcome": observed.word(),
        "code": failure.map(|failure| failure.code.name()),
        "message": failure.map(|failure| &failure.message),
        "events": events,
    })
}

/// A failure that is known from a note, such as a line of a log.
pub(in crate::cli) fn noted(noted: &ReportedFailure) -> serde_json::Value {
    json!({"code": noted.code.map(Code::name), "message": noted.message})
}

/// The comparison with production and with the snapshot. A modified case is compared with neither.
fn comparisons(report: &ReplayReport) -> [(&'static str, serde_json::Value); 4] {
    let words = |differences: &[Difference]| -> serde_json::Value {
        let differences = differences.iter().map(ToString::to_string);
        differences.collect::<Vec<_>>().into()
    };
    let none = || words(&[]);
    let null = serde_json::Value::Null;
    let (snapshot, from_snapshot) = match &report.snapshot {
        _ if report.is_what_if => (null.clone(), none()),
        SnapshotComparison::NoSnapshot => ("none".into(), none()),
        SnapshotComparison::Same => ("same".into(), none()),
        SnapshotComparison::NotChecked(reason) => (format!("not checked: {reason}").into(), none()),
        SnapshotComparison::Differs(found) => ("differs".into(), words(found)),
    };
    let (verdict, from_production) = match &report.replayed.verdict {
        _ if report.is_what_if => (null, none()),
        verdict @ Verdict::NotReproduced { differences, .. } => {
            (verdict.to_string().into(), words(differences))
        }
        verdict @ (Verdict::Reproduced | Verdict::NotChecked { .. }) => {
            (verdict.to_string().into(), none())
        }
    };
    [
        ("verdict", verdict),
        ("differences_from_production", from_production),
        ("snapshot", snapshot),
        ("differences_from_snapshot", from_snapshot),
    ]
}

/// YAML as JSON. Values that JSON lacks (NaN, infinities) become text.
fn in_json(view: &Value) -> serde_json::Value {
    match view {
        Value::Mapping(fields) => fields
            .iter()
            .map(|(key, value)| (plain(key), in_json(value)))
            .collect(),
        Value::Sequence(items) => items.iter().map(in_json).collect(),
        other => serde_json::to_value(other)
            .ok()
            .filter(|json| !json.is_null() || other.is_null())
            .unwrap_or_else(|| plain(other).into()),
    }
}
