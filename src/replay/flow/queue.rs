//! The queue of a flow: pending deliveries in order, and the limits.

use std::collections::VecDeque;

use super::branch::Branch;
use super::{
    Asked, Cause, Chain, FlowComponents, FlowError, FlowNote, FlowRun, FlowStep, NotAsked,
    StepAnswer, StreamPosition, Who,
};
use crate::model::{ComponentKind, Cover, EventBook, Failure, FlowStart};
use crate::replay::TargetError;
use crate::wire::Dialect;

/// How far a flow may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLimits {
    /// Maximum number of steps that lead to each other in a chain.
    pub depth: usize,
    /// Maximum number of steps.
    pub steps: usize,
}

impl Default for FlowLimits {
    /// More than real workflows need, but soon reached by a cycle.
    fn default() -> Self {
        Self {
            depth: 32,
            steps: 1000,
        }
    }
}

/// Replays a flow on copies of the books, the first of which is the flow's own: events that it begins with are the new
/// pages of that one, as one batch, and its correlation id is that of the workflow. `dialect` is the dialect of the
/// coordinators between the components; if the first command was captured in another one, the caller drops its original
/// encoding.
pub fn run_flow(
    components: &FlowComponents<'_>,
    books: &[EventBook],
    start: &FlowStart,
    limits: FlowLimits,
    dialect: Dialect,
) -> Result<FlowRun, FlowError> {
    let flow = Flow {
        components,
        order: order(components),
        branch: Branch::new(books)?,
        dialect,
    };
    Queue {
        flow,
        limits,
        waiting: VecDeque::new(),
        steps: Vec::new(),
    }
    .run(start, books.first())
}

/// Sagas, then process managers, each in order of name.
fn order(components: &FlowComponents<'_>) -> Vec<usize> {
    let subscriber = &components.subscribers;
    let mut order: Vec<usize> = (0..subscriber.len()).collect();
    let place = |at: &usize| {
        let subscriber = &subscriber[*at];
        let after_sagas = subscriber.component_kind() != ComponentKind::Saga;
        (after_sagas, subscriber.name.clone())
    };
    order.sort_by_key(place);
    order
}

/// Addressee of a delivery.
#[derive(Debug, Clone)]
pub(super) enum To {
    Aggregate(Cover),
    /// By position among the subscribers, with its stream if that is known already.
    Subscriber(usize, Option<Cover>),
    Nobody,
}

/// A pending delivery.
pub(super) struct Task {
    pub(super) to: To,
    pub(super) cause: Cause,
    /// Who is notified if it is refused.
    pub(super) origin: Option<To>,
}

/// A finished delivery.
pub(super) struct Delivered {
    pub(super) asked: Asked,
    pub(super) answer: StepAnswer,
    pub(super) stored: Vec<EventBook>,
    pub(super) refused: Option<Failure>,
    pub(super) prepared: Option<Vec<Cover>>,
    pub(super) notes: Vec<FlowNote>,
    /// Deliveries that it leads to, besides those of its events.
    pub(super) next: Vec<Task>,
}

impl Delivered {
    pub(super) const fn new(asked: Asked, answer: StepAnswer) -> Self {
        Self {
            asked,
            answer,
            stored: Vec::new(),
            refused: None,
            prepared: None,
            notes: Vec::new(),
            next: Vec::new(),
        }
    }

    const fn to_nobody() -> Self {
        Self::new(Asked::Nobody, StepAnswer::NotAsked(NotAsked::NoAddressee))
    }
}

/// The components and the books that they work on.
pub(super) struct Flow<'a> {
    pub(super) components: &'a FlowComponents<'a>,
    order: Vec<usize>,
    pub(super) branch: Branch,
    pub(super) dialect: Dialect,
}

impl Flow<'_> {
    fn deliver(&mut self, task: &Task) -> Result<Delivered, TargetError> {
        let origin = task.origin.as_ref();
        let cover = match &task.to {
            To::Aggregate(cover) => cover,
            To::Subscriber(at, stream) => return self.react(*at, stream.as_ref(), &task.cause),
            To::Nobody => return Ok(Delivered::to_nobody()),
        };
        match &task.cause {
            Cause::Command(command) => self.command(command, origin),
            Cause::Facts(facts) => self.facts(cover, facts),
            Cause::Rejection { command, failure } => self.rejection(cover, command, failure),
            Cause::Unaddressed(_) | Cause::Events(_) | Cause::Happened => {
                Ok(Delivered::to_nobody())
            }
        }
    }

    /// Deliveries of a batch to its subscribers.
    fn published(&self, batch: &EventBook) -> Vec<Task> {
        let fitting = self.order.iter().copied().filter(|at| {
            let subscriber = &self.components.subscribers[*at];
            subscriber.subscribes_to(batch)
        });
        let task = |at| Task {
            to: To::Subscriber(at, None),
            cause: Cause::Events(batch.clone()),
            origin: None,
        };
        fitting.map(task).collect()
    }
}

struct Waiting {
    parent: Option<usize>,
    depth: usize,
    task: Task,
}

struct Queue<'a> {
    flow: Flow<'a>,
    limits: FlowLimits,
    waiting: VecDeque<Waiting>,
    steps: Vec<FlowStep>,
}

impl Queue<'_> {
    fn run(mut self, start: &FlowStart, own: Option<&EventBook>) -> Result<FlowRun, FlowError> {
        match start {
            FlowStart::Command(command) => {
                let to = To::Aggregate(command.cover.clone());
                self.first(to, Cause::Command(command.clone()));
            }
            FlowStart::Facts(facts) => {
                let cover = facts.cover.clone().ok_or(FlowError::FactsForNobody)?;
                self.first(To::Aggregate(cover), Cause::Facts(facts.clone()));
            }
            FlowStart::Events(trigger) => {
                let own = own.ok_or(FlowError::NoOwnBook)?;
                self.happened(own, trigger.from)?;
            }
        }
        while let Some(waiting) = self.waiting.pop_front() {
            self.step(waiting)?;
        }
        Ok(FlowRun {
            steps: self.steps,
            books: self.flow.branch.into_books(),
        })
    }

    fn first(&mut self, to: To, cause: Cause) {
        self.waiting.push_back(Waiting {
            parent: None,
            depth: 0,
            task: Task {
                to,
                cause,
                origin: None,
            },
        });
    }

    /// The first step of a flow that begins with stored events.
    fn happened(&mut self, own: &EventBook, from: u32) -> Result<(), FlowError> {
        let batch = self.flow.branch.load(&own.cover).0.since(from);
        if batch.history.pages().is_empty() {
            let cover = Box::new(own.cover.clone());
            return Err(FlowError::NothingHappened { cover, from });
        }
        let stream = StreamPosition {
            cover: own.cover.clone(),
            head: from,
        };
        let mut delivered = Delivered::new(Asked::Aggregate(stream), StepAnswer::Happened);
        delivered.stored.push(batch);
        self.took(None, 0, Cause::Happened, delivered);
        Ok(())
    }

    fn step(&mut self, waiting: Waiting) -> Result<(), FlowError> {
        let Waiting {
            parent,
            depth,
            task,
        } = waiting;
        let chain = |steps: &[FlowStep]| {
            let label = label(&task, self.flow.components);
            Chain::to(steps, parent, &label)
        };
        if depth > self.limits.depth {
            return Err(FlowError::TooDeep {
                limit: self.limits.depth,
                chain: chain(&self.steps),
            });
        }
        if self.steps.len() >= self.limits.steps {
            return Err(FlowError::TooManySteps {
                limit: self.limits.steps,
                chain: chain(&self.steps),
            });
        }
        let delivered = self.flow.deliver(&task);
        let delivered = delivered.map_err(|source| FlowError::Target {
            step: self.steps.len() + 1,
            asked: label(&task, self.flow.components),
            who: match &task.to {
                To::Aggregate(cover) => Some(Box::new(Who::Aggregate(cover.domain.clone()))),
                To::Subscriber(at, _) => {
                    let name = self.flow.components.subscribers[*at].name.clone();
                    Some(Box::new(Who::Component(name)))
                }
                To::Nobody => None,
            },
            source,
        })?;
        self.took(parent, depth, task.cause, delivered);
        Ok(())
    }

    /// Records a step and queues what it leads to: its events first.
    fn took(&mut self, parent: Option<usize>, depth: usize, cause: Cause, delivered: Delivered) {
        let published = delivered
            .stored
            .iter()
            .flat_map(|batch| self.flow.published(batch));
        let next: Vec<Task> = published.chain(delivered.next).collect();
        let at = self.steps.len();
        self.waiting.extend(next.into_iter().map(|task| Waiting {
            parent: Some(at),
            depth: depth + 1,
            task,
        }));
        self.steps.push(FlowStep {
            parent,
            depth,
            asked: delivered.asked,
            cause,
            answer: delivered.answer,
            stored: delivered.stored,
            refused: delivered.refused,
            prepared: delivered.prepared,
            notes: delivered.notes,
        });
    }
}

/// Who will be asked about what.
fn label(task: &Task, components: &FlowComponents<'_>) -> String {
    let who = match &task.to {
        To::Aggregate(cover) => cover.domain.to_string(),
        To::Nobody => "nobody".to_owned(),
        To::Subscriber(at, _) => {
            let subscriber = &components.subscribers[*at];
            super::run::component(subscriber.component_kind(), &subscriber.name)
        }
    };
    super::run::labelled(&who, &task.cause)
}
