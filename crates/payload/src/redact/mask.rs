//! Texts and values that say nothing any more.

use std::borrow::Cow;
use std::ops::Range;

use super::credentials;
use super::detect;
use super::key::Key;
use super::pseudonym;
use super::rule::Form;
use super::views::View;
use crate::payload::FieldValue;

/// What stands where something was.
pub(super) const MASK: &str = "***";
/// Fewer letters beside a stand-in are no secret by themselves.
const FEWEST: usize = 4;

/// A text without what looks like a secret or personal data by itself.
#[must_use]
pub fn masked(text: &str) -> String {
    without(text, secrets(text, None).iter())
}

/// Something in a text that looks like a secret or personal data by itself.
pub(super) struct Secret {
    /// What it looks like, as an audit says it.
    pub(super) what: &'static str,
    /// It, as one reads it.
    pub(super) text: String,
    /// Where it stands.
    range: Range<usize>,
    /// What stands in its place then.
    new: String,
    /// Whether it is found by its own form, and not by what stands around it.
    has_form: bool,
}

/// All that looks so, also under an encoding; with a key emails become other emails.
pub(super) fn secrets(text: &str, key: Option<&Key>) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = Vec::new();
    for view in View::all(text) {
        let mut by_place = credentials::found(&view.text);
        by_place.sort_by_key(|place| place.range.start);
        // Who knows where a secret stands takes only the secret, and leaves the header or address around it.
        let is_narrowed = |form: &detect::Finding| {
            let first = by_place.partition_point(|it| it.range.start < form.range.start);
            let places = by_place[first..].iter();
            let mut within = places.take_while(|it| it.range.start < form.range.end);
            within.any(|it| it.range != form.range && it.range.end <= form.range.end)
        };
        let by_form = detect::sure(&view.text).into_iter();
        let by_form: Vec<_> = by_form
            .filter(|form| !is_narrowed(form))
            .map(|it| (it, true))
            .collect();
        let by_place = by_place.into_iter().map(|it| (it, false));
        for (finding, has_form) in by_form.into_iter().chain(by_place) {
            let found = &view.text[finding.range.clone()];
            let new = match key {
                Some(key) if finding.what == "email" => {
                    view.spelt(&pseudonym::text(key, Form::Email, found))
                }
                _ => MASK.to_owned(),
            };
            secrets.push(Secret {
                what: finding.what,
                text: found.to_owned(),
                range: view.original(&finding.range),
                new,
                has_form,
            });
        }
    }
    // Stable: as it stands there goes before what is read by taking an encoding away.
    secrets.sort_by_key(|it| (it.range.start, std::cmp::Reverse(it.range.end)));
    secrets
}

/// A text without some of its secrets. Where they overlap, what stands in the place of the first stands for all.
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
    /// Whether it looks so because of stand-ins: without them nothing is left of it.
    pub(super) fn is_of(&self, stand_ins: &[Range<usize>], text: &str) -> bool {
        let mut rest = String::new();
        let mut at = self.range.start;
        // They stand one after the other.
        let first = stand_ins.partition_point(|it| it.end <= self.range.start);
        let inside = |it: &&Range<usize>| it.start < self.range.end;
        for stand_in in stand_ins[first..].iter().take_while(inside) {
            rest += text.get(at..stand_in.start).unwrap_or_default();
            at = stand_in.end.min(self.range.end);
        }
        if at == self.range.start {
            return false;
        }
        rest += text.get(at..self.range.end).unwrap_or_default();
        rest.chars().count() < FEWEST || (self.has_form && detect::sure(&rest).is_empty())
    }
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
