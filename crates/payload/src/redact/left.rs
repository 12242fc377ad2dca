//! What today's rules would take out of something that is written already: they may have come after it.
//!
//! No key is needed, and nothing is changed. A field that is listed as redacted is trusted where its value may be a
//! stand-in, and not where it plainly is none. A value that is left in a payload is looked for in the texts beside it, as it
//! would be taken out of them; what is gone from the payloads is not known, and cannot be looked for.

use std::collections::{BTreeSet, HashSet};

use super::mask::{MASK, without_content};
use super::parts::{self, Parts};
use super::redactor::RedactError;
use super::rule::{Action, Form, RedactionRule};
use super::session::Is;
use super::taken::Taken;
use crate::model::{Case, CommandBook, Failure, Payload, Redaction, Root};
use crate::payload::{
    Choice, Effect, FieldValue, MAP_KEY, Place, Registry, Rewriter, Step, Unreadable, path_of,
};

/// A choice's reason that is no rule: the field's own descriptor asks for it.
const DESCRIPTOR: usize = usize::MAX;
/// What payloads are packed into.
const ANY: &str = "google.protobuf.Any";
/// A field within a field that is listed is listed too, so many levels down.
const LEVELS: usize = 8;

/// A value that today's rules would have taken out. Holds it, for allowances, and does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Left {
    /// Full name of the message that the field's path begins in.
    pub type_name: String,
    /// Path of the field.
    pub field: String,
    /// The rule by its number from 1; none where the field's own descriptor asks for it.
    pub rule: Option<usize>,
    /// Whether it stands in a text beside the payloads, which repeats the field.
    pub is_in_text: bool,
    value: String,
}

impl Left {
    /// The value. Not to be shown.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Left {
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

/// What is left in something, and what of it could not be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// What is left, in the order in which it is there.
    pub left: Vec<Left>,
    /// What could not be read, in words.
    pub unread: BTreeSet<String>,
}

impl Leftovers {
    /// Adds what is left in texts beside the payloads: the values that are left in those.
    #[must_use]
    pub fn with_texts(mut self, texts: &[String]) -> Self {
        // Redaction too takes no text for a truth or a small number that happens to be in it.
        let is_telling = |value: &str| {
            let is_small = value
                .parse::<i128>()
                .is_ok_and(|it| it.unsigned_abs() < 100);
            !is_small && value != "true" && value != "false"
        };
        let mut seen = HashSet::new();
        let values = self.left.iter().filter(|left| is_telling(&left.value));
        let values: Vec<Left> = values
            .filter(|left| seen.insert(&left.value))
            .cloned()
            .collect();
        let all = taken(&values);
        for text in texts.iter().filter(|text| holds(&all, text)) {
            let repeated = values.iter().filter(|it| holds(&taken([*it]), text));
            self.left.extend(repeated.map(|left| Left {
                is_in_text: true,
                ..left.clone()
            }));
        }
        self
    }
}

/// Values as texts are searched for them.
fn taken<'a>(values: impl IntoIterator<Item = &'a Left>) -> Taken {
    let mut taken = Taken::default();
    let mask = FieldValue::Text(MASK.into());
    for left in values {
        taken.add(&FieldValue::Text(left.value.as_str().into()), &mask);
    }
    taken
}

fn holds(taken: &Taken, text: &str) -> bool {
    !taken.replaced(text).1.is_empty()
}

/// Today's rules with today's descriptors.
#[derive(Debug, Clone)]
pub struct LeftoverRules {
    registry: Registry,
    rules: Vec<RedactionRule>,
    debug_redact: Action,
}

impl LeftoverRules {
    /// The rules in the order in which they are tried, and what becomes of fields whose descriptor asks for it.
    #[must_use]
    pub fn new(
        registry: Registry,
        rules: Vec<RedactionRule>,
        debug_redact: Option<Action>,
    ) -> Self {
        Self {
            registry,
            rules,
            // Whatever it is but `keep`: the value goes.
            debug_redact: debug_redact.unwrap_or(Action::Mask),
        }
    }

    /// What is left in a case, which has descriptors of its own time.
    #[must_use]
    pub fn in_case(&self, case: &Case, descriptors: &Registry) -> Leftovers {
        let mut met = Met::default();
        parts::case(&mut case.clone(), &mut met).expect("nothing is read here");
        self.in_payloads(
            &met.payloads,
            Is::Payload,
            &case.redacted,
            Some(descriptors),
        )
        .with_texts(&met.texts)
    }

    /// What is left in a command, and in how it failed.
    #[must_use]
    pub fn in_command(
        &self,
        book: &CommandBook,
        failure: &Failure,
        listed: &[Redaction],
    ) -> Leftovers {
        let mut met = Met::default();
        parts::command_book(&mut book.clone(), "", &mut met).expect("nothing is read here");
        parts::failure(&mut failure.clone(), &mut met);
        self.in_payloads(&met.payloads, Is::Payload, listed, None)
            .with_texts(&met.texts)
    }

    /// What is left in payloads of which some fields are listed as redacted.
    #[must_use]
    pub fn in_payloads(
        &self,
        payloads: &[Payload],
        is: Is,
        listed: &[Redaction],
        descriptors: Option<&Registry>,
    ) -> Leftovers {
        let listed = within_listed(listed);
        let mut all = Leftovers::default();
        for payload in payloads {
            let mut unread = Vec::new();
            let mut left: Vec<Left> = Vec::new();
            // Those of its time read it for sure; today's may ask for more.
            for registry in descriptors.into_iter().chain([&self.registry]) {
                let mut look = Look {
                    rules: self,
                    listed: &listed,
                    is_envelope: is == Is::Envelope,
                    found: Leftovers::default(),
                };
                let read = registry.rewrite(payload, &mut look);
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

/// Rules that fit the listed fields, and all within them.
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

/// The payloads and the texts beside them that a walk meets, in order.
#[derive(Default)]
struct Met {
    payloads: Vec<Payload>,
    texts: Vec<String>,
}

impl Parts for Met {
    fn payload(&mut self, payload: &mut Payload, _: &str) -> Result<(), RedactError> {
        self.payloads.push(payload.clone());
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, text: &mut String) {
        self.texts.push(text.clone());
    }

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}

/// Looks and changes nothing.
struct Look<'a> {
    rules: &'a LeftoverRules,
    listed: &'a [RedactionRule],
    /// Whether rules are about what is packed in the message only.
    is_envelope: bool,
    found: Leftovers,
}

impl Look<'_> {
    /// The first of these steps that is within a payload, if one is.
    fn first_of_payload(&self, steps: &[Step<'_>]) -> Option<usize> {
        if !self.is_envelope {
            return Some(0);
        }
        let packed = steps.iter().position(|step| step.message == ANY)?;
        (packed + 1 < steps.len()).then_some(packed + 1)
    }
}

fn effect(action: Action) -> Effect {
    match action {
        Action::Keep => Effect::Leave,
        Action::Drop => Effect::Drop,
        Action::Mask => Effect::Empty,
        Action::Pseudonym => Effect::Change,
    }
}

impl Rewriter for Look<'_> {
    fn choose(&mut self, place: &Place<'_>, around: Option<Choice>) -> Option<Choice> {
        let Some(first) = self.first_of_payload(place.steps) else {
            return around;
        };
        let mut rules = self.rules.rules.iter().enumerate();
        let found = rules.find_map(|(at, rule)| {
            let start = rule.begins(place.steps)?;
            (start >= first).then(|| Choice {
                effect: effect(rule.action),
                reason: at,
                start,
            })
        });
        if found.is_some() {
            return found;
        }
        let is_asked = place.debug_redact && self.rules.debug_redact != Action::Keep;
        if place.is_key() {
            // A rule about a map is not about its keys, a descriptor's asking is.
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
        place: &Place<'_>,
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
            self.found.left.push(Left {
                type_name: steps.first().map_or("", |step| step.message).to_owned(),
                field: path_of(steps),
                rule: rule.map(|_| choice.reason + 1),
                is_in_text: false,
                value: shown(value),
            });
        }
        value.to_static()
    }

    fn unchosen(&mut self, _: &Place<'_>, _: &FieldValue<'_>) -> Option<FieldValue<'static>> {
        None
    }

    fn packed(&mut self, _: &str) {}

    fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable> {
        self.found.unread.insert(unreadable.to_string());
        Ok(())
    }
}

/// Whether a value says nothing any more, or may be a stand-in where one is listed.
fn is_gone(value: &FieldValue<'_>, form: Form, is_listed: bool) -> bool {
    let is_blank = *value == without_content(value, "") || *value == without_content(value, MASK);
    if is_blank {
        return true;
    }
    match value {
        // A stand-in for one of few values says nothing.
        FieldValue::Truth(_) | FieldValue::Word(_) => false,
        FieldValue::Integer { .. } | FieldValue::Float(_) => is_listed,
        FieldValue::Bytes(bytes) => is_listed || bytes.iter().all(|byte| *byte == 0),
        FieldValue::Text(text) => is_stand_in(text) || is_listed && may_be_one(text, form),
    }
}

/// Whether a text has the form of a stand-in that hardly any other has.
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

/// Whether a stand-in may look so: those of UUIDs and of numbers look as their values do.
fn may_be_one(text: &str, form: Form) -> bool {
    form == Form::Digits || text.parse::<Root>().is_ok() || !text.chars().any(char::is_alphabetic)
}

fn shown(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::Truth(truth) => truth.to_string(),
        FieldValue::Word(number) => number.to_string(),
        FieldValue::Integer { value, .. } => value.to_string(),
        FieldValue::Float(number) => number.to_string(),
        FieldValue::Text(text) => text.clone().into_owned(),
        FieldValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
