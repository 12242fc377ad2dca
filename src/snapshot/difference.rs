//! Finds all differences between two readable values.

use std::fmt;

use serde_yaml::{Mapping, Value};

use crate::payload::{Position, Registry};

use crate::model::counted;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its path, as in `events[1].event.new_balance.amount`.
    pub path: String,
    /// The expected value: the default if a payload omits the field, none if nothing was expected.
    pub expected: Option<Value>,
    /// The actual value.
    pub actual: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), inline);
        write!(
            f,
            "{}: {} became {}",
            self.path,
            text(&self.expected),
            text(&self.actual)
        )
    }
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

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        other => serde_json::to_value(other)
            .map_or_else(|_| format!("{other:?}"), |json| json.to_string()),
    }
}

/// Keys that hold a payload's view, beside its `type`.
pub(super) const PAYLOAD_KEYS: [&str; 5] = ["event", "state", "payload", "command", "projection"];

/// All differences, in the order of the expected value.
///
/// If one side of a payload omits a field because it has its default, the difference shows the default. The first
/// registry that knows a type is used, as in rendering.
#[must_use]
pub fn differences(expected: &Value, actual: &Value, descriptors: &[&Registry]) -> Vec<Difference> {
    let mut comparison = Comparison {
        descriptors,
        found: Vec::new(),
    };
    comparison.compare("", ComparedValue::of(expected), ComparedValue::of(actual));
    comparison.found
}

struct Comparison<'v> {
    descriptors: &'v [&'v Registry],
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

impl<'v> Comparison<'v> {
    fn compare(&mut self, path: &str, expected: ComparedValue<'v>, actual: ComparedValue<'v>) {
        match (expected.value, actual.value) {
            (Some(Value::Mapping(left)), Some(Value::Mapping(right))) => {
                let added = right.keys().filter(|key| !left.contains_key(*key));
                for key in left.keys().chain(added) {
                    self.compare_key(path, key, (left, expected), (right, actual));
                }
            }
            (Some(Value::Sequence(left)), Some(Value::Sequence(right))) => {
                for at in 0..left.len().max(right.len()) {
                    self.compare(&format!("{path}[{at}]"), expected.item(at), actual.item(at));
                }
            }
            // NaN equals NaN here.
            (left, right) if left == right || both_nan(left, right) => {}
            (left, right) => self.add(path, left.cloned(), right.cloned()),
        }
    }

    fn compare_key(
        &mut self,
        path: &str,
        key: &'v Value,
        (left, expected): (&'v Mapping, ComparedValue<'v>),
        (right, actual): (&'v Mapping, ComparedValue<'v>),
    ) {
        let path = child(path, key);
        let default = |side: ComparedValue<'v>| side.position.and_then(|it| it.default_of(key));
        match (left.get(key), right.get(key)) {
            (Some(before), None) => self.add(&path, Some(before.clone()), default(actual)),
            (None, Some(now)) => self.add(&path, default(expected), Some(now.clone())),
            (before, now) => {
                let side = |value, mapping, side: ComparedValue<'v>| ComparedValue {
                    value,
                    position: match side.position {
                        Some(position) => position.below(mapping, key),
                        None => self.payload(mapping, key),
                    },
                };
                let (before, now) = (side(before, left, expected), side(now, right, actual));
                self.compare(&path, before, now);
            }
        }
    }

    /// The root position of the payload under this key, if there is one.
    fn payload(&self, beside: &Mapping, key: &Value) -> Option<Position<'v>> {
        PAYLOAD_KEYS.iter().find(|known| key == **known)?;
        let type_name = beside.get("type")?.as_str()?;
        let mut positions = self.descriptors.iter().map(|it| it.position(type_name));
        positions.find_map(|position| position)
    }

    fn add(&mut self, path: &str, expected: Option<Value>, actual: Option<Value>) {
        // An explicit default differs from an omitted one.
        let (expected, actual) = match (expected, actual) {
            (Some(before), Some(now)) if inline(&before) == inline(&now) => (Some(before), None),
            both => both,
        };
        self.found.push(Difference {
            path: path.to_owned(),
            expected,
            actual,
        });
    }
}

fn both_nan(left: Option<&Value>, right: Option<&Value>) -> bool {
    let is_nan = |value: Option<&Value>| value.and_then(Value::as_f64).is_some_and(f64::is_nan);
    is_nan(left) && is_nan(right)
}

fn child(path: &str, key: &Value) -> String {
    let key = key.as_str().map_or_else(|| inline(key), str::to_owned);
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
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
