//! A search as one call: whatever an alert or a customer names, looked up in everything that a source names.
//!
//! - `clue`: what is searched for, and whether a thing matches.
//! - `haystacks`: where it is searched for; each place is a file with an implementation of `Haystack`.
//! - `occurrence`: what was found. `causes`: who caused whom in a workflow. `capture_words`: the command that captures it.
//!
//! Prints nothing, writes nothing, and sends nothing but queries. A log of any size is read line by line, and of all that
//! matches only the newest occurrences are kept. Messages are redacted as a capture would redact them.

mod capture_words;
mod causes;
mod clue;
mod haystacks;
mod occurrence;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use causes::{CauseTree, Workflow};
pub use clue::{ClueError, FieldClue, Matched};
pub use occurrence::{Cause, Occurrence, OccurrenceKind, Place};

use crate::capturing::Messages;
use crate::model::Domain;
use crate::project::{EMBEDDED, OperationError, Project};
use clue::{Clues, Wanted};
use haystacks::{Found, Search, haystacks};

/// What to search for, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindRequest {
    /// Ids of any kind: a trace id or `traceparent`, a correlation id, a root or the beginning of one, an external id, or
    /// the number of a dead letter.
    pub ids: Vec<String>,
    /// A field of a command or event that has a value.
    pub field: Option<FieldClue>,
    /// Name of the source; the configured one if there is none.
    pub source: Option<String>,
    /// Only the aggregates of this domain.
    pub domain: Option<Domain>,
    /// Logs to read besides those that the source names.
    pub logs: Vec<PathBuf>,
    /// Recordings to read.
    pub recordings: Vec<PathBuf>,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindReport {
    /// What matches, and then what is around it: the rest of its workflows, and other failures of its aggregates.
    pub occurrences: Vec<Occurrence>,
    /// How many occurrences match.
    pub matching: usize,
    /// How many older occurrences match too and were left out, because there are too many.
    pub left_out: usize,
    /// The workflows of what matches.
    pub workflows: Vec<Workflow>,
    /// Where it was searched for, in words.
    pub looked: Vec<String>,
    /// Where it was not searched for, with the reason.
    pub not_looked: Vec<String>,
    /// Lines that look like a failure and are not usable, with the reason.
    pub unusable: Vec<String>,
    /// Why no message is shown; none if they are.
    pub messages_hidden: Option<String>,
    /// The words after the program's name that capture what was found.
    pub capture: Option<Vec<String>>,
    /// What to know about that command.
    pub capture_note: Option<&'static str>,
}

/// Searches everywhere. A place that cannot be read does not hide the others.
///
/// # Errors
/// If nothing is searched for, the field does not exist, or there is no such source.
pub fn find(project: &Project, request: &FindRequest) -> Result<FindReport, OperationError> {
    let source = project.source_name(request.source.as_deref())?;
    let clues = Clues::of(project, request)?;
    let search = Search {
        project,
        request,
        clues: &clues,
        messages: Messages::of(project, &source),
        is_embedded: source == EMBEDDED,
        source,
    };
    let mut haystacks = haystacks(&search);
    let mut found = Found::default();
    for haystack in &mut haystacks {
        haystack.search(&Wanted::Clues(&clues), &mut found);
    }
    let matching = found.occurrences.len();
    let left_out = found.left_out;
    let around = found.around();
    if matching > 0 {
        for haystack in &mut haystacks {
            haystack.search(&Wanted::Around(&around), &mut found);
        }
    }
    let mut workflows = causes::workflows(
        &around.workflows,
        &found.occurrences,
        search.messages.hidden().is_some(),
    );
    let hidden = hidden_ids(&found.occurrences, &request.ids);
    let captured = capture_words::best(&search, &found.occurrences, matching, &hidden);
    let workflow_ids = workflows.iter_mut().map(|it| &mut it.correlation_id);
    let own_ids = found
        .occurrences
        .iter_mut()
        .map(|it| &mut it.correlation_id);
    for id in workflow_ids.chain(own_ids) {
        if let Some(redacted) = hidden.get(id) {
            id.clone_from(redacted);
        }
    }
    let (capture, capture_note) = captured.map_or((None, None), |it| (Some(it.0), it.1));
    found.not_looked.sort();
    found.not_looked.dedup();
    found.looked.dedup();
    Ok(FindReport {
        occurrences: found.occurrences,
        matching,
        left_out,
        workflows,
        looked: found.looked,
        not_looked: found.not_looked,
        unusable: found.unusable,
        messages_hidden: search.messages.hidden().map(str::to_owned),
        capture,
        capture_note,
    })
}

/// Correlation ids that redaction changes, with what is shown instead. An id that was searched for is shown as it is.
fn hidden_ids(all: &[Occurrence], searched: &[String]) -> BTreeMap<String, String> {
    let changed = all.iter().filter(|it| it.redacted_id != it.correlation_id);
    let hidden = changed.filter(|it| !searched.contains(&it.correlation_id));
    hidden
        .map(|it| (it.correlation_id.clone(), it.redacted_id.clone()))
        .collect()
}
