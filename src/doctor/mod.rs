//! Checks that everything a project names exists and works. Reports one finding per part, with advice if it does not
//! work.
//!
//! Reads files, starts the logic, and asks sources for their dialect. Replays and writes nothing.

mod logic;

use std::collections::BTreeSet;
use std::path::Path;

use crate::documentation::Page;
use crate::fixture::Fixture;
use crate::harness::{DiscoveryError, Entry, discover, leftovers, pending_path};
use crate::model::Status;
use crate::project::Project;
use crate::snapshot::stored;

/// A checked part of the project, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedPart {
    /// `source production`, `logic player`.
    pub(crate) subject: String,
    pub(crate) state: State,
}

/// The state of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It works; the text describes it.
    Fine(String),
    /// It works, but something about it may be surprising.
    Notice(String),
    /// It does not work; the text says why and what to do.
    Wrong(String),
}

impl CheckedPart {
    fn new(subject: impl Into<String>, state: State) -> Self {
        Self {
            subject: subject.into(),
            state,
        }
    }

    /// Whether the user has to do something.
    pub(crate) const fn is_wrong(&self) -> bool {
        matches!(self.state, State::Wrong(_))
    }

    /// The printed name of the state.
    pub(crate) const fn word(&self) -> &'static str {
        match self.state {
            State::Fine(_) => "ok",
            State::Notice(_) => "note",
            State::Wrong(_) => "wrong",
        }
    }

    pub(crate) fn text(&self) -> &str {
        match &self.state {
            State::Fine(text) | State::Notice(text) | State::Wrong(text) => text,
        }
    }
}

/// Checks a project part by part. Passes on each finding immediately, because starting logic may take long.
pub(crate) fn examine(project: &Project, watch: &mut dyn FnMut(CheckedPart)) {
    let mut report = |subject: &str, state| watch(CheckedPart::new(subject, state));
    report("configuration", configuration(project));
    let cases = Cases::read(project);
    report("fixtures", cases.state());
    for problem in &cases.unreadable {
        report("fixtures", State::Wrong(problem.clone()));
    }
    report("snapshots", snapshots(project, &cases.entries));
    report("descriptors", descriptors(project, &cases.fixtures));
    report("redaction", redaction(project));
    sources(project, watch);
    logic::examine(project, watch);
}

fn configuration(project: &Project) -> State {
    let file = project.config().root.join("replay.toml");
    if file.is_file() {
        State::Fine(Project::shown(&file))
    } else {
        State::Notice(
            "there is no replay.toml: every key has its default; `init` writes one".into(),
        )
    }
}

/// All fixtures that can be read.
struct Cases {
    fixtures: Vec<Fixture>,
    unreadable: Vec<String>,
    entries: Vec<Entry>,
}

impl Cases {
    fn read(project: &Project) -> Self {
        let mut cases = Self {
            fixtures: Vec::new(),
            unreadable: Vec::new(),
            entries: Vec::new(),
        };
        let entries = match discover(project) {
            Ok(entries) => entries,
            Err(DiscoveryError::Empty { .. }) => return cases,
            Err(error) => {
                cases.unreadable.push(error.to_string());
                return cases;
            }
        };
        let paths: BTreeSet<&Path> = entries.iter().map(|entry| &*entry.path).collect();
        for path in paths {
            match project.folder().read(path) {
                Ok(fixture) => cases.fixtures.push(fixture),
                Err(error) => cases.unreadable.push(error.to_string()),
            }
        }
        cases.entries = entries;
        cases
    }

    fn state(&self) -> State {
        let open = self
            .fixtures
            .iter()
            .filter(|it| it.case.status == Status::Open);
        match self.fixtures.len() {
            0 if self.unreadable.is_empty() => {
                State::Notice("none yet: `capture` writes the first".into())
            }
            count => State::Fine(format!(
                "{count} can be read, {} of them open",
                open.count()
            )),
        }
    }
}

/// Checks for snapshots without a fixture, and for outcomes that wait for a review.
fn snapshots(project: &Project, entries: &[Entry]) -> State {
    let leftovers = match leftovers(project) {
        Ok(leftovers) => leftovers,
        Err(DiscoveryError::Empty { .. }) => return State::Fine("none yet".into()),
        Err(error) => return State::Wrong(error.to_string()),
    };
    if let Some(reason) = leftovers.unknown {
        return State::Wrong(reason.to_string());
    }
    if !leftovers.unused.is_empty() {
        return State::Wrong(format!(
            "{} files that no fixture uses, {} the first; delete them with `clean`, or bring their fixtures back",
            leftovers.unused.len(),
            Project::shown(&leftovers.unused[0])
        ));
    }
    let own = || entries.iter().filter(|entry| entry.twin.is_none());
    for entry in own() {
        let snapshot = Project::snapshot_path(&entry.path);
        if let Err(reason) = stored::accepted(&snapshot) {
            return State::Wrong(format!("{}: {reason}", Project::shown(&snapshot)));
        }
    }
    let is_pending = |entry: &&Entry| pending_path(&Project::snapshot_path(&entry.path)).is_file();
    let pending = own().filter(is_pending).count();
    if pending > 0 {
        return State::Notice(format!("{pending} outcomes wait to be reviewed"));
    }
    State::Fine("each belongs to a fixture".into())
}

fn descriptors(project: &Project, fixtures: &[Fixture]) -> State {
    let registry = match project.registry() {
        Ok(registry) => registry,
        Err(error) => return State::Wrong(error.to_string()),
    };
    let mut unknown = BTreeSet::new();
    for fixture in fixtures {
        let Ok(registry) = project.registry_for(&fixture.case.source.dialect) else {
            continue;
        };
        let pages = fixture.case.history.pages().iter();
        let events = pages.filter_map(|page| page.body.event());
        let commands = fixture.case.stimulus.command().into_iter();
        let commands = commands
            .flat_map(|book| &book.pages)
            .filter_map(|page| page.command.as_ref());
        let payloads = events
            .chain(commands)
            .map(|payload| payload.type_name().to_owned());
        unknown.extend(payloads.filter(|name| !registry.knows(name)));
    }
    let left_out = registry.left_out();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.into_iter().collect();
        return State::Wrong(format!(
            "{} types of captured events and commands are described nowhere today: {}; add their .proto files to `descriptors`",
            names.len(),
            listed(&names)
        ));
    }
    if let Some(first) = left_out.first() {
        return State::Notice(format!(
            "{} files are left out, the first: {first}",
            left_out.len()
        ));
    }
    match registry.type_names().len() {
        0 => State::Notice(
            "none: payloads are carried and shown as bytes; name .proto folders in `descriptors`"
                .into(),
        ),
        count => State::Fine(format!("{count} message types")),
    }
}

/// Maximum number of names in a line.
const LISTED: usize = 5;

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(LISTED);
    let shown = names
        .iter()
        .take(LISTED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

fn redaction(project: &Project) -> State {
    let names: Vec<&String> = project.config().sources.keys().collect();
    let Some(name) = names.first() else {
        return State::Notice("not needed: no source of production is configured".into());
    };
    if project.config().redaction.is_none() {
        return State::Notice(format!(
            "none: `capture` writes nothing without --unredacted; how to begin: {}",
            Page::Redaction
        ));
    }
    match project.redactor(name) {
        Ok(_) => State::Fine("its rules match described fields, and its key can be read".into()),
        Err(error) => State::Wrong(error.to_string()),
    }
}

fn sources(project: &Project, watch: &mut dyn FnMut(CheckedPart)) {
    for name in project.config().sources.keys() {
        let state = match project.source(Some(name), None) {
            Ok(source) => {
                let domains = source.domains.iter();
                let domains: Vec<String> = domains
                    .map(|(domain, queries)| format!("{domain} ({})", queries.dialect()))
                    .collect();
                State::Fine(format!("answers for {}", domains.join(", ")))
            }
            Err(error) => State::Wrong(error.to_string()),
        };
        watch(CheckedPart::new(format!("source {name}"), state));
    }
}
