//! How a server lets us in: TLS, and credentials sent as metadata. Knows nothing of where they come from.
//!
//! What is secret here has no `Debug` or `Display` that reveals it, and is taken out of what a server says.

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

    /// The same with words before it, as `Bearer` stands before a token.
    #[must_use]
    pub fn after(&self, words: &str) -> Self {
        Self(format!("{words}{}", self.0))
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
    /// The name is none.
    #[error(
        "`{name}` is no name of metadata: letters, digits, `-`, `_` and `.` are expected, as in x-api-key"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name is not for us to set.
    #[error("`{name}` is metadata of gRPC itself and cannot be set")]
    Reserved {
        /// The name.
        name: String,
    },
    /// A binary value.
    #[error(
        "`{name}` names binary metadata, which is not supported; use a name that does not end in -bin"
    )]
    Binary {
        /// The name.
        name: String,
    },
    /// The value cannot be sent. It is not shown.
    #[error(
        "the value of the metadata `{name}` cannot be sent: it is empty, or holds something else than visible ASCII; it \
         is not shown here"
    )]
    Value {
        /// The name.
        name: String,
    },
}

/// Names that tonic drops or writes itself.
const RESERVED: [&str; 4] = ["te", "content-type", "user-agent", "host"];

/// Checks a name of metadata.
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

/// TLS and credentials of a server. Cheap to clone; connections are shared by its clones and by nothing else.
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
    /// TLS, and metadata of every call by name. The values are secrets.
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
            // Neither shown by `Debug` nor kept in a table of compressed headers.
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

    /// A text without our secrets: a server may repeat what it was sent.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0.secrets {
            // A server may repeat a token without the word before it.
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
