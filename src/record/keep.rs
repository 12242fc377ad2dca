//! Which noted calls are kept: failures always, accepted ones in a ring, or always where a filter names them.

use std::time::Duration;

use super::note::{Note, Subject};
use crate::model::{Domain, Root};

/// How a call is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// For good.
    Always,
    /// Until newer ones push it out, or it is too old.
    InRing,
}

impl Kept {
    /// The word in a recording.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::InRing => "ring",
        }
    }

    /// The way of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Always, Self::InRing]
            .into_iter()
            .find(|kept| kept.word() == word)
    }
}

/// How many accepted calls are kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// No more than these; 0 keeps none.
    pub count: usize,
    /// None older than this.
    pub age: Duration,
}

/// Accepted calls that are kept for good: those that fit every list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one of these domains.
    pub domains: Vec<Domain>,
    /// Of one of these aggregates.
    pub roots: Vec<Root>,
    /// With a command or newest event of one of these types, in full or by the last part of the name.
    pub types: Vec<String>,
}

impl Filter {
    fn names(&self, subject: &Subject) -> bool {
        let is_empty = self.domains.is_empty() && self.roots.is_empty() && self.types.is_empty();
        let name = subject.type_name.as_str();
        let last = name.rsplit('.').next().unwrap_or_default();
        !is_empty
            && fits(&self.domains, |domain| *domain == subject.domain)
            && fits(&self.roots, |root| {
                subject
                    .cover
                    .as_ref()
                    .is_some_and(|cover| cover.root == *root)
            })
            && fits(&self.types, |wanted| wanted == name || wanted == last)
    }
}

fn fits<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Accepted calls that are kept for good.
    pub filter: Filter,
    /// The other accepted calls.
    pub ring: Ring,
}

impl Keep {
    /// How a call is kept; none where it is not.
    #[must_use]
    pub fn of(&self, note: &Note, subject: Option<&Subject>) -> Option<Kept> {
        if !note.is_accepted() || subject.is_some_and(|subject| self.filter.names(subject)) {
            return Some(Kept::Always);
        }
        (self.ring.count > 0).then_some(Kept::InRing)
    }
}
