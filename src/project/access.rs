//! TLS and credentials of a source: reads them from files, variables and commands, and keeps secrets out of every
//! message.

use std::path::Path;
use std::time::Duration;

use super::config::{AccessConfig, ConnectConfig, SecretSource, SourceConfig, TlsConfig};
use super::logics::in_directory;
use crate::event_store::StoreLocation;
use crate::files;
use crate::grpc::{Access, MetadataError, PemFile, Secret, Tls, TlsError, TlsOptions};
use crate::model::Domain;
use crate::processes::{PrivateOutputError, TunnelCommand, private_output};

/// TLS or credentials that cannot be read or used. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file that cannot be read.
    #[error("`{key}`: cannot read {file}: {reason}")]
    Unreadable {
        /// Key in the configuration.
        key: String,
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// TLS that cannot be used.
    #[error("`tls`: {0}")]
    Tls(#[from] TlsError),
    /// A variable that is not set, or is not UTF-8.
    #[error("`{key}`: the environment variable {name} is not set, or is no text")]
    NotSet {
        /// Key in the configuration.
        key: String,
        /// The variable.
        name: String,
    },
    /// A command that printed no secret.
    #[error("`{key}`: {reason}")]
    Command {
        /// Key in the configuration.
        key: String,
        /// What happened.
        reason: PrivateOutputError,
    },
    /// The secret is empty.
    #[error("`{key}`: the secret is empty")]
    Empty {
        /// Key in the configuration.
        key: String,
    },
    /// Metadata that cannot be sent.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Gathers TLS and credentials of a source. Commands run once, in the folder of `replay.toml`.
pub(super) fn access(config: &SourceConfig, root: &Path) -> Result<Access, AccessError> {
    let AccessConfig {
        tls,
        bearer,
        metadata,
        ..
    } = &config.access;
    let speaks_tls = config
        .addresses
        .values()
        .chain(&config.template)
        .any(|address| address.starts_with("https://"));
    let default = TlsConfig::default();
    let tls = tls.as_ref().or(speaks_tls.then_some(&default));
    let tls = tls.map(tls_of).transpose()?;
    let limit = Duration::from_secs(config.deadline);
    let read = |key: &str, source: &SecretSource| secret(key, source, root, limit);
    let mut all = Vec::new();
    if let Some(source) = bearer {
        all.push((
            "authorization".to_owned(),
            read("bearer", source)?.with_prefix("Bearer "),
        ));
    }
    for (name, source) in metadata {
        all.push((name.clone(), read(&format!("metadata.{name}"), source)?));
    }
    Ok(Access::new(tls, all)?)
}

/// Password and TLS of the event stores of a source.
pub(super) fn of_store(
    config: &SourceConfig,
    root: &Path,
) -> Result<(Option<Secret>, Option<Tls>), AccessError> {
    let limit = Duration::from_secs(config.deadline);
    let password = config.stores.password.as_ref();
    let password = password.map(|source| secret("store_password", source, root, limit));
    let tls = config.stores.tls.as_ref().map(tls_of);
    Ok((password.transpose()?, tls.transpose()?))
}

fn tls_of(config: &TlsConfig) -> Result<Tls, AccessError> {
    let ca = config.ca.as_ref().map(|path| pem("tls.ca", path));
    let identity = match &config.identity {
        Some((certificate, key)) => {
            Some((pem("tls.certificate", certificate)?, pem("tls.key", key)?))
        }
        None => None,
    };
    Ok(Tls::new(&TlsOptions {
        ca: ca.transpose()?,
        system_roots: config.system_roots,
        identity,
        server_name: config.server_name.clone(),
    })?)
}

fn pem(key: &str, path: &Path) -> Result<PemFile, AccessError> {
    let name = super::Project::shown(path);
    match files::read_named(path, files::WRITTEN) {
        Ok(content) => Ok(PemFile { name, content }),
        Err(reason) => Err(AccessError::Unreadable {
            key: key.to_owned(),
            file: name,
            reason,
        }),
    }
}

fn secret(
    key: &str,
    source: &SecretSource,
    root: &Path,
    limit: Duration,
) -> Result<Secret, AccessError> {
    let text = match source {
        SecretSource::Environment(name) => {
            std::env::var(name).map_err(|_| AccessError::NotSet {
                key: key.to_owned(),
                name: name.clone(),
            })?
        }
        SecretSource::File(path) => {
            files::read_named_to_string(path, files::WRITTEN).map_err(|reason| {
                AccessError::Unreadable {
                    key: key.to_owned(),
                    file: super::Project::shown(path),
                    reason,
                }
            })?
        }
        SecretSource::Command(words) => {
            let words: Vec<String> = words.iter().map(|word| in_directory(word, root)).collect();
            private_output(&words, root, limit).map_err(|reason| AccessError::Command {
                key: key.to_owned(),
                reason,
            })?
        }
    };
    match text.trim() {
        "" => Err(AccessError::Empty {
            key: key.to_owned(),
        }),
        text => Ok(Secret::new(text.to_owned())),
    }
}

/// The command that opens the tunnel to a domain, if there is one.
pub(super) fn tunnel(config: &SourceConfig, domain: &str, address: &str) -> Option<TunnelCommand> {
    let connect = config.access.connect.as_ref()?;
    Some(filled_in("connect", connect, domain, address))
}

/// The command that opens the tunnel to an event store, if there is one. `domain` is that of the store, unless all domains
/// share it.
pub(super) fn store_tunnel(
    config: &SourceConfig,
    domain: Option<&Domain>,
    location: &StoreLocation,
) -> Option<TunnelCommand> {
    let connect = config.stores.connect.as_ref()?;
    let address = location.address()?;
    let domain = domain.map_or("", Domain::as_str);
    Some(filled_in("store_connect", connect, domain, &address))
}

fn filled_in(
    key: &'static str,
    connect: &ConnectConfig,
    domain: &str,
    address: &str,
) -> TunnelCommand {
    let fill = |word: &String| in_directory(&word.replace("{domain}", domain), &connect.directory);
    TunnelCommand {
        key,
        command: connect.command.iter().map(fill).collect(),
        directory: connect.directory.clone(),
        address: address.to_owned(),
        timeout: Duration::from_secs(connect.start_timeout),
    }
}
