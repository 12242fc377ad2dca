//! The report for a program.

use serde_json::json;
use serde_yaml::Value;

use super::{Regression, Report, plain};
use crate::diagram::mermaid;
use crate::model::{Code, Observed, Payload};
use crate::project::{Checked, Project};
use crate::snapshot::{Difference, Verdict};

impl Report<'_> {
    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let case = &self.fixture.case;
        let events = case.history.pages().iter().map(|page| {
            let payload = page.body.event();
            json!({
                "sequence": page.sequence,
                "type": payload.map(Payload::type_name),
                "event": payload.and_then(|payload| self.decode(payload)).map(|view| in_json(&view)),
            })
        });
        let events: Vec<_> = events.collect();
        let command = case.stimulus.command();
        let command = command
            .and_then(|command| command.pages.first())
            .and_then(|page| page.command.as_ref());
        let failure = case.observed.as_ref().and_then(Observed::failure);
        let differences = |differences: &[Difference]| {
            differences
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let against_production = match &self.run.verdict {
            Verdict::NotReproduced {
                differences: found, ..
            } => differences(found),
            Verdict::Reproduced | Verdict::NotChecked { .. } => Vec::new(),
        };
        let (snapshot, against_snapshot) = match self.regression() {
            Regression::NoSnapshot => ("none".to_owned(), Vec::new()),
            Regression::Same => ("same".to_owned(), Vec::new()),
            Regression::NotChecked(reason) => (format!("not checked: {reason}"), Vec::new()),
            Regression::Differs(found) => ("differs".to_owned(), differences(&found)),
        };
        let mut report = json!({
            "fixture": Project::shown(self.path),
            "status": case.status.word(),
            "kind": case.stimulus.word(),
            "title": case.title,
            "what_if": self.is_what_if,
            "domain": case.cover.domain.as_str(),
            "root": case.cover.root.to_string(),
            "edition": case.cover.edition.label(),
            "logic": self.logic.config.name,
            "history": events,
            "command": command.map(|payload| json!({
                "type": payload.type_name(),
                "payload": self.decode(payload).map(|view| in_json(&view)),
            })),
            "state_before": self.states.before.as_ref().map(in_json),
            "today": self.run.view.as_ref().map(in_json),
            "state_after": self.states.after.as_ref().map(in_json),
            "production": case.observed.as_ref().map(|observed| json!({
                "outcome": observed.word(),
                "code": failure.map(|failure| failure.code.name()),
                "message": failure.map(|failure| &failure.message),
            })),
            "noted": case.noted.as_ref().map(|noted| json!({
                "code": noted.code.map(Code::name),
                "message": noted.message,
            })),
            "diagram": match &self.run.checked {
                Checked::Flow(run) => Some(mermaid(run)),
                Checked::Step(_) | Checked::History(_) => None,
            },
            "notes": self.said().collect::<Vec<_>>(),
            "verdict": if self.is_what_if { serde_json::Value::Null } else { self.run.verdict.to_string().into() },
            "differences_from_production": if self.is_what_if { Vec::new() } else { against_production },
            "snapshot": if self.is_what_if { serde_json::Value::Null } else { snapshot.into() },
            "differences_from_snapshot": if self.is_what_if { Vec::new() } else { against_snapshot },
        });
        if let Some(words) = &self.last_words {
            report["last_output"] = words.as_str().into();
        }
        if let Some(through) = &self.through {
            report["coordinator"] = through.described.as_str().into();
        }
        report
    }
}

/// YAML as JSON. What JSON does not have (NaN, infinities) becomes text.
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
