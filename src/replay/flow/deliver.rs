//! Delivers commands, facts and rejections to aggregates.

use super::queue::{Delivered, Flow, Task, To};
use super::{Asked, Cause, FlowNote, NotAsked, StepAnswer, StreamPosition, events};
use crate::model::{
    CommandBook, CommandPage, Cover, EmittedBook, EventBook, Failure, Header, MergeStrategy,
    Outcome,
};
use crate::replay::{
    Replay, Target, TargetError, replay_command, replay_fact, replay_notification,
};
use crate::wire::rejection_notification;

impl Flow<'_> {
    /// Delivers a command.
    pub(super) fn command(
        &mut self,
        command: &CommandBook,
        origin: Option<&To>,
    ) -> Result<Delivered, TargetError> {
        let mut delivered = self.handled(command, |target, book| {
            replay_command(target, book, command, false)
        })?;
        // For a coordinator both a crash and a rejection are a status that ends the delivery.
        let failure = delivered.refused.clone().or_else(|| {
            let StepAnswer::Answered(outcome) = &delivered.answer else {
                return None;
            };
            outcome.status()
        });
        if let (Some(failure), Some(origin)) = (failure, origin) {
            delivered.next.push(Task {
                to: origin.clone(),
                cause: Cause::Rejection {
                    command: command.clone(),
                    failure,
                },
                origin: None,
            });
        }
        Ok(delivered)
    }

    /// Delivers a rejection to the aggregate whose events caused the command.
    pub(super) fn rejection(
        &mut self,
        cover: &Cover,
        command: &CommandBook,
        failure: &Failure,
    ) -> Result<Delivered, TargetError> {
        let dialect = self
            .components
            .aggregates
            .get(&cover.domain)
            .map_or(self.dialect, |target| target.dialect());
        let page = CommandPage {
            // The idempotency key of the refused command, so that each rejection is delivered once.
            header: command
                .pages
                .first()
                .map_or(Header::Absent, |page| page.header.clone()),
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(rejection_notification(cover, command, failure, dialect)),
            external: None,
        };
        let notification = CommandBook {
            cover: cover.clone(),
            pages: vec![page],
            original: None,
        };
        let mut delivered = self.handled(&notification, |target, book| {
            replay_notification(target, book, &notification, false)
        })?;
        self.note_released(&mut delivered.notes);
        Ok(delivered)
    }

    /// Adds a note if the released coordinator would have notified nobody.
    pub(super) fn note_released(&self, notes: &mut Vec<FlowNote>) {
        if !self.dialect.rules().notifies_of_rejections {
            notes.push(FlowNote::ReleasedTellsNobody);
        }
    }

    fn handled(
        &mut self,
        command: &CommandBook,
        replay: impl FnOnce(&dyn Target, &EventBook) -> Result<Replay, TargetError>,
    ) -> Result<Delivered, TargetError> {
        let components = self.components;
        let (book, missing) = self.branch.load(&command.cover);
        let asked = asked(&command.cover, &book);
        let Some(target) = components.aggregates.get(&command.cover.domain) else {
            let answer = StepAnswer::NotAsked(NotAsked::NoLogic);
            return Ok(Delivered::new(asked, answer));
        };
        let replay = replay(target.as_ref(), &book)?;
        let mut notes: Vec<FlowNote> = missing.into_iter().collect();
        notes.extend(replay.notes.into_iter().map(FlowNote::Call));
        let mut delivered = Delivered::new(asked, StepAnswer::Answered(replay.outcome));
        delivered.notes = notes;
        if let StepAnswer::Answered(Outcome::Accepted(emitted)) = &delivered.answer {
            for effect in &replay.effects {
                let came = events::store(&mut self.branch, &command.cover, emitted, effect);
                delivered.stored.extend(came.stored);
                delivered.notes.extend(came.note);
                delivered.refused = came.refused;
            }
        }
        Ok(delivered)
    }

    /// Delivers facts. The aggregate cannot refuse them.
    pub(super) fn facts(
        &mut self,
        cover: &Cover,
        facts: &EmittedBook,
    ) -> Result<Delivered, TargetError> {
        let components = self.components;
        let (book, missing) = self.branch.load(cover);
        let asked = asked(cover, &book);
        let Some(target) = components.aggregates.get(&cover.domain) else {
            let answer = StepAnswer::NotAsked(NotAsked::NoLogic);
            return Ok(Delivered::new(asked, answer));
        };
        let external_id = external_id(facts);
        if self.branch.knows_facts(cover, external_id) {
            let nothing = Outcome::Accepted(EmittedBook::default());
            let mut delivered = Delivered::new(asked, StepAnswer::Answered(nothing));
            let external_id = external_id.to_owned();
            delivered.notes.push(FlowNote::FactsKnown { external_id });
            return Ok(delivered);
        }
        let mut delivered = Delivered::new(asked, StepAnswer::TakenAsTheyAre);
        delivered.notes.extend(missing);
        let replay = replay_fact(target.as_ref(), &book, facts)?;
        delivered
            .notes
            .extend(replay.notes.into_iter().map(FlowNote::Call));
        let taken = match &replay.outcome {
            // Logic that does not handle facts: they are stored as they are.
            Outcome::Unimplemented(_) => {
                delivered.notes.push(FlowNote::FactsTakenAsTheyAre);
                Some(facts)
            }
            Outcome::Accepted(answered) => Some(answered),
            Outcome::Rejected(_)
            | Outcome::Revoked(_)
            | Outcome::Notified(_)
            | Outcome::Crashed(_)
            | Outcome::Refused(_)
            | Outcome::Folded(_)
            | Outcome::Upcast(_)
            | Outcome::Reacted(_)
            | Outcome::Projected(_)
            | Outcome::Prepared(_) => None,
        };
        if let Some(taken) = taken {
            let effect = events::store_facts(&mut self.branch, cover, taken);
            delivered.stored.extend(effect.stored);
        }
        if !matches!(replay.outcome, Outcome::Unimplemented(_)) {
            delivered.answer = StepAnswer::Answered(replay.outcome);
        }
        Ok(delivered)
    }
}

fn asked(cover: &Cover, book: &EventBook) -> Asked {
    Asked::Aggregate(StreamPosition {
        cover: cover.clone(),
        head: book.next_sequence,
    })
}

/// Idempotency key of facts. Coordinators read it from the first page only.
fn external_id(facts: &EmittedBook) -> &str {
    match facts.pages.first().map(|page| &page.header) {
        Some(Header::ExternalDeferred { external_id, .. }) => external_id,
        Some(Header::Absent | Header::Sequence(_) | Header::AngzarrDeferred { .. }) | None => "",
    }
}
