//! Parses and finds a root: in any format, or only its first digits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::{CaptureError, EventQueries};
use crate::grpc::Selection;
use crate::model::{Cover, Domain, Edition, Root};
use crate::ticket::Ticket;

/// A root as the user typed it.
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
    /// A complete root.
    Full(Root),
    /// The first hex digits of a root.
    Prefix(String),
}

/// Why a root cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootSpecError {
    /// The text is not a root or the beginning of one.
    #[error(
        "`{0}` is not a root: expected a UUID with or without dashes, its first digits, its base64, or domain/uuid"
    )]
    Malformed(String),
    /// The beginning of a root, which would require a search in every domain.
    #[error(
        "`{prefix}` is the beginning of a root, and finding it would mean listing every aggregate of every domain of source `{source_name}`; \
         name one of them: {}", named.join(", ")
    )]
    PrefixWithoutDomain {
        /// The beginning of the root.
        prefix: String,
        /// The source.
        source_name: String,
        /// Suggestions: aggregates named in failure logs, otherwise the beginning in each domain.
        named: Vec<String>,
    },
}

impl FromStr for RootSpec {
    type Err = RootSpecError;

    fn from_str(text: &str) -> Result<Self, RootSpecError> {
        let refused = || RootSpecError::Malformed(text.to_owned());
        // Base64 may contain a slash too: it is a separator only after a domain.
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

impl RootPart {
    /// Whether a root matches.
    #[must_use]
    #[doc(hidden)]
    pub fn fits(&self, root: &Root) -> bool {
        match self {
            Self::Full(full) => full == root,
            Self::Prefix(prefix) => root.hex().starts_with(prefix.as_str()),
        }
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

/// Finds the aggregate in the coordinators of several domains. A full root is queried directly; only a partial one
/// requires a coordinator to list its aggregates. An edition may have events that main lacks, and an edition without
/// its own events reads as main, so both are queried. If nothing is stored, failures are searched too: a command may
/// have been refused before the first event.
pub fn find_root(
    spec: &RootSpec,
    edition: &Edition,
    domains: &BTreeMap<Domain, Box<dyn EventQueries>>,
    tickets: &[Ticket],
) -> Result<(Domain, Root), CaptureError> {
    if let (RootPart::Full(root), Some(domain), 1) =
        (&spec.root, domains.keys().next(), domains.len())
    {
        return Ok((domain.clone(), *root));
    }
    let mut found = stored(spec, edition, domains)?;
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
    /// The only domain of a source that has to be searched for a partial root without a domain. A full root is searched
    /// for in all domains. `failed` are the aggregates named in failure logs.
    #[doc(hidden)]
    pub fn only_domain<'a>(
        &self,
        source: &str,
        domains: impl IntoIterator<Item = &'a Domain>,
        failed: impl FnOnce() -> Vec<(Domain, Root)>,
    ) -> Result<Option<&'a Domain>, RootSpecError> {
        let RootPart::Prefix(prefix) = &self.root else {
            return Ok(None);
        };
        let domains: Vec<&Domain> = domains.into_iter().collect();
        if let [only] = domains.as_slice() {
            return Ok(Some(only));
        }
        let failed = failed().into_iter().filter(|(_, root)| self.fits(root));
        let failed: BTreeSet<String> = failed
            .map(|(domain, root)| format!("{domain}/{root}"))
            .collect();
        let mut named: Vec<String> = failed.into_iter().collect();
        if named.is_empty() {
            named.extend(domains.iter().map(|domain| format!("{domain}/{prefix}")));
        }
        // A catch-all address for every domain lists no domains.
        if named.is_empty() {
            named.push(format!("DOMAIN/{prefix}"));
        }
        Err(RootSpecError::PrefixWithoutDomain {
            prefix: prefix.clone(),
            source_name: source.to_owned(),
            named,
        })
    }

    /// Whether a root matches.
    #[must_use]
    #[doc(hidden)]
    pub fn fits(&self, root: &Root) -> bool {
        self.root.fits(root)
    }
}

/// The stored aggregates that match.
fn stored(
    spec: &RootSpec,
    edition: &Edition,
    domains: &BTreeMap<Domain, Box<dyn EventQueries>>,
) -> Result<Vec<(Domain, Root)>, CaptureError> {
    let mut found = Vec::new();
    match &spec.root {
        RootPart::Full(root) => {
            let asked = [edition, &Edition::Main];
            let asked = &asked[usize::from(edition.is_main())..];
            for edition in asked {
                for (domain, queries) in domains {
                    let cover = Cover {
                        edition: (*edition).clone(),
                        ..Cover::main(domain.clone(), *root)
                    };
                    if has_pages(queries.as_ref(), &cover)? {
                        found.push((domain.clone(), *root));
                    }
                }
                if !found.is_empty() {
                    break;
                }
            }
        }
        RootPart::Prefix(_) => {
            for (domain, queries) in domains {
                if let Some(store) = queries.store() {
                    store.each_root(domain, &spec.root, &mut |root| {
                        found.push((domain.clone(), root));
                    })?;
                    continue;
                }
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

/// Usually the first pages suffice, but an edition may begin later.
fn has_pages(queries: &dyn EventQueries, cover: &Cover) -> Result<bool, CaptureError> {
    for end in [Some(9), None] {
        match queries.event_book(cover, Selection::Range(0, end)) {
            Ok(book) if book.history.pages().is_empty() => {}
            Ok(_) => return Ok(true),
            // A page that is too large for a reply exists.
            Err(error) if error.is_too_large() => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}
