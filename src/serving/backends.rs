//! The logic and components behind the coordinator, made ready.

use super::{RequestedComponent, RequestedLogic, SPECULATIVE_KINDS, ServeRequest};
use crate::coordinator::{Backend, HostedComponent, LocalCoordinator};
use crate::model::{ComponentKind, Domain};
use crate::project::{OperationError, Project, SelectedLogic};
use crate::wire::Dialect;

/// What stands behind a coordinator.
#[derive(Default)]
pub(super) struct Backends {
    /// A line for each.
    described: Vec<String>,
    logic: Vec<(Domain, Backend)>,
    upcasters: Vec<(Domain, Backend)>,
    components: Vec<HostedComponent>,
}

impl Backends {
    /// Chooses what the request names, otherwise everything that is configured.
    pub(super) fn choose(
        project: &Project,
        request: &ServeRequest,
    ) -> Result<Self, OperationError> {
        let is_everything = request.logic.is_empty() && request.components.is_empty();
        let (logic, components) = if is_everything {
            let components = SPECULATIVE_KINDS
                .into_iter()
                .flat_map(|kind| project.logics().of_component_kind(kind));
            (project.logics().by_domain().collect(), components.collect())
        } else {
            let logic = request.logic.iter();
            let logic: Result<Vec<_>, _> = logic.map(|it| selected_logic(project, it)).collect();
            let components = request.components.iter();
            let components: Result<Vec<_>, _> = components
                .map(|it| selected_component(project, it))
                .collect();
            (logic?, components?)
        };
        let mut chosen = Self::default();
        for (domain, logic) in logic {
            chosen.add_logic(project, request.dialect, domain, &logic)?;
        }
        for component in components {
            chosen.add_component(project, request.dialect, &component)?;
        }
        Ok(chosen)
    }

    /// A line for each.
    pub(super) fn described(&self) -> Vec<String> {
        self.described.clone()
    }

    pub(super) fn put_behind(self, mut coordinator: LocalCoordinator) -> LocalCoordinator {
        for (domain, backend) in self.logic {
            coordinator = coordinator.with_logic(domain, backend);
        }
        for (domain, backend) in self.upcasters {
            coordinator = coordinator.with_upcaster(domain, backend);
        }
        for component in self.components {
            coordinator = coordinator.with_reacting(component);
        }
        coordinator
    }

    /// Adds the logic of a domain, with the upcaster that a coordinator would put before it.
    fn add_logic(
        &mut self,
        project: &Project,
        dialect: Dialect,
        domain: Domain,
        logic: &SelectedLogic,
    ) -> Result<(), OperationError> {
        let backend = project.logics().backend(logic, dialect)?;
        self.described
            .push(format!("{domain}: {}", logic.describe()));
        let own = project.logics().upcaster_of(&domain);
        let own = own.filter(|upcaster| upcaster.config.kind == ComponentKind::Upcaster);
        if let Some(upcaster) = own {
            self.described
                .push(format!("{domain}, upcast by {}", upcaster.describe()));
            let upcaster = project.logics().backend(&upcaster, dialect)?;
            self.upcasters.push((domain.clone(), upcaster));
        } else if logic.config.upcaster {
            self.upcasters.push((domain.clone(), backend.clone()));
        }
        self.logic.push((domain, backend));
        Ok(())
    }

    fn add_component(
        &mut self,
        project: &Project,
        dialect: Dialect,
        component: &SelectedLogic,
    ) -> Result<(), OperationError> {
        let config = &component.config;
        let kind = config.kind.word();
        self.described
            .push(format!("{kind} {}", component.describe()));
        self.components.push(HostedComponent {
            name: config.name.clone(),
            kind: config.kind,
            subscriptions: config.subscriptions.clone(),
            backend: project.logics().backend(component, dialect)?,
        });
        Ok(())
    }
}

fn selected_logic(
    project: &Project,
    requested: &RequestedLogic,
) -> Result<(Domain, SelectedLogic), OperationError> {
    match requested {
        RequestedLogic::Running { domain, address } => {
            let logic = SelectedLogic::at_address(address, ComponentKind::Aggregate, domain);
            Ok((domain.clone(), logic))
        }
        RequestedLogic::Named(name) => {
            let logic = project.logics().named(name)?;
            let domain = logic.config.domain.clone();
            let domain = domain.filter(|_| logic.config.kind == ComponentKind::Aggregate);
            let domain = domain.ok_or_else(|| {
                OperationError::Usage(format!(
                    "--logic {name}: it is no business logic of a domain; sagas, process managers and projectors go with \
                     --component"
                ))
            })?;
            Ok((domain, logic))
        }
    }
}

fn selected_component(
    project: &Project,
    requested: &RequestedComponent,
) -> Result<SelectedLogic, OperationError> {
    match requested {
        RequestedComponent::Running { kind, address } => {
            Ok(SelectedLogic::component_at(address, *kind))
        }
        RequestedComponent::Named(name) => {
            let component = project.logics().named(name)?;
            if SPECULATIVE_KINDS.contains(&component.config.kind) {
                return Ok(component);
            }
            Err(OperationError::Usage(format!(
                "--component {name}: it is no saga, process manager or projector; business logic goes with --logic"
            )))
        }
    }
}
