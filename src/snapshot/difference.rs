//! All differences between two rendered outcomes.

use std::fmt;

use serde_yaml::{Mapping, Value};

use super::ValuePath;
use super::flow_place::FlowPlace;
use super::path::payload_type;
use crate::model::counted;
use crate::payload::{Position, Registry};
use crate::terminal::{Role, Text};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The place in a flow, if it is one of a flow's hops that differs.
    pub hop: Option<FlowPlace>,
    /// Where the value is.
    pub path: ValuePath,
    /// The expected value: the default if a payload omits the field, none if nothing was expected.
    pub expected: Option<Value>,
    /// The actual value.
    pub actual: Option<Value>,
}

impl Difference {
    /// Two values of one key at the top of an outcome.
    pub(super) fn of_key(key: &str, expected: impl Into<Value>, actual: impl Into<Value>) -> Self {
        Self {
            hop: None,
            path: ValuePath::of_key(key),
            expected: Some(expected.into()),
            actual: Some(actual.into()),
        }
    }

    /// The same difference within a hop of a flow.
    pub(super) fn in_hop(self, hop: &FlowPlace) -> Self {
        Self {
            hop: Some(hop.clone()),
            ..self
        }
    }

    /// The expected value on one line.
    #[must_use]
    pub fn expected_text(&self) -> String {
        text_of(self.expected.as_ref())
    }

    /// The actual value on one line.
    #[must_use]
    pub fn actual_text(&self) -> String {
        text_of(self.actual.as_ref())
    }

    /// The same words as its display, with the values in the colours of removed and added ones.
    pub(crate) fn styled(&self) -> Text {
        Text::plain(self.place())
            .with(Role::Plain, ": ")
            .with(Role::Removed, self.expected_text())
            .with(Role::Plain, " became ")
            .with(Role::Added, self.actual_text())
    }

    /// The hop and the path, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.hop {
            None => self.path.to_string(),
            Some(hop) if self.path.is_root() => hop.to_string(),
            Some(hop) => format!("{hop}: {}", self.path),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, actual) = (self.expected_text(), self.actual_text());
        write!(f, "{}: {expected} became {actual}", self.place())
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), inline)
}

/// Further differences are only counted.
const MOST_LISTED: usize = 1_000;

/// The differences to show, and a note with the number of others.
#[must_use]
pub fn shown(found: &[Difference]) -> (&[Difference], Option<String>) {
    let (shown, more) = found.split_at(found.len().min(MOST_LISTED));
    let more =
        (!more.is_empty()).then(|| format!("and {}", counted(more.len(), "more difference")));
    (shown, more)
}

/// Formats differences as lines of a message.
#[must_use]
pub fn listed(found: &[Difference]) -> Vec<String> {
    let (shown, more) = shown(found);
    let lines = shown.iter().map(ToString::to_string);
    lines.chain(more).collect()
}

/// Differences as lines of a message with styles, each after a line break and an indent.
pub(crate) fn listed_styled(found: &[Difference]) -> Text {
    let (shown, more) = shown(found);
    let mut text = Text::new();
    for difference in shown {
        text.push(Role::Plain, "\n  ");
        text.append(&difference.styled());
    }
    if let Some(more) = more {
        text.push(Role::Plain, format_args!("\n  {more}"));
    }
    text
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        other => serde_json::to_value(other)
            .map_or_else(|_| format!("{other:?}"), |json| json.to_string()),
    }
}

/// All differences, in the order of the expected value.
///
/// If one side of a payload omits a field because it has its default, the difference shows the default. The first
/// registry that knows a type is used, as in rendering.
#[must_use]
pub fn differences(expected: &Value, actual: &Value, descriptors: &[&Registry]) -> Vec<Difference> {
    let mut comparison = ValueComparison {
        descriptors,
        path: ValuePath::default(),
        found: Vec::new(),
    };
    comparison.compare(ComparedValue::of(expected), ComparedValue::of(actual));
    comparison.found
}

struct ValueComparison<'v> {
    descriptors: &'v [&'v Registry],
    /// Path of the values that are being compared.
    path: ValuePath,
    found: Vec<Difference>,
}

/// One of the two values at a path.
#[derive(Clone, Copy, Default)]
struct ComparedValue<'v> {
    value: Option<&'v Value>,
    /// Its position in a payload.
    position: Option<Position<'v>>,
}

impl<'v> ComparedValue<'v> {
    const fn of(value: &'v Value) -> Self {
        Self {
            value: Some(value),
            position: None,
        }
    }

    fn item(self, at: usize) -> Self {
        Self {
            value: self.value.and_then(|value| value.get(at)),
            position: self.position.and_then(Position::item),
        }
    }
}

impl<'v> ValueComparison<'v> {
    fn compare(&mut self, expected: ComparedValue<'v>, actual: ComparedValue<'v>) {
        match (expected.value, actual.value) {
            (Some(Value::Mapping(left)), Some(Value::Mapping(right))) => {
                let added = right.keys().filter(|key| !left.contains_key(*key));
                for key in left.keys().chain(added) {
                    self.path.enter_key(Some(left), key);
                    self.compare_key(key, (left, expected), (right, actual));
                    self.path.leave();
                }
            }
            (Some(Value::Sequence(left)), Some(Value::Sequence(right))) => {
                for at in 0..left.len().max(right.len()) {
                    self.path.enter_index(at);
                    self.compare(expected.item(at), actual.item(at));
                    self.path.leave();
                }
            }
            // NaN equals NaN here.
            (left, right) if left == right || both_nan(left, right) => {}
            (left, right) => self.add(left.cloned(), right.cloned()),
        }
    }

    fn compare_key(
        &mut self,
        key: &'v Value,
        (left, expected): (&'v Mapping, ComparedValue<'v>),
        (right, actual): (&'v Mapping, ComparedValue<'v>),
    ) {
        let default = |side: ComparedValue<'v>| side.position.and_then(|it| it.default_of(key));
        match (left.get(key), right.get(key)) {
            (Some(before), None) => self.add(Some(before.clone()), default(actual)),
            (None, Some(now)) => self.add(default(expected), Some(now.clone())),
            (before, now) => {
                let side = |value, mapping, side: ComparedValue<'v>| ComparedValue {
                    value,
                    position: match side.position {
                        Some(position) => position.below(mapping, key),
                        None => self.payload(mapping, key),
                    },
                };
                let (before, now) = (side(before, left, expected), side(now, right, actual));
                self.compare(before, now);
            }
        }
    }

    /// The root position of the payload under this key, if there is one.
    fn payload(&self, mapping: &Mapping, key: &Value) -> Option<Position<'v>> {
        let type_name = payload_type(mapping, key)?;
        let mut positions = self.descriptors.iter().map(|it| it.position(type_name));
        positions.find_map(|position| position)
    }

    fn add(&mut self, expected: Option<Value>, actual: Option<Value>) {
        // An explicit default differs from an omitted one.
        let (expected, actual) = match (expected, actual) {
            (Some(before), Some(now)) if inline(&before) == inline(&now) => (Some(before), None),
            both => both,
        };
        self.found.push(Difference {
            hop: None,
            path: self.path.clone(),
            expected,
            actual,
        });
    }
}

fn both_nan(left: Option<&Value>, right: Option<&Value>) -> bool {
    let is_nan = |value: Option<&Value>| value.and_then(Value::as_f64).is_some_and(f64::is_nan);
    is_nan(left) && is_nan(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_differences_than_a_person_reads_are_counted() {
        let list = |value: u32| Value::Sequence(vec![value.into(); MOST_LISTED + 2]);
        let lines = listed(&differences(&list(1), &list(2), &[]));
        assert_eq!(lines.len(), MOST_LISTED + 1);
        assert_eq!(lines[MOST_LISTED], "and 2 more differences");
    }

    #[test]
    fn every_difference_is_listed_with_its_path() {
        let left: Value = serde_yaml::from_str("{a: 1, b: [1, {c: x}], d: .nan, gone: 1}").unwrap();
        let right: Value =
            serde_yaml::from_str("{a: 2, b: [1, {c: y}, 3], d: .nan, come: 1}").unwrap();
        let lines: Vec<String> = differences(&left, &right, &[])
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "a: 1 became 2",
                r#"b[1].c: "x" became "y""#,
                "b[2]: nothing became 3",
                "gone: 1 became nothing",
                "come: nothing became 1"
            ]
        );
    }
}
