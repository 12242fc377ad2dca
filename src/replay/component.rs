//! One step of a saga, process manager, projector or upcaster, or of an aggregate that takes up facts or a
//! notification: asked once, as its coordinator would ask it.

use super::engine::{Note, Replay, asked, settled, shown_or_failed};
use super::{Target, TargetError};
use crate::model::{
    CommandBook, Destinations, EmittedBook, EventBook, History, Outcome, Reaction, Stimulus,
};

/// Pages of a book that a component is shown: those that are new, and the ones before them where that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPages {
    /// First new page.
    pub from: u32,
    /// Whether the pages before it are shown too.
    pub with_history: bool,
}

impl NewPages {
    /// The book as a bus delivers it. A snapshot stands for pages that are not shown: it goes along only where the
    /// history is.
    #[must_use]
    pub fn of(&self, book: &EventBook) -> EventBook {
        if self.with_history {
            return book.clone();
        }
        let pages = book.history.pages().iter();
        let new = pages.filter(|page| page.sequence >= self.from).cloned();
        EventBook {
            cover: book.cover.clone(),
            snapshot: None,
            history: History::new(new.collect()).unwrap_or_default(),
            next_sequence: book.next_sequence,
        }
    }
}

/// Has an aggregate take up a notification, such as the rejection of a command that it had caused. Coordinators neither
/// check nor replace the header of one: the logic sees the deferred header with the key of the refused command.
pub fn replay_notification(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    asked(target, book, command, both_ways)
}

/// Has an aggregate take up facts.
pub fn replay_fact(
    target: &dyn Target,
    book: &EventBook,
    facts: &EmittedBook,
) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let shown = match shown_or_failed(target, book, &mut notes)? {
        Ok(shown) => shown,
        Err(failed) => return Ok(Replay::of(failed, notes)),
    };
    let outcome = target.ask(&Stimulus::Fact {
        facts: facts.clone(),
        prior: shown.clone(),
    })?;
    let outcome = match outcome {
        Outcome::Accepted(emitted) => Outcome::Accepted(settled(emitted, book, &shown, &mut notes)),
        other => other,
    };
    Ok(Replay::of(outcome, notes))
}

/// Has a saga translate events.
pub fn replay_saga(
    target: &dyn Target,
    source: &EventBook,
    new: &NewPages,
    destinations: &Destinations,
) -> Result<Replay, TargetError> {
    let notes = untold(destinations, target.dialect().tells_sagas_destinations());
    let outcome = target.ask(&Stimulus::Saga {
        source: new.of(source),
        destinations: destinations.clone(),
    })?;
    Ok(Replay::of(outcome, notes))
}

/// Has a process manager take a workflow a step further. Where the dialect has it, the aggregates that it wants to
/// know of are asked for first, as its coordinator does.
pub fn replay_process(
    target: &dyn Target,
    trigger: &EventBook,
    new: &NewPages,
    state: &EventBook,
    destinations: &Destinations,
) -> Result<Replay, TargetError> {
    let mut notes = untold(destinations, target.dialect().tells_destinations());
    let trigger = new.of(trigger);
    let prepared = if target.dialect().asks_prepare() {
        let outcome = target.ask(&Stimulus::Prepare {
            trigger: trigger.clone(),
            state: state.clone(),
        })?;
        Some(outcome).filter(|outcome| !matches!(outcome, Outcome::Unimplemented(_)))
    } else {
        None
    };
    let outcome = target.ask(&Stimulus::ProcessManager {
        trigger,
        state: state.clone(),
        destinations: destinations.clone(),
    })?;
    let outcome = match outcome {
        Outcome::Reacted(reaction) => {
            Outcome::Reacted(settled_reaction(reaction, state, &mut notes))
        }
        other => other,
    };
    Ok(Replay {
        prepared,
        ..Replay::of(outcome, notes)
    })
}

/// The reaction of a process manager with a stream of its own, its own events as they would be stored.
#[must_use]
pub fn reaction_as_stored(reaction: Reaction, state: &EventBook) -> Reaction {
    settled_reaction(reaction, state, &mut Vec::new())
}

/// The reaction with the process manager's own events as they would be stored.
pub(super) fn settled_reaction(
    mut reaction: Reaction,
    state: &EventBook,
    notes: &mut Vec<Note>,
) -> Reaction {
    let mut next = state.clone();
    for book in &mut reaction.process_events {
        *book = settled(std::mem::take(book), &next, state, notes);
        let count = u32::try_from(book.pages.len()).unwrap_or(u32::MAX);
        next.next_sequence = next.next_sequence.saturating_add(count);
    }
    reaction
}

/// Has a projector make its view, by the speculative call. The ordinary one has effects: it is used instead only
/// where there is no other and `is_harmless` allows it.
pub fn replay_projector(
    target: &dyn Target,
    events: &EventBook,
    new: &NewPages,
    is_harmless: bool,
) -> Result<Replay, TargetError> {
    let events = new.of(events);
    let ask = |with_effects| {
        target.ask(&Stimulus::Project {
            events: events.clone(),
            with_effects,
        })
    };
    let outcome = ask(false)?;
    if !matches!(outcome, Outcome::Unimplemented(_)) {
        return Ok(Replay::of(outcome, Vec::new()));
    }
    if is_harmless {
        return Ok(Replay::of(ask(true)?, vec![Note::OrdinaryCall]));
    }
    Ok(Replay::of(outcome, vec![Note::NoSpeculativeCall]))
}

/// Has an upcaster bring pages into their newest form.
pub fn replay_upcaster(target: &dyn Target, book: &EventBook) -> Result<Replay, TargetError> {
    let outcome = target.ask(&Stimulus::Upcast {
        domain: book.cover.domain.clone(),
        pages: book.history.pages().to_vec(),
    })?;
    Ok(Replay::of(outcome, Vec::new()))
}

fn untold(destinations: &Destinations, are_told: bool) -> Vec<Note> {
    if destinations.is_empty() && are_told {
        vec![Note::DestinationsUnknown]
    } else {
        Vec::new()
    }
}
