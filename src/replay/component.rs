//! One step of a saga, process manager, projector or upcaster, or of an aggregate that takes up facts or a
//! notification: asked once, as its coordinator would ask it.

use super::engine::{
    MissingHeader, Note, Replay, asked, settled, shown_or_failed, unknown_in_replies,
    without_echoes,
};
use super::{Target, TargetError};
use crate::coordination::{self, Effect};
use crate::model::{
    CommandBook, Cover, Destinations, EmittedBook, EventBook, Modes, Outcome, Reaction, Stimulus,
    Trigger,
};

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

/// Adds what there is to say of unknown fields in the target's replies.
fn noting_unknown(
    target: &dyn Target,
    replay: Result<Replay, TargetError>,
) -> Result<Replay, TargetError> {
    let mut replay = replay?;
    replay.notes.extend(unknown_in_replies(target));
    Ok(replay)
}

/// Has an aggregate take up facts.
pub fn replay_fact(
    target: &dyn Target,
    book: &EventBook,
    facts: &EmittedBook,
) -> Result<Replay, TargetError> {
    noting_unknown(target, fact(target, book, facts))
}

fn fact(target: &dyn Target, book: &EventBook, facts: &EmittedBook) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let shown = match shown_or_failed(target, book, &mut notes)? {
        Ok(shown) => shown,
        Err(failed) => return Ok(Replay::of(failed, notes)),
    };
    let outcome = target.ask(&Stimulus::Fact {
        facts: facts.clone(),
        prior: shown.clone(),
    })?;
    let Outcome::Accepted(emitted) = outcome else {
        return Ok(Replay::of(outcome, notes));
    };
    // All of them get the next places, whatever they say: nothing becomes of an odd one.
    let settled = settled(target.dialect(), emitted, &shown, MissingHeader::IsNext);
    let echoes = |note: &Note| matches!(note, Note::EchoesLeftOut { .. });
    notes.extend(settled.notes.into_iter().filter(echoes));
    Ok(Replay::of(Outcome::Accepted(settled.emitted), notes))
}

/// Has a saga translate events.
pub fn replay_saga(
    target: &dyn Target,
    source: &EventBook,
    trigger: Trigger,
    destinations: &Destinations,
    modes: Modes,
) -> Result<Replay, TargetError> {
    let notes = untold(
        destinations,
        target.dialect().rules().sends_destinations_to_sagas,
    );
    let outcome = target.ask(&Stimulus::Saga {
        source: trigger.delivered(source),
        destinations: destinations.clone(),
        modes,
    })?;
    noting_unknown(target, Ok(Replay::of(outcome, notes)))
}

/// Has a process manager take a workflow a step further.
pub fn replay_process(
    target: &dyn Target,
    source: &EventBook,
    trigger: Trigger,
    state: &EventBook,
    destinations: &Destinations,
) -> Result<Replay, TargetError> {
    let told = |_: Option<&[Cover]>| destinations.clone();
    let mut replay = process_step(target, &trigger.delivered(source), state, told)?;
    let are_told = target.dialect().rules().sends_destinations;
    replay.notes.splice(0..0, untold(destinations, are_told));
    Ok(replay)
}

/// Asks a process manager about a trigger in the light of its own stream. Where the dialect has it, the aggregates that it
/// wants to know of are asked for first, as its coordinator does; where that fails, nothing else is asked. `destinations`
/// are the heads that it is told, given the aggregates that it named, if it was asked and names any.
pub(super) fn process_step(
    target: &dyn Target,
    trigger: &EventBook,
    state: &EventBook,
    destinations: impl FnOnce(Option<&[Cover]>) -> Destinations,
) -> Result<Replay, TargetError> {
    noting_unknown(target, prepared_step(target, trigger, state, destinations))
}

fn prepared_step(
    target: &dyn Target,
    trigger: &EventBook,
    state: &EventBook,
    destinations: impl FnOnce(Option<&[Cover]>) -> Destinations,
) -> Result<Replay, TargetError> {
    let mut prepared = None;
    if target.dialect().rules().calls_prepare {
        prepared = match target.ask(&Stimulus::Prepare {
            trigger: trigger.clone(),
            state: state.clone(),
        })? {
            Outcome::Prepared(covers) => Some(covers),
            Outcome::Unimplemented(_) => None,
            failed => return Ok(Replay::of(failed, Vec::new())),
        };
    }
    let outcome = target.ask(&Stimulus::ProcessManager {
        trigger: trigger.clone(),
        state: state.clone(),
        destinations: destinations(prepared.as_deref()),
    })?;
    let mut replay = Replay::of(outcome, Vec::new());
    replay.prepared = prepared;
    if let Outcome::Reacted(reaction) = &mut replay.outcome {
        let mut next = state.clone();
        for book in &mut reaction.process_events {
            let settled = settled(
                target.dialect(),
                std::mem::take(book),
                &next,
                MissingHeader::IsNext,
            );
            next.next_sequence = after(&settled.effect, next.next_sequence);
            *book = settled.emitted;
            replay.notes.extend(settled.notes);
            replay.effects.push(settled.effect);
        }
    }
    Ok(replay)
}

fn after(effect: &Effect, head: u32) -> u32 {
    match effect {
        Effect::Stored(pages) => coordination::next_after(pages, head),
        Effect::Refused(_) => head,
    }
}

/// The reaction of a process manager with a stream of its own: its own events without echoes.
#[must_use]
pub fn reaction_without_echoes(mut reaction: Reaction, state: &EventBook) -> Reaction {
    let mut next = state.clone();
    for book in &mut reaction.process_events {
        *book = without_echoes(std::mem::take(book), &next);
        next.next_sequence = coordination::next_after(&book.pages, next.next_sequence);
    }
    reaction
}

/// Has a projector make its view, by the speculative call. The ordinary one has effects: it is used instead only
/// where there is no other and `is_harmless` allows it.
pub fn replay_projector(
    target: &dyn Target,
    source: &EventBook,
    trigger: Trigger,
    is_harmless: bool,
) -> Result<Replay, TargetError> {
    noting_unknown(
        target,
        projected(target, &trigger.delivered(source), is_harmless),
    )
}

fn projected(
    target: &dyn Target,
    events: &EventBook,
    is_harmless: bool,
) -> Result<Replay, TargetError> {
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
    noting_unknown(target, Ok(Replay::of(outcome, Vec::new())))
}

fn untold(destinations: &Destinations, are_told: bool) -> Vec<Note> {
    if destinations.is_empty() && are_told {
        vec![Note::DestinationsUnknown]
    } else {
        Vec::new()
    }
}
