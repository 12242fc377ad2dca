//! The keys of a source that are about access: TLS, where secrets come from, and the command that connects us.
//!
//! The configuration never contains a secret. If one is written there by mistake, no message repeats it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::grpc::{MetadataError, check_metadata_name, is_sent_unencrypted};

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

/// TLS settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// Trusted certificate authorities, in PEM.
    pub ca: Option<PathBuf>,
    /// Whether the system's certificate authorities are trusted in addition.
    pub system_roots: bool,
    /// Our certificate and its key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Name that the server's certificate must have.
    pub server_name: Option<String>,
}

/// How a source is accessed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessConfig {
    /// TLS settings; if given, TLS is used whatever the address says.
    pub tls: Option<TlsConfig>,
    /// Token that is sent as `authorization: Bearer …`.
    pub bearer: Option<SecretSource>,
    /// Other metadata of every call.
    pub metadata: BTreeMap<String, SecretSource>,
    /// A command that connects us to the source.
    pub connect: Option<ConnectConfig>,
}

/// A command that connects us to a source, such as a port forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectConfig {
    /// Program and arguments; `{domain}` and `{port}` are filled in.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// Time limit for connecting, in seconds.
    pub start_timeout: u64,
}

/// TLS settings of a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub(super) struct RawTls {
    /// Trusted authorities, in PEM; those of the system by default.
    ca: Option<PathBuf>,
    /// Whether the system's authorities are trusted in addition to `ca`.
    #[serde(default)]
    system_roots: bool,
    /// Our certificate, in PEM, followed by any intermediate certificates, for servers that require one (mTLS).
    certificate: Option<PathBuf>,
    /// Its private key, in PEM, without a password.
    key: Option<PathBuf>,
    /// Name that the server's certificate must be for; the host of the address by default.
    server_name: Option<String>,
}

/// Any value, checked by hand: serde's error would show the line, and with it a secret that was written there by
/// mistake.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct RawSecret(toml::Value);

impl std::fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawSecret")
    }
}

impl JsonSchema for RawSecret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |key: &str, value: serde_json::Value| {
            json_schema!({
                "type": "object",
                "properties": { key: value },
                "required": [key],
                "additionalProperties": false
            })
        };
        let text = |description: &str| serde_json::json!({ "description": description, "type": "string", "minLength": 1 });
        json_schema!({
            "description": "Where a secret comes from. The configuration never contains it.",
            "anyOf": [
                one("environment", text("Name of the variable that contains it.")),
                one("file", text("File that contains it.")),
                one("command", serde_json::json!({
                    "description": "Program and arguments; the secret is what it prints to standard output.",
                    "type": "array",
                    "items": { "type": "string" },
                    "minItems": 1
                }))
            ]
        })
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

/// Keys about access that are not valid. No message shows a value that may be a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccessConfigError {
    #[error(
        "`{key}` says where the secret comes from and never holds it: {{ environment = \"NAME\" }}, {{ file = \"PATH\" }} \
         or {{ command = [\"PROGRAM\"] }} is expected"
    )]
    SecretInPlace { key: String },
    #[error("`{key}`: unknown field `{unknown}`, expected `environment`, `file` or `command`")]
    UnknownSecretKey { key: String, unknown: String },
    #[error("`{key}` needs exactly one of `environment`, `file` and `command`")]
    SecretKeys { key: String },
    #[error("`{key}`: `command` must be a list of texts: a program and its arguments")]
    SecretCommand { key: String },
    #[error("`{key}`: `{kind}` must be a text that is not empty")]
    SecretText { key: String, kind: String },
    #[error("`tls`: `certificate` and `key` go together")]
    HalfIdentity,
    #[error("`tls` goes with HOST:PORT or https://HOST:PORT, and {address} is neither")]
    PlainAddress { address: String },
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("`bearer` and `metadata.authorization` are the same metadata")]
    TwoBearers,
    #[error(
        "credentials would travel to {address} without encryption; write https:// or give `tls`, or say \
         `plaintext_credentials = true` where a mesh encrypts them"
    )]
    PlaintextCredentials { address: String },
    #[error("`start_timeout` goes with `connect`")]
    TimeoutWithoutConnect,
    #[error("{address}: {{port}} goes with `{key}`")]
    PortWithoutConnect { key: &'static str, address: String },
    #[error("`{key}` is empty; a program and its arguments are expected")]
    EmptyConnect { key: &'static str },
    #[error(
        "`{key}` opens the way on {{port}}; write {{port}} in the address too, as in 127.0.0.1:{{port}}"
    )]
    NoPortInAddress { key: &'static str },
}

impl RawSecret {
    pub(super) fn check(self, key: &str, root: &Path) -> Result<SecretSource, AccessConfigError> {
        let key = || key.to_owned();
        let toml::Value::Table(table) = self.0 else {
            return Err(AccessConfigError::SecretInPlace { key: key() });
        };
        if let Some(unknown) = table
            .keys()
            .find(|key| !SECRET_KEYS.contains(&key.as_str()))
        {
            return Err(AccessConfigError::UnknownSecretKey {
                key: key(),
                unknown: unknown.clone(),
            });
        }
        let mut entries = table.into_iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            return Err(AccessConfigError::SecretKeys { key: key() });
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
                    .ok_or_else(|| AccessConfigError::SecretCommand { key: key() })
            }
            _ => Err(AccessConfigError::SecretText { key: key(), kind }),
        }
    }
}

impl RawTls {
    pub(super) fn check(self, root: &Path) -> Result<TlsConfig, AccessConfigError> {
        let identity = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((root.join(certificate), root.join(key))),
            (None, None) => None,
            _ => return Err(AccessConfigError::HalfIdentity),
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
    /// Checks them against the addresses of the source.
    pub(super) fn check<'a>(
        self,
        root: &Path,
        addresses: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<AccessConfig, AccessConfigError> {
        let tls = self.tls.map(|tls| tls.check(root)).transpose()?;
        let is_plain =
            |address: &&str| address.starts_with("http://") || address.starts_with("unix:");
        if tls.is_some()
            && let Some(plain) = addresses.clone().find(is_plain)
        {
            let address = plain.to_owned();
            return Err(AccessConfigError::PlainAddress { address });
        }
        let bearer = self
            .bearer
            .map(|secret| secret.check("bearer", root))
            .transpose()?;
        let mut metadata = BTreeMap::new();
        for (name, secret) in self.metadata {
            check_metadata_name(&name)?;
            if bearer.is_some() && name.eq_ignore_ascii_case("authorization") {
                return Err(AccessConfigError::TwoBearers);
            }
            let secret = secret.check(&format!("metadata.{name}"), root)?;
            metadata.insert(name, secret);
        }
        let has_credentials = bearer.is_some() || !metadata.is_empty();
        let is_unencrypted =
            |address: &&str| is_sent_unencrypted(&filled_in(address), tls.is_some());
        if has_credentials
            && !self.plaintext_credentials
            && let Some(address) = addresses.clone().find(is_unencrypted)
        {
            let address = address.to_owned();
            return Err(AccessConfigError::PlaintextCredentials { address });
        }
        if self.start_timeout.is_some() && self.connect.is_none() {
            return Err(AccessConfigError::TimeoutWithoutConnect);
        }
        let connect = RawConnect {
            key: "connect",
            command: self.connect,
            start_timeout: self.start_timeout,
        };
        let connect = connect.check(root, addresses)?;
        Ok(AccessConfig {
            tls,
            bearer,
            metadata,
            connect,
        })
    }
}

/// A command that opens a way, by its key.
pub(super) struct RawConnect {
    pub(super) key: &'static str,
    pub(super) command: Option<Vec<String>>,
    pub(super) start_timeout: Option<u64>,
}

impl RawConnect {
    /// Checks it against the addresses that it leads to.
    pub(super) fn check<'a>(
        self,
        root: &Path,
        mut addresses: impl Iterator<Item = &'a str>,
    ) -> Result<Option<ConnectConfig>, AccessConfigError> {
        let key = self.key;
        let address_with_port = addresses.find(|address| has_port(address));
        let Some(command) = self.command else {
            return match address_with_port {
                Some(address) => {
                    let address = address.to_owned();
                    Err(AccessConfigError::PortWithoutConnect { key, address })
                }
                None => Ok(None),
            };
        };
        if command.is_empty() {
            return Err(AccessConfigError::EmptyConnect { key });
        }
        if command.iter().any(|word| has_port(word)) && address_with_port.is_none() {
            return Err(AccessConfigError::NoPortInAddress { key });
        }
        Ok(Some(ConnectConfig {
            command,
            directory: root.to_owned(),
            start_timeout: self.start_timeout.unwrap_or(30),
        }))
    }
}

fn has_port(text: &str) -> bool {
    text.contains("{port}")
}

/// An address in which every placeholder is replaced by a valid value.
fn filled_in(address: &str) -> String {
    address.replace("{port}", "1").replace("{domain}", "domain")
}
