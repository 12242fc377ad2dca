//! One run over things that belong together.

use std::collections::BTreeSet;

use super::before::Before;
use super::packed::packed_types;
use super::redactor::{Reason, RedactError, Redactor, Report};
use crate::model::{Payload, Root};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// A payload: rules are about all of it.
    Payload,
    /// A message of Angzarr's around payloads. Rules are about what is in them: the message itself says where they belong,
    /// and is needed as it is.
    Envelope,
}

/// A run. Payloads come first: what is taken out of them is looked for in texts.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) report: Report,
    /// Roots that have stand-ins.
    pub(super) roots: Vec<Root>,
    /// What came redacted.
    pub(super) before: Before,
    /// Of a payload that is part of that the types of which the same rules, key and descriptors did it: their stand-ins
    /// stay.
    pub(super) done: Option<BTreeSet<String>>,
    /// Whether the message at hand is one of Angzarr's around payloads.
    pub(super) is_envelope: bool,
    /// Whether nothing is written yet: then no text is searched for what is not known in full.
    pub(super) is_looking: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            report: Report::default(),
            roots: Vec::new(),
            before: Before::default(),
            done: None,
            is_envelope: false,
            is_looking: false,
        }
    }

    /// A run over things of which some came redacted. What others did is done anew.
    #[must_use]
    pub fn where_done(mut self, before: &Before) -> Self {
        self.before.clone_from(before);
        self
    }

    /// What was done.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }

    /// Makes a root known, so that it is found in payloads and texts; gives what stands in its place.
    pub fn root(&mut self, root: Root) -> Root {
        let new = self.redactor.root(root);
        if new != root {
            self.report.taken.root(root, new);
            self.report.roots.root(root, new);
            self.report.reasons.insert(Reason::Roots);
            if !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
        new
    }

    /// Goes through a message to know what is taken out of it; `place` says in an error where it is. A message may repeat in
    /// a text what only a later one says to be secret, so all that belong together are looked at before the first is
    /// written.
    pub fn look(&mut self, message: &Payload, is: Is, place: &str) -> Result<(), RedactError> {
        self.is_looking = true;
        let looked = self.message(message, is, place);
        self.is_looking = false;
        looked.map(drop)
    }

    /// A message that was looked at, as it may be written.
    pub fn write(
        &mut self,
        message: &Payload,
        is: Is,
        place: &str,
    ) -> Result<Payload, RedactError> {
        self.message(message, is, place)
    }

    /// A payload by itself, as it may be written.
    pub fn payload(&mut self, payload: &Payload, place: &str) -> Result<Payload, RedactError> {
        self.look(payload, Is::Payload, place)?;
        self.write(payload, Is::Payload, place)
    }

    /// The types within a payload that came redacted as this redactor would have done it.
    fn done_types(&self, payload: &Payload) -> BTreeSet<String> {
        let mut types = packed_types(&self.redactor.registry, payload);
        types.retain(|it| {
            let own = self.redactor.fingerprint(it);
            own.is_some() && own.as_deref() == self.before.by(it)
        });
        types
    }

    fn message(&mut self, message: &Payload, is: Is, place: &str) -> Result<Payload, RedactError> {
        self.is_envelope = is == Is::Envelope;
        let came_redacted = !self.is_envelope && self.before.holds(message);
        self.done = came_redacted.then(|| self.done_types(message));
        if !self.is_envelope {
            self.report.types.insert(message.type_name().to_owned());
        }
        let redactor = self.redactor;
        let value = redactor.registry.rewrite(message, self);
        let value = value.map_err(|reason| RedactError {
            place: format!("{place} (`{}`)", message.type_name()),
            reason,
        })?;
        Ok(Payload {
            type_url: message.type_url.clone(),
            value,
        })
    }

    /// Redacts a title, which may have the first digits of a root.
    pub(super) fn title(&mut self, title: &str) -> String {
        let mut title = self.text(title);
        for root in &self.roots {
            let (old, new) = (root.hex(), self.redactor.root(*root).hex());
            title = with_prefix(&title, &old[..8], &new[..8]);
        }
        title
    }

    /// Redacts a text: what was taken out so far, and what looks like a secret or personal data by itself.
    pub fn text(&mut self, text: &str) -> String {
        let (written, looks) = self.redactor.text_and_looks(&self.report, text);
        if written != text {
            self.report.reasons.insert(Reason::Texts);
        }
        self.report.looked_like.extend(looks);
        written
    }
}

/// The text with one prefix of a root for another, where it is a word by itself.
fn with_prefix(text: &str, old: &str, new: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '-';
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for (start, found) in text.match_indices(old) {
        let after = text[start + found.len()..].chars().next();
        let before = text[..start].chars().next_back();
        if !before.is_some_and(is_part) && !after.is_some_and(is_part) {
            written += &text[end..start];
            written += new;
            end = start + found.len();
        }
    }
    written + &text[end..]
}
