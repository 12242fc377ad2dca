//! Compares two versions of an enum.

use std::collections::BTreeMap;

use prost_reflect::EnumDescriptor;

use super::reserved::{self, Reserved};
use super::{ChangeKind, Changes, Rule, TypeChange};

/// The names of each number, in the order of the file; aliases give a number several.
fn names(words: &EnumDescriptor) -> BTreeMap<i32, Vec<String>> {
    let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for value in words.values() {
        let names = found.entry(value.number()).or_default();
        names.push(value.name().to_owned());
    }
    found
}

/// What is different in `now`.
pub(super) fn changes(before: &EnumDescriptor, now: &EnumDescriptor) -> Vec<TypeChange> {
    let mut changes = Changes::of(before.full_name());
    if before.package_name() != now.package_name() {
        changes.add(
            ChangeKind::Moved,
            format!(
                "the enum moved from package {} to {}",
                before.package_name(),
                now.package_name()
            ),
            [Rule::FileSamePackage],
        );
    }
    let (old, new) = (names(before), names(now));
    for (number, own) in &old {
        match new.get(number) {
            Some(today) => same_number(*number, own, today, now, &mut changes),
            None => missing(*number, own, now, &mut changes),
        }
    }
    for (number, today) in &new {
        let is_old = |name: &String| before.get_value_by_name(name).is_some();
        if !old.contains_key(number) && !today.iter().any(is_old) {
            let words = format!("value `{}` ({number}) is new", today.join("`, `"));
            changes.add(ChangeKind::Added, words, []);
        }
    }
    unreserved(before, now, &mut changes);
    changes.found
}

fn same_number(
    number: i32,
    own: &[String],
    today: &[String],
    now: &EnumDescriptor,
    changes: &mut Changes<'_>,
) {
    let lost: Vec<&String> = own.iter().filter(|name| !today.contains(name)).collect();
    let Some(name) = lost.first() else { return };
    let names = today.join("`, `");
    let (kind, description) = match now.get_value_by_name(name) {
        Some(moved) => (
            ChangeKind::Renumbered,
            format!(
                "value `{name}` has the number {}, it was {number}, which is `{names}` now",
                moved.number()
            ),
        ),
        None => (
            ChangeKind::Renamed,
            format!("value {number} has the name `{names}`, it was `{name}`"),
        ),
    };
    changes.add(kind, description, [Rule::EnumValueSameName]);
}

fn missing(number: i32, own: &[String], now: &EnumDescriptor, changes: &mut Changes<'_>) {
    let is_number_reserved = now.reserved_ranges().any(|range| range.contains(&number));
    let reserved: Vec<&str> = now.reserved_names().collect();
    let is_name_reserved = own.iter().all(|name| reserved.contains(&name.as_str()));
    let mut rules = Vec::new();
    if !is_number_reserved {
        rules.push(Rule::EnumValueNoDeleteUnlessNumberReserved);
    }
    if !is_name_reserved {
        rules.push(Rule::EnumValueNoDeleteUnlessNameReserved);
    }
    let moved = own.iter().find_map(|name| now.get_value_by_name(name));
    let names = own.join("`, `");
    let (kind, description) = match moved {
        Some(moved) => (
            ChangeKind::Renumbered,
            format!(
                "value `{}` has the number {}, it was {number}",
                moved.name(),
                moved.number()
            ),
        ),
        None => (
            ChangeKind::Removed,
            format!(
                "value `{names}` ({number}) was removed; {}",
                match (is_number_reserved, is_name_reserved) {
                    (true, true) => "its number and name are reserved",
                    (true, false) => "its number is reserved, its name is not",
                    (false, true) => "its name is reserved, its number is not",
                    (false, false) => "neither its number nor its name is reserved",
                }
            ),
        ),
    };
    changes.add(kind, description, rules);
}

fn unreserved(before: &EnumDescriptor, now: &EnumDescriptor, changes: &mut Changes<'_>) {
    let of = |words: &EnumDescriptor| Reserved {
        ranges: words
            .reserved_ranges()
            .map(|range| i64::from(*range.start())..=i64::from(*range.end()))
            .collect(),
        names: words.reserved_names().map(str::to_owned).collect(),
    };
    let user = |range: &std::ops::RangeInclusive<i64>| {
        let used = now
            .values()
            .find(|value| range.contains(&i64::from(value.number())));
        used.map(|value| format!("value `{}` has {}", value.name(), value.number()))
    };
    let is_used = |name: &str| now.get_value_by_name(name).is_some();
    for words in reserved::lost(&of(before), &of(now), &user, &is_used) {
        changes.add(ChangeKind::Unreserved, words, [Rule::ReservedEnumNoDelete]);
    }
}
