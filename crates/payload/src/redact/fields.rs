//! What becomes of each field of a payload, and what a run remembers of it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::detect;
use super::mask::{MASK, secrets, without_content};
use super::pseudonym::pseudonym;
use super::redactor::{OTHER_ROOT, Reason, Suspect};
use super::rule::{Action, Form};
use super::session::Session;
use super::spelling::as_correlation_id;
use super::suspect::looks_personal;
use super::told::{is_correlation_id, is_told};
use crate::model::{Redaction, RedactionAction, Root};
use crate::payload::{
    Choice, Effect, FieldKind, FieldValue, Place, Rewriter, Step, Unreadable, path_of,
};

/// A choice's reason that is no rule: the field's own descriptor asks for it.
const DESCRIPTOR: usize = usize::MAX;
/// What payloads are packed into.
const ANY: &str = "google.protobuf.Any";

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

    /// Somebody has looked at it: what looks like a secret in it is none, in texts that repeat it neither.
    fn kept(&mut self, choice: Choice, value: &FieldValue<'_>) {
        let (action, ..) = self.action(choice.reason);
        if let (Action::Keep, FieldValue::Text(text)) = (action, value) {
            let looked_at = secrets(text, None).into_iter().map(|it| it.text);
            self.report.looked_at.extend(looked_at);
        }
    }

    fn unchosen(
        &mut self,
        place: &Place<'_>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        if let (true, FieldValue::Bytes(bytes)) = (self.is_looking && is_root(place), value)
            && let Ok(root) = Root::from_slice(bytes)
        {
            self.root(root);
        }
        if !self.is_looking && self.holds_other_root(value) {
            self.suspect(place, OTHER_ROOT);
        }
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
            let mut new = self.text(text);
            if is_correlation_id(place) {
                new = as_correlation_id(text, new);
            }
            let is_changed = new != **text;
            if is_changed {
                let start = place.steps.len().saturating_sub(1);
                self.touch(&place.steps[start..], RedactionAction::Mask);
            }
            return is_changed.then_some(FieldValue::Text(Cow::Owned(new)));
        }
        if let FieldValue::Text(text) = value {
            let new = self.report.roots.replaced_in(text);
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

impl Session<'_> {
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
        let is_asked = place.debug_redact || around.reason == DESCRIPTOR;
        if !is_asked || around.effect == Effect::Leave {
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
        Some(Choice {
            effect,
            reason: DESCRIPTOR,
            ..around
        })
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

    /// Whether a value holds a UUID that is not the root of an aggregate of the case, where roots get stand-ins: it may
    /// be the root of another aggregate, and stays.
    fn holds_other_root(&self, value: &FieldValue<'_>) -> bool {
        static UUID: LazyLock<Regex> = LazyLock::new(|| {
            let dashed = r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
            Regex::new(dashed).expect("the pattern is a constant")
        });
        if !self.redactor.gives_roots_stand_ins() {
            return false;
        }
        let is_other = |root: Root| root.as_bytes() != &[0; 16] && !self.roots.contains(&root);
        match value {
            FieldValue::Text(text) if text.len() == 32 => text.parse().is_ok_and(is_other),
            FieldValue::Text(text) => {
                let mut found = UUID.find_iter(text);
                found.any(|found| found.as_str().parse().is_ok_and(is_other))
            }
            FieldValue::Bytes(bytes) => Root::from_slice(bytes).is_ok_and(is_other),
            _ => false,
        }
    }

    /// Whether a rule did it before that begins at a step. All types on the way there were read as they are now, but for
    /// those that capture put around.
    fn is_done(&self, steps: &[Step<'_>], start: usize) -> bool {
        let packed = |at: usize| at == 0 || steps[at - 1].message == ANY;
        let first = (0..=start).rfind(|at| packed(*at)).unwrap_or(0);
        let mut types = (0..steps.len()).filter(|at| packed(*at));
        self.done.as_ref().is_some_and(|done| {
            types.all(|at| {
                let name = steps[at].message;
                done.contains(name) || (at < first && self.before.is_around(name))
            })
        })
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
}

/// Whether it is the root of a cover in a message of Angzarr's, such as that of a refused command.
fn is_root(place: &Place<'_>) -> bool {
    let [.., root, value] = place.steps else {
        return false;
    };
    let last = |name: &str| name.rsplit('.').next() == Some("Cover");
    last(root.message) && root.segment == "root" && value.segment == "value"
}

fn redaction(steps: &[Step<'_>], action: RedactionAction) -> Redaction {
    Redaction {
        type_name: steps.first().map_or("", |step| step.message).to_owned(),
        field: path_of(steps),
        action,
    }
}
