//! Where a store is: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a store is. Never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreLocation {
    /// A SQLite file.
    Sqlite {
        /// Where it is.
        file: PathBuf,
        /// Its path as it was written.
        written: String,
    },
    /// The URL of a Postgres database.
    Postgres(String),
}

/// A text that does not say where a store is. Does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Neither SQLite nor Postgres.
    #[error(
        "it begins with neither `sqlite:` nor `postgres://`: sqlite:FILE or postgres://USER@HOST/DATABASE is expected"
    )]
    Scheme,
    /// No file or host.
    #[error("nothing follows `{0}`: sqlite:FILE or postgres://USER@HOST/DATABASE is expected")]
    Empty(&'static str),
    /// It holds a password.
    #[error(
        "it holds a password, which does not belong into the configuration: take it out, and say with `store_password` where it \
         comes from, as in {{ environment = \"NAME\" }}; it is not shown here"
    )]
    Password,
}

impl StoreLocation {
    /// Reads the location. The path of a file is relative to `root`.
    pub fn parse(text: &str, root: &Path) -> Result<Self, LocationError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(LocationError::Empty("sqlite:")),
                path => Ok(Self::Sqlite {
                    file: root.join(path),
                    written: path.to_owned(),
                }),
            };
        }
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
            .ok_or(LocationError::Scheme)?;
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let is_password = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            name.eq_ignore_ascii_case("password") || name.contains('%')
        };
        if user.contains(':') || query.split('&').any(is_password) {
            return Err(LocationError::Password);
        }
        if authority.is_empty() && query.is_empty() {
            return Err(LocationError::Empty("postgres://"));
        }
        Ok(Self::Postgres(text.to_owned()))
    }
}

impl StoreLocation {
    /// `HOST:PORT` of a database server.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let (_, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let has_port = host.rsplit(']').next()?.contains(':');
        Some(if has_port {
            host.to_owned()
        } else {
            format!("{host}:5432")
        })
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { written, .. } => write!(f, "sqlite:{written}"),
            // What follows the `?` says how to connect, not where.
            Self::Postgres(url) => f.write_str(url.split('?').next().unwrap_or(url)),
        }
    }
}
