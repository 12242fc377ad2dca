//! The debug report of a replayed case, as text and as JSON.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;
use serde_yaml::Value;

use crate::fixture::{Case, CaseStimulus, Fixture, Observed, Status};
use crate::model::{Body, Cover, Header, Outcome, Payload, Snapshot, Stimulus, Timestamp};
use crate::payload::{Decoded, Registry, to_yaml};
use crate::project::{CaseRun, Checked, Project, SelectedLogic, book_of};
use crate::replay::{Note, Target, shown_book};
use crate::snapshot::{Difference, Verdict, WITHOUT_SNAPSHOT, differences, stored};

/// Everything that a report shows.
pub(super) struct Report<'a> {
    pub(super) path: &'a Path,
    pub(super) fixture: &'a Fixture,
    pub(super) logic: &'a SelectedLogic,
    pub(super) run: &'a CaseRun,
    /// State before and after, where the logic offers it.
    pub(super) states: (Option<Value>, Option<Value>),
    pub(super) descriptors: [&'a Registry; 2],
    /// The case was changed for this replay: what production did and the snapshot are no measure.
    pub(super) is_what_if: bool,
}

/// How the outcome stands to the accepted snapshot.
pub(super) enum Regression {
    /// There is none.
    NoSnapshot,
    /// It is the same.
    Same,
    /// It differs.
    Differs(Vec<Difference>),
    /// It cannot be read, or there is nothing to compare.
    NotChecked(String),
}

impl Report<'_> {
    pub(super) fn regression(&self) -> Regression {
        let snapshot = Project::snapshot_path(self.path);
        match (stored::accepted(&snapshot), self.run.text()) {
            (Err(reason), _) => {
                Regression::NotChecked(format!("{}: {reason}", Project::shown(&snapshot)))
            }
            (Ok(None), _) => Regression::NoSnapshot,
            (Ok(Some(_)), None) => {
                Regression::NotChecked("the logic offers nothing to compare".into())
            }
            (Ok(Some(accepted)), Some(text)) if stored::is_same(&accepted, &text) => {
                Regression::Same
            }
            (Ok(Some(accepted)), Some(_)) => {
                let expected: Value = serde_yaml::from_str(&accepted).unwrap_or_default();
                let now = self.run.view.clone().unwrap_or_default();
                Regression::Differs(differences(&expected, &now))
            }
        }
    }

    /// Whether the case is as it should be.
    pub(super) fn is_fine(&self) -> bool {
        if self.is_what_if {
            return true;
        }
        match (self.regression(), self.fixture.case.status) {
            (Regression::Same, _) => true,
            (Regression::Differs(_) | Regression::NotChecked(_), _)
            | (Regression::NoSnapshot, Status::Closed) => false,
            (Regression::NoSnapshot, Status::Open) => self.run.verdict == Verdict::Reproduced,
        }
    }

    pub(super) fn text(&self) -> String {
        let case = &self.fixture.case;
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} ({}): {}",
            Project::shown(self.path),
            case.status.word(),
            case.title
        );
        let _ = writeln!(text, "{}", provenance(case));
        if self.is_what_if {
            let _ = writeln!(
                text,
                "what if: the case was changed for this replay; the fixture was not"
            );
        }
        self.history(&mut text);
        section(
            &mut text,
            "state before",
            self.states.0.as_ref().map(to_yaml),
        );
        self.command(&mut text);
        let today = self
            .run
            .view
            .as_ref()
            .map_or_else(|| "nothing to compare\n".to_owned(), to_yaml);
        section(
            &mut text,
            &format!("today, on {}", self.logic.describe()),
            Some(today),
        );
        section(
            &mut text,
            "state after",
            self.states.1.as_ref().map(to_yaml),
        );
        section(&mut text, "production", Some(self.production()));
        self.notes(&mut text);
        self.conclusion(&mut text);
        text
    }

    fn history(&self, text: &mut String) {
        let case = &self.fixture.case;
        text.push_str("\nhistory\n");
        if let Some(snapshot) = &case.snapshot {
            let _ = writeln!(
                text,
                "  snapshot after sequence {}: {}",
                snapshot.sequence,
                self.state_line(snapshot)
            );
        }
        let pages = case.history.pages();
        if pages.is_empty() {
            text.push_str("  no events\n");
        }
        let name = |body: &Body| match body {
            Body::Event(payload) => short(payload),
            Body::External(reference) => format!("stored at {}", reference.uri),
            Body::Empty => "nothing".to_owned(),
        };
        let width = pages
            .iter()
            .map(|page| name(&page.body).len())
            .max()
            .unwrap_or(0);
        for page in pages {
            let time = page
                .created_at
                .map(instant)
                .map(|time| format!("  {time}"))
                .unwrap_or_default();
            let content = page
                .body
                .event()
                .map(|payload| self.line(payload))
                .unwrap_or_default();
            let mark = if page.provisional {
                "  (provisional)"
            } else {
                ""
            };
            let line = format!(
                "  {:>4}{time}  {:<width$}  {content}{mark}",
                page.sequence,
                name(&page.body)
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }

    fn state_line(&self, snapshot: &Snapshot) -> String {
        snapshot.state.as_ref().map_or_else(String::new, |state| {
            format!("{} {}", short(state), self.line(state))
        })
    }

    fn command(&self, text: &mut String) {
        let CaseStimulus::Command(command) = &self.fixture.case.stimulus else {
            return;
        };
        for page in &command.pages {
            let sequence = match &page.header {
                Header::Sequence(sequence) => format!("for sequence {sequence}"),
                Header::Absent => "without a sequence".to_owned(),
                Header::ExternalDeferred { .. } | Header::AngzarrDeferred { .. } => {
                    "deferred".to_owned()
                }
            };
            let payload = page.command.as_ref();
            let name = payload.map_or_else(|| "nothing".to_owned(), short);
            let view = payload.map(|payload| match self.decode(payload) {
                Some(view) => to_yaml(&view),
                None => format!(
                    "{} bytes; no descriptor of {}\n",
                    payload.value.len(),
                    payload.type_name()
                ),
            });
            section(
                text,
                &format!("command: {name}, {sequence}"),
                view.or_else(|| Some(String::new())),
            );
        }
    }

    fn production(&self) -> String {
        match &self.fixture.case.observed {
            None => "not known\n".to_owned(),
            Some(Observed::Accepted(events)) => {
                let names: Vec<String> = events.iter().filter_map(Body::event).map(short).collect();
                format!(
                    "accepted: {}\n",
                    if names.is_empty() {
                        "no events".to_owned()
                    } else {
                        names.join(", ")
                    }
                )
            }
            Some(observed) => match observed.failure() {
                Some(failure) => format!(
                    "{}: {} {:?}\n",
                    observed.word(),
                    failure.code,
                    failure.message
                ),
                None => format!("{}\n", observed.word()),
            },
        }
    }

    fn notes(&self, text: &mut String) {
        for note in &self.run.notes {
            let _ = writeln!(text, "\nnote: {}", worded(note));
        }
        for rule in &self.run.unused_rules {
            let _ = writeln!(
                text,
                "\nnote: the case's own rule for `{}` of `{}` never fired",
                rule.field, rule.type_pattern
            );
        }
        let has_other = self
            .run
            .view
            .as_ref()
            .is_some_and(|view| view.get(WITHOUT_SNAPSHOT).is_some());
        if has_other {
            let _ = writeln!(
                text,
                "\nnote: with the full history instead of the stored snapshot the outcome is another"
            );
        }
    }

    fn conclusion(&self, text: &mut String) {
        if self.is_what_if {
            return;
        }
        let _ = writeln!(text, "\nverdict    {}", self.run.verdict);
        if let Verdict::NotReproduced { differences, .. } = &self.run.verdict {
            for difference in differences {
                let _ = writeln!(text, "           {difference}");
            }
        }
        match self.regression() {
            Regression::NoSnapshot => {
                let _ = writeln!(text, "snapshot   none");
            }
            Regression::Same => {
                let _ = writeln!(text, "snapshot   the same");
            }
            Regression::NotChecked(reason) => {
                let _ = writeln!(text, "snapshot   not checked: {reason}");
            }
            Regression::Differs(differences) => {
                let _ = writeln!(text, "snapshot   differs");
                for difference in differences {
                    let _ = writeln!(text, "           {difference}");
                }
            }
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
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
        let command = match &case.stimulus {
            CaseStimulus::Command(command) => {
                command.pages.first().and_then(|page| page.command.as_ref())
            }
            CaseStimulus::History => None,
        };
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
        json!({
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
            "state_before": self.states.0.as_ref().map(in_json),
            "today": self.run.view.as_ref().map(in_json),
            "state_after": self.states.1.as_ref().map(in_json),
            "production": case.observed.as_ref().map(|observed| json!({
                "outcome": observed.word(),
                "code": failure.map(|failure| failure.code.name()),
                "message": failure.map(|failure| &failure.message),
            })),
            "notes": self.run.notes.iter().map(worded).collect::<Vec<_>>(),
            "verdict": if self.is_what_if { serde_json::Value::Null } else { self.run.verdict.to_string().into() },
            "differences_from_production": if self.is_what_if { Vec::new() } else { against_production },
            "snapshot": if self.is_what_if { serde_json::Value::Null } else { snapshot.into() },
            "differences_from_snapshot": if self.is_what_if { Vec::new() } else { against_snapshot },
        })
    }

    fn decode(&self, payload: &Payload) -> Option<Value> {
        let registry = self
            .descriptors
            .iter()
            .find(|registry| registry.knows(payload.type_name()))?;
        match registry.decode(payload) {
            Decoded::Exact(view) | Decoded::Inexact(view) => Some(view),
            Decoded::Undescribed | Decoded::Malformed(_) => None,
        }
    }

    fn line(&self, payload: &Payload) -> String {
        match self.decode(payload) {
            Some(view) => in_one_line(&view),
            None => format!("{} bytes; no descriptor", payload.value.len()),
        }
    }
}

/// The state of a case before its command, and after it, where the logic offers it. A failure here is none of
/// the case's.
pub(super) fn states(
    case: &Case,
    run: &CaseRun,
    target: &dyn Target,
    view: impl Fn(&Payload) -> Option<Value>,
) -> (Option<Value>, Option<Value>) {
    let Checked::Command(replay) = &run.checked else {
        return (None, None);
    };
    let Some(shown) = shown_book(target, &book_of(case)) else {
        return (None, None);
    };
    let fold = |pages: Vec<crate::model::Page>| {
        let stimulus = Stimulus::Fold {
            snapshot: shown.snapshot.clone(),
            pages,
        };
        match target.ask(&stimulus) {
            Ok(Outcome::Folded(state)) => view(&state),
            _ => None,
        }
    };
    let mut pages = shown.history.pages().to_vec();
    let before = fold(pages.clone());
    let Outcome::Accepted(book) = &replay.outcome else {
        return (before, None);
    };
    if before.is_none() || book.pages.is_empty() {
        return (before, None);
    }
    for (sequence, page) in (shown.next_sequence..).zip(&book.pages) {
        pages.push(crate::model::Page {
            sequence,
            created_at: page.created_at,
            body: page.body.clone(),
            provisional: false,
            cascade_id: None,
            original: None,
        });
    }
    (before, fold(pages))
}

fn provenance(case: &Case) -> String {
    let Cover {
        domain,
        root,
        edition,
        ..
    } = &case.cover;
    let issue = case
        .issue
        .as_ref()
        .map(|issue| format!("; issue {issue}"))
        .unwrap_or_default();
    format!(
        "{domain} {root}, edition {}; captured from {} ({}) at {}{issue}",
        edition.label(),
        case.source.name,
        case.source.dialect,
        instant(case.source.captured_at)
    )
}

fn instant(time: Timestamp) -> String {
    jiff::Timestamp::new(time.seconds, time.nanos).map_or_else(
        |_| format!("{} s", time.seconds),
        |instant| instant.to_string(),
    )
}

fn short(payload: &Payload) -> String {
    payload
        .type_name()
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn section(text: &mut String, title: &str, body: Option<String>) {
    let Some(body) = body else { return };
    let _ = writeln!(text, "\n{title}");
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn worded(note: &Note) -> String {
    match note {
        Note::RefusedBeforeLogic => {
            "the coordinator refuses this command before the logic sees it: it was made for another head".into()
        }
        Note::Masked { pages } => {
            format!("{pages} provisional or framework pages were shown as placeholders, as a coordinator does it")
        }
        Note::EchoesLeftOut { pages } => format!("the logic repeated {pages} pages that it was shown; left out"),
        Note::OddSequence { position, says, next } => format!(
            "event {} says sequence {says} where {next} comes next: a coordinator drops it silently or refuses it",
            position + 1
        ),
    }
}

/// A view in one line, as far as it fits.
fn in_one_line(view: &Value) -> String {
    const ROOM: usize = 100;
    let text = flow(view);
    if text.chars().count() <= ROOM {
        return text;
    }
    text.chars().take(ROOM - 1).chain(['…']).collect()
}

fn flow(view: &Value) -> String {
    match view {
        Value::Mapping(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| match value {
                    Value::Mapping(_) => format!("{}: {{{}}}", plain(key), flow(value)),
                    value => format!("{}: {}", plain(key), flow(value)),
                })
                .collect();
            fields.join(", ")
        }
        Value::Sequence(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    if item.is_mapping() {
                        format!("{{{}}}", flow(item))
                    } else {
                        flow(item)
                    }
                })
                .collect();
            format!("[{}]", items.join(", "))
        }
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => to_yaml(other).trim_end().to_owned(),
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
