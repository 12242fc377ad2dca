//! `[redaction]` and `[audit]`: what is removed at capture, and which findings an audit ignores.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use crate::audit::AuditAllowance;
use crate::model::UnknownWord;
use crate::redact::{Action, RedactionRule, RuleError};

/// How captures are redacted. The key itself is never part of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionConfig {
    /// Whether a payload that cannot be read is an error, unless the source says otherwise.
    pub required: bool,
    /// Environment variable that holds the key of the pseudonyms.
    pub key_env: Option<String>,
    /// File that holds the key if the variable is not named or not set.
    pub key_file: Option<PathBuf>,
    /// Action for fields that the descriptors mark with `debug_redact`.
    pub debug_redact: Option<Action>,
    /// Whether roots of aggregates become pseudonyms.
    pub roots: bool,
    /// Rules in the order in which they are tried.
    pub rules: Vec<RedactionRule>,
}

/// A `[redaction]` that is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum RedactionConfigError {
    #[error(
        "redaction: `key_env` says which variable holds the key and never holds it: a name of letters, digits and \
         underscores is expected (what is there is not shown)"
    )]
    KeyVariable,
    #[error(
        "redaction: `key_file` says which file holds the key: a path is expected (what is there is not shown)"
    )]
    KeyFile,
    #[error("redaction: `debug_redact`: {0}")]
    DebugRedact(UnknownWord),
    #[error("redaction rule {number}: {error}")]
    Rule { number: usize, error: RawRuleError },
}

/// A redaction rule that is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum RawRuleError {
    #[error("`action`: {0}")]
    Action(UnknownWord),
    #[error("`form`: {0}")]
    Form(UnknownWord),
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// What is removed from captures, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Redaction")]
pub(super) struct RawRedaction {
    /// Whether a capture fails if something cannot be read and therefore not redacted; true by default.
    required: Option<bool>,
    /// Variable that contains the pseudonym key. The key itself is never part of a configuration.
    #[schemars(with = "Option<String>")]
    key_env: Option<Hidden>,
    /// File that contains the key, used if `key_env` is not named or not set. Keep it out of git.
    #[schemars(with = "Option<String>")]
    key_file: Option<Hidden>,
    /// What happens to fields that the descriptors mark with `[debug_redact = true]` and that no rule matches;
    /// `pseudonym` by default, or `mask` without a key.
    // For the schema only: without it, the key would be required there.
    #[serde(default)]
    #[schemars(schema_with = "schema::action")]
    debug_redact: Option<String>,
    /// Whether the roots of aggregates become pseudonyms; `keep` by default.
    roots: Option<RawRoots>,
    /// The first rule that matches a field decides.
    #[serde(default)]
    rules: Vec<RawRedactionRule>,
}

/// Any value, checked by hand: serde's error would show the key itself if somebody wrote it there.
#[derive(Deserialize)]
#[serde(transparent)]
struct Hidden(toml::Value);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden")
    }
}

impl Hidden {
    fn text(self) -> Option<String> {
        match self.0 {
            toml::Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn variable(self) -> Result<String, RedactionConfigError> {
        let is_name = |text: &String| {
            let mut letters = text.chars();
            let fits = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
            letters.clone().all(fits) && !letters.next().is_some_and(|it| it.is_ascii_digit())
        };
        let name = self.text().filter(is_name);
        name.ok_or(RedactionConfigError::KeyVariable)
    }

    fn file(self) -> Result<PathBuf, RedactionConfigError> {
        let path = self.text().map(PathBuf::from);
        path.ok_or(RedactionConfigError::KeyFile)
    }
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Roots")]
enum RawRoots {
    Keep,
    Pseudonym,
}

/// Which fields are redacted, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RedactionRule")]
struct RawRedactionRule {
    /// Full name of the message that the path begins in; `*` matches anything.
    r#type: String,
    /// Path of field names, separated by dots; `*` matches anything within one name.
    field: String,
    /// What happens to the field.
    #[schemars(schema_with = "schema::action")]
    action: String,
    /// What pseudonyms look like; `auto` by default.
    // For the schema only: without it, the key would be required there.
    #[serde(default)]
    #[schemars(schema_with = "schema::form")]
    form: Option<String>,
    /// Pseudonyms of numbers stay between the two, inclusive.
    range: Option<[i64; 2]>,
    /// Why the field is redacted.
    reason: String,
}

/// What an audit ignores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Audit")]
pub(super) struct RawAudit {
    /// Findings that are ignored.
    #[serde(default)]
    allow: Vec<RawAllowance>,
}

/// A finding that an audit ignores.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Allowance")]
struct RawAllowance {
    /// Only findings of this name, as the audit prints it: `email`. Any by default.
    finding: Option<String>,
    /// What was found; `*` matches anything: `*@corp.test`.
    text: String,
    /// Only in files whose path, relative to the folder of `replay.toml`, matches: `fixtures/player/*`. Any by default.
    files: Option<String>,
    /// Why the finding is ignored.
    reason: String,
}

impl RawRedaction {
    pub(super) fn check(self, root: &Path) -> Result<RedactionConfig, RedactionConfigError> {
        let mut rules = Vec::with_capacity(self.rules.len());
        for (number, rule) in (1..).zip(self.rules) {
            let rule = rule
                .check()
                .map_err(|error| RedactionConfigError::Rule { number, error })?;
            rules.push(rule);
        }
        let debug_redact = self.debug_redact.map(|word| word.parse::<Action>());
        let key_file = self.key_file.map(Hidden::file).transpose()?;
        Ok(RedactionConfig {
            required: self.required.unwrap_or(true),
            key_env: self.key_env.map(Hidden::variable).transpose()?,
            key_file: key_file.map(|file| root.join(file)),
            debug_redact: debug_redact
                .transpose()
                .map_err(RedactionConfigError::DebugRedact)?,
            roots: matches!(self.roots, Some(RawRoots::Pseudonym)),
            rules,
        })
    }
}

impl RawRedactionRule {
    fn check(self) -> Result<RedactionRule, RawRuleError> {
        let action = self.action.parse().map_err(RawRuleError::Action)?;
        let mut rule = RedactionRule::new(&self.r#type, &self.field, action)?;
        if let Some(form) = self.form {
            rule = rule.with_form(form.parse().map_err(RawRuleError::Form)?)?;
        }
        if let Some([low, high]) = self.range {
            rule = rule.with_range(low, high)?;
        }
        Ok(rule.because(&self.reason)?)
    }
}

impl RawAudit {
    pub(super) fn into_allowances(self) -> Vec<AuditAllowance> {
        let allowance = |raw: RawAllowance| AuditAllowance {
            finding: raw.finding,
            text: raw.text,
            files: raw.files,
            reason: raw.reason,
        };
        self.allow.into_iter().map(allowance).collect()
    }
}
