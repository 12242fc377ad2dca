//! Compares two versions of a message.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::reserved::{self, Reserved};
use super::{ChangeKind, Changes, Rule, TypeChange, field};

/// What is different in `now`.
pub(super) fn changes(before: &MessageDescriptor, now: &MessageDescriptor) -> Vec<TypeChange> {
    let mut changes = Changes::of(before.full_name());
    if before.package_name() != now.package_name() && !before.is_map_entry() {
        changes.add(
            ChangeKind::Moved,
            format!(
                "the message moved from package {} to {}",
                before.package_name(),
                now.package_name()
            ),
            [Rule::FileSamePackage],
        );
    }
    for own in before.fields() {
        match now.get_field(own.number()) {
            Some(today) => same_number(&own, &today, before, now, &mut changes),
            None => missing(&own, now, &mut changes),
        }
    }
    for today in now.fields() {
        if before.get_field(today.number()).is_none() {
            added(&today, before, &mut changes);
        }
    }
    unreserved(before, now, &mut changes);
    changes.found
}

/// Compares the field that has the number today with the one that had it.
fn same_number(
    own: &FieldDescriptor,
    today: &FieldDescriptor,
    before: &MessageDescriptor,
    now: &MessageDescriptor,
    changes: &mut Changes<'_>,
) {
    let (number, name) = (own.number(), own.name());
    let mut rules = Vec::new();
    if name != today.name() {
        rules.push(Rule::FieldSameName);
    }
    if own.json_name() != today.json_name() {
        rules.push(Rule::FieldSameJsonName);
    }
    if name == today.name() && !rules.is_empty() {
        let description = format!(
            "field `{name}` ({number}) has the JSON name `{}`, it was `{}`",
            field::bounded(today.json_name()),
            field::bounded(own.json_name())
        );
        changes.add(ChangeKind::Renamed, description, rules);
    } else if !rules.is_empty() {
        let moved = now.get_field_by_name(name);
        let (kind, description) = match moved {
            Some(moved) => (
                ChangeKind::Renumbered,
                format!(
                    "field `{name}` has the number {}, it was {number}, which is `{}` now",
                    moved.number(),
                    today.name()
                ),
            ),
            // The other half of an exchange of numbers: its own line says where it was before.
            None if before.get_field_by_name(today.name()).is_some() => (
                ChangeKind::Renumbered,
                format!(
                    "field `{name}` ({number}) was removed, and its number is `{}` now",
                    today.name()
                ),
            ),
            None => (
                ChangeKind::Renamed,
                format!(
                    "field {number} has the name `{}`, it was `{name}`",
                    today.name()
                ),
            ),
        };
        changes.add(kind, description, rules);
    }
    field::compare(own, today, changes);
}

/// A field whose number no field has today.
fn missing(own: &FieldDescriptor, now: &MessageDescriptor, changes: &mut Changes<'_>) {
    let (number, name) = (own.number(), own.name());
    let is_number_reserved = now.reserved_ranges().any(|range| range.contains(&number));
    let is_name_reserved = now.reserved_names().any(|reserved| reserved == name);
    let mut rules = Vec::new();
    if !is_number_reserved {
        rules.push(Rule::FieldNoDeleteUnlessNumberReserved);
    }
    if !is_name_reserved {
        rules.push(Rule::FieldNoDeleteUnlessNameReserved);
    }
    if own.is_required() {
        rules.push(Rule::MessageSameRequiredFields);
    }
    if let Some(moved) = now.get_field_by_name(name) {
        let description = format!(
            "field `{name}` has the number {}, it was {number}",
            moved.number()
        );
        changes.add(ChangeKind::Renumbered, description, rules);
        return;
    }
    let reserved = match (is_number_reserved, is_name_reserved) {
        (true, true) => "its number and name are reserved",
        (true, false) => "its number is reserved, its name is not",
        (false, true) => "its name is reserved, its number is not",
        (false, false) => "neither its number nor its name is reserved",
    };
    changes.add(
        ChangeKind::Removed,
        format!("field `{name}` ({number}) was removed; {reserved}"),
        rules,
    );
}

/// A field with a new number.
fn added(today: &FieldDescriptor, before: &MessageDescriptor, changes: &mut Changes<'_>) {
    let rules = today
        .is_required()
        .then_some(Rule::MessageSameRequiredFields);
    // The line about the old number says the rest.
    if before.get_field_by_name(today.name()).is_some() && rules.is_none() {
        return;
    }
    let required = if today.is_required() { "required " } else { "" };
    let (name, number) = (today.name(), today.number());
    changes.add(
        ChangeKind::Added,
        format!("{required}field `{name}` ({number}) is new"),
        rules,
    );
}

fn unreserved(before: &MessageDescriptor, now: &MessageDescriptor, changes: &mut Changes<'_>) {
    let user = |range: &std::ops::RangeInclusive<i64>| {
        let used = now
            .fields()
            .find(|field| range.contains(&i64::from(field.number())));
        used.map(|field| format!("field `{}` has {}", field.name(), field.number()))
    };
    let ranges = |message: &MessageDescriptor| {
        let ranges = message.reserved_ranges();
        // The end of a range in a message is exclusive.
        let ranges = ranges.map(|range| i64::from(range.start)..=i64::from(range.end) - 1);
        ranges.collect()
    };
    let names = |message: &MessageDescriptor| message.reserved_names().map(str::to_owned).collect();
    let of = |message: &MessageDescriptor| Reserved {
        ranges: ranges(message),
        names: names(message),
    };
    let is_used = |name: &str| now.get_field_by_name(name).is_some();
    for words in reserved::lost(&of(before), &of(now), &user, &is_used) {
        changes.add(
            ChangeKind::Unreserved,
            words,
            [Rule::ReservedMessageNoDelete],
        );
    }
}
