//! Links to the pages of the documentation, for messages: a user of the installed program has no `docs` folder.

use std::fmt;

/// The project's repository, from Cargo.toml; empty as long as there is no public one.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The revision whose pages describe this version: the tag of a released version, or else `main`. A test compares it with the
/// changelog.
pub const REVISION: &str = "main";

/// A page, or a section of one, that messages lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Every key of replay.toml.
    Configuration,
    /// The keys of a coordinator.
    Coordinators,
    /// Debuggers for several languages.
    Debugging,
    /// What a change of a message type means for captured cases.
    ProtoChanges,
    /// What is removed from captures.
    Redaction,
    /// How a stored snapshot gets into a case.
    Snapshots,
}

impl Page {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Configuration,
        Self::Coordinators,
        Self::Debugging,
        Self::ProtoChanges,
        Self::Redaction,
        Self::Snapshots,
    ];

    /// Its path in the repository, with the anchor of the section.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Configuration => "docs/configuration.md",
            Self::Coordinators => "docs/configuration.md#coordinatorsname",
            Self::Debugging => "docs/debugging.md",
            Self::ProtoChanges => "docs/fixtures.md#when-protos-change",
            Self::Redaction => "docs/redaction.md",
            Self::Snapshots => "docs/production.md#snapshots",
        }
    }

    /// The link to the page in a repository; without one, its path and whose it is.
    fn link(self, repository: &str) -> String {
        let path = self.path();
        match repository.trim_end_matches('/') {
            "" => format!("{path} of angzarr-replay"),
            repository => format!("{repository}/blob/{REVISION}/{path}"),
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.link(REPOSITORY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_repository_if_there_is_one() {
        assert_eq!(
            Page::Snapshots.link("https://forge.test/a/b/"),
            format!("https://forge.test/a/b/blob/{REVISION}/docs/production.md#snapshots")
        );
        assert_eq!(
            Page::Redaction.link(""),
            "docs/redaction.md of angzarr-replay"
        );
    }
}
