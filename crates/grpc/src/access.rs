//! Access to a server: TLS, and credentials sent as metadata. Does not know where they come from.
//!
//! Secrets are never shown by `Debug` or `Display`, and are removed from messages of a server.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tonic::metadata::{Ascii, AsciiMetadataValue, MetadataKey, MetadataMap};
use tonic::transport::Channel;

use super::tls::Tls;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one who has to send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The secret with a prefix, such as `Bearer ` before a token.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        Self(format!("{prefix}{}", self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Metadata that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The name is invalid.
    #[error(
        "`{name}` is not a metadata name: expected letters, digits, `-`, `_` and `.`, as in x-api-key"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name is reserved.
    #[error("`{name}` is metadata of gRPC itself and cannot be set")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The name is that of a binary value.
    #[error(
        "`{name}` names binary metadata, which is not supported; use a name that does not end in -bin"
    )]
    Binary {
        /// The name.
        name: String,
    },
    /// The value is invalid. It is not shown.
    #[error(
        "the value of the metadata `{name}` cannot be sent: it is empty or contains something other than visible ASCII; it \
         is not shown here"
    )]
    Value {
        /// The name.
        name: String,
    },
}

/// Names that tonic drops or writes itself.
const RESERVED: [&str; 4] = ["te", "content-type", "user-agent", "host"];

/// Checks a metadata name.
pub fn check_metadata_name(name: &str) -> Result<(), MetadataError> {
    let name = name.to_lowercase();
    if RESERVED.contains(&name.as_str()) || name.starts_with("grpc-") {
        return Err(MetadataError::Reserved { name });
    }
    if name.ends_with("-bin") {
        return Err(MetadataError::Binary { name });
    }
    match MetadataKey::<Ascii>::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(MetadataError::Name { name }),
    }
}

/// TLS and credentials for a server. Cheap to clone. Clones share their connections; two that were made separately do not, even with the same content.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    tls: Option<Tls>,
    metadata: MetadataMap,
    secrets: Vec<Secret>,
    channels: Mutex<Channels>,
}

/// A channel for each address and connect timeout.
pub(super) type Channels = HashMap<(String, Duration), Channel>;

impl Access {
    /// TLS, and the metadata of every call: names and secret values.
    pub fn new(
        tls: Option<Tls>,
        metadata: impl IntoIterator<Item = (String, Secret)>,
    ) -> Result<Self, MetadataError> {
        let mut map = MetadataMap::new();
        let mut secrets = Vec::new();
        for (name, secret) in metadata {
            check_metadata_name(&name)?;
            let refused = || MetadataError::Value { name: name.clone() };
            if secret.0.is_empty() {
                return Err(refused());
            }
            let key = MetadataKey::<Ascii>::from_bytes(name.to_lowercase().as_bytes())
                .map_err(|_| MetadataError::Name { name: name.clone() })?;
            let mut value =
                AsciiMetadataValue::try_from(secret.0.as_str()).map_err(|_| refused())?;
            // Hides the value from `Debug`, and keeps it out of HPACK's header table.
            value.set_sensitive(true);
            map.insert(key, value);
            secrets.push(secret);
        }
        Ok(Self(Arc::new(Inner {
            tls,
            metadata: map,
            secrets,
            channels: Mutex::default(),
        })))
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.0.tls.as_ref()
    }

    pub(super) fn metadata(&self) -> &MetadataMap {
        &self.0.metadata
    }

    pub(super) fn channels(&self) -> &Mutex<Channels> {
        &self.0.channels
    }

    /// Removes our secrets from a text: a server may repeat what it was sent.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0.secrets {
            // A server may repeat a token without its prefix.
            let bare = secret.0.strip_prefix("Bearer ").unwrap_or(&secret.0);
            text = text.replace(bare, "[secret]");
        }
        text
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("tls", &self.0.tls.is_some())
            .field("metadata", &self.0.secrets.len())
            .finish()
    }
}

impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Access {}
