//! Where things are searched for.
//!
//! Another haystack is another file here with an implementation of [`Haystack`], and a line in [`haystacks`].

mod aggregates;
mod dead_letters;
mod logs;
mod recordings;
mod stores;

use super::FindRequest;
use super::clue::{Around, Clues, Wanted};
use super::occurrence::Occurrence;
use crate::capturing::Messages;
use crate::project::Project;

/// What all haystacks share.
pub(super) struct Search<'a> {
    pub(super) project: &'a Project,
    pub(super) request: &'a FindRequest,
    pub(super) clues: &'a Clues,
    pub(super) messages: Messages,
    /// Name of the source.
    pub(super) source: String,
    /// Whether it is the built-in one.
    pub(super) is_embedded: bool,
}

/// A place that may hold what is searched for.
pub(super) trait Haystack {
    /// Adds what is wanted to what was found, and says where it was and was not searched for. It is called once for the
    /// clues, and once more for what is around that.
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found);
}

/// Every haystack, in the order of searching. Cheap ones come first.
pub(super) fn haystacks<'a>(search: &'a Search<'a>) -> Vec<Box<dyn Haystack + 'a>> {
    vec![
        Box::new(logs::Logs::of(search)),
        Box::new(recordings::Recordings(search)),
        Box::new(dead_letters::DeadLetterService::of(search)),
        Box::new(stores::Stores::of(search)),
        Box::new(aggregates::Aggregates::of(search)),
    ]
}

/// Maximum number of occurrences of one haystack; the newest are kept.
const KEPT: usize = 100;

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) occurrences: Vec<Occurrence>,
    pub(super) left_out: usize,
    pub(super) looked: Vec<String>,
    pub(super) not_looked: Vec<String>,
    pub(super) unusable: Vec<String>,
}

impl Found {
    /// The workflows and aggregates of what was found.
    pub(super) fn around(&self) -> Around {
        let ids = self.occurrences.iter().map(|it| &it.correlation_id);
        Around {
            workflows: ids.filter(|id| !id.is_empty()).cloned().collect(),
            roots: self.occurrences.iter().filter_map(|it| it.root).collect(),
        }
    }

    /// Whether the same place was found before.
    fn has(&self, occurrence: &Occurrence) -> bool {
        self.occurrences.iter().any(|known| {
            known.place == occurrence.place
                && known.root == occurrence.root
                && known.edition == occurrence.edition
                && known.sequences == occurrence.sequences
        })
    }

    /// Adds the occurrences of one haystack.
    pub(super) fn add(&mut self, newest: Newest) {
        self.left_out += newest.left_out;
        for occurrence in newest.kept {
            if !self.has(&occurrence) {
                self.occurrences.push(occurrence);
            }
        }
    }

    /// Says where it was searched for, once.
    pub(super) fn looked(&mut self, place: String) {
        if !self.looked.contains(&place) {
            self.looked.push(place);
        }
    }

    /// Says where it was not searched for.
    pub(super) fn not_looked(&mut self, place: &str, reason: impl std::fmt::Display) {
        self.not_looked.push(format!("{place}: {reason}"));
    }
}

/// The last occurrences that were added, and a count of the others, so that memory is bounded.
#[derive(Default)]
pub(super) struct Newest {
    kept: std::collections::VecDeque<Occurrence>,
    left_out: usize,
}

impl Newest {
    /// How many were added.
    pub(super) fn count(&self) -> usize {
        self.kept.len() + self.left_out
    }

    pub(super) fn push(&mut self, occurrence: Occurrence) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.left_out += 1;
        }
        self.kept.push_back(occurrence);
    }
}
