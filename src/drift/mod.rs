//! How message types changed since cases were captured: compares the captured descriptor sets with today's descriptors, or
//! with those of a git revision, and says which cases use a changed type.

mod revision;

use std::collections::{BTreeMap, BTreeSet};

use crate::fixture::FixtureError;
use crate::git::GitError;
use crate::harness::Entry;
use crate::payload::{Breaks, DescriptorError, Registry, TypeChange, changes};
use crate::project::{OperationError, Project, ProjectError};
use crate::wire::framework_descriptors;

/// What the captured descriptor sets are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against {
    /// The descriptors that replay.toml names, as they are in the working tree.
    Today,
    /// The same paths in a git revision.
    Revision(String),
}

/// How the types of some cases changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DriftReport {
    /// What they were compared with, in words.
    pub(crate) against: String,
    /// Number of cases that were compared.
    pub(crate) cases: usize,
    /// The compared descriptor sets by content hash, with whether anything changed in them.
    pub(crate) sets: BTreeMap<String, bool>,
    /// Sorted by type.
    pub(crate) changes: Vec<Drift>,
    /// What could not be compared, by the name of the case, with the reason.
    pub(crate) not_compared: Vec<(String, String)>,
}

/// A changed type, and what it concerns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) change: TypeChange,
    /// Content hashes of the descriptor sets in which the type is as it was before.
    pub(crate) sets: BTreeSet<String>,
    /// Names of the cases with a payload that contains the type.
    pub(crate) cases: BTreeSet<String>,
}

impl Drift {
    /// Whether captured bytes of a case are read differently.
    pub(crate) fn is_breaking(&self) -> bool {
        self.change.breaks() == Breaks::Wire && !self.cases.is_empty()
    }
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriftError {
    /// replay.toml names no descriptors.
    #[error(
        "there is nothing to compare with: replay.toml names no descriptors; say in `descriptors` where the .proto files are"
    )]
    NoDescriptors,
    /// The project's descriptors cannot be used.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A case cannot be read.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// git did not answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A configured path is outside of the repository.
    #[error(
        "{path}: it is in no git repository, or in another one than replay.toml; `--against git:{revision}` needs its history"
    )]
    Outside {
        /// The configured path.
        path: String,
        /// The revision.
        revision: String,
    },
    /// A revision has no such path.
    #[error("{path}: there are no descriptors at this path in {revision}")]
    Absent {
        /// The configured path.
        path: String,
        /// The revision.
        revision: String,
    },
    /// The descriptors of a revision cannot be used.
    #[error("the descriptors of {revision} cannot be used: {reason}")]
    Revision {
        /// The revision.
        revision: String,
        /// The reason, with paths as they are in the revision.
        reason: String,
    },
    /// A temporary file cannot be written.
    #[error("the descriptors of {revision} cannot be written to a temporary folder: {}", crate::terminal::words(.reason))]
    Temporary {
        /// The revision.
        revision: String,
        /// The system's error.
        reason: std::io::Error,
    },
}

impl From<DriftError> for OperationError {
    fn from(error: DriftError) -> Self {
        match error {
            DriftError::Project(error) => error.into(),
            DriftError::Fixture(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A captured descriptor set, and the types in the payloads of each case that refers to it.
struct CapturedSet {
    descriptors: Registry,
    dialect: String,
    /// By the name of the case.
    types: BTreeMap<String, BTreeSet<String>>,
}

impl DriftReport {
    /// Compares the captured descriptor sets of these cases.
    pub(crate) fn of(
        project: &Project,
        entries: &[Entry],
        against: &Against,
    ) -> Result<Self, DriftError> {
        let current = match against {
            _ if project.config().descriptors.is_empty() => return Err(DriftError::NoDescriptors),
            Against::Today => project.registry()?.clone(),
            Against::Revision(revision) => revision::registry(project, revision)?,
        };
        let mut report = Self {
            against: match against {
                Against::Today => "today's descriptors".to_owned(),
                Against::Revision(revision) => format!("the descriptors of {revision}"),
            },
            cases: 0,
            sets: BTreeMap::new(),
            changes: Vec::new(),
            not_compared: Vec::new(),
        };
        let sets = report.captured_sets(project, entries)?;
        let mut found: BTreeMap<TypeChange, Drift> = BTreeMap::new();
        for ((hash, _), set) in &sets {
            report.compare(hash, set, &current, &mut found);
        }
        report.changes = found.into_values().collect();
        Ok(report)
    }

    /// Whether a wire-breaking change concerns a case.
    pub(crate) fn is_breaking(&self) -> bool {
        self.changes.iter().any(Drift::is_breaking)
    }

    /// Reads the cases and groups them by descriptor set and dialect.
    fn captured_sets(
        &mut self,
        project: &Project,
        entries: &[Entry],
    ) -> Result<BTreeMap<(String, String), CapturedSet>, DriftError> {
        let mut sets: BTreeMap<(String, String), CapturedSet> = BTreeMap::new();
        // A twin has the cases of the other logic.
        for entry in entries.iter().filter(|entry| entry.twin.is_none()) {
            let fixture = project.folder().read(&entry.path)?;
            let Some(hash) = fixture.descriptors_hash else {
                let reason = "it has no descriptor set: its payloads are bytes, or it has none";
                self.not_compared
                    .push((entry.name.to_string(), reason.to_owned()));
                continue;
            };
            self.cases += 1;
            let dialect = fixture.case.source.dialect.clone();
            let mut names = BTreeSet::new();
            for payload in fixture.case.payloads() {
                names.insert(payload.type_name().to_owned());
                names.extend(fixture.descriptors.nested_any_types(payload));
            }
            let set = sets
                .entry((hash, dialect.clone()))
                .or_insert_with(|| CapturedSet {
                    descriptors: fixture.descriptors.clone(),
                    dialect,
                    types: BTreeMap::new(),
                });
            let types = set.descriptors.types_within(&names);
            set.types.insert(entry.name.to_string(), types);
        }
        Ok(sets)
    }

    fn compare(
        &mut self,
        hash: &str,
        set: &CapturedSet,
        current: &Registry,
        found: &mut BTreeMap<TypeChange, Drift>,
    ) {
        let current = with_framework(current, &set.dialect);
        let lost = set.descriptors.not_comparable(&current);
        for (case, types) in &set.types {
            let lost: Vec<&str> = lost
                .iter()
                .filter(|name| types.contains(*name))
                .map(String::as_str)
                .collect();
            if !lost.is_empty() {
                let reason = format!(
                    "{} may be in a file that cannot be used: {}",
                    lost.join(", "),
                    current
                        .left_out()
                        .first()
                        .map_or_else(String::new, ToString::to_string)
                );
                self.not_compared.push((case.clone(), reason));
            }
        }
        let changes = changes(&set.descriptors, &current);
        let is_changed = self.sets.entry(hash.to_owned()).or_default();
        *is_changed |= !changes.is_empty();
        for change in changes {
            let concerned = set.types.iter();
            let concerned = concerned.filter(|(_, types)| types.contains(&change.type_name));
            let names: Vec<String> = concerned.map(|(case, _)| case.clone()).collect();
            let drift = found.entry(change.clone()).or_insert_with(|| Drift {
                change,
                sets: BTreeSet::new(),
                cases: BTreeSet::new(),
            });
            drift.sets.insert(hash.to_owned());
            drift.cases.extend(names);
        }
    }
}

/// Adds the messages that Angzarr itself puts into payloads, which captured sets have and .proto folders may not have.
fn with_framework(own: &Registry, dialect: &str) -> Registry {
    let filled = dialect.parse().ok();
    let filled = filled.and_then(|dialect| own.filled_from(&framework_descriptors(dialect)).ok());
    filled.unwrap_or_else(|| own.clone())
}

impl DriftError {
    fn revision(revision: &str, error: &DescriptorError, folder: &std::path::Path) -> Self {
        // The reader of the message knows nothing of the temporary folder.
        let folder = format!("{}/", folder.display());
        Self::Revision {
            revision: revision.to_owned(),
            reason: error.to_string().replace(&folder, ""),
        }
    }
}
