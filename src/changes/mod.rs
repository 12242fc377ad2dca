//! What a branch changed, for its reviewer: cases that were added, removed, opened or closed, and accepted outcomes.

mod markdown;

use std::path::Path;

use serde_yaml::Value;

use crate::git::{ChangedFile, Content, GitError, Repository};
use crate::project::Project;
use crate::snapshot::{changes_of, differences, grouped, stored};

/// A case that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedCase {
    /// Name of the trial: `player::withdraw-funds-6513270e-3`.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) issue: Option<String>,
}

/// Outcomes that changed the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedOutcomes {
    /// The changes, one per line.
    pub(crate) changes: Vec<String>,
    /// Names of the cases.
    pub(crate) cases: Vec<String>,
}

/// What a range of revisions changed in the folder of fixtures.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BranchChanges {
    pub(crate) added: Vec<ChangedCase>,
    pub(crate) removed: Vec<ChangedCase>,
    pub(crate) closed: Vec<ChangedCase>,
    pub(crate) reopened: Vec<ChangedCase>,
    /// Cases with changes in other keys of the fixture, with those keys.
    pub(crate) edited: Vec<(ChangedCase, Vec<String>)>,
    /// Changed outcomes of cases that existed before, the largest group first.
    pub(crate) outcomes: Vec<ChangedOutcomes>,
    /// Number of changed histories and descriptor sets, which are not meant to be read.
    pub(crate) histories: FileCounts,
    pub(crate) descriptor_sets: FileCounts,
}

/// How many files were added, removed and changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileCounts {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
}

impl FileCounts {
    fn count(&mut self, file: &ChangedFile) {
        match (&file.before, &file.after) {
            (Content::Absent, _) => self.added += 1,
            (_, Content::Absent) => self.removed += 1,
            _ => self.changed += 1,
        }
    }
}

impl BranchChanges {
    /// Compares two revisions, given as a git range. A single revision is compared with the working tree.
    pub(crate) fn of(project: &Project, range: &str) -> Result<Self, GitError> {
        let folder = &project.config().fixtures;
        let repository = Repository::at(folder);
        let mut found = Self::default();
        let mut outcomes = Vec::new();
        for file in repository.changed(range)? {
            let ending = file.path.extension().unwrap_or_default();
            if ending == "yaml" {
                found.add_case(&repository, &file)?;
            } else if ending == "snap" {
                outcomes.extend(changed_outcome(project, &repository, &file)?);
            } else if file.path.starts_with("descriptors") {
                found.descriptor_sets.count(&file);
            } else if ending == "gz" || ending == "jsonl" {
                found.histories.count(&file);
            }
        }
        found.outcomes = grouped(outcomes)
            .into_iter()
            .map(|(changes, cases)| ChangedOutcomes { changes, cases })
            .collect();
        Ok(found)
    }

    fn add_case(
        &mut self,
        repository: &Repository<'_>,
        file: &ChangedFile,
    ) -> Result<(), GitError> {
        let value = |content| -> Result<Option<Value>, GitError> {
            let bytes = repository.read(&file.path, content)?;
            Ok(bytes.and_then(|bytes| serde_yaml::from_slice(&bytes).ok()))
        };
        let (before, after) = (value(&file.before)?, value(&file.after)?);
        let case = |value: &Value| ChangedCase::of(&file.path, value);
        match (before, after) {
            (None, None) => {}
            (None, Some(after)) => self.added.push(case(&after)),
            (Some(before), None) => self.removed.push(case(&before)),
            (Some(before), Some(after)) => {
                let status = |value: &Value| text_of(value, "status");
                let mut is_listed = true;
                match (status(&before).as_deref(), status(&after).as_deref()) {
                    (Some("open"), Some("closed" | "intended")) => self.closed.push(case(&after)),
                    (Some("closed" | "intended"), Some("open")) => {
                        self.reopened.push(case(&after));
                    }
                    _ => is_listed = false,
                }
                let mut keys = changed_keys(&before, &after);
                keys.retain(|key| key != "status" || !is_listed);
                if !keys.is_empty() {
                    self.edited.push((case(&after), keys));
                }
            }
        }
        Ok(())
    }

    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ChangedCase {
    fn of(path: &Path, fixture: &Value) -> Self {
        Self {
            name: name_of(path),
            title: text_of(fixture, "title").unwrap_or_default(),
            issue: text_of(fixture, "issue"),
        }
    }
}

fn text_of(fixture: &Value, key: &str) -> Option<String> {
    fixture.get(key)?.as_str().map(str::to_owned)
}

fn name_of(path: &Path) -> String {
    let plain = path.with_extension("");
    let parts = plain
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("::")
}

/// Top-level keys of a fixture with different values, in the order of the newer file.
fn changed_keys(before: &Value, after: &Value) -> Vec<String> {
    let keys = |value: &Value| -> Vec<String> {
        let mapping = value.as_mapping().into_iter();
        mapping
            .flat_map(|it| it.keys())
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let mut names = keys(after);
    names.extend(
        keys(before)
            .into_iter()
            .filter(|key| after.get(key.as_str()).is_none()),
    );
    names.retain(|key| before.get(key.as_str()) != after.get(key.as_str()));
    names
}

/// How an accepted outcome changed; `None` if it was added or removed.
fn changed_outcome(
    project: &Project,
    repository: &Repository<'_>,
    file: &ChangedFile,
) -> Result<Option<(Vec<String>, String)>, GitError> {
    let value = |content| -> Result<Option<Value>, GitError> {
        let bytes = repository.read(&file.path, content)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.and_then(|text| serde_yaml::from_str(stored::body(&text)?).ok()))
    };
    let (Some(before), Some(after)) = (value(&file.before)?, value(&file.after)?) else {
        return Ok(None);
    };
    let descriptors: Vec<_> = project.registry().ok().into_iter().collect();
    let found = differences(&before, &after, &descriptors);
    let changes = changes_of(&found);
    Ok((!changes.is_empty()).then(|| (changes, name_of(&file.path))))
}
