//! Replays a history without a command: the state that it folds into, and its upcast pages.

use super::note::unknown_in_replies;
use super::shown::{Start, shown};
use super::{ReplayNote, Target, TargetError};
use crate::model::{EventBook, Outcome, Stimulus};

/// What the current code makes of a history. Parts that the logic does not offer are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryReplay {
    /// The folded state, or how folding failed.
    pub state: Option<Outcome>,
    /// The state folded from the snapshot on, if there is one.
    pub state_from_snapshot: Option<Outcome>,
    /// The upcast pages, or how upcasting failed.
    pub upcast: Option<Outcome>,
    /// What the reader should know.
    pub notes: Vec<ReplayNote>,
}

/// Replays a history: folds it if the logic offers that, and upcasts its pages.
pub fn replay_history(target: &dyn Target, book: &EventBook) -> Result<HistoryReplay, TargetError> {
    let offered =
        |outcome: Outcome| (!matches!(outcome, Outcome::Unimplemented(_))).then_some(outcome);
    let mut upcast = None;
    if target.upcasts() && !book.history.pages().is_empty() {
        let pages = book.history.shared_pages();
        upcast = Some(target.ask(&Stimulus::Upcast {
            domain: book.cover.domain.clone(),
            pages,
        })?);
    }
    let fold = |start| -> Result<Outcome, TargetError> {
        let shown = match shown(target, book, start, &mut Vec::new())? {
            Ok(shown) => shown,
            Err(failed) => return Ok(failed),
        };
        let pages = shown.history.shared_pages();
        target.ask(&Stimulus::Fold {
            snapshot: shown.snapshot,
            pages,
        })
    };
    let state = offered(fold(Start::AtBeginning)?);
    let mut state_from_snapshot = None;
    if state.is_some() && book.snapshot.is_some() {
        state_from_snapshot = offered(fold(Start::AtSnapshot)?);
    }
    Ok(HistoryReplay {
        state,
        state_from_snapshot,
        upcast,
        notes: unknown_in_replies(target).into_iter().collect(),
    })
}
