//! Which fields were redacted, both ways.

use serde::{Deserialize, Serialize};

use crate::model::{Redaction, RedactionAction};

/// A redacted field as tickets, recordings and fixtures spell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Redaction"))]
pub struct RedactionV1 {
    /// Full name of the message that the path begins in.
    r#type: String,
    /// Path of proto field names with dots between; `*` stands for the keys of a map.
    field: String,
    /// What became of the field.
    action: ActionV1,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", schemars(rename = "RedactionAction"))]
enum ActionV1 {
    /// It is left out.
    Drop,
    /// It holds nothing of what it held.
    Mask,
    /// It holds a stand-in: equal values have equal ones.
    Pseudonym,
}

impl RedactionV1 {
    /// As it is written.
    #[must_use]
    pub fn of(redaction: &Redaction) -> Self {
        Self {
            r#type: redaction.type_name.clone(),
            field: redaction.field.clone(),
            action: match redaction.action {
                RedactionAction::Drop => ActionV1::Drop,
                RedactionAction::Mask => ActionV1::Mask,
                RedactionAction::Pseudonym => ActionV1::Pseudonym,
            },
        }
    }

    /// As the model has it.
    #[must_use]
    pub fn lower(self) -> Redaction {
        Redaction {
            type_name: self.r#type,
            field: self.field,
            action: match self.action {
                ActionV1::Drop => RedactionAction::Drop,
                ActionV1::Mask => RedactionAction::Mask,
                ActionV1::Pseudonym => RedactionAction::Pseudonym,
            },
        }
    }
}
