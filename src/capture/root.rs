//! Which aggregate is meant: a root in any spelling, or the beginning of one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::ticket::Ticket;
use super::{CaptureError, EventQueries};
use crate::model::{Cover, Domain, Root};
use crate::wire::Selection;

/// A root as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSpec {
    /// Domain before a `/`.
    pub domain: Option<Domain>,
    /// The rest.
    pub root: RootPart,
}

/// The part after the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootPart {
    /// All of it.
    Full(Root),
    /// Its first hex digits.
    Prefix(String),
}

/// Text that spells no root and no beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a root: a UUID with or without dashes, its first digits, its base64, or domain/uuid is expected"
)]
pub struct RootSpecError(pub String);

impl FromStr for RootSpec {
    type Err = RootSpecError;

    fn from_str(text: &str) -> Result<Self, RootSpecError> {
        let refused = || RootSpecError(text.to_owned());
        // Base64 may hold a slash too: only a domain before it makes it a separator.
        if let Some((domain, rest)) = text.split_once('/')
            && let (Ok(domain), Ok(root)) = (domain.parse(), rest.parse())
        {
            return Ok(Self {
                domain: Some(domain),
                root,
            });
        }
        text.parse()
            .map(|root| Self { domain: None, root })
            .map_err(|()| refused())
    }
}

impl FromStr for RootPart {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(root) = text.parse() {
            return Ok(Self::Full(root));
        }
        let digits: String = text
            .chars()
            .filter(|c| *c != '-')
            .collect::<String>()
            .to_lowercase();
        if !digits.is_empty() && digits.len() < 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return Ok(Self::Prefix(digits));
        }
        let bytes = STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .map_err(|_| ())?;
        Root::from_slice(&bytes).map(Self::Full).map_err(|_| ())
    }
}

impl fmt::Display for RootSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(domain) = &self.domain {
            write!(f, "{domain}/")?;
        }
        match &self.root {
            RootPart::Full(root) => write!(f, "{root}"),
            RootPart::Prefix(prefix) => write!(f, "{prefix}…"),
        }
    }
}

/// Finds the aggregate among the coordinators of some domains. A full root is asked for by name; only the
/// beginning of one makes a coordinator list what it has. Where nothing is stored, failures tell too: a command may
/// have been refused before there was any event.
pub fn find_root(
    spec: &RootSpec,
    domains: &BTreeMap<Domain, Box<dyn EventQueries>>,
    tickets: &[Ticket],
) -> Result<(Domain, Root), CaptureError> {
    if let (RootPart::Full(root), Some(domain), 1) =
        (&spec.root, domains.keys().next(), domains.len())
    {
        return Ok((domain.clone(), *root));
    }
    let mut found = stored(spec, domains)?;
    if found.is_empty() {
        let failed = tickets.iter().map(|ticket| &ticket.command.cover);
        found.extend(
            failed
                .filter(|cover| domains.contains_key(&cover.domain) && spec.fits(&cover.root))
                .map(|cover| (cover.domain.clone(), cover.root)),
        );
    }
    found.sort();
    found.dedup();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(CaptureError::UnknownRoot {
            spec: spec.to_string(),
            looked_at: domains
                .iter()
                .map(|(domain, queries)| format!("{domain} at {}", queries.place()))
                .collect(),
            tickets: tickets.len(),
        }),
        _ => Err(CaptureError::AmbiguousRoot {
            spec: spec.to_string(),
            candidates: found
                .iter()
                .map(|(domain, root)| format!("{domain}/{root}"))
                .collect(),
        }),
    }
}

impl RootSpec {
    fn fits(&self, root: &Root) -> bool {
        match &self.root {
            RootPart::Full(full) => full == root,
            RootPart::Prefix(prefix) => root.hex().starts_with(prefix.as_str()),
        }
    }
}

/// What the coordinators have that fits.
fn stored(
    spec: &RootSpec,
    domains: &BTreeMap<Domain, Box<dyn EventQueries>>,
) -> Result<Vec<(Domain, Root)>, CaptureError> {
    let mut found = Vec::new();
    match &spec.root {
        RootPart::Full(root) => {
            for (domain, queries) in domains {
                let cover = Cover::main(domain.clone(), *root);
                if !queries
                    .event_book(&cover, Selection::Range(0, Some(9)))?
                    .history
                    .pages()
                    .is_empty()
                {
                    found.push((domain.clone(), *root));
                }
            }
        }
        RootPart::Prefix(_) => {
            for (domain, queries) in domains {
                // A shared store lists other domains too.
                let roots = queries
                    .aggregate_roots()?
                    .into_iter()
                    .filter(|(owner, _)| owner == domain);
                found.extend(roots.filter(|(_, root)| spec.fits(root)));
            }
        }
    }
    Ok(found)
}
