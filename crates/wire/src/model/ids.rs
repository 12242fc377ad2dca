//! Identifiers, and the small value types used in pages and commands.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An invalid identifier, which Angzarr would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A domain outside `[a-z_][a-z0-9_-]{0,63}`.
    #[error(
        "`{0}` is not a domain: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter or _"
    )]
    Domain(String),
    /// An edition name outside `[a-z][a-z0-9_-]{0,63}`.
    #[error(
        "`{0}` is not an edition name: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter"
    )]
    Edition(String),
    /// A root that is not 16 bytes.
    #[error("a root is 16 bytes, this one has {0}")]
    RootLength(usize),
    /// Text that does not spell a root.
    #[error("`{0}` is not a root: a UUID with or without dashes is expected")]
    RootText(String),
}

/// Name of a business domain: the aggregate type that a coordinator serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Checks the name by the coordinator's rule for domains.
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        let first_fits = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if first_fits && is_identifier_tail(&name) {
            Ok(Self(name))
        } else {
            Err(IdError::Domain(name))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

fn is_identifier_tail(name: &str) -> bool {
    name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

/// Maximum length of a correlation id, as coordinators enforce it.
pub const MAX_CORRELATION_ID_LENGTH: usize = 128;

/// Whether coordinators accept a correlation id: empty, or ASCII letters, digits, `_` and `-`.
#[must_use]
pub fn is_correlation_id(id: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    id.len() <= MAX_CORRELATION_ID_LENGTH && id.bytes().all(fits)
}

/// Identity of one aggregate within its domain: 16 bytes, shown as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root([u8; 16]);

impl Root {
    /// A root from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A root from bytes of unknown length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| IdError::RootLength(bytes.len()))
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 32 lower-case hex digits without dashes.
    #[must_use]
    #[doc(hidden)]
    pub fn hex(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// The first 8 hex digits, for titles and lists.
    #[must_use]
    #[doc(hidden)]
    pub fn short(&self) -> String {
        self.hex()[..8].to_owned()
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.hex();
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({self})")
    }
}

impl FromStr for Root {
    type Err = IdError;

    /// Parses a UUID with dashes, or 32 hex digits.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let refused = || IdError::RootText(text.to_owned());
        let bytes = text.as_bytes();
        let dashed = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&at| bytes[at] == b'-');
        let digits: Vec<u8> = bytes
            .iter()
            .copied()
            .filter(|b| !(dashed && *b == b'-'))
            .collect();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(refused());
        }
        let mut root = [0; 16];
        for (byte, pair) in root.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refused())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refused())?;
        }
        Ok(Self(root))
    }
}

/// A checked name of an edition other than main.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditionName(String);

impl EditionName {
    /// Checks the name by the coordinator's rule for editions.
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        let first_fits = name.starts_with(|c: char| c.is_ascii_lowercase());
        if first_fits && is_identifier_tail(&name) {
            Ok(Self(name))
        } else {
            Err(IdError::Edition(name))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EditionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Point where a named edition diverges from the main timeline of one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The domain.
    pub domain: Domain,
    /// First sequence of the edition's own pages.
    pub sequence: u32,
}

/// Label of the main timeline. On the wire `main` has no special meaning and can be the name of a branch.
const MAIN: &str = "main";
/// Label of a branch named `main`. It cannot clash with another label, since names have no colon.
const BRANCH_CALLED_MAIN: &str = "branch:main";

/// A timeline: the main one, or a named branch of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Edition {
    /// The main timeline. On the wire it is `angzarr` or empty, depending on the dialect.
    #[default]
    Main,
    /// A branch.
    Named {
        /// Its name.
        name: EditionName,
        /// Explicit points of divergence; usually none.
        divergences: Vec<Divergence>,
    },
}

impl Edition {
    /// Parses the name on the wire; both spellings of main are accepted.
    pub fn from_name(name: &str) -> Result<Self, IdError> {
        match name {
            "" | "angzarr" => Ok(Self::Main),
            name => Ok(Self::Named {
                name: EditionName::new(name)?,
                divergences: Vec::new(),
            }),
        }
    }

    /// Parses a label made by [`Edition::label`].
    #[doc(hidden)]
    pub fn from_label(label: &str) -> Result<Self, IdError> {
        match label {
            MAIN => Ok(Self::Main),
            BRANCH_CALLED_MAIN => Self::from_name(MAIN),
            label => Self::from_name(label),
        }
    }

    /// `main` for the main timeline, else the name. A branch that is itself named `main` is `branch:main`.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Main => MAIN,
            Self::Named { name, .. } if name.as_str() == MAIN => BRANCH_CALLED_MAIN,
            Self::Named { name, .. } => name.as_str(),
        }
    }

    /// Whether this is the main timeline.
    #[must_use]
    pub const fn is_main(&self) -> bool {
        matches!(self, Self::Main)
    }
}

/// A protobuf timestamp, kept even if it is not a valid date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: i32,
}

/// A typed payload: protobuf's `Any`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload {
    /// The type URL exactly as recorded.
    pub type_url: Arc<str>,
    /// The message's bytes, exactly as recorded.
    pub value: Vec<u8>,
}

impl Payload {
    /// A payload with the type URL prefix that Angzarr's clients use most.
    #[must_use]
    pub fn new(type_name: &str, value: Vec<u8>) -> Self {
        Self {
            type_url: format!("type.googleapis.com/{type_name}").into(),
            value,
        }
    }

    /// Full name of the message type: the text after the last `/` of the URL.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.type_url.rsplit('/').next().unwrap_or(&self.type_url)
    }

    /// Whether it is Angzarr's `Notification` in any dialect, which tells the originator of a command that it was rejected.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        short_name(self.type_name()) == "Notification"
    }
}

/// A full type name without its package.
#[must_use]
pub fn short_name(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or(type_name)
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({}, {} bytes)", self.type_url, self.value.len())
    }
}

/// A payload that is stored elsewhere (claim check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadReference {
    /// Kind of store.
    pub storage: Storage,
    /// Where it is.
    pub uri: String,
    /// SHA-256 of the payload.
    pub content_hash: Vec<u8>,
    /// Size of the payload in bytes.
    pub original_size: u64,
    /// When it was stored.
    pub stored_at: Option<Timestamp>,
}

/// Kind of store that a [`PayloadReference`] points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Unspecified.
    Unspecified,
    /// A file system.
    Filesystem,
    /// Google Cloud Storage.
    Gcs,
    /// Amazon S3.
    S3,
    /// A kind that this version does not know.
    Unknown(i32),
}

/// How long a snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// As the deployment is configured.
    Default,
    /// For ever.
    Persist,
    /// Until the next one.
    Transient,
    /// A rule that this version does not know.
    Unknown(i32),
}
