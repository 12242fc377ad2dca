//! Texts and values that say nothing any more.

use std::borrow::Cow;

use super::detect;
use super::key::Key;
use super::pseudonym;
use super::rule::Form;
use crate::payload::FieldValue;

/// What stands where something was.
pub(super) const MASK: &str = "***";

/// A text without what looks like a secret or personal data by itself.
#[must_use]
pub fn masked(text: &str) -> String {
    without_secrets(text, None)
}

/// A text without what looks like a secret by itself; with a key emails become other emails.
pub(super) fn without_secrets(text: &str, key: Option<&Key>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for finding in detect::sure(text) {
        written += &text[end..finding.range.start];
        let found = &text[finding.range.clone()];
        written += &match key {
            Some(key) if finding.what == "email" => pseudonym::text(key, Form::Email, found),
            _ => MASK.to_owned(),
        };
        end = finding.range.end;
    }
    written + &text[end..]
}

/// A value of the same kind that says nothing; of a text the given one.
pub(super) fn without_content(value: &FieldValue<'_>, text: &'static str) -> FieldValue<'static> {
    match value {
        FieldValue::Truth(_) => FieldValue::Truth(false),
        FieldValue::Word(_) => FieldValue::Word(0),
        FieldValue::Integer { min, max, .. } => FieldValue::Integer {
            value: 0,
            min: *min,
            max: *max,
        },
        FieldValue::Float(_) => FieldValue::Float(0.0),
        // An empty text is empty already.
        FieldValue::Text(old) if old.is_empty() => FieldValue::Text(Cow::Borrowed("")),
        FieldValue::Text(_) => FieldValue::Text(Cow::Borrowed(text)),
        FieldValue::Bytes(_) => FieldValue::Bytes(Cow::Borrowed(&[])),
    }
}
