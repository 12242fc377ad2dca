//! Where logic runs, and how to reach it there. All differences between the places are here, in exhaustive matches,
//! except those of `replay --debug`.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use super::started::launched;
use super::{LogicUnavailable, Logics, SelectedLogic, rust_main};
use crate::coordinator::Backend;
use crate::grpc::{Connection, ConnectionOptions, LogicClient, Server, serve_component};
use crate::model::Component;
use crate::project::{LogicConfig, LogicPlace};
use crate::replay::{GrpcTarget, InProcess, Target};
use crate::terminal::{Program, program};
use crate::wire::Dialect;

impl LogicPlace {
    /// Describes where the logic with this name runs.
    pub(super) fn describe(&self, name: &str) -> String {
        match self {
            Self::InProcess(_) => "in process".to_owned(),
            Self::Address(address) if address == name => "given by address".to_owned(),
            Self::Address(address) => format!("at {address}"),
            Self::Command(start) => format!("started: {}", start.command.join(" ")),
        }
    }

    /// Whether a trial spends most of its time waiting for another process.
    pub(crate) const fn is_remote(&self) -> bool {
        match self {
            Self::InProcess(_) => false,
            Self::Address(_) | Self::Command(_) => true,
        }
    }
}

impl Logics {
    /// Makes logic ready to be called by a coordinator in this process, in the logic's own dialect, otherwise in this
    /// one.
    pub fn backend(
        &self,
        logic: &SelectedLogic,
        dialect: Dialect,
    ) -> Result<Backend, LogicUnavailable> {
        let config = &logic.config;
        let dialect = config.dialect.unwrap_or(dialect);
        let address = match &config.place {
            LogicPlace::InProcess(registered) => {
                return Ok(Backend::InProcess(self.registered(config, registered)?));
            }
            LogicPlace::Address(address) => address.clone(),
            LogicPlace::Command(start) => {
                let launch = || {
                    launched(&config.name, start)
                        .map(Arc::new)
                        .map_err(Arc::new)
                };
                let started = self.started(&config.name, &launch);
                let started = started.map_err(|error| LogicUnavailable::Launch {
                    words: self.masked(&error.to_string()),
                });
                started?.address()
            }
        };
        let connection = self.connection(&address, config.deadline)?;
        Ok(Backend::Remote(LogicClient::new(connection, dialect)))
    }

    /// Makes logic ready to be called in a dialect, without the separate upcaster of its domain.
    pub(super) fn target_without_upcaster(
        &self,
        logic: &SelectedLogic,
        dialect: Dialect,
    ) -> Result<Box<dyn Target>, LogicUnavailable> {
        let upcasts = logic.config.upcaster;
        Ok(match self.backend(logic, dialect)? {
            Backend::InProcess(component) => {
                let target = InProcess::component(component, dialect, upcasts);
                Box::new(target.with_limits(self.reply_limit, self.status_limit))
            }
            Backend::Remote(client) => Box::new(GrpcTarget::new(client, upcasts)),
        })
    }

    /// Makes logic ready for a coordinator in another process, and returns its address. Logic in this process is served
    /// until the returned server is dropped.
    pub(in crate::project) fn address(
        &self,
        logic: &SelectedLogic,
        dialect: Dialect,
    ) -> Result<(String, Option<Server>), ServingError> {
        Ok(match self.backend(logic, dialect)? {
            Backend::InProcess(component) => {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                let server = serve_component(listener, dialect, component)?;
                (server.address().to_string(), Some(server))
            }
            Backend::Remote(client) => (client.address().to_owned(), None),
        })
    }

    /// A component that a main registered.
    fn registered(
        &self,
        config: &LogicConfig,
        registered: &str,
    ) -> Result<Component, LogicUnavailable> {
        let Some(component) = self.registered.get(registered) else {
            if program() == Program::Standalone {
                return Err(LogicUnavailable::NeedsRustMain {
                    name: config.name.clone(),
                    registered: registered.to_owned(),
                    advice: rust_main::advice(&self.root),
                });
            }
            return Err(LogicUnavailable::NotRegistered {
                name: config.name.clone(),
                registered: registered.to_owned(),
                known: self.registered.keys().cloned().collect(),
            });
        };
        if component.kind() != config.kind {
            return Err(LogicUnavailable::WrongKind {
                name: registered.to_owned(),
                found: component.kind().word(),
                wanted: config.kind.word(),
            });
        }
        Ok(component.clone())
    }

    fn connection(&self, address: &str, deadline: u64) -> Result<Connection, LogicUnavailable> {
        let options = ConnectionOptions {
            deadline: Some(Duration::from_secs(deadline)),
            status_limit: self.status_limit,
            reply_limit: Some(self.reply_limit),
            ..ConnectionOptions::default()
        };
        Ok(Connection::new(address, options)?)
    }
}

/// Logic that could not be made ready for a coordinator.
#[derive(Debug, thiserror::Error)]
pub(in crate::project) enum ServingError {
    /// The logic is not available.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// Logic in this process could not be served.
    #[error(transparent)]
    Server(#[from] std::io::Error),
}
