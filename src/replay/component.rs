//! One step of a saga, process manager, projector or upcaster, or of an aggregate that handles facts: asked once, as its
//! coordinator would ask it.

use super::engine::Replay;
use super::note::unknown_in_replies;
use super::settled::{MissingHeader, settled};
use super::shown::{Start, shown};
use super::{ReplayNote, Target, TargetError};
use crate::coordination::{self, Effect};
use crate::model::{
    Cover, Destinations, EmittedBook, EventBook, Modes, Outcome, Stimulus, Trigger,
};

/// Adds the note about unknown fields in the target's replies.
fn noting_unknown(
    target: &dyn Target,
    replay: Result<Replay, TargetError>,
) -> Result<Replay, TargetError> {
    let mut replay = replay?;
    replay.notes.extend(unknown_in_replies(target));
    Ok(replay)
}

/// Replays facts on an aggregate.
pub fn replay_fact(
    target: &dyn Target,
    book: &EventBook,
    facts: &EmittedBook,
) -> Result<Replay, TargetError> {
    noting_unknown(target, fact(target, book, facts))
}

fn fact(target: &dyn Target, book: &EventBook, facts: &EmittedBook) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let shown = match shown(target, book, Start::AtSnapshot, &mut notes)? {
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
    // Facts get the next sequences whatever their headers say, so no page is in an odd place.
    let settled = settled(target.dialect(), emitted, &shown, MissingHeader::IsNext);
    let echoes = |note: &ReplayNote| matches!(note, ReplayNote::EchoesLeftOut { .. });
    notes.extend(settled.notes.into_iter().filter(echoes));
    Ok(Replay::of(Outcome::Accepted(settled.emitted), notes))
}

/// Replays a saga on new events.
pub fn replay_saga(
    target: &dyn Target,
    source: &EventBook,
    trigger: Trigger,
    destinations: &Destinations,
    modes: Modes,
) -> Result<Replay, TargetError> {
    let are_sent = target.dialect().rules().sends_destinations_to_sagas;
    let notes = unknown_destinations(destinations, are_sent)
        .into_iter()
        .collect();
    let outcome = target.ask(&Stimulus::Saga {
        source: trigger.delivered(source),
        destinations: destinations.clone(),
        modes,
    })?;
    noting_unknown(target, Ok(Replay::of(outcome, notes)))
}

/// Replays one step of a process manager's workflow.
pub fn replay_process(
    target: &dyn Target,
    source: &EventBook,
    trigger: Trigger,
    state: &EventBook,
    destinations: &Destinations,
) -> Result<Replay, TargetError> {
    let known = |_: Option<&[Cover]>| destinations.clone();
    let mut replay = process_step(target, &trigger.delivered(source), state, known)?;
    let are_sent = target.dialect().rules().sends_destinations;
    replay
        .notes
        .splice(0..0, unknown_destinations(destinations, are_sent));
    Ok(replay)
}

/// Asks a process manager about a trigger, given its own stream. If the dialect has `Prepare`, it is called first, as a
/// coordinator does; if it fails, nothing else is asked. `destinations` returns the heads that the process manager is
/// told, given the aggregates that it named if `Prepare` was answered.
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
            next.next_sequence = head_after(&settled.effect, next.next_sequence);
            *book = settled.emitted;
            replay.notes.extend(settled.notes);
            replay.effects.push(settled.effect);
        }
    }
    Ok(replay)
}

fn head_after(effect: &Effect, head: u32) -> u32 {
    match effect {
        Effect::Stored(pages) => coordination::next_after(pages, head),
        Effect::Refused(_) => head,
    }
}

/// Replays a projector with its speculative call. The ordinary call has effects: it is used only if there is no
/// speculative one and `is_harmless` allows it.
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
        return Ok(Replay::of(ask(true)?, vec![ReplayNote::OrdinaryCall]));
    }
    Ok(Replay::of(outcome, vec![ReplayNote::NoSpeculativeCall]))
}

/// Replays an upcaster on all pages.
pub fn replay_upcaster(target: &dyn Target, book: &EventBook) -> Result<Replay, TargetError> {
    let outcome = target.ask(&Stimulus::Upcast {
        domain: book.cover.domain.clone(),
        pages: book.history.shared_pages(),
    })?;
    noting_unknown(target, Ok(Replay::of(outcome, Vec::new())))
}

fn unknown_destinations(destinations: &Destinations, are_sent: bool) -> Option<ReplayNote> {
    (destinations.is_empty() && are_sent).then_some(ReplayNote::DestinationsUnknown)
}
