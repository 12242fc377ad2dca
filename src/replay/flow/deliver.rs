//! Commands, facts and refusals delivered to aggregates.

use super::queue::{Delivered, Flow, Task, To};
use super::{Asked, Cause, FlowNote, NotAsked, StepAnswer, Stream, events};
use crate::model::{
    CommandBook, CommandPage, Cover, EmittedBook, EventBook, Header, MergeStrategy, Outcome,
};
use crate::replay::{
    Replay, Target, TargetError, replay_command, replay_fact, replay_notification,
};
use crate::wire::rejection_notification;

impl Flow<'_> {
    /// A command to its aggregate.
    pub(super) fn command(
        &mut self,
        command: &CommandBook,
        origin: Option<&To>,
    ) -> Result<Delivered, TargetError> {
        let mut delivered = self.handled(command, |target, book| {
            replay_command(target, book, command, false)
        })?;
        // To a coordinator a crash and a refusal are both a status that ends the delivery.
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

    /// A refusal to the aggregate whose events caused the command.
    pub(super) fn rejection(
        &mut self,
        told: &Cover,
        cause: &Cause,
    ) -> Result<Delivered, TargetError> {
        let Cause::Rejection { command, failure } = cause else {
            let answer = StepAnswer::NotAsked(NotAsked::NoAddressee);
            return Ok(Delivered::new(Asked::Nobody, answer));
        };
        let dialect = self
            .components
            .aggregates
            .get(&told.domain)
            .map_or(self.dialect, |target| target.dialect());
        let page = CommandPage {
            // Delivered once for each command that was refused: by the same key.
            header: command
                .pages
                .first()
                .map_or(Header::Absent, |page| page.header.clone()),
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(rejection_notification(told, command, failure, dialect)),
            external: None,
        };
        let notification = CommandBook {
            cover: told.clone(),
            pages: vec![page],
            original: None,
        };
        let mut delivered = self.handled(&notification, |target, book| {
            replay_notification(target, book, &notification, false)
        })?;
        self.note_released(&mut delivered.notes);
        Ok(delivered)
    }

    /// Says where the released coordinator would have told nobody.
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

    /// Facts to their aggregate, which cannot refuse that they happened.
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
        let outcome = replay.outcome;
        let effect = match &outcome {
            Outcome::Unimplemented(_) => {
                delivered.notes.push(FlowNote::FactsTakenAsTheyAre);
                events::store_facts(&mut self.branch, cover, facts)
            }
            Outcome::Accepted(answered) => events::store_facts(&mut self.branch, cover, answered),
            _ => events::Consequence::default(),
        };
        if !matches!(outcome, Outcome::Unimplemented(_)) {
            delivered.answer = StepAnswer::Answered(outcome);
        }
        delivered.stored.extend(effect.stored);
        Ok(delivered)
    }
}

fn asked(cover: &Cover, book: &EventBook) -> Asked {
    Asked::Aggregate(Stream {
        cover: cover.clone(),
        head: book.next_sequence,
    })
}

/// Key of idempotency of facts: of the first page only, as coordinators read it.
fn external_id(facts: &EmittedBook) -> &str {
    match facts.pages.first().map(|page| &page.header) {
        Some(Header::ExternalDeferred { external_id, .. }) => external_id,
        _ => "",
    }
}
