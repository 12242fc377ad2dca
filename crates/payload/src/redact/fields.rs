//! Decides what happens to each field of a payload, and records it in the session.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::mask::{MASK, secrets, without_content};
use super::pseudonym::pseudonym;
use super::redactor::{OTHER_ROOT, Reason, Suspect};
use super::rule::{ANY, Action, DESCRIPTOR, Form, effect, first_match, first_of_payload};
use super::session::Session;
use super::spelling::as_correlation_id;
use super::suspect::{is_personal_name, telling_name};
use super::text_fields::{is_correlation_id, is_text_field};
use crate::model::{Redaction, Root};
use crate::payload::{
    Choice, Effect, FieldKind, FieldLocation, FieldValue, Rewriter, Step, Unreadable, path_of,
};

impl Rewriter for Session<'_> {
    fn choose(&mut self, location: &FieldLocation<'_>, around: Option<Choice>) -> Option<Choice> {
        let redactor = self.redactor;
        let Some(first) = first_of_payload(location.steps, self.is_envelope) else {
            return around;
        };
        if let Some((at, start)) = first_match(&redactor.policy.rules, location.steps, first) {
            return Some(self.chosen(location, start, Reason::Rule(at)));
        }
        if location.is_key() {
            return around.and_then(|around| self.of_key(location, around));
        }
        if location.debug_redact && redactor.debug_redact() != Action::Keep {
            let start = location.steps.len().saturating_sub(1);
            return Some(self.chosen(location, start, Reason::DebugRedact));
        }
        around
    }

    fn replace(
        &mut self,
        location: &FieldLocation<'_>,
        choice: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static> {
        let (action, form, range) = self.action(choice.reason);
        if action == Action::Pseudonym && self.is_already_redacted(location.steps, choice.start) {
            if self.is_scanning {
                self.report.redacted_values.keep(value);
            }
            return value.to_static();
        }
        self.report.is_anew |= action == Action::Pseudonym && self.already_redacted.is_some();
        let new = match (action, &self.redactor.policy.key) {
            (Action::Pseudonym, Some(key)) => pseudonym(key, form, range, value),
            (Action::Drop, _) => without_content(value, ""),
            _ => without_content(value, MASK),
        };
        // Whatever is written was scanned before.
        if self.is_scanning {
            self.report.redacted_values.add(value, &new);
        }
        new
    }

    /// A rule keeps this field, so someone has reviewed it. Secrets detected in it are false alarms, also where other
    /// texts repeat them.
    fn kept(&mut self, choice: Choice, value: &FieldValue<'_>) {
        let (action, ..) = self.action(choice.reason);
        if let (Action::Keep, FieldValue::Text(text)) = (action, value) {
            let reviewed = secrets(text, None).into_iter().map(|it| it.text);
            self.report.reviewed.extend(reviewed);
        }
    }

    fn unchosen(
        &mut self,
        location: &FieldLocation<'_>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        if self.is_scanning
            && let FieldValue::Bytes(bytes) = value
            && is_root(location)
            && let Ok(root) = Root::from_slice(bytes)
        {
            self.root(root);
        }
        if !self.is_scanning && self.holds_other_root(value) {
            self.suspect(location, OTHER_ROOT);
        }
        if let Some(new) = self.known_root(value) {
            let start = location.steps.len().saturating_sub(1);
            self.touch(&location.steps[start..], Action::Pseudonym);
            return Some(new);
        }
        if let FieldValue::Text(text) = value
            && is_text_field(location)
        {
            if self.is_scanning {
                return None;
            }
            let mut new = self.text(text);
            if is_correlation_id(location) {
                new = as_correlation_id(text, new);
            }
            let is_changed = new != **text;
            if is_changed {
                let start = location.steps.len().saturating_sub(1);
                self.touch(&location.steps[start..], Action::Mask);
            }
            return is_changed.then_some(FieldValue::Text(Cow::Owned(new)));
        }
        if let FieldValue::Text(text) = value
            && !self.report.roots.is_empty()
        {
            let new = self.report.roots.replaced_in(text);
            if new != **text {
                let start = location.steps.len().saturating_sub(1);
                self.touch(&location.steps[start..], Action::Pseudonym);
                return Some(FieldValue::Text(Cow::Owned(new)));
            }
        }
        // Rewriting finds them, unless nothing is rewritten.
        if self.is_scanning && !self.only_scans {
            return None;
        }
        if let FieldValue::Text(text) = value
            && let Some(what) = self.sure_finding(text)
        {
            self.suspect(location, what);
        } else if self.looks_personal(location) && *value != without_content(value, "") {
            self.suspect(location, "name");
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

    fn chosen(&mut self, location: &FieldLocation<'_>, start: usize, reason: Reason) -> Choice {
        let number = match reason {
            Reason::Rule(at) => at,
            _ => DESCRIPTOR,
        };
        let (action, ..) = self.action(number);
        let effect = if self.redactor.applies(reason) {
            effect(action)
        } else {
            Effect::Leave
        };
        let is_few = matches!(location.kind, FieldKind::Bool | FieldKind::Enum);
        let done = match effect {
            Effect::Leave => None,
            Effect::Change if self.is_already_redacted(location.steps, start) => None,
            Effect::Drop => Some(Action::Drop),
            Effect::Change if !is_few => Some(Action::Pseudonym),
            Effect::Change | Effect::Empty => Some(Action::Mask),
        };
        if let Some(done) = done {
            self.touch(&location.steps[start..], done);
            self.report.reasons.insert(reason);
        }
        Choice {
            effect,
            reason: number,
            start,
        }
    }

    /// What `debug_redact` on a map means for its keys: they are part of what the descriptor asks to hide. A redaction
    /// rule must name the keys explicitly.
    fn of_key(&mut self, location: &FieldLocation<'_>, around: Choice) -> Option<Choice> {
        let is_asked = location.debug_redact || around.reason == DESCRIPTOR;
        if !is_asked || around.effect == Effect::Leave {
            return None;
        }
        let is_change = self.redactor.debug_redact() == Action::Pseudonym;
        let (effect, done) = if is_change {
            (Effect::Change, Action::Pseudonym)
        } else {
            // Masked keys would all be equal.
            (Effect::Drop, Action::Drop)
        };
        if !(is_change && self.is_already_redacted(location.steps, around.start)) {
            let named = location
                .steps
                .iter()
                .rposition(|step| !step.message.is_empty());
            self.touch(&location.steps[named.unwrap_or(0)..], done);
        }
        Some(Choice {
            effect,
            reason: DESCRIPTOR,
            ..around
        })
    }

    /// The pseudonym of a root, written as the value is.
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

    /// Whether roots are pseudonymised and the value contains a UUID that is not a root of this case. It may be the
    /// root of another aggregate, and is left as it is.
    fn holds_other_root(&self, value: &FieldValue<'_>) -> bool {
        static UUID: LazyLock<Regex> = LazyLock::new(|| {
            let dashed = r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
            Regex::new(dashed).expect("the pattern is a constant")
        });
        if !self.redactor.pseudonymises_roots() {
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

    /// Whether the rule that begins at this step was already applied before capture. It was if every type on the path,
    /// apart from those that capture added, was redacted by an equal redactor.
    fn is_already_redacted(&self, steps: &[Step<'_>], start: usize) -> bool {
        let packed = |at: usize| at == 0 || steps[at - 1].message == ANY;
        let first = (0..=start).rfind(|at| packed(*at)).unwrap_or(0);
        let mut types = (0..steps.len()).filter(|at| packed(*at));
        self.already_redacted.as_ref().is_some_and(|done| {
            types.all(|at| {
                let name = steps[at].message;
                done.contains(name) || (at < first && self.prior.is_wrapper(name))
            })
        })
    }

    /// Whether the name of a field suggests personal data or a secret.
    fn looks_personal(&mut self, location: &FieldLocation<'_>) -> bool {
        let Some(name) = telling_name(location) else {
            return false;
        };
        if let Some(known) = self.personal_names.get(name) {
            return *known;
        }
        let is_personal = is_personal_name(name);
        self.personal_names.insert(name.to_owned(), is_personal);
        is_personal
    }

    fn touch(&mut self, steps: &[Step<'_>], action: Action) {
        self.report.touched.insert(redaction(steps, action));
    }

    fn suspect(&mut self, location: &FieldLocation<'_>, looks_like: &'static str) {
        let start = location
            .steps
            .iter()
            .rposition(|step| !step.message.is_empty())
            .unwrap_or(0);
        let steps = &location.steps[start..];
        self.report.suspects.insert(Suspect {
            type_name: steps.first().map_or("", |step| step.message).to_owned(),
            field: path_of(steps),
            looks_like,
        });
    }
}

/// Whether the field is the root of a cover in one of Angzarr's own messages, such as the cover of a rejected command.
fn is_root(location: &FieldLocation<'_>) -> bool {
    let [.., root, value] = location.steps else {
        return false;
    };
    let last = |name: &str| name.rsplit('.').next() == Some("Cover");
    last(root.message) && root.segment == "root" && value.segment == "value"
}

fn redaction(steps: &[Step<'_>], action: Action) -> Redaction {
    Redaction {
        type_name: steps.first().map_or("", |step| step.message).to_owned(),
        field: path_of(steps),
        action,
    }
}
