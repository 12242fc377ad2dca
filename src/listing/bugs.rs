//! Known failures, grouped by bug.

use std::path::PathBuf;

use crate::capture::{Aside, FailureGroup, Logged, LoggedFailure, group_failures};
use crate::capturing::{CapturedFailures, Messages, demand_some, read_log};
use crate::grpc::{DeadLetter, StoredLetter};
use crate::project::{FailureEntry, Failures, OperationError, Project, ReadKind};
use crate::wire::Dialect;

/// Shown instead of a file name, before the number of a dead letter.
const LETTER: &str = "dead letter";

/// Where failures are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureSource {
    /// The logs of a source in the configuration; of the configured one if there is no name.
    Source(Option<String>),
    /// The dead letters in the service of a source.
    DeadLetters(Option<String>),
    /// These logs; `-` is standard input.
    Files(Vec<PathBuf>),
}

/// The bugs that failures reveal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBugs {
    /// The bugs.
    pub bugs: Vec<ListedBug>,
    /// Lines or letters that look like failures and are not usable, with the reason.
    pub unusable: Vec<String>,
    /// Why no message is shown; none if they are.
    pub messages_hidden: Option<String>,
}

/// A bug, with one of its failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBug {
    /// The failures with the same domain, command, code and shape of message; the message is redacted.
    pub group: FailureGroup,
    /// The newest of them.
    pub example: FailureEntry,
    /// The fixture of a case that covers the bug, as it is shown.
    pub covered_by: Option<String>,
}

/// Lists failures, grouped by bug. Only dead letters are asked for at a server.
///
/// # Errors
/// If a log or the service cannot be read, or a named file holds no failure.
pub fn list_bugs(project: &Project, from: &FailureSource) -> Result<ListedBugs, OperationError> {
    let (source, failures) = match from {
        FailureSource::Source(source) => {
            let source = source.as_deref();
            (source, project.failures(source)?)
        }
        FailureSource::DeadLetters(source) => {
            (source.as_deref(), of_letters(project, source.as_deref())?)
        }
        FailureSource::Files(files) => (None, of_files(project, files)?),
    };
    let groups = group_failures(failures.entries.iter().map(|entry| &entry.logged));
    let source = project.source_name(source).unwrap_or_default();
    let messages = Messages::of(project, &source);
    let captured = if groups.is_empty() {
        CapturedFailures::default()
    } else {
        CapturedFailures::read(project)
    };
    let listed = groups.into_iter().map(|mut group| {
        let example = failures.entries[group.example].clone();
        group.message = messages.of_logged(&example.logged);
        let covered_by = captured.of_group(&group).map(Project::shown);
        ListedBug {
            group,
            example,
            covered_by,
        }
    });
    Ok(ListedBugs {
        bugs: listed.collect(),
        messages_hidden: messages.hidden().map(str::to_owned),
        unusable: failures.unusable,
    })
}

impl ListedBugs {
    /// How many bugs concern the logic.
    #[must_use]
    pub fn count_of_logic(&self) -> usize {
        let of_logic = self.bugs.iter().filter(|bug| bug.group.aside.is_none());
        of_logic.count()
    }

    /// How many bugs of the logic no case covers.
    #[must_use]
    pub fn count_uncovered(&self) -> usize {
        let of_logic = self.bugs.iter().filter(|bug| bug.group.aside.is_none());
        of_logic.filter(|bug| bug.covered_by.is_none()).count()
    }

    /// How many commands failed.
    #[must_use]
    pub fn count_failed(&self) -> usize {
        self.count(|group| group.aside != Some(Aside::Accepted))
    }

    /// How many commands were accepted; a log may hold them as well.
    #[must_use]
    pub fn count_accepted(&self) -> usize {
        self.count(|group| group.aside == Some(Aside::Accepted))
    }

    fn count(&self, is_counted: fn(&FailureGroup) -> bool) -> usize {
        let groups = self.bugs.iter().map(|bug| &bug.group);
        let counted = groups.filter(|group| is_counted(group));
        counted.map(|group| group.count).sum()
    }
}

/// The dead letters in a source's service. A letter with events is about no command and is not usable.
fn of_letters(project: &Project, source: Option<&str>) -> Result<Failures, OperationError> {
    let source = project.source_name(source)?;
    let mut all = Failures::default();
    for StoredLetter { id, letter } in project.dead_letters(&source)?.list()? {
        let failure = letter
            .map_err(|error| error.to_string())
            .and_then(|letter| failure_of_letter(&letter));
        match failure {
            Ok(failure) => all.entries.push(FailureEntry {
                file: LETTER.to_owned(),
                line: usize::try_from(id).unwrap_or_default(),
                logged: Logged::Failure(failure),
                local: None,
                trace_id: None,
            }),
            Err(reason) => all.unusable.push(format!("{LETTER} {id}: {reason}")),
        }
    }
    Ok(all)
}

fn failure_of_letter(letter: &DeadLetter) -> Result<LoggedFailure, String> {
    // The numbers of enums differ between dialects, and a list shows none of them.
    let failure = LoggedFailure::of_letter(letter, Dialect::ANGZARR);
    let failure = failure.map_err(|reason| reason.to_string())?;
    failure.ok_or_else(|| {
        format!(
            "it holds no command but events of {}/{}",
            letter.cover.domain, letter.cover.root
        )
    })
}

/// The failures of these files, each of which must hold at least one.
fn of_files(project: &Project, files: &[PathBuf]) -> Result<Failures, OperationError> {
    let mut progress = project.file_progress(ReadKind::Logs, files.iter().map(PathBuf::as_path));
    let mut all = Failures::default();
    for file in files {
        let (read, name) = read_log(file, &mut progress)?;
        demand_some(&read, &name)?;
        all.lines += read.lines;
        all.entries.extend(read.entries);
        all.unusable.extend(read.unusable);
    }
    Ok(all)
}
