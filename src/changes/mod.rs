//! What a branch changed: cases that came, went, were opened or closed, and accepted outcomes, in words for a reviewer.

mod git;
mod markdown;

use std::path::Path;

pub(crate) use git::GitError;
use serde_yaml::Value;

use crate::project::Project;
use crate::snapshot::{changes_of, differences, grouped, stored};
use git::{ChangedFile, Content, Repository};

/// A case that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedCase {
    /// As the trial is named: `player::withdraw-funds-6513270e-3`.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) issue: Option<String>,
}

/// Outcomes that changed the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedOutcomes {
    /// What changed, a change a line.
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
    /// Cases whose file changed in other keys, with the keys.
    pub(crate) edited: Vec<(ChangedCase, Vec<String>)>,
    /// Accepted outcomes of cases that were there before, the largest group first.
    pub(crate) outcomes: Vec<ChangedOutcomes>,
    /// Histories and descriptor sets, which nobody reads: how many came, went and changed.
    pub(crate) histories: Counts,
    pub(crate) descriptor_sets: Counts,
}

/// How many files came, went and changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
}

impl Counts {
    fn count(&mut self, file: &ChangedFile) {
        match (&file.before, &file.after) {
            (Content::Absent, _) => self.added += 1,
            (_, Content::Absent) => self.removed += 1,
            _ => self.changed += 1,
        }
    }
}

impl BranchChanges {
    /// Compares two revisions, as git understands the range; a single revision is compared with the working tree.
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
                match (status(&before).as_deref(), status(&after).as_deref()) {
                    (Some("open"), Some("closed")) => self.closed.push(case(&after)),
                    (Some("closed"), Some("open")) => self.reopened.push(case(&after)),
                    _ => {}
                }
                let mut keys = changed_keys(&before, &after);
                keys.retain(|key| key != "status");
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

/// Keys at the top of a fixture whose values differ, in the order of the newer file.
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

/// How an accepted outcome changed; none where the case came or went with it.
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
