//! Groups outcomes that changed in the same way.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::PendingOutcome;
use crate::snapshot::{changes_of, grouped};

/// Outcomes with the same changes, of one case or many.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// A short id, derived from the changes only, so that it is the same in every run.
    pub(crate) id: String,
    /// The changes, one per line; the first is the title.
    pub(crate) changes: Vec<String>,
    /// At least one, sorted by case name.
    pub(crate) outcomes: Vec<PendingOutcome>,
}

/// Groups outcomes by their changes, the largest group first.
pub(crate) fn groups(outcomes: Vec<PendingOutcome>) -> Vec<Group> {
    let outcomes = outcomes
        .into_iter()
        .map(|outcome| (changes(&outcome), outcome));
    grouped(outcomes)
        .into_iter()
        .map(|(changes, outcomes)| Group {
            id: id(&changes),
            changes,
            outcomes,
        })
        .collect()
}

fn changes(outcome: &PendingOutcome) -> Vec<String> {
    if outcome.accepted.is_none() {
        let first = outcome.text.lines().next().unwrap_or_default();
        let word = first.strip_prefix("outcome: ").unwrap_or(first);
        return vec![format!("no accepted outcome yet; today it is: {word}")];
    }
    let changes = changes_of(&outcome.differences);
    if changes.is_empty() {
        return vec!["the text changed and no value did".to_owned()];
    }
    changes
}

/// `g` and four hexadecimal digits.
fn id(changes: &[String]) -> String {
    let digest = Sha256::digest(changes.join("\n"));
    let mut id = String::from("g");
    for byte in digest.iter().take(2) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

impl Group {
    /// `field new_balance of FundsWithdrawn added, in 37 cases`.
    pub(crate) fn title(&self) -> String {
        let more = match self.changes.len() {
            1 => String::new(),
            2 => " and one more change".to_owned(),
            count => format!(" and {} more changes", count - 1),
        };
        let cases = match self.outcomes.len() {
            1 => self.outcomes[0].entry.name.to_string(),
            count => format!("{count} cases"),
        };
        format!("{}{more}, in {cases}", self.changes[0])
    }
}
