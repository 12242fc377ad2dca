//! A change of an outcome, without its values, so that cases that changed in the same way have equal changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_yaml::Value;

use super::Difference;
use crate::model::short_name;
use crate::shape::shape;

/// Distinct differences without their values, as they are shown.
pub(crate) fn changes_of(differences: &[Difference]) -> Vec<String> {
    let changes: BTreeSet<OutcomeChange> = differences.iter().map(OutcomeChange::of).collect();
    changes.iter().map(ToString::to_string).collect()
}

/// Groups items with the same changes, the largest group first. Groups of the same size are sorted by their changes.
pub(crate) fn grouped<T>(
    items: impl IntoIterator<Item = (Vec<String>, T)>,
) -> Vec<(Vec<String>, Vec<T>)> {
    let mut by_changes: BTreeMap<Vec<String>, Vec<T>> = BTreeMap::new();
    for (changes, item) in items {
        by_changes.entry(changes).or_default().push(item);
    }
    let mut groups: Vec<(Vec<String>, Vec<T>)> = by_changes.into_iter().collect();
    groups.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
    groups
}

/// How an outcome changed at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OutcomeChange {
    place: ChangedPlace,
    kind: ChangeKind,
}

/// A field of a payload, or a path in the outcome itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ChangedPlace {
    Field {
        type_name: String,
        field: String,
    },
    /// A path without list indices.
    Path(String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ChangeKind {
    Added,
    Removed,
    /// Texts, compared by their shapes.
    Text {
        from: String,
        to: String,
    },
    /// Names, such as a kind of outcome or a type.
    Word {
        from: String,
        to: String,
    },
    /// Any other values.
    Value,
}

impl OutcomeChange {
    fn of(difference: &Difference) -> Self {
        let place = match difference.path.payload_field() {
            Some((type_name, field)) => ChangedPlace::Field {
                type_name: short_name(type_name).to_owned(),
                field,
            },
            None => ChangedPlace::Path(without_positions(&difference.place())),
        };
        Self {
            place,
            kind: ChangeKind::of(difference.expected.as_ref(), difference.actual.as_ref()),
        }
    }
}

impl ChangeKind {
    fn of(expected: Option<&Value>, actual: Option<&Value>) -> Self {
        match (expected, actual) {
            (expected, Some(_)) if is_nothing(expected) => Self::Added,
            (Some(_), actual) if is_nothing(actual) => Self::Removed,
            (Some(Value::String(from)), Some(Value::String(to)))
                if is_word(from) && is_word(to) =>
            {
                Self::Word {
                    from: from.clone(),
                    to: to.clone(),
                }
            }
            (Some(Value::String(from)), Some(Value::String(to))) => Self::Text {
                from: shape(from),
                to: shape(to),
            },
            _ => Self::Value,
        }
    }
}

/// Whether a value is absent, or a default that payloads omit.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// Whether a text is a name: letters, dots and underscores.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_alphabetic() || letter == '_' || letter == '.')
}

fn without_positions(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        rest = match after.split_once(']') {
            Some((position, rest)) if position.bytes().all(|it| it.is_ascii_digit()) => rest,
            _ => {
                plain.push('[');
                after
            }
        };
    }
    plain.push_str(rest);
    plain
}

impl fmt::Display for OutcomeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            ChangedPlace::Field { type_name, field } => {
                write!(f, "field `{field}` of {type_name} ")?;
            }
            ChangedPlace::Path(path) if path.is_empty() => f.write_str("the outcome ")?,
            ChangedPlace::Path(path) => write!(f, "`{path}` ")?,
        }
        match &self.kind {
            ChangeKind::Added => f.write_str("added"),
            ChangeKind::Removed => f.write_str("removed"),
            ChangeKind::Word { from, to } => write!(f, "{from} became {to}"),
            ChangeKind::Text { from, to } if from == to => f.write_str("has other values"),
            ChangeKind::Text { from, to } => write!(f, "reworded: {from:?} became {to:?}"),
            ChangeKind::Value => f.write_str("changed"),
        }
    }
}
