//! Speculative calls to sagas, process managers and projectors. The input comes with the request; nothing is read from the
//! store or stored.
//!
//! A real coordinator has one component. Here several can share a server, so one is chosen for each request.

use std::collections::BTreeMap;

use super::{Backend, LocalCoordinator, internal};
use crate::grpc::RefusedCall;
use crate::model::{
    Code, ComponentKind, Cover, Destinations, Domain, Edition, EventBook, Failure, Outcome,
    Payload, Reaction, Stimulus, matches_pattern,
};

/// A saga, process manager or projector behind a coordinator.
#[derive(Debug, Clone)]
pub struct HostedComponent {
    /// Its name, for messages.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// Patterns of the type names that it receives, by domain.
    pub subscriptions: BTreeMap<Domain, Vec<String>>,
    /// Where it runs.
    pub backend: Backend,
}

impl HostedComponent {
    fn is_subscribed_to(&self, domain: &Domain) -> bool {
        self.subscriptions.contains_key(domain)
    }

    fn is_sent(&self, domain: &Domain, type_name: &str) -> bool {
        self.subscriptions.get(domain).is_some_and(|patterns| {
            patterns
                .iter()
                .any(|pattern| matches_pattern(pattern, type_name))
        })
    }
}

impl LocalCoordinator {
    /// `ExecuteSpeculative` and `HandleSpeculative`.
    pub(super) fn reaction(&self, stimulus: Stimulus) -> Result<Outcome, RefusedCall> {
        match stimulus {
            Stimulus::Saga { source, modes, .. } => {
                let saga = self.chosen(ComponentKind::Saga, &source)?;
                let edition = source.cover.edition.clone();
                let stimulus = Stimulus::Saga {
                    source,
                    destinations: Destinations::new(),
                    modes,
                };
                let reaction = Self::reacted(saga, &stimulus, "Saga")?;
                Ok(Outcome::Reacted(self.stamped(reaction, &edition)))
            }
            Stimulus::ProcessManager { trigger, state, .. } => {
                let manager = self.chosen(ComponentKind::ProcessManager, &trigger)?;
                if self.dialect.rules().calls_prepare {
                    Self::prepare(manager, &trigger, &state)?;
                }
                let edition = trigger.cover.edition.clone();
                let stimulus = Stimulus::ProcessManager {
                    trigger,
                    state,
                    destinations: Destinations::new(),
                };
                let mut reaction = Self::reacted(manager, &stimulus, "Process manager")?;
                reaction.notification = None;
                Ok(Outcome::Reacted(self.stamped(reaction, &edition)))
            }
            Stimulus::Project { events, .. } => {
                let projector = self.chosen(ComponentKind::Projector, &events)?;
                // The released coordinator makes the ordinary call here, which has real effects. This one never does.
                projector.backend.ask(&Stimulus::Project {
                    events,
                    with_effects: false,
                })
            }
            Stimulus::Command { .. }
            | Stimulus::Fold { .. }
            | Stimulus::Upcast { .. }
            | Stimulus::Fact { .. }
            | Stimulus::Prepare { .. } => {
                Err(internal("this is not a stimulus for a component").into())
            }
        }
    }

    fn reacted(
        component: &HostedComponent,
        stimulus: &Stimulus,
        kind: &str,
    ) -> Result<Reaction, RefusedCall> {
        match component.backend.ask(stimulus) {
            Ok(Outcome::Reacted(reaction)) => Ok(reaction),
            Ok(_) => {
                Err(internal(format!("{kind} handler failed: it answered something else")).into())
            }
            Err(refused) => Err(handler_failed(kind, refused.failure()).into()),
        }
    }

    /// Calls `Prepare` first, like the released coordinator. The answer is not used here.
    fn prepare(
        manager: &HostedComponent,
        trigger: &EventBook,
        state: &EventBook,
    ) -> Result<(), RefusedCall> {
        let asked = manager.backend.ask(&Stimulus::Prepare {
            trigger: trigger.clone(),
            state: state.clone(),
        });
        match asked {
            Err(refused) if refused.failure().code != Code::Unimplemented => {
                Err(handler_failed("Process manager", refused.failure()).into())
            }
            _ => Ok(()),
        }
    }

    /// Sets the edition of commands to that of their cause: in older dialects only if they name none, in newer ones always.
    pub(super) fn stamped(&self, mut reaction: Reaction, edition: &Edition) -> Reaction {
        let keeps_own = self.dialect.rules().keeps_emitted_edition;
        let covers = reaction
            .commands
            .iter_mut()
            .filter_map(|command| command.cover.as_mut());
        for cover in covers.filter(|cover: &&mut Cover| !keeps_own || cover.edition.is_main()) {
            cover.edition = edition.clone();
        }
        reaction
    }

    /// The component for a book: the only one of its kind, or the subscribed one of several.
    pub(super) fn chosen(
        &self,
        kind: ComponentKind,
        book: &EventBook,
    ) -> Result<&HostedComponent, Failure> {
        let of_kind: Vec<&HostedComponent> = self
            .reacting
            .iter()
            .filter(|one| one.kind == kind)
            .collect();
        let domain = &book.cover.domain;
        let newest = book.history.pages().last();
        let newest = newest.and_then(|page| page.body.event());
        let type_name = newest.map_or("", Payload::type_name);
        match of_kind.as_slice() {
            [] => return Err(unavailable(format!("no {} is configured", kind.word()))),
            [only] => return Ok(only),
            _ => {}
        }
        let sent: Vec<&HostedComponent> = of_kind
            .iter()
            .copied()
            .filter(|one| one.is_sent(domain, type_name))
            .collect();
        let subscribed: Vec<&HostedComponent> = of_kind
            .iter()
            .copied()
            .filter(|one| one.is_subscribed_to(domain))
            .collect();
        match (sent.as_slice(), subscribed.as_slice()) {
            ([one], _) | ([], [one]) => Ok(one),
            ([], []) => Err(undecided(kind, &of_kind, domain, type_name, "none")),
            ([], several) | (several, _) => {
                Err(undecided(kind, several, domain, type_name, "more than one"))
            }
        }
    }
}

/// The original status is lost, as with a real coordinator.
fn handler_failed(kind: &str, failure: &Failure) -> Failure {
    internal(format!("{kind} handler failed: {}", failure.message))
}

fn undecided(
    kind: ComponentKind,
    candidates: &[&HostedComponent],
    domain: &Domain,
    type_name: &str,
    how_many: &str,
) -> Failure {
    let names: Vec<&str> = candidates.iter().map(|one| one.name.as_str()).collect();
    unavailable(format!(
        "{how_many} of these components of kind {} is subscribed to `{type_name}` of domain `{domain}`: {}; start \
         `serve` with --component NAME for the one that is to answer",
        kind.word(),
        names.join(", ")
    ))
}

fn unavailable(message: String) -> Failure {
    Failure {
        code: Code::Unavailable,
        message,
        info: None,
    }
}
