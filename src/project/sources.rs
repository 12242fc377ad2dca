//! Opens the sources that production is captured from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::AccessError;
use super::connector::SourceConnector;
use super::{EMBEDDED, Failures, Project, RunningDeployment, SourceConfig};
use crate::capture::EventQueries;
use crate::event_store::StoreError;
use crate::grpc::{
    CallError, ConnectionOptions, DeadLetter, DeadLetterClient, DeadLetterError, QueryClient,
    QueryConnection, StoredLetter,
};
use crate::model::{Domain, did_you_mean};
use crate::processes::TunnelError;
use crate::ticket::Ticket;
use crate::wire::{Dialect, SpokenDialect};

/// A source that cannot be queried.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such source.
    #[error("there is no source `{name}`; configured are: {}{}", known.join(", "), did_you_mean(name, known))]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// No source is configured, and there is no embedded one.
    #[error(
        "no source is configured; add one to replay.toml:\n\n  [sources.production]\n  address = \"{{domain}}.example:1310\""
    )]
    None,
    /// Several are configured and none is the default.
    #[error("several sources are configured ({}); name one with --source, or set `source` in replay.toml", known.join(", "))]
    Several {
        /// Names that there are.
        known: Vec<String>,
    },
    /// A domain that the source does not have.
    #[error("source `{source_name}` has no domain `{domain}`; it has: {}{}", known.join(", "), did_you_mean(domain.as_str(), known))]
    UnknownDomain {
        /// Name of the source.
        source_name: String,
        /// The domain.
        domain: Domain,
        /// Domains that it has.
        known: Vec<String>,
    },
    /// The source has one address template and no list of domains.
    #[error(
        "source `{source_name}` has one address for every domain; say which with --domain, or list `domains` in replay.toml"
    )]
    NoDomains {
        /// Name of the source.
        source_name: String,
    },
    /// A call failed.
    #[error("source `{source_name}`, domain `{domain}`: {reason}")]
    Call {
        /// Name of the source.
        source_name: String,
        /// The domain.
        domain: Domain,
        /// The failed call.
        reason: CallError,
    },
    /// The domain is not listed, resembles one that is, and was called through the address template.
    #[error("{error} (the source does not list the domain `{domain}`{})", did_you_mean(domain.as_str(), known))]
    Unlisted {
        /// The error of the call.
        error: Box<SourceError>,
        /// The domain.
        domain: Domain,
        /// Domains that the source lists.
        known: Vec<String>,
    },
    /// A gRPC server that is not a coordinator.
    #[error(
        "source `{source_name}`, domain `{domain}`: {address} is a gRPC server but answers no Angzarr queries in any known dialect; is it the port of the domain's coordinator?"
    )]
    NoAngzarr {
        /// Name of the source.
        source_name: String,
        /// The domain.
        domain: Domain,
        /// The address.
        address: String,
    },
    /// A server that speaks another dialect than the configured one.
    #[error(
        "source `{source_name}`, domain `{domain}`: {address} does not speak `{configured}`, it speaks `{spoken}`; correct `dialect` in replay.toml or leave it out"
    )]
    WrongDialect {
        /// Name of the source.
        source_name: String,
        /// The domain.
        domain: Domain,
        /// The address.
        address: String,
        /// Dialect in the configuration.
        configured: Dialect,
        /// Detected dialect.
        spoken: Dialect,
    },
    /// TLS or credentials are not available.
    #[error("source `{source_name}`: {reason}")]
    Access {
        /// Name of the source.
        source_name: String,
        /// What is wrong.
        reason: AccessError,
    },
    /// An event store cannot be read.
    #[error("source `{source_name}`: {reason}")]
    Store {
        /// Name of the source.
        source_name: String,
        /// What is wrong.
        reason: StoreError,
    },
    /// The tunnel did not open.
    #[error("source `{source_name}`, domain `{domain}`: {reason}")]
    Tunnel {
        /// Name of the source.
        source_name: String,
        /// The domain.
        domain: Domain,
        /// What happened.
        reason: TunnelError,
    },
    /// The tunnel to an event store did not open.
    #[error("source `{source_name}`, event store: {reason}")]
    StoreTunnel {
        /// Name of the source.
        source_name: String,
        /// What happened.
        reason: TunnelError,
    },
    /// No service for dead letters is configured.
    #[error(
        "source `{source_name}` does not say who shows its dead letters: give it the address of angzarr-status as `status` in \
         replay.toml"
    )]
    NoStatus {
        /// Name of the source.
        source_name: String,
    },
    /// Dead letters cannot be read.
    #[error("source `{source_name}`: {reason}")]
    DeadLetters {
        /// Name of the source.
        source_name: String,
        /// What happened.
        reason: DeadLetterError,
    },
    /// A failure log that cannot be read.
    #[error("cannot read the failure log {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// A log that cannot be read.
    #[error("cannot read the log {file}: {reason}")]
    UnreadableLog {
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The embedded deployment did not start.
    #[error(transparent)]
    Embedded(#[from] super::EmbeddedError),
}

/// A source that is ready for queries.
#[derive(Default)]
pub struct OpenSource {
    /// Its name.
    pub name: String,
    /// Whether it is a recording, whose name is the file's.
    is_recording: bool,
    /// Queries by domain.
    pub domains: BTreeMap<Domain, Box<dyn EventQueries>>,
    /// Its known failures that have a ticket, in the order of the logs.
    pub tickets: Vec<Ticket>,
    /// All its known failures, including those that a log mentions without the command.
    pub failures: Failures,
    /// The assumed dialect, if several dialects share the package.
    pub assumed_dialect: Option<Dialect>,
    /// Whether references to external payloads are kept.
    pub keeps_external: bool,
    _embedded: Option<RunningDeployment>,
    _connector: Option<Arc<SourceConnector>>,
}

/// The dead letters of a source.
pub struct DeadLetters {
    source_name: String,
    client: DeadLetterClient,
    _connector: Arc<SourceConnector>,
}

impl DeadLetters {
    /// All dead letters.
    pub fn list(&self) -> Result<Vec<StoredLetter>, SourceError> {
        self.client.list().map_err(|reason| self.failed(reason))
    }

    /// One dead letter; `None` if there is no such number.
    pub fn get(&self, id: i64) -> Result<Option<DeadLetter>, SourceError> {
        self.client.get(id).map_err(|reason| self.failed(reason))
    }

    fn failed(&self, reason: DeadLetterError) -> SourceError {
        SourceError::DeadLetters {
            source_name: self.source_name.clone(),
            reason,
        }
    }
}

impl OpenSource {
    /// A recording, which answers no queries.
    #[must_use]
    pub(crate) fn of_recording(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_recording: true,
            ..Self::default()
        }
    }

    /// Whether it is a recording.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// The dialect of one of its coordinators.
    #[must_use]
    pub fn spoken(&self, queries: &dyn EventQueries) -> SpokenDialect {
        let dialect = queries.dialect();
        SpokenDialect {
            dialect,
            is_assumed: self.assumed_dialect.is_some() && dialect.is_ambiguous(),
        }
    }

    /// Whether it is the embedded source, whose data is public.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.name == EMBEDDED && !self.is_recording
    }
}

/// Adds a hint to an error about a domain that is not listed and may be misspelt.
fn with_domain_hint(error: SourceError, config: &SourceConfig, domain: &Domain) -> SourceError {
    let is_listed = config.domains().any(|listed| listed == domain);
    let known: Vec<String> = config.domains().map(ToString::to_string).collect();
    let is_like_none = did_you_mean(domain.as_str(), &known).is_empty();
    if is_listed || is_like_none || matches!(error, SourceError::UnknownDomain { .. }) {
        return error;
    }
    SourceError::Unlisted {
        error: Box::new(error),
        domain: domain.clone(),
        known,
    }
}

#[doc(hidden)]
impl Project {
    /// Opens a source: the one with this name, otherwise the configured default, the only one, or the embedded one.
    /// Connects only to the coordinator of `domain`, if given.
    pub fn source(
        &self,
        name: Option<&str>,
        domain: Option<&Domain>,
    ) -> Result<OpenSource, SourceError> {
        let mut source = self.source_without_failures(name, domain)?;
        source.failures = self.failures(Some(&source.name))?;
        source.tickets = source.failures.tickets();
        Ok(source)
    }

    /// The same source, without reading its logs.
    pub(crate) fn source_without_failures(
        &self,
        name: Option<&str>,
        domain: Option<&Domain>,
    ) -> Result<OpenSource, SourceError> {
        let name = self.source_name(name)?;
        if name == EMBEDDED {
            return self.embedded_source(domain);
        }
        let config = &self.config.sources[&name];
        let connector = self.connector(config)?;
        let domains: Vec<Domain> = match domain {
            Some(domain) => vec![domain.clone()],
            None => self.domains_of(config, &connector)?,
        };
        if domains.is_empty() {
            return Err(SourceError::NoDomains { source_name: name });
        }
        let mut open = BTreeMap::new();
        let mut assumed_dialect = None;
        for domain in domains {
            let opened = self.open_domain(config, &connector, &domain);
            let (queries, assumed) =
                opened.map_err(|error| with_domain_hint(error, config, &domain))?;
            assumed_dialect = assumed_dialect.or(assumed);
            open.insert(domain, queries);
        }
        Ok(OpenSource {
            name,
            domains: open,
            assumed_dialect,
            keeps_external: config.keep_external,
            _connector: Some(connector),
            ..OpenSource::default()
        })
    }

    /// The configured dialect of the source that [`Project::source`] opens; `None` if there is no such source or no
    /// dialect is configured.
    ///
    /// # Errors
    /// If `asked` names a source that does not exist.
    pub fn configured_dialect(&self, asked: Option<&str>) -> Result<Option<Dialect>, SourceError> {
        let name = match self.source_name(asked) {
            Ok(name) => name,
            Err(error) if asked.is_some() => return Err(error),
            Err(_) => return Ok(None),
        };
        let source = self.config.sources.get(&name);
        Ok(source.and_then(|source| source.dialect))
    }

    /// A client for the dead letters of a source. Sends nothing yet.
    pub fn dead_letters(&self, name: &str) -> Result<DeadLetters, SourceError> {
        let no_status = || SourceError::NoStatus {
            source_name: name.to_owned(),
        };
        let config = self.config.sources.get(name).ok_or_else(no_status)?;
        let connector = self.connector(config)?;
        Ok(DeadLetters {
            source_name: name.to_owned(),
            client: connector.dead_letters(config)?,
            _connector: connector,
        })
    }

    /// Name of the source that [`Project::source`] opens. Makes no connection.
    pub fn source_name(&self, asked: Option<&str>) -> Result<String, SourceError> {
        let has_embedded = self.app.embedded.is_some();
        let mut known: Vec<String> = self.config.sources.keys().cloned().collect();
        let chosen = asked
            .map(str::to_owned)
            .or_else(|| self.config.source.clone());
        if let Some(name) = chosen {
            if known.contains(&name) || (has_embedded && name == EMBEDDED) {
                return Ok(name);
            }
            known.extend(has_embedded.then(|| EMBEDDED.to_owned()));
            return Err(SourceError::Unknown { name, known });
        }
        match known.len() {
            0 if has_embedded => Ok(EMBEDDED.to_owned()),
            0 => Err(SourceError::None),
            1 if !has_embedded => Ok(known.remove(0)),
            _ => {
                known.extend(has_embedded.then(|| EMBEDDED.to_owned()));
                Err(SourceError::Several { known })
            }
        }
    }

    fn embedded_source(&self, domain: Option<&Domain>) -> Result<OpenSource, SourceError> {
        let embedded = self.app.embedded.ok_or(SourceError::None)?();
        let running = embedded.start()?;
        let known: Vec<String> = running
            .addresses()
            .keys()
            .map(ToString::to_string)
            .collect();
        let mut domains = BTreeMap::new();
        for (name, address) in running.addresses() {
            if domain.is_some_and(|domain| *domain != name) {
                continue;
            }
            let connection =
                QueryConnection::plain(&address.to_string(), ConnectionOptions::default())
                    .map_err(|reason| SourceError::Call {
                        source_name: EMBEDDED.into(),
                        domain: name.clone(),
                        reason,
                    })?;
            let queries = QueryClient::new(connection, running.dialect())
                .collecting_unknown(self.unknown.clone());
            domains.insert(name.clone(), Box::new(queries) as Box<dyn EventQueries>);
        }
        if let Some(domain) = domain.filter(|_| domains.is_empty()) {
            return Err(SourceError::UnknownDomain {
                source_name: EMBEDDED.into(),
                domain: domain.clone(),
                known,
            });
        }
        Ok(OpenSource {
            name: EMBEDDED.to_owned(),
            domains,
            _embedded: Some(running),
            ..OpenSource::default()
        })
    }
}
