//! Delivers batches and rejections to sagas and process managers.

use super::queue::{Delivered, Flow, Task, To};
use super::stamp::Stamp;
use super::{
    Asked, Cause, FlowNote, NotAsked, StepAnswer, StreamPosition, Subscriber, SubscriberKind,
    events,
};
use crate::model::{
    Body, Cover, Destinations, Domain, EventBook, History, Modes, Outcome, Page, ProcessRoot,
    Reaction, Root, Stimulus,
};
use crate::replay::component::process_step;
use crate::replay::{TargetError, unknown_in_replies};
use crate::wire::rejection_notification;

impl Flow<'_> {
    /// Delivers a batch, or the rejection of one of its own commands, to a subscriber.
    pub(super) fn react(
        &mut self,
        at: usize,
        stream: Option<&Cover>,
        cause: &Cause,
    ) -> Result<Delivered, TargetError> {
        let components = self.components;
        let subscriber = &components.subscribers[at];
        match (&subscriber.kind, cause) {
            (SubscriberKind::Saga, Cause::Events(batch)) => self.saga(subscriber, batch),
            (SubscriberKind::ProcessManager { domain, root }, Cause::Events(batch)) => {
                self.workflow(at, (domain, *root), batch)
            }
            (SubscriberKind::ProcessManager { .. }, Cause::Rejection { command, failure }) => {
                let Some(cover) = stream else {
                    return Ok(skipped(subscriber));
                };
                let dialect = subscriber.target.dialect();
                let payload = rejection_notification(cover, command, failure, dialect);
                let trigger = notification(cover, Body::Event(payload));
                let mut delivered = self.process(at, cover, &trigger)?;
                self.note_released(&mut delivered.notes);
                Ok(delivered)
            }
            (
                SubscriberKind::Saga,
                Cause::Rejection { .. }
                | Cause::Command(_)
                | Cause::Unaddressed(_)
                | Cause::Facts(_)
                | Cause::Happened,
            )
            | (
                SubscriberKind::ProcessManager { .. },
                Cause::Command(_) | Cause::Unaddressed(_) | Cause::Facts(_) | Cause::Happened,
            ) => Ok(skipped(subscriber)),
        }
    }

    fn saga(
        &mut self,
        subscriber: &Subscriber<'_>,
        batch: &EventBook,
    ) -> Result<Delivered, TargetError> {
        let mut notes = Vec::new();
        let destinations = if subscriber
            .target
            .dialect()
            .rules()
            .sends_destinations_to_sagas
        {
            self.heads(batch, &mut notes)
        } else {
            Destinations::new()
        };
        let outcome = subscriber.target.ask(&Stimulus::Saga {
            source: batch.clone(),
            destinations,
            modes: Modes::default(),
        })?;
        let name = subscriber.name.clone();
        let mut next = Vec::new();
        if let Outcome::Reacted(reaction) = &outcome {
            let origin = To::Aggregate(batch.cover.clone());
            next = self.sent(subscriber, reaction, &batch.cover, last_of(batch), &origin);
        }
        let mut delivered = Delivered::new(Asked::Saga { name }, StepAnswer::Answered(outcome));
        delivered.next = next;
        notes.extend(unknown_in_replies(subscriber.target.as_ref()).map(FlowNote::Call));
        delivered.notes = notes;
        Ok(delivered)
    }

    /// The head of each domain in a trigger's edition, with a note for each domain that has several aggregates.
    fn heads(&self, trigger: &EventBook, notes: &mut Vec<FlowNote>) -> Destinations {
        let (heads, ambiguous) = self.branch.heads(&trigger.cover.edition);
        let ambiguous = ambiguous.into_iter();
        notes.extend(ambiguous.map(|domain| FlowNote::SeveralOfDomain { domain }));
        heads
    }

    /// Delivers a batch to a process manager, in the workflow that the batch belongs to.
    fn workflow(
        &mut self,
        at: usize,
        (domain, derivation): (&Domain, ProcessRoot),
        batch: &EventBook,
    ) -> Result<Delivered, TargetError> {
        let correlation_id = &batch.cover.correlation_id;
        if correlation_id.is_empty() {
            return Ok(skipped(&self.components.subscribers[at]));
        }
        let mut cover = Cover {
            correlation_id: correlation_id.clone(),
            edition: batch.cover.edition.clone(),
            ..Cover::main(domain.clone(), derivation.of(correlation_id))
        };
        let mut notes = Vec::new();
        if self.branch.known(&cover).is_none() {
            let edition = &batch.cover.edition;
            let only = self.branch.only_root(domain, edition);
            if let Some(only) = only.filter(|only| *only != cover.root) {
                notes.push(FlowNote::OnlyProcessBook {
                    derived: cover.root,
                });
                cover.root = only;
            } else if cover.root == Root::new([0; 16]) {
                notes.push(FlowNote::NilProcessRoot);
            }
        }
        let mut delivered = self.process(at, &cover, batch)?;
        notes.append(&mut delivered.notes);
        delivered.notes = notes;
        Ok(delivered)
    }

    /// Asks a process manager about a trigger, given its own stream.
    fn process(
        &mut self,
        at: usize,
        cover: &Cover,
        trigger: &EventBook,
    ) -> Result<Delivered, TargetError> {
        let components = self.components;
        let subscriber = &components.subscribers[at];
        // A new workflow has no stream yet, which needs no note.
        let (mut state, _) = self.branch.load(cover);
        state.cover = cover.clone();
        let asked = Asked::ProcessManager {
            name: subscriber.name.clone(),
            stream: Some(StreamPosition {
                cover: cover.clone(),
                head: state.next_sequence,
            }),
        };
        let mut notes = Vec::new();
        let replay = process_step(subscriber.target.as_ref(), trigger, &state, |named| {
            self.destinations(subscriber, named, trigger, &mut notes)
        })?;
        notes.extend(replay.notes.into_iter().map(FlowNote::Call));
        let mut delivered = Delivered::new(asked, StepAnswer::Answered(replay.outcome));
        delivered.prepared = replay.prepared;
        delivered.notes = notes;
        if let StepAnswer::Answered(Outcome::Reacted(reaction)) = &delivered.answer {
            let reaction = reaction.clone();
            let own = reaction.process_events.iter().zip(&replay.effects);
            for (emitted, effect) in own {
                let came = events::store(&mut self.branch, cover, emitted, effect);
                delivered.stored.extend(came.stored);
                delivered.notes.extend(came.note);
                delivered.refused = delivered.refused.or(came.refused);
            }
            // Its own events come first: if they cannot be stored, nothing is sent.
            if delivered.refused.is_none() {
                let origin = To::Subscriber(at, Some(cover.clone()));
                delivered.next = self.sent(subscriber, &reaction, cover, last_of(trigger), &origin);
            }
            if reaction.notification.is_some() {
                delivered.notes.push(FlowNote::NotificationEnds);
            }
        }
        Ok(delivered)
    }

    /// The heads that a process manager is told: those of the aggregates that it named, if the dialect calls `Prepare`.
    fn destinations(
        &self,
        subscriber: &Subscriber<'_>,
        named: Option<&[Cover]>,
        trigger: &EventBook,
        notes: &mut Vec<FlowNote>,
    ) -> Destinations {
        let rules = subscriber.target.dialect().rules();
        match named {
            Some(covers) => self.named_heads(covers, trigger, notes),
            // A process manager that named no aggregate is told no heads.
            None if rules.calls_prepare || !rules.sends_destinations => Destinations::new(),
            None => self.heads(trigger, notes),
        }
    }

    /// Heads of the named aggregates, by domain.
    fn named_heads(
        &self,
        covers: &[Cover],
        trigger: &EventBook,
        notes: &mut Vec<FlowNote>,
    ) -> Destinations {
        let mut heads = Destinations::new();
        for cover in covers {
            let domain = cover.domain.to_string();
            let others = covers.iter().filter(|other| other.domain == cover.domain);
            if others.clone().any(|other| other.root != cover.root) {
                let note = FlowNote::AmbiguousDestination { domain };
                if !notes.contains(&note) {
                    notes.push(note);
                }
                continue;
            }
            let mut cover = cover.clone();
            if cover.edition.is_main() {
                cover.edition.clone_from(&trigger.cover.edition);
            }
            heads.insert(domain, self.branch.head(&cover));
        }
        heads
    }

    /// Deliveries of a reaction's commands and facts.
    fn sent(
        &self,
        subscriber: &Subscriber<'_>,
        reaction: &Reaction,
        source: &Cover,
        sequence: u32,
        origin: &To,
    ) -> Vec<Task> {
        let stamp = Stamp {
            component: &subscriber.name,
            source,
            sequence,
            dialect: self.dialect,
        };
        let commands = reaction.commands.iter().enumerate();
        let commands = commands.map(|(index, emitted)| match stamp.command(emitted, index) {
            Some(command) => Task {
                to: To::Aggregate(command.cover.clone()),
                cause: Cause::Command(command),
                origin: Some(origin.clone()),
            },
            None => Task {
                to: To::Nobody,
                cause: Cause::Unaddressed(emitted.clone()),
                origin: None,
            },
        });
        let facts = reaction.facts.iter().map(|emitted| {
            let facts = stamp.facts(emitted);
            Task {
                to: facts.cover.clone().map_or(To::Nobody, To::Aggregate),
                cause: Cause::Facts(facts),
                origin: None,
            }
        });
        commands.chain(facts).collect()
    }
}

/// The step of a subscriber that is not asked, because no workflow is known.
fn skipped(subscriber: &Subscriber<'_>) -> Delivered {
    let name = subscriber.name.clone();
    let asked = match subscriber.kind {
        SubscriberKind::Saga => Asked::Saga { name },
        SubscriberKind::ProcessManager { .. } => Asked::ProcessManager { name, stream: None },
    };
    Delivered::new(asked, StepAnswer::NotAsked(NotAsked::NoCorrelationId))
}

fn last_of(batch: &EventBook) -> u32 {
    batch.history.pages().last().map_or(0, |page| page.sequence)
}

/// A notification as a trigger: a book of one page that is in no stream.
fn notification(cover: &Cover, body: Body) -> EventBook {
    let page = Page {
        sequence: 0,
        created_at: None,
        body,
        provisional: false,
        cascade_id: None,
        original: None,
    };
    EventBook {
        cover: cover.clone(),
        snapshot: None,
        history: History::new(vec![page]).expect("one page is in order"),
        next_sequence: 1,
    }
}
