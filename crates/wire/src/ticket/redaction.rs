//! Redacted fields in tickets, recordings and fixtures: reading and writing.

use serde::{Deserialize, Serialize};

use crate::model::{Redaction, RedactionAction};

/// A redacted field in a ticket, recording or fixture.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Redaction"))]
pub struct RedactionV1 {
    /// Full name of the message in which the path starts.
    r#type: String,
    /// Dotted path of proto field names; `*` stands for the keys of a map.
    field: String,
    /// What redaction did to the field.
    #[serde(with = "ActionV1")]
    action: RedactionAction,
}

// The serialised form of `RedactionAction`. Doc comments here become part of the published schema.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", remote = "RedactionAction")]
#[cfg_attr(feature = "schema", schemars(rename = "RedactionAction"))]
enum ActionV1 {
    /// A kept field is in no list of redactions.
    #[serde(skip)]
    Keep,
    /// The field is left out.
    Drop,
    /// Its value is masked.
    Mask,
    /// Its value is replaced by a pseudonym; equal values get equal pseudonyms.
    Pseudonym,
}

impl RedactionV1 {
    /// From the model.
    #[must_use]
    pub fn of(redaction: &Redaction) -> Self {
        Self {
            r#type: redaction.type_name.clone(),
            field: redaction.field.clone(),
            action: redaction.action,
        }
    }

    /// To the model.
    #[must_use]
    pub fn lower(self) -> Redaction {
        Redaction {
            type_name: self.r#type,
            field: self.field,
            action: self.action,
        }
    }
}
