//! How a source lets us in, as it is configured: TLS, where secrets come from, the command that opens the way.
//!
//! A secret never stands in the configuration, and what stands in its place by mistake is never repeated in a message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::grpc::{check_metadata_name, is_sent_unencrypted};

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment.
    Environment(String),
    /// A file.
    File(PathBuf),
    /// What a command prints.
    Command(Vec<String>),
}

/// TLS, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// Authorities that are trusted, in PEM.
    pub ca: Option<PathBuf>,
    /// Whether those of the system are trusted in addition.
    pub system_roots: bool,
    /// Our certificate and its key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Name that the server's certificate has to be for.
    pub server_name: Option<String>,
}

/// How a source lets us in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessConfig {
    /// TLS, where it is spoken whatever the address says.
    pub tls: Option<TlsConfig>,
    /// Token that is sent as `authorization: Bearer …`.
    pub bearer: Option<SecretSource>,
    /// Other metadata of every call.
    pub metadata: BTreeMap<String, SecretSource>,
    /// A command that opens the way.
    pub connect: Option<ConnectConfig>,
}

/// A command that opens the way to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectConfig {
    /// Program and arguments; `{domain}` and `{port}` are filled in.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// Seconds that opening may take.
    pub start_timeout: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    ca: Option<PathBuf>,
    #[serde(default)]
    system_roots: bool,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    server_name: Option<String>,
}

/// Read as it comes and checked by hand: an error of the reader would show the line, and with it a secret that was
/// written there by mistake.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct RawSecret(toml::Value);

impl std::fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawSecret")
    }
}

/// The keys of a source that are about access.
#[derive(Debug)]
pub(super) struct RawAccess {
    pub(super) tls: Option<RawTls>,
    pub(super) bearer: Option<RawSecret>,
    pub(super) metadata: BTreeMap<String, RawSecret>,
    pub(super) plaintext_credentials: bool,
    pub(super) connect: Option<Vec<String>>,
    pub(super) start_timeout: Option<u64>,
}

const SECRET_KEYS: [&str; 3] = ["environment", "file", "command"];

impl RawSecret {
    fn check(self, key: &str, root: &Path) -> Result<SecretSource, String> {
        let toml::Value::Table(table) = self.0 else {
            return Err(format!(
                "`{key}` says where the secret comes from and never holds it: {{ environment = \"NAME\" }}, \
                 {{ file = \"PATH\" }} or {{ command = [\"PROGRAM\"] }} is expected"
            ));
        };
        if let Some(unknown) = table
            .keys()
            .find(|key| !SECRET_KEYS.contains(&key.as_str()))
        {
            return Err(format!(
                "`{key}`: unknown field `{unknown}`, expected `environment`, `file` or `command`"
            ));
        }
        let mut entries = table.into_iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            return Err(format!(
                "`{key}` needs exactly one of `environment`, `file` and `command`"
            ));
        };
        match (kind.as_str(), value) {
            ("environment", toml::Value::String(name)) if !name.is_empty() => {
                Ok(SecretSource::Environment(name))
            }
            ("file", toml::Value::String(path)) if !path.is_empty() => {
                Ok(SecretSource::File(root.join(path)))
            }
            ("command", words) => {
                let words: Result<Vec<String>, _> = words.try_into();
                words
                    .ok()
                    .filter(|words| !words.is_empty())
                    .map(SecretSource::Command)
                    .ok_or_else(|| {
                        format!("`{key}`: `command` is a list of texts, a program first")
                    })
            }
            (kind, _) => Err(format!("`{key}`: `{kind}` is a text")),
        }
    }
}

impl RawTls {
    fn check(self, root: &Path) -> Result<TlsConfig, String> {
        let identity = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((root.join(certificate), root.join(key))),
            (None, None) => None,
            _ => return Err("`tls`: `certificate` and `key` go together".into()),
        };
        Ok(TlsConfig {
            ca: self.ca.map(|path| root.join(path)),
            system_roots: self.system_roots,
            identity,
            server_name: self.server_name,
        })
    }
}

impl RawAccess {
    /// Checks them against the addresses of the source, as they are configured.
    pub(super) fn check<'a>(
        self,
        root: &Path,
        addresses: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<AccessConfig, String> {
        let tls = self.tls.map(|tls| tls.check(root)).transpose()?;
        if tls.is_some()
            && let Some(plain) = addresses
                .clone()
                .find(|address| address.starts_with("http://") || address.starts_with("unix:"))
        {
            return Err(format!(
                "`tls` goes with HOST:PORT or https://HOST:PORT, and {plain} is neither"
            ));
        }
        let bearer = self
            .bearer
            .map(|secret| secret.check("bearer", root))
            .transpose()?;
        let mut metadata = BTreeMap::new();
        for (name, secret) in self.metadata {
            check_metadata_name(&name).map_err(|error| error.to_string())?;
            if bearer.is_some() && name.eq_ignore_ascii_case("authorization") {
                return Err("`bearer` and `metadata.authorization` are the same metadata".into());
            }
            let secret = secret.check(&format!("metadata.{name}"), root)?;
            metadata.insert(name, secret);
        }
        let has_credentials = bearer.is_some() || !metadata.is_empty();
        if has_credentials && !self.plaintext_credentials {
            let readable = addresses
                .clone()
                .find(|address| is_sent_unencrypted(&fillable(address), tls.is_some()));
            if let Some(address) = readable {
                return Err(format!(
                    "credentials would travel to {address} without encryption; write https:// or give `tls`, or say \
                     `plaintext_credentials = true` where a mesh encrypts them"
                ));
            }
        }
        Ok(AccessConfig {
            tls,
            bearer,
            metadata,
            connect: connect(self.connect, self.start_timeout, root, addresses)?,
        })
    }
}

fn connect<'a>(
    command: Option<Vec<String>>,
    start_timeout: Option<u64>,
    root: &Path,
    mut addresses: impl Iterator<Item = &'a str>,
) -> Result<Option<ConnectConfig>, String> {
    let Some(command) = command else {
        if start_timeout.is_some() {
            return Err("`start_timeout` goes with `connect`".into());
        }
        return match addresses.find(|address| address.contains("{port}")) {
            Some(address) => Err(format!("{address}: {{port}} goes with `connect`")),
            None => Ok(None),
        };
    };
    if command.is_empty() {
        return Err("`connect` is empty; a program and its arguments are expected".into());
    }
    if command.iter().any(|word| word.contains("{port}"))
        && !addresses.any(|address| address.contains("{port}"))
    {
        return Err(
            "`connect` opens the way on {port}; write {port} in the address too, as in 127.0.0.1:{port}"
                .into(),
        );
    }
    Ok(Some(ConnectConfig {
        command,
        directory: root.to_owned(),
        start_timeout: start_timeout.unwrap_or(30),
    }))
}

/// An address with something in the place of what is filled in later.
fn fillable(address: &str) -> String {
    address.replace("{port}", "1").replace("{domain}", "domain")
}
