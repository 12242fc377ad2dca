//! Renders a flow as a tree.

use serde_yaml::{Mapping, Value};

use super::Renderer;
use super::render::{cover_view, put};
use crate::model::{Cover, EventBook};
use crate::replay::flow::{Asked, Cause, FlowRun, FlowStep, NotAsked, StepAnswer, StreamPosition};

impl Renderer<'_> {
    /// The cascade of a flow: each step with its answer, and under `then` the steps that it led to, in order. Omits
    /// what coordinators add on the way: provenance, correlation ids and notes.
    #[must_use]
    pub fn flow(&self, run: &FlowRun) -> Value {
        self.branch(run, 0)
    }

    fn branch(&self, run: &FlowRun, at: usize) -> Value {
        let Some(step) = run.steps.get(at) else {
            return Value::Mapping(Mapping::new());
        };
        let mut fields = asked(step);
        self.answer(&mut fields, step);
        let then: Vec<Value> = run
            .children(at)
            .map(|child| self.branch(run, child))
            .collect();
        if !then.is_empty() {
            put(&mut fields, "then", Value::Sequence(then));
        }
        Value::Mapping(fields)
    }

    fn answer(&self, fields: &mut Mapping, step: &FlowStep) {
        if let Some(prepared) = &step.prepared {
            let prepared = prepared.iter().map(cover_view).collect();
            put(fields, "prepared", Value::Sequence(prepared));
        }
        match &step.answer {
            StepAnswer::Answered(outcome) => {
                let view = match stream_of(step) {
                    Some(stream) => self
                        .addressed_to(&stream.cover, stream.head)
                        .outcome(outcome),
                    None => self.outcome(outcome),
                };
                fields.extend(view);
            }
            StepAnswer::TakenAsTheyAre => {
                put(fields, "outcome", "taken as they are".into());
                self.stored_events(fields, &step.stored);
            }
            StepAnswer::Happened => self.stored_events(fields, &step.stored),
            StepAnswer::NotAsked(reason) => {
                put(fields, "outcome", not_asked(*reason).into());
                if let Cause::Unaddressed(command) = &step.cause {
                    put(fields, "command", self.sent(command));
                }
            }
        }
        if let Some(refused) = &step.refused {
            put(fields, "not_stored", refused.message.as_str().into());
        }
    }

    fn stored_events(&self, fields: &mut Mapping, stored: &[EventBook]) {
        let pages = stored.iter().flat_map(|book| book.history.pages());
        let events = self.stored(pages.map(|page| &page.body));
        if let Value::Mapping(events) = events {
            fields.extend(events);
        }
    }

    /// A renderer with the same descriptors and rules for another stream.
    pub(super) fn addressed_to<'b>(&'b self, cover: &'b Cover, head: u32) -> Renderer<'b> {
        Renderer::new(self.descriptors.clone(), self.rules.clone(), cover, head)
    }
}

/// The stream that an answer belongs to.
pub(super) const fn stream_of(step: &FlowStep) -> Option<&StreamPosition> {
    match &step.asked {
        Asked::Aggregate(stream) => Some(stream),
        Asked::ProcessManager { stream, .. } => stream.as_ref(),
        Asked::Saga { .. } | Asked::Nobody => None,
    }
}

/// Which component was asked about what. The content is in the answer that led to this step.
fn asked(step: &FlowStep) -> Mapping {
    let mut fields = Mapping::new();
    match &step.asked {
        Asked::Aggregate(stream) => put(&mut fields, "to", cover_view(&stream.cover)),
        Asked::Saga { name } => put(&mut fields, "saga", name.as_str().into()),
        Asked::ProcessManager { name, stream } => {
            put(&mut fields, "process_manager", name.as_str().into());
            if let Some(stream) = stream {
                put(&mut fields, "stream", cover_view(&stream.cover));
            }
        }
        Asked::Nobody => put(&mut fields, "to", "nobody".into()),
    }
    let key = match &step.cause {
        Cause::Command(_) | Cause::Unaddressed(_) => "handles",
        Cause::Events(_) => "reacts_to",
        Cause::Facts(_) => "facts",
        Cause::Rejection { .. } => "told_of_refused",
        Cause::Happened => return fields,
    };
    let names: Vec<Value> = step
        .cause
        .type_names()
        .into_iter()
        .map(Value::from)
        .collect();
    let names = match names.as_slice() {
        [name] => name.clone(),
        _ => Value::Sequence(names),
    };
    put(&mut fields, key, names);
    fields
}

const fn not_asked(reason: NotAsked) -> &'static str {
    match reason {
        NotAsked::NoLogic => "not asked: no logic",
        NotAsked::NoAddressee => "not asked: no addressee",
        NotAsked::NoCorrelationId => "not asked: no correlation id",
    }
}
