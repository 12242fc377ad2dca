//! `[redaction]` and `[audit]`: what is taken out at capture, and what an audit passes over.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audit::AuditAllowance;
use crate::redact::{Action, RedactionRule};

/// How captures are redacted. The key itself is never part of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionConfig {
    /// Whether what cannot be read is an error, where the source does not say otherwise.
    pub required: bool,
    /// Variable that holds the key of pseudonyms.
    pub key_env: Option<String>,
    /// File that holds it, where the variable is not named or not set.
    pub key_file: Option<PathBuf>,
    /// What becomes of fields whose descriptor asks for it.
    pub debug_redact: Option<Action>,
    /// Whether roots of aggregates become pseudonyms.
    pub roots: bool,
    /// Rules in the order in which they are tried.
    pub rules: Vec<RedactionRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRedaction {
    required: Option<bool>,
    key_env: Option<Hidden>,
    key_file: Option<Hidden>,
    debug_redact: Option<String>,
    roots: Option<RawRoots>,
    #[serde(default)]
    rules: Vec<RawRedactionRule>,
}

/// Read as it comes and checked by hand: an error of the reader would show the key itself where somebody wrote that.
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

    fn variable(self) -> Result<String, String> {
        let is_name = |text: &String| {
            let mut letters = text.chars();
            let fits = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
            letters.clone().all(fits) && !letters.next().is_some_and(|it| it.is_ascii_digit())
        };
        self.text().filter(is_name).ok_or_else(|| {
            "redaction: `key_env` says which variable holds the key and never holds it: a name of letters, digits and \
             underscores is expected (what is there is not shown)"
                .into()
        })
    }

    fn file(self) -> Result<PathBuf, String> {
        self.text().map(PathBuf::from).ok_or_else(|| {
            "redaction: `key_file` says which file holds the key: a path is expected (what is there is not shown)".into()
        })
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawRoots {
    Keep,
    Pseudonym,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRedactionRule {
    r#type: String,
    field: String,
    action: String,
    form: Option<String>,
    range: Option<[i64; 2]>,
    reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    #[serde(default)]
    allow: Vec<RawAllowance>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllowance {
    finding: Option<String>,
    text: String,
    files: Option<String>,
    reason: String,
}

impl RawRedaction {
    pub(super) fn check(self, root: &Path) -> Result<RedactionConfig, String> {
        let mut rules = Vec::with_capacity(self.rules.len());
        for (number, rule) in (1..).zip(self.rules) {
            let rule = rule
                .check()
                .map_err(|reason| format!("redaction rule {number}: {reason}"))?;
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
                .map_err(|reason| format!("redaction: `debug_redact`: {reason}"))?,
            roots: matches!(self.roots, Some(RawRoots::Pseudonym)),
            rules,
        })
    }
}

impl RawRedactionRule {
    fn check(self) -> Result<RedactionRule, String> {
        let action = self.action.parse::<Action>();
        let action = action.map_err(|reason| format!("`action`: {reason}"))?;
        let words = |error: crate::redact::RuleError| error.to_string();
        let mut rule = RedactionRule::new(&self.r#type, &self.field, action).map_err(words)?;
        if let Some(form) = self.form {
            let form = form.parse().map_err(|reason| format!("`form`: {reason}"))?;
            rule = rule.with_form(form).map_err(words)?;
        }
        if let Some([low, high]) = self.range {
            rule = rule.with_range(low, high).map_err(words)?;
        }
        rule.because(&self.reason).map_err(words)
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
