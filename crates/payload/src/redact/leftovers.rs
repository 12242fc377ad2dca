//! Finds values in an already written file that the current redaction rules would have redacted: the rules may be newer
//! than the file.
//!
//! Needs no key and changes nothing. A field that is listed as redacted is accepted if its value could be a pseudonym.
//! A value that is still present in a payload is also searched for in the texts beside it. Values that are gone from
//! the payloads are unknown and cannot be searched for.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;

use super::mask::{MASK, without_content};
use super::redacted_values::RedactedValues;
use super::redactor::RedactError;
use super::rule::{Action, DESCRIPTOR, Form, RedactionRule, effect, first_match, first_of_payload};
use super::session::MessageRole;
use super::visit::{self, Visitor};
use crate::model::{Case, CommandBook, Failure, Payload, Redaction, Root};
use crate::payload::{
    Choice, Effect, FieldLocation, FieldValue, MAP_KEY, Registry, Rewriter, Unreadable, path_of,
};

/// Fields nested in a listed field count as listed, down to this depth.
const LEVELS: usize = 8;

/// A value that the current rules would have redacted. Keeps the value so that it can be matched against allowances,
/// but never prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Full name of the message that the path of the field begins in.
    pub type_name: String,
    /// Path of the field.
    pub field: String,
    /// Number of the rule, from 1; none if the field's own descriptor asks for redaction.
    pub rule: Option<usize>,
    /// Whether the value was found in a text beside the payloads that repeats the field.
    pub is_in_text: bool,
    value: String,
}

impl Leftover {
    /// The value. Must not be printed.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_in_text {
            f.write_str("a text that repeats ")?;
        }
        write!(f, "{} of {}, ", self.field, self.type_name)?;
        match self.rule {
            Some(number) => write!(f, "redaction rule {number}"),
            None => f.write_str("`debug_redact` of its descriptor"),
        }
    }
}

/// What was found, and what could not be checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Values that should have been redacted, in file order.
    pub left: Vec<Leftover>,
    /// Descriptions of payloads that could not be read.
    pub unread: BTreeSet<String>,
}

impl Leftovers {
    /// Also searches the texts beside the payloads for the values that were found in the payloads.
    #[must_use]
    pub fn with_texts(mut self, texts: &[String]) -> Self {
        // Redaction does not search texts for booleans and small numbers either.
        let is_searchable = |value: &str| {
            let is_small = value
                .parse::<i128>()
                .is_ok_and(|it| it.unsigned_abs() < 100);
            !is_small && value != "true" && value != "false"
        };
        let mut seen = HashSet::new();
        let values = self.left.iter().filter(|left| is_searchable(&left.value));
        let values: Vec<Leftover> = values
            .filter(|left| seen.insert(&left.value))
            .cloned()
            .collect();
        let all = as_redacted_values(&values);
        for text in texts.iter().filter(|text| contains_any(&all, text)) {
            let repeated = values
                .iter()
                .filter(|it| contains_any(&as_redacted_values([*it]), text));
            self.left.extend(repeated.map(|left| Leftover {
                is_in_text: true,
                ..left.clone()
            }));
        }
        self
    }
}

/// Values in the form that texts are searched with.
fn as_redacted_values<'a>(values: impl IntoIterator<Item = &'a Leftover>) -> RedactedValues {
    let mut redacted = RedactedValues::default();
    let mask = FieldValue::Text(MASK.into());
    for left in values {
        redacted.add(&FieldValue::Text(left.value.as_str().into()), &mask);
    }
    redacted
}

fn contains_any(values: &RedactedValues, text: &str) -> bool {
    !values.replaced(text).1.is_empty()
}

/// The current rules and descriptors.
#[derive(Debug, Clone)]
pub struct LeftoverRules {
    registry: Registry,
    rules: Vec<RedactionRule>,
    debug_redact: Action,
}

impl LeftoverRules {
    /// Takes the rules in the order they are tried, and the action for fields whose descriptor asks for redaction.
    #[must_use]
    pub fn new(
        registry: Registry,
        rules: Vec<RedactionRule>,
        debug_redact: Option<Action>,
    ) -> Self {
        Self {
            registry,
            rules,
            // Every action except `keep` removes the value, so any of them will do.
            debug_redact: debug_redact.unwrap_or(Action::Mask),
        }
    }

    /// Leftovers in a case. `descriptors` are those the case was captured with.
    #[must_use]
    pub fn in_case(&self, case: &Case, descriptors: &Registry) -> Leftovers {
        let mut collector = Collector::default();
        visit::case(&mut case.clone(), &mut collector).expect("nothing is read here");
        self.in_payloads(
            &collector.payloads,
            MessageRole::Payload,
            &case.redacted,
            Some(descriptors),
        )
        .with_texts(&collector.texts)
    }

    /// Leftovers in a command and its failure.
    #[must_use]
    pub fn in_command(
        &self,
        book: &CommandBook,
        failure: &Failure,
        listed: &[Redaction],
    ) -> Leftovers {
        let mut collector = Collector::default();
        visit::command_book(&mut book.clone(), "", &mut collector).expect("nothing is read here");
        visit::failure(&mut failure.clone(), &mut collector);
        self.in_payloads(&collector.payloads, MessageRole::Payload, listed, None)
            .with_texts(&collector.texts)
    }

    /// Leftovers in payloads. `listed` are the fields that were redacted in them.
    #[must_use]
    pub fn in_payloads(
        &self,
        payloads: &[Payload],
        is: MessageRole,
        listed: &[Redaction],
        descriptors: Option<&Registry>,
    ) -> Leftovers {
        let listed = within_listed(listed);
        let mut all = Leftovers::default();
        for payload in payloads {
            let mut unread = Vec::new();
            let mut left: Vec<Leftover> = Vec::new();
            // The descriptors of the case are sure to read it; the current ones may mark more fields.
            for registry in descriptors.into_iter().chain([&self.registry]) {
                let mut look = LeftoverScan {
                    rules: self,
                    listed: &listed,
                    is_envelope: is == MessageRole::Envelope,
                    found: Leftovers::default(),
                };
                let read = registry.visit(payload, &mut look);
                let mut found = look.found;
                found.unread.extend(read.err().map(|it| it.to_string()));
                found.left.retain(|it| !left.contains(it));
                left.append(&mut found.left);
                unread.push(found.unread);
            }
            all.left.append(&mut left);
            if unread.iter().all(|unread| !unread.is_empty()) {
                all.unread.extend(unread.into_iter().flatten());
            }
        }
        all
    }
}

/// Rules that match the listed fields and everything nested in them.
fn within_listed(listed: &[Redaction]) -> Vec<RedactionRule> {
    let mut rules = Vec::new();
    for one in listed {
        let mut path = one.field.clone();
        for _ in 0..LEVELS {
            let keys = format!("{path}.{MAP_KEY}");
            for field in [&path, &keys] {
                rules.extend(RedactionRule::new(&one.type_name, field, Action::Keep));
            }
            path += ".*";
        }
    }
    rules
}

/// Collects the payloads and the texts beside them, in order.
#[derive(Default)]
struct Collector {
    payloads: Vec<Payload>,
    texts: Vec<String>,
}

impl Visitor for Collector {
    fn payload(&mut self, payload: &mut Payload, _: &dyn Display) -> Result<(), RedactError> {
        self.payloads.push(payload.clone());
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, text: &mut String) {
        self.texts.push(text.clone());
    }

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}

/// Reads payloads to find leftovers, and changes nothing.
struct LeftoverScan<'a> {
    rules: &'a LeftoverRules,
    listed: &'a [RedactionRule],
    /// Whether rules apply only to payloads packed in the message, not to the message itself.
    is_envelope: bool,
    found: Leftovers,
}

impl Rewriter for LeftoverScan<'_> {
    fn choose(&mut self, place: &FieldLocation<'_>, around: Option<Choice>) -> Option<Choice> {
        let Some(first) = first_of_payload(place.steps, self.is_envelope) else {
            return around;
        };
        let rules = &self.rules.rules;
        if let Some((at, start)) = first_match(rules, place.steps, first) {
            return Some(Choice {
                effect: effect(rules[at].action),
                reason: at,
                start,
            });
        }
        let is_asked = place.debug_redact && self.rules.debug_redact != Action::Keep;
        if place.is_key() {
            // A rule for a map does not apply to its keys; `debug_redact` does.
            return around.filter(|around| around.reason == DESCRIPTOR || is_asked);
        }
        if is_asked {
            return Some(Choice {
                effect: effect(self.rules.debug_redact),
                reason: DESCRIPTOR,
                start: place.steps.len().saturating_sub(1),
            });
        }
        around
    }

    fn kept(&mut self, _: Choice, _: &FieldValue<'_>) {}

    fn replace(
        &mut self,
        place: &FieldLocation<'_>,
        choice: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static> {
        let rule = self.rules.rules.get(choice.reason);
        let form = rule.map_or(Form::Auto, |rule| rule.form);
        let is_listed = self
            .listed
            .iter()
            .any(|listed| listed.begins(place.steps).is_some());
        if choice.effect != Effect::Leave && !is_gone(value, form, is_listed) {
            let steps = &place.steps[choice.start.min(place.steps.len())..];
            self.found.left.push(Leftover {
                type_name: steps.first().map_or("", |step| step.message).to_owned(),
                field: path_of(steps),
                rule: rule.map(|_| choice.reason + 1),
                is_in_text: false,
                value: shown(value),
            });
        }
        value.to_static()
    }

    fn unchosen(
        &mut self,
        _: &FieldLocation<'_>,
        _: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        None
    }

    fn packed(&mut self, _: &str) {}

    fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable> {
        self.found.unread.insert(unreadable.to_string());
        Ok(())
    }
}

/// Whether a value is blank or masked, or is listed as redacted and could be a pseudonym.
fn is_gone(value: &FieldValue<'_>, form: Form, is_listed: bool) -> bool {
    let is_blank = *value == without_content(value, "") || *value == without_content(value, MASK);
    if is_blank {
        return true;
    }
    match value {
        // Booleans and enums have no pseudonyms: redaction blanks them.
        FieldValue::Bool(_) | FieldValue::Enum(_) => false,
        FieldValue::Integer { .. } | FieldValue::Float(_) => is_listed,
        FieldValue::Bytes(bytes) => is_listed || bytes.iter().all(|byte| *byte == 0),
        FieldValue::Text(text) => is_stand_in(text) || is_listed && may_be_one(text, form),
    }
}

/// Whether a text has a form that only pseudonyms have.
fn is_stand_in(text: &str) -> bool {
    let is_hex = |text: &str| {
        text.len() == 16
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    text.strip_prefix("p-").is_some_and(is_hex)
        || text.strip_suffix("@example.com").is_some_and(is_hex)
        || text
            .parse::<Root>()
            .is_ok_and(|it| it.as_bytes() == &[0; 16])
}

/// Whether a listed text could be a pseudonym: pseudonyms of UUIDs and numbers look like real ones.
fn may_be_one(text: &str, form: Form) -> bool {
    form == Form::Digits || text.parse::<Root>().is_ok() || !text.chars().any(char::is_alphabetic)
}

fn shown(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::Bool(truth) => truth.to_string(),
        FieldValue::Enum(number) => number.to_string(),
        FieldValue::Integer { value, .. } => value.to_string(),
        FieldValue::Float(number) => number.to_string(),
        FieldValue::Text(text) => text.clone().into_owned(),
        FieldValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
