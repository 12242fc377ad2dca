//! Which recorded calls are kept: failures always, accepted calls in a ring, or always if they match a filter.

use std::time::Duration;

use super::call::Subject;
use crate::model::{Domain, Root, Timestamp};

/// How a call is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepMode {
    /// For good.
    Always,
    /// Until newer calls evict it, or it is too old.
    InRing,
}

impl KeepMode {
    /// The word for it in a recording.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::InRing => "ring",
        }
    }

    /// Parses the word in a recording.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Always, Self::InRing]
            .into_iter()
            .find(|kept| kept.word() == word)
    }
}

/// How many accepted calls are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// Maximum number; 0 keeps none.
    pub count: usize,
    /// Maximum age.
    pub age: Duration,
}

/// Limits of everything that is kept, failures too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepLimits {
    /// Maximum size of a file, in bytes.
    pub bytes: u64,
    /// Maximum age; none if there is no limit.
    pub age: Option<Duration>,
}

impl KeepLimits {
    /// No limits.
    pub const NONE: Self = Self {
        bytes: u64::MAX,
        age: None,
    };

    /// The time before which nothing is kept.
    pub(super) fn oldest(&self, now: Timestamp) -> Option<i64> {
        let age = i64::try_from(self.age?.as_secs()).unwrap_or(i64::MAX);
        Some(now.seconds.saturating_sub(age))
    }
}

/// Accepted calls that are kept for good: those that match every list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Domains.
    pub domains: Vec<Domain>,
    /// Roots of aggregates.
    pub roots: Vec<Root>,
    /// Types of the command or newest event, with or without the package.
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

/// Which calls are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRules {
    /// Accepted calls that are kept for good.
    pub filter: Filter,
    /// The other accepted calls.
    pub ring: Ring,
}

impl KeepRules {
    /// How a call is kept; none if it is not.
    #[must_use]
    pub(super) fn of(&self, is_accepted: bool, subject: Option<&Subject>) -> Option<KeepMode> {
        if !is_accepted || subject.is_some_and(|subject| self.filter.names(subject)) {
            return Some(KeepMode::Always);
        }
        (self.ring.count > 0).then_some(KeepMode::InRing)
    }
}
