//! Masks: texts without their secrets, and values without their content.

use std::borrow::Cow;
use std::ops::Range;

use super::credentials;
use super::decoded::DecodedText;
use super::detect;
use super::key::Key;
use super::pseudonym;
use super::rule::Form;
use crate::payload::FieldValue;

/// Replaces a masked value.
pub(super) const MASK: &str = "***";
/// Fewer characters beside a replacement are not a secret by themselves.
const FEWEST: usize = 4;

/// The text with everything masked that looks like a secret or personal data.
#[must_use]
pub fn masked(text: &str) -> String {
    without(text, secrets(text, None).iter())
}

/// Part of a text that looks like a secret or personal data.
pub(super) struct Secret {
    /// What kind it is, as an audit names it.
    pub(super) what: &'static str,
    /// The secret, decoded.
    pub(super) text: String,
    /// Where it is in the original text.
    range: Range<usize>,
    /// Its replacement.
    new: String,
    /// Whether it was recognised by its own form, and not by its context.
    has_form: bool,
}

/// All secrets in a text, including encoded ones. With a key, email addresses become pseudonyms.
pub(super) fn secrets(text: &str, key: Option<&Key>) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = Vec::new();
    for decoded in DecodedText::all(text) {
        let mut by_place = credentials::found(&decoded.text);
        by_place.sort_by_key(|place| place.range.start);
        // A credential found by its context is more precise: only the secret is replaced, and the header or URL around
        // it stays.
        let is_narrowed = |form: &detect::Finding| {
            let first = by_place.partition_point(|it| it.range.start < form.range.start);
            let places = by_place[first..].iter();
            let mut within = places.take_while(|it| it.range.start < form.range.end);
            within.any(|it| it.range != form.range && it.range.end <= form.range.end)
        };
        let by_form = detect::sure(&decoded.text).into_iter();
        let by_form: Vec<_> = by_form
            .filter(|form| !is_narrowed(form))
            .map(|it| (it, true))
            .collect();
        let by_place = by_place.into_iter().map(|it| (it, false));
        for (finding, has_form) in by_form.into_iter().chain(by_place) {
            let found = &decoded.text[finding.range.clone()];
            let new = match key {
                Some(key) if finding.what == "email" => {
                    decoded.encode(&pseudonym::text(key, Form::Email, found))
                }
                _ => MASK.to_owned(),
            };
            secrets.push(Secret {
                what: finding.what,
                text: found.to_owned(),
                range: decoded.original(&finding.range),
                new,
                has_form,
            });
        }
    }
    // The sort is stable: a match in the plain text precedes a match in decoded text.
    secrets.sort_by_key(|it| (it.range.start, std::cmp::Reverse(it.range.end)));
    secrets
}

/// Replaces the secrets in a text. Where they overlap, the replacement of the first is used for all.
pub(super) fn without<'s>(text: &str, secrets: impl Iterator<Item = &'s Secret>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for Secret { range, new, .. } in secrets {
        if range.start >= end {
            written += &text[end..range.start];
            written += new;
        }
        end = end.max(range.end);
    }
    written + &text[end..]
}

impl Secret {
    /// Whether it was detected only because of replacements inside it: without them, what is left is not a secret.
    pub(super) fn is_made_of(&self, replacements: &[Range<usize>], text: &str) -> bool {
        let mut rest = String::new();
        let mut at = self.range.start;
        // The ranges are sorted and do not overlap.
        let first = replacements.partition_point(|it| it.end <= self.range.start);
        let inside = |it: &&Range<usize>| it.start < self.range.end;
        for replacement in replacements[first..].iter().take_while(inside) {
            rest += text.get(at..replacement.start).unwrap_or_default();
            at = replacement.end.min(self.range.end);
        }
        if at == self.range.start {
            return false;
        }
        rest += text.get(at..self.range.end).unwrap_or_default();
        rest.chars().count() < FEWEST || (self.has_form && detect::sure(&rest).is_empty())
    }
}

/// A value of the same kind without content; for a text, the one that is passed in.
pub(super) fn without_content(value: &FieldValue<'_>, text: &'static str) -> FieldValue<'static> {
    match value {
        FieldValue::Bool(_) => FieldValue::Bool(false),
        FieldValue::Enum(_) => FieldValue::Enum(0),
        FieldValue::Integer { min, max, .. } => FieldValue::Integer {
            value: 0,
            min: *min,
            max: *max,
        },
        FieldValue::Float(_) => FieldValue::Float(0.0),
        // An empty text stays empty.
        FieldValue::Text(old) if old.is_empty() => FieldValue::Text(Cow::Borrowed("")),
        FieldValue::Text(_) => FieldValue::Text(Cow::Borrowed(text)),
        FieldValue::Bytes(_) => FieldValue::Bytes(Cow::Borrowed(&[])),
    }
}
