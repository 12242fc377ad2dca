//! TOML text to a table. Messages never repeat a value that may be a secret.

use serde::Deserialize as _;

use super::file::RawConfig;
use crate::files;
use crate::fixture::serde_suggestion;

/// Text that is not TOML, or has keys or values that a configuration does not have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct SyntaxError(String);

/// Reads the text of one file.
pub(super) fn parse(text: &str) -> Result<toml::Table, SyntaxError> {
    let failed = |error: toml::de::Error| {
        SyntaxError(match files::merge_conflict(text) {
            Some(line) => files::conflict_message(line),
            None => described(&error, text),
        })
    };
    let table: toml::Table = toml::from_str(text).map_err(failed)?;
    // Each file is checked on its own. Only an error in its text has a line and a column.
    if RawConfig::deserialize(table.clone()).is_err() {
        toml::from_str::<RawConfig>(text).map_err(failed)?;
    }
    Ok(table)
}

/// Reads the keys and values of a table that was merged from several files and variables.
pub(super) fn read(table: toml::Table) -> Result<RawConfig, SyntaxError> {
    table.try_into().map_err(|error: toml::de::Error| {
        let message = error.to_string().trim_end().replace('\n', " ");
        let hint = serde_suggestion(&message);
        if message.contains("in `redaction") {
            SyntaxError(without_value(&message) + &hint)
        } else {
            SyntaxError(message + &hint)
        }
    })
}

/// Describes an error, with an excerpt of the file unless that may contain a secret.
fn described(error: &toml::de::Error, text: &str) -> String {
    let hint = serde_suggestion(error.message());
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before.filter(|before| may_be_secret(text, before)) else {
        return error.to_string().trim_end().to_owned() + &hint;
    };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
    let reason = without_value(error.message());
    format!(
        "TOML parse error at line {line}, column {column} (not shown, a secret may be in it): {reason}{hint}"
    )
}

/// Whether the line after `before` belongs to `[redaction]` or has the name of a secret.
fn may_be_secret(text: &str, before: &str) -> bool {
    const NAMES: [&str; 7] = [
        "redaction",
        "key",
        "secret",
        "token",
        "password",
        "bearer",
        "metadata",
    ];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let header = before[..start].lines().rev().find(is_header);
    let is_in_redaction =
        header.is_some_and(|header| header.trim_start().starts_with("[redaction"));
    let line = line.to_lowercase();
    is_in_redaction || NAMES.iter().any(|name| line.contains(name))
}

/// The message without the value that was found.
fn without_value(message: &str) -> String {
    match message.split_once(", expected") {
        Some((start, expected)) if start.starts_with("invalid ") => {
            format!("something else is expected:{expected}")
        }
        _ => message.to_owned(),
    }
}
