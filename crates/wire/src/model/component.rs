//! Components behind small synchronous traits that use only plain model types.
//!
//! A panic counts as a crashed handler. Implementations must not persist anything: a debugging session calls them with
//! captured histories, any number of times.

use std::fmt;
use std::sync::Arc;

use super::{
    Cover, Destinations, Domain, EmittedBook, EventBook, Failure, Header, Logic, Outcome, Page,
    Projection, Reaction, Reply, Stimulus,
};

/// A saga: translates events of one domain into commands for others. It has no state.
pub trait Saga: Send + Sync {
    /// Reacts to the last pages of `source`, which are new.
    fn react(&self, source: &EventBook, destinations: &Destinations) -> Result<Reaction, Failure>;
}

/// A process manager: a workflow across domains, with an event stream of its own.
pub trait ProcessManager: Send + Sync {
    /// Names the aggregates whose heads it needs. Coordinators of older dialects call this first.
    fn prepare(&self, trigger: &EventBook, state: &EventBook) -> Result<Vec<Cover>, Failure> {
        let _ = (trigger, state);
        Err(Failure::unimplemented(
            "this process manager does not implement Prepare",
        ))
    }

    /// Reacts to the pages of `trigger`; `state` is the process manager's own stream so far.
    fn react(
        &self,
        trigger: &EventBook,
        state: &EventBook,
        destinations: &Destinations,
    ) -> Result<Reaction, Failure>;
}

/// A projector: builds a read model from events.
pub trait Projector: Send + Sync {
    /// Projects the pages of a book. Unless `with_effects` is set, nothing may be written anywhere.
    fn project(&self, events: &EventBook, with_effects: bool) -> Result<Projection, Failure>;
}

/// An upcaster that runs as its own service.
pub trait Upcaster: Send + Sync {
    /// Converts old pages to the newest schema.
    fn upcast(&self, domain: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure>;
}

/// Kind of component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentKind {
    /// Business logic of a domain.
    Aggregate,
    /// A saga.
    Saga,
    /// A process manager.
    ProcessManager,
    /// A projector.
    Projector,
    /// An upcaster that runs as its own service.
    Upcaster,
}

impl ComponentKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Aggregate,
        Self::Saga,
        Self::ProcessManager,
        Self::Projector,
        Self::Upcaster,
    ];

    /// Name of the kind in configuration and fixtures.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Aggregate => "aggregate",
            Self::Saga => "saga",
            Self::ProcessManager => "process-manager",
            Self::Projector => "projector",
            Self::Upcaster => "upcaster",
        }
    }
}

/// A component in this process.
#[derive(Clone)]
pub enum Component {
    /// Business logic of a domain.
    Aggregate(Arc<dyn Logic>),
    /// A saga.
    Saga(Arc<dyn Saga>),
    /// A process manager.
    ProcessManager(Arc<dyn ProcessManager>),
    /// A projector.
    Projector(Arc<dyn Projector>),
    /// An upcaster that runs as its own service.
    Upcaster(Arc<dyn Upcaster>),
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().word())
    }
}

impl Component {
    /// Kind of the component.
    #[must_use]
    pub const fn kind(&self) -> ComponentKind {
        match self {
            Self::Aggregate(_) => ComponentKind::Aggregate,
            Self::Saga(_) => ComponentKind::Saga,
            Self::ProcessManager(_) => ComponentKind::ProcessManager,
            Self::Projector(_) => ComponentKind::Projector,
            Self::Upcaster(_) => ComponentKind::Upcaster,
        }
    }

    /// Answers a stimulus. A stimulus for another kind of component fails as unimplemented.
    pub fn answer(&self, stimulus: &Stimulus) -> Result<Outcome, Failure> {
        Ok(match stimulus {
            Stimulus::Command { prior, command } => {
                match self.aggregate()?.handle(prior, command)? {
                    Reply::Events(book) => Outcome::Accepted(numbered(book, prior.next_sequence)),
                    Reply::Revocation(revocation) => Outcome::Revoked(revocation),
                    Reply::Notification(notification) => Outcome::Notified(notification),
                }
            }
            Stimulus::Fact { facts, prior } => {
                Outcome::Accepted(self.aggregate()?.handle_fact(facts, prior)?)
            }
            Stimulus::Fold { snapshot, pages } => {
                Outcome::Folded(self.aggregate()?.fold(snapshot.as_ref(), pages)?)
            }
            Stimulus::Upcast { domain, pages } => Outcome::Upcast(match self {
                Self::Upcaster(upcaster) => upcaster.upcast(domain, pages)?,
                Self::Aggregate(logic) => logic.upcast(domain, pages)?,
                Self::Saga(_) | Self::ProcessManager(_) | Self::Projector(_) => {
                    return Err(self.unfit());
                }
            }),
            Stimulus::Saga {
                source,
                destinations,
                modes: _,
            } => match self {
                Self::Saga(saga) => Outcome::Reacted(saga.react(source, destinations)?),
                _ => return Err(self.unfit()),
            },
            Stimulus::Prepare { trigger, state } => {
                Outcome::Prepared(self.process_manager()?.prepare(trigger, state)?)
            }
            Stimulus::ProcessManager {
                trigger,
                state,
                destinations,
            } => {
                let manager = self.process_manager()?;
                Outcome::Reacted(manager.react(trigger, state, destinations)?)
            }
            Stimulus::Project {
                events,
                with_effects,
            } => match self {
                Self::Projector(projector) => {
                    Outcome::Projected(projector.project(events, *with_effects)?)
                }
                _ => return Err(self.unfit()),
            },
        })
    }

    fn aggregate(&self) -> Result<&dyn Logic, Failure> {
        match self {
            Self::Aggregate(logic) => Ok(logic.as_ref()),
            _ => Err(self.unfit()),
        }
    }

    fn process_manager(&self) -> Result<&dyn ProcessManager, Failure> {
        match self {
            Self::ProcessManager(manager) => Ok(manager.as_ref()),
            _ => Err(self.unfit()),
        }
    }

    fn unfit(&self) -> Failure {
        let kind = self.kind().word();
        Failure::unimplemented(format!(
            "this is no component for that: it is of kind {kind}"
        ))
    }
}

/// Numbers pages without a header, as client libraries do: on the wire, a missing header means sequence 0.
fn numbered(mut book: EmittedBook, mut next: u32) -> EmittedBook {
    for page in &mut book.pages {
        if page.header == Header::Absent {
            page.header = Header::Sequence(next);
        }
        if let Header::Sequence(sequence) = page.header {
            next = next.max(sequence.saturating_add(1));
        }
    }
    book
}
