//! The message that most likely led to an event: a guess by names and field types.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_yaml::{Mapping, Value};

use super::skeleton::skeleton;

/// Lowest score of a guess, from 0 to 300.
const ENOUGH: usize = 100;
/// Maximum number of other candidates that are named.
const MOST_OTHERS: usize = 3;

/// A message that may have led to an event, filled with what the event has.
#[derive(Debug, Clone, PartialEq)]
pub struct LikelyMessage {
    /// Its type.
    pub type_name: String,
    /// Other types that are less likely, the likeliest first.
    pub others: Vec<String>,
    /// Its fields, as in a skeleton.
    pub fields: Vec<LikelyField>,
}

/// A field, and where its value comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct LikelyField {
    /// Its name.
    pub name: String,
    /// Its readable value.
    pub value: Value,
    /// Where the value comes from.
    pub origin: FieldOrigin,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldOrigin {
    /// The event's field of the same name and type.
    SameName,
    /// The event's only other field of the same type.
    SameType(String),
    /// The event does not have it: an example.
    Example,
}

/// The types that may have led to an event, the likeliest first. Event types that are known are left out.
pub(super) fn candidates(
    event: &MessageDescriptor,
    messages: impl Iterator<Item = MessageDescriptor>,
    events: &BTreeSet<&str>,
) -> Vec<MessageDescriptor> {
    let mut scored: Vec<(usize, MessageDescriptor)> = messages
        .filter(|message| {
            message.package_name() == event.package_name()
                && message.parent_message().is_none()
                && message != event
                && !events.contains(message.full_name())
        })
        .map(|message| (score(event, &message), message))
        .filter(|(score, _)| *score >= ENOUGH)
        .collect();
    scored.sort_by_key(|(score, message)| (Reverse(*score), message.full_name().to_owned()));
    scored.into_iter().map(|(_, message)| message).collect()
}

/// A message filled with what an event has. `others` are less likely.
pub(super) fn filled(
    message: &MessageDescriptor,
    others: &[MessageDescriptor],
    event: &MessageDescriptor,
    view: &Mapping,
) -> LikelyMessage {
    let named = |field: &FieldDescriptor| named_alike(field, event);
    let mut fields = match skeleton(message) {
        Value::Mapping(fields) => fields,
        _ => Mapping::new(),
    };
    for field in message.fields().filter(|field| named(field).is_some()) {
        let Some(value) = view.get(field.name()) else {
            continue;
        };
        // Only one field of a oneof may be there.
        let siblings = field.containing_oneof().filter(|it| !it.is_synthetic());
        for sibling in siblings
            .iter()
            .flat_map(prost_reflect::OneofDescriptor::fields)
        {
            fields.remove(sibling.name());
        }
        fields.insert(field.name().into(), value.clone());
    }
    let fields = fields.into_iter().filter_map(|(name, example)| {
        let field = message.get_field_by_name(name.as_str()?)?;
        let (value, origin) = match (named(&field), only_of_type(&field, message, event)) {
            (Some(_), _) => (example, FieldOrigin::SameName),
            (None, Some(other)) => {
                let value = view.get(other.name()).cloned();
                (
                    value.unwrap_or(example),
                    FieldOrigin::SameType(other.name().to_owned()),
                )
            }
            (None, None) => (example, FieldOrigin::Example),
        };
        Some(LikelyField {
            name: field.name().to_owned(),
            value,
            origin,
        })
    });
    let others = others.iter().take(MOST_OTHERS);
    LikelyMessage {
        type_name: message.full_name().to_owned(),
        fields: fields.collect(),
        others: others.map(|other| other.full_name().to_owned()).collect(),
    }
}

/// How well a message fits an event: 100 points each for the words of its name, its fields, and its verb.
fn score(event: &MessageDescriptor, message: &MessageDescriptor) -> usize {
    let (wanted, own) = (words(event.name()), words(message.name()));
    let alike = own
        .iter()
        .filter(|word| wanted.iter().any(|other| is_same_stem(word, other)))
        .count();
    // Two names that end in the same word are two events: a command has its verb in another form, and in front.
    if alike == 0 || own.last() == wanted.last() {
        return 0;
    }
    let by_name = 200 * alike / (wanted.len() + own.len());
    let verbs = own.first().zip(wanted.last());
    let by_verb = usize::from(verbs.is_some_and(|(own, wanted)| is_same_stem(own, wanted)));
    let fields = message.fields().len();
    let common = message
        .fields()
        .filter(|field| named_alike(field, event).is_some());
    let by_fields = (100 * common.count()).checked_div(fields);
    by_name + by_fields.unwrap_or_default() + 100 * by_verb
}

/// The event's field of the same name and type.
fn named_alike(field: &FieldDescriptor, event: &MessageDescriptor) -> Option<FieldDescriptor> {
    let other = event.get_field_by_name(field.name())?;
    is_same_type(field, &other).then_some(other)
}

/// The event's only field of the same message or enum type among those that the message does not have by name. The
/// type of a number or a text says nothing, and neither does that of a time.
fn only_of_type(
    field: &FieldDescriptor,
    message: &MessageDescriptor,
    event: &MessageDescriptor,
) -> Option<FieldDescriptor> {
    let tells = match field.kind() {
        Kind::Message(message) => !message.full_name().starts_with("google.protobuf."),
        Kind::Enum(_) => true,
        _ => false,
    };
    let mut fitting = event.fields().filter(|other| {
        tells && is_same_type(field, other) && message.get_field_by_name(other.name()).is_none()
    });
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn is_same_type(field: &FieldDescriptor, other: &FieldDescriptor) -> bool {
    field.kind() == other.kind()
        && field.is_list() == other.is_list()
        && field.is_map() == other.is_map()
}

/// The words of a name in camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_lowercase().collect()),
        }
    }
    words
}

/// Whether two words share most of their letters from the beginning, as "ship" and "shipped" do.
fn is_same_stem(word: &str, other: &str) -> bool {
    let letters = word.chars().zip(other.chars());
    let common = letters.take_while(|(one, other)| one == other).count();
    let longer = word.chars().count().max(other.chars().count());
    common >= 3 && common * 100 >= longer * 55
}
