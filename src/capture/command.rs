//! A command that a person wrote, in YAML or JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_yaml::Value;

use crate::files::{conflict_message, merge_conflict};
use crate::fixture::serde_suggestion;
use crate::model::{CommandBook, CommandPage, Cover, Header, MergeStrategy, Payload, Worded};
use crate::payload::{Registry, UnknownType, ViewError, too_deep};
use crate::ticket::without_values;

/// Why a written command cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// It is not YAML or JSON of the expected form.
    #[error("{file}: {reason}")]
    Invalid {
        /// The file it was read from.
        file: String,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// Its type has no descriptor.
    #[error("{file}: {reason}{}", suggestion(&reason.similar))]
    UnknownType {
        /// The file it was read from.
        file: String,
        /// The type.
        reason: UnknownType,
    },
    /// Its payload does not match its type.
    #[error("{file}: payload{}: {message}", dotted(path))]
    Payload {
        /// The file it was read from.
        file: String,
        /// Path in the payload.
        path: Vec<String>,
        /// What is wrong.
        message: String,
    },
}

fn dotted(path: &[String]) -> String {
    path.iter().flat_map(|part| [".", part]).collect()
}

/// Advice, unless similar types are suggested already.
const fn suggestion(similar: &[String]) -> &'static str {
    if similar.is_empty() {
        "; name the descriptors in replay.toml, or give the payload as `bytes`"
    } else {
        ""
    }
}

/// A command as a person writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a command with `type` and `payload`, as `command new TYPE` prints it"
)]
pub struct CommandDraft {
    /// Type name, in full or only the last part.
    pub r#type: String,
    /// Readable payload.
    pub payload: Option<Value>,
    /// Payload as base64, for a type without a descriptor.
    pub bytes: Option<String>,
    /// Head that the sender expects; the captured head when omitted.
    pub sequence: Option<u32>,
    /// What to do if the head differs.
    pub merge_strategy: Option<String>,
    /// Correlation id of the workflow.
    #[serde(default)]
    pub correlation_id: String,
}

/// Parses a draft; `file` is its name in messages.
pub fn parse_draft(text: &str, file: &str) -> Result<CommandDraft, DraftError> {
    let invalid = |reason: String| DraftError::Invalid {
        file: file.to_owned(),
        reason,
    };
    // Parsing as `Value` rejects duplicate keys; the typed pass reports other errors with line and column.
    let worded = |error: serde_yaml::Error| {
        invalid(match merge_conflict(text) {
            Some(line) => conflict_message(line),
            None => without_values(&error.to_string()) + &serde_suggestion(&error.to_string()),
        })
    };
    if let Some((line, column)) = too_deep(text) {
        return Err(invalid(format!(
            "nested more than 128 levels deep at line {line} column {column}"
        )));
    }
    serde_yaml::from_str::<Value>(text).map_err(worded)?;
    serde_yaml::from_str(text).map_err(worded)
}

impl CommandDraft {
    /// The command for an aggregate at a head. `prefix` precedes the type name in the type URL.
    pub fn into_book(
        self,
        file: &str,
        descriptors: &Registry,
        cover: &Cover,
        head: u32,
        prefix: &str,
    ) -> Result<CommandBook, DraftError> {
        let file = file.to_owned();
        let invalid = |reason: &str| DraftError::Invalid {
            file: file.clone(),
            reason: reason.to_owned(),
        };
        let (type_name, value) = match (&self.payload, &self.bytes) {
            (None, Some(bytes)) => {
                let value = STANDARD
                    .decode(bytes)
                    .map_err(|_| invalid("`bytes` is not base64"))?;
                (
                    descriptors
                        .resolve(&self.r#type)
                        .unwrap_or_else(|_| self.r#type.clone()),
                    value,
                )
            }
            (view, None) => {
                let type_name = descriptors.resolve(&self.r#type).map_err(|reason| {
                    DraftError::UnknownType {
                        file: file.clone(),
                        reason,
                    }
                })?;
                let empty = Value::Mapping(serde_yaml::Mapping::new());
                let value = descriptors
                    .encode(&type_name, view.as_ref().unwrap_or(&empty))
                    .map_err(|ViewError { path, message }| DraftError::Payload {
                        file: file.clone(),
                        path,
                        message,
                    })?;
                (type_name, value)
            }
            (Some(_), Some(_)) => return Err(invalid("either `payload` or `bytes`, not both")),
        };
        let merge_strategy = match self.merge_strategy.as_deref() {
            None => MergeStrategy::default(),
            Some(word) => MergeStrategy::from_word(word).ok_or_else(|| {
                invalid("`merge_strategy` is commutative, strict, aggregate-handles or manual")
            })?,
        };
        Ok(CommandBook {
            cover: Cover {
                correlation_id: self.correlation_id,
                ..cover.clone()
            },
            pages: vec![CommandPage {
                header: Header::Sequence(self.sequence.unwrap_or(head)),
                sync_mode: None,
                merge_strategy,
                command: Some(Payload {
                    type_url: format!("{prefix}{type_name}").into(),
                    value,
                }),
                external: None,
            }],
            original: None,
        })
    }
}
