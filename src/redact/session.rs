//! One run over things that belong together.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::before::Before;
use super::detect;
use super::key::Key;
use super::packed::packed_types;
use super::pseudonym::{self, pseudonym};
use super::redactor::{Reason, RedactError, Redactor, Report, Suspect};
use super::rule::{Action, Form};
use super::suspect::looks_personal;
use super::taken::Taken;
use super::told::is_told;
use crate::fixture::{Redaction, RedactionAction};
use crate::model::{Payload, Root};
use crate::payload::{
    Choice, Effect, FieldKind, FieldValue, Place, Rewriter, Step, Unreadable, path_of,
};

/// What stands where something was.
const MASK: &str = "***";
/// A choice's reason that is no rule: the field's own descriptor asks for it.
const DESCRIPTOR: usize = usize::MAX;
/// What payloads are packed into.
const ANY: &str = "google.protobuf.Any";

/// A text without what looks like a secret or personal data by itself.
#[must_use]
pub fn masked(text: &str) -> String {
    without_secrets(text, None)
}

/// A run. Payloads come first: what is taken out of them is looked for in texts.
#[derive(Debug)]
pub struct Session<'a> {
    redactor: &'a Redactor,
    report: Report,
    /// Roots that have stand-ins.
    roots: Vec<Root>,
    /// Their spellings, which are looked for in texts of payloads too.
    spelt_roots: Taken,
    /// Whether a text was met that may repeat what only comes after it.
    has_told: bool,
    /// What came redacted.
    before: Before,
    /// Of a payload that is part of that the types of which the same rules, key and descriptors did it: their stand-ins
    /// stay.
    done: Option<BTreeSet<String>>,
    /// Whether the message at hand is one of Angzarr's around payloads.
    is_envelope: bool,
    /// Whether nothing is written yet: then no text is searched for what is not known in full.
    is_looking: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            report: Report::default(),
            roots: Vec::new(),
            spelt_roots: Taken::default(),
            has_told: false,
            before: Before::default(),
            done: None,
            is_envelope: false,
            is_looking: false,
        }
    }

    pub(super) fn after(mut self, report: &Report) -> Self {
        self.report.taken = report.taken.clone();
        self
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
            self.spelt_roots.root_alone(root, new);
            self.report.reasons.insert(Reason::Roots);
            self.roots.push(root);
        }
        new
    }

    /// Redacts a payload; `place` says in an error where it is.
    pub fn payload(&mut self, payload: &Payload, place: &str) -> Result<Payload, RedactError> {
        self.done = self.before.holds(payload).then(|| self.done_types(payload));
        self.report.types.insert(payload.type_name().to_owned());
        self.is_envelope = false;
        self.message(payload, place)
    }

    /// Goes through a payload to know what is taken out of it.
    pub(super) fn look(&mut self, payload: &Payload, place: &str) -> Result<(), RedactError> {
        self.is_looking = true;
        let looked = self.payload(payload, place);
        self.is_looking = false;
        looked.map(drop)
    }

    /// Redacts the payloads within a message of Angzarr's, and its texts. Rules are about what is in payloads: the message
    /// itself says where they belong, and is needed as it is.
    pub fn envelope(&mut self, message: &Payload, place: &str) -> Result<Payload, RedactError> {
        self.done = None;
        self.is_envelope = true;
        self.message(message, place)
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

    /// Whether a rule did it before that begins at a step: it goes through such types only.
    fn is_done(&self, steps: &[Step<'_>], start: usize) -> bool {
        let packed = |at: usize| at == 0 || steps[at - 1].message == ANY;
        let first = (0..=start).rfind(|at| packed(*at)).unwrap_or(0);
        let mut types = (first..steps.len()).filter(|at| packed(*at));
        let done = self.done.as_ref();
        done.is_some_and(|done| types.all(|at| done.contains(steps[at].message)))
    }

    fn message(&mut self, payload: &Payload, place: &str) -> Result<Payload, RedactError> {
        let redactor = self.redactor;
        self.has_told = false;
        let mut value = redactor.registry.rewrite(payload, self);
        if self.has_told && value.is_ok() {
            value = redactor.registry.rewrite(payload, self);
        }
        let value = value.map_err(|reason| RedactError {
            place: format!("{place} (`{}`)", payload.type_name()),
            reason,
        })?;
        Ok(Payload {
            type_url: payload.type_url.clone(),
            value,
        })
    }

    /// Redacts a text: what was taken out so far, and what looks like a secret or personal data by itself.
    pub fn text(&mut self, text: &str) -> String {
        if !self.redactor.follows(Reason::Texts) {
            return text.to_owned();
        }
        let replaced = self.report.taken.replaced_in(text);
        let written = without_secrets(&replaced, self.redactor.policy.key.as_ref());
        if written != text {
            self.report.reasons.insert(Reason::Texts);
        }
        written
    }

    fn touch(&mut self, steps: &[Step<'_>], action: RedactionAction) {
        self.report.touched.insert(redaction(steps, action));
    }

    fn suspect(&mut self, place: &Place<'_>, looks_like: &'static str) {
        let start = place
            .steps
            .iter()
            .rposition(|step| !step.message.is_empty())
            .unwrap_or(0);
        let steps = &place.steps[start..];
        self.report.suspects.insert(Suspect {
            type_name: steps.first().map_or("", |step| step.message).to_owned(),
            field: path_of(steps),
            looks_like,
        });
    }

    /// The action of a choice, with the form and range of its rule.
    fn action(&self, reason: usize) -> (Action, Form, Option<(i64, i64)>) {
        match self.redactor.policy.rules.get(reason) {
            Some(rule) => (rule.action, rule.form, rule.range),
            None => (self.redactor.debug_redact(), Form::Auto, None),
        }
    }

    fn chosen(&mut self, place: &Place<'_>, start: usize, reason: Reason) -> Choice {
        let number = match reason {
            Reason::Rule(at) => at,
            _ => DESCRIPTOR,
        };
        let (action, ..) = self.action(number);
        let effect = match action {
            _ if !self.redactor.follows(reason) => Effect::Leave,
            Action::Keep => Effect::Leave,
            Action::Drop => Effect::Drop,
            Action::Mask => Effect::Empty,
            Action::Pseudonym => Effect::Change,
        };
        let is_few = matches!(place.kind, FieldKind::Truth | FieldKind::Word);
        let done = match effect {
            Effect::Leave => None,
            Effect::Change if self.is_done(place.steps, start) => None,
            Effect::Drop => Some(RedactionAction::Drop),
            Effect::Change if !is_few => Some(RedactionAction::Pseudonym),
            Effect::Change | Effect::Empty => Some(RedactionAction::Mask),
        };
        if let Some(done) = done {
            self.touch(&place.steps[start..], done);
            self.report.reasons.insert(reason);
        }
        Choice {
            effect,
            reason: number,
            start,
        }
    }

    /// The first of these steps that is within a payload, if one is.
    fn first_of_payload(&self, steps: &[Step<'_>]) -> Option<usize> {
        if !self.is_envelope {
            return Some(0);
        }
        let packed = steps.iter().position(|step| step.message == ANY)?;
        (packed + 1 < steps.len()).then_some(packed + 1)
    }

    /// What a descriptor's own asking makes of a map's key: the key is part of what is to be kept out of sight. Rules name
    /// keys by themselves.
    fn of_key(&mut self, place: &Place<'_>, around: Choice) -> Option<Choice> {
        if around.reason != DESCRIPTOR || around.effect == Effect::Leave {
            return None;
        }
        let is_change = self.redactor.debug_redact() == Action::Pseudonym;
        let (effect, done) = if is_change {
            (Effect::Change, RedactionAction::Pseudonym)
        } else {
            // Masked keys would all be the same.
            (Effect::Drop, RedactionAction::Drop)
        };
        if !(is_change && self.is_done(place.steps, around.start)) {
            let named = place
                .steps
                .iter()
                .rposition(|step| !step.message.is_empty());
            self.touch(&place.steps[named.unwrap_or(0)..], done);
        }
        Some(Choice { effect, ..around })
    }

    /// The stand-in for a root of an aggregate, in the spelling of the value.
    fn known_root(&self, value: &FieldValue<'_>) -> Option<FieldValue<'static>> {
        let root: Root = match value {
            FieldValue::Text(text) if matches!(text.len(), 32 | 36) => text.parse().ok()?,
            FieldValue::Bytes(bytes) => Root::from_slice(bytes).ok()?,
            _ => return None,
        };
        let key = self.redactor.policy.key.as_ref();
        self.roots
            .contains(&root)
            .then(|| key.map(|key| pseudonym(key, Form::Uuid, None, value)))?
    }
}

impl Rewriter for Session<'_> {
    fn choose(&mut self, place: &Place<'_>, around: Option<Choice>) -> Option<Choice> {
        let redactor = self.redactor;
        let Some(first) = self.first_of_payload(place.steps) else {
            return around;
        };
        let mut rules = redactor.policy.rules.iter().enumerate();
        let found = rules.find_map(|(at, rule)| {
            let start = rule.begins(place.steps)?;
            (start >= first).then_some((at, start))
        });
        if let Some((at, start)) = found {
            return Some(self.chosen(place, start, Reason::Rule(at)));
        }
        if place.is_key() {
            return around.and_then(|around| self.of_key(place, around));
        }
        if place.debug_redact && redactor.debug_redact() != Action::Keep {
            let start = place.steps.len().saturating_sub(1);
            return Some(self.chosen(place, start, Reason::DebugRedact));
        }
        around
    }

    fn replace(
        &mut self,
        place: &Place<'_>,
        choice: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static> {
        let (action, form, range) = self.action(choice.reason);
        if action == Action::Pseudonym && self.is_done(place.steps, choice.start) {
            self.report.taken.keep(value);
            return value.to_static();
        }
        self.report.is_anew |= action == Action::Pseudonym && self.done.is_some();
        let new = match (action, &self.redactor.policy.key) {
            (Action::Pseudonym, Some(key)) => pseudonym(key, form, range, value),
            (Action::Drop, _) => without_content(value, ""),
            _ => without_content(value, MASK),
        };
        self.report.taken.add(value, &new);
        new
    }

    fn unchosen(
        &mut self,
        place: &Place<'_>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        if let Some(new) = self.known_root(value) {
            let start = place.steps.len().saturating_sub(1);
            self.touch(&place.steps[start..], RedactionAction::Pseudonym);
            return Some(new);
        }
        if let FieldValue::Text(text) = value
            && is_told(place)
        {
            if self.is_looking {
                return None;
            }
            self.has_told = true;
            let new = self.text(text);
            let is_changed = new != **text;
            if is_changed {
                let start = place.steps.len().saturating_sub(1);
                self.touch(&place.steps[start..], RedactionAction::Mask);
            }
            return is_changed.then_some(FieldValue::Text(Cow::Owned(new)));
        }
        if let FieldValue::Text(text) = value {
            let new = self.spelt_roots.replaced_in(text);
            if new != **text {
                let start = place.steps.len().saturating_sub(1);
                self.touch(&place.steps[start..], RedactionAction::Pseudonym);
                return Some(FieldValue::Text(Cow::Owned(new)));
            }
        }
        if let FieldValue::Text(text) = value
            && let Some(finding) = detect::sure(text).first()
        {
            self.suspect(place, finding.what);
        } else if looks_personal(place) && *value != without_content(value, "") {
            self.suspect(place, "name");
        }
        None
    }

    fn packed(&mut self, type_name: &str) {
        if !self.report.types.contains(type_name) {
            self.report.types.insert(type_name.to_owned());
        }
    }

    fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable> {
        if self.redactor.is_strict() {
            return Err(unreadable);
        }
        self.report.unread.insert(unreadable.to_string());
        Ok(())
    }
}

fn redaction(steps: &[Step<'_>], action: RedactionAction) -> Redaction {
    Redaction {
        type_name: steps.first().map_or("", |step| step.message).to_owned(),
        field: path_of(steps),
        action,
    }
}

fn without_secrets(text: &str, key: Option<&Key>) -> String {
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
fn without_content(value: &FieldValue<'_>, text: &'static str) -> FieldValue<'static> {
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
