//! One step as a coordinator would take it: validate, check the sequence, upcast, mask, call, stamp.

use super::note::unknown_in_replies;
use super::settled::{MissingHeader, settled};
use super::shown::{Start, has_pages_before_snapshot, shown};
use super::{ReplayNote, Target, TargetError};
use crate::coordination::{self, Effect};
use crate::model::{CommandBook, Cover, EmittedBook, EventBook, Outcome, Stimulus};
use crate::wire::unknown_in_command;

/// A replayed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The answer of the logic, or of the coordinator in its place.
    pub outcome: Outcome,
    /// Outcome with the full history instead of the snapshot, if there is a snapshot and this was asked for.
    pub outcome_without_snapshot: Option<Outcome>,
    /// The aggregates whose heads a process manager needs, if it was asked and answered.
    pub prepared: Option<Vec<Cover>>,
    /// What a coordinator makes of each book of events to be stored: the events of an aggregate that accepted a command,
    /// or a process manager's own. Facts have no effect of this kind: they are stored after whatever is there.
    pub effects: Vec<Effect>,
    /// What the reader should know.
    pub notes: Vec<ReplayNote>,
}

impl Replay {
    pub(super) const fn of(outcome: Outcome, notes: Vec<ReplayNote>) -> Self {
        Self {
            outcome,
            outcome_without_snapshot: None,
            prepared: None,
            effects: Vec::new(),
            notes,
        }
    }

    /// The outcome of an accepted command as its coordinator passes it to the sender and the store; `None` if that is the
    /// logic's own answer.
    #[must_use]
    pub fn as_coordinated(&self) -> Option<Outcome> {
        let (Outcome::Accepted(emitted), [effect]) = (&self.outcome, self.effects.as_slice())
        else {
            return None;
        };
        match effect {
            Effect::Refused(failure) => Some(Outcome::Rejected(failure.clone())),
            Effect::Stored(pages) if *pages == emitted.pages => None,
            Effect::Stored(pages) => Some(Outcome::Accepted(EmittedBook {
                pages: pages.clone(),
                ..emitted.clone()
            })),
        }
    }
}

/// Replays one command on its history. The logic is called once, and once more without the snapshot if there is one and
/// `both_ways` is set.
pub fn replay_command(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    if let Err(failure) = coordination::validate(command) {
        let notes = vec![ReplayNote::RefusedByValidation];
        return Ok(Replay::of(Outcome::Refused(failure), notes));
    }
    let head = book.next_sequence;
    if let Some(failure) = coordination::sequence_mismatch(target.dialect(), command, head) {
        let notes = vec![ReplayNote::RefusedBeforeLogic];
        return Ok(Replay::of(Outcome::Rejected(failure), notes));
    }
    let sent = stamped(command, head);
    let mut replay = replay_unchecked(target, book, &sent, both_ways)?;
    if sent.original.is_none() {
        let lost = ReplayNote::not_sent(unknown_in_command(command));
        replay.notes.extend(lost);
    }
    Ok(replay)
}

/// Replays a notification, such as the rejection of a command that the aggregate had caused. Coordinators neither check
/// nor replace its header: the logic sees the deferred header with the key of the refused command.
pub fn replay_notification(
    target: &dyn Target,
    book: &EventBook,
    notification: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    replay_unchecked(target, book, notification, both_ways)
}

/// Sends the command to the logic as it is.
fn replay_unchecked(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    let mut replay = handle(target, book, command, Start::AtSnapshot)?;
    if both_ways && has_pages_before_snapshot(book) {
        let other = handle(target, book, command, Start::AtBeginning)?;
        replay.outcome_without_snapshot = Some(other.outcome);
    }
    replay.notes.extend(unknown_in_replies(target));
    Ok(replay)
}

fn handle(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    start: Start,
) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let shown = match shown(target, book, start, &mut notes)? {
        Ok(shown) => shown,
        Err(failed) => return Ok(Replay::of(failed, notes)),
    };
    let outcome = target.ask(&Stimulus::Command {
        prior: shown.clone(),
        command: command.clone(),
    })?;
    let Outcome::Accepted(emitted) = outcome else {
        return Ok(Replay::of(outcome, notes));
    };
    let settled = settled(target.dialect(), emitted, &shown, MissingHeader::IsZero);
    notes.extend(settled.notes);
    Ok(Replay {
        effects: vec![settled.effect],
        ..Replay::of(Outcome::Accepted(settled.emitted), notes)
    })
}

/// Makes deferred headers explicit, so that the logic never sees provenance.
fn stamped(command: &CommandBook, head: u32) -> CommandBook {
    let mut pages = command.pages.iter();
    if pages.any(|page| page.header.sequence().is_none()) {
        command.restamped(head)
    } else {
        command.clone()
    }
}
