//! All differences of two readable values, not only the first.

use std::fmt;

use serde_yaml::Value;

use crate::model::counted;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where, as in `events[1].event.new_balance.amount`.
    pub path: String,
    /// What was expected there, none where nothing was.
    pub expected: Option<Value>,
    /// What is there.
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

/// More differences than a person reads are counted.
const MOST_LISTED: usize = 1_000;

/// The differences that are shown, and in words how many more there are.
#[must_use]
pub fn shown(found: &[Difference]) -> (&[Difference], Option<String>) {
    let (shown, more) = found.split_at(found.len().min(MOST_LISTED));
    let more =
        (!more.is_empty()).then(|| format!("and {}", counted(more.len(), "more difference")));
    (shown, more)
}

/// Differences as lines of a message.
#[must_use]
pub fn listed(found: &[Difference]) -> Vec<String> {
    let (shown, more) = shown(found);
    let lines = shown.iter().map(ToString::to_string);
    lines.chain(more).collect()
}

/// A value in one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        other => serde_json::to_value(other)
            .map_or_else(|_| format!("{other:?}"), |json| json.to_string()),
    }
}

/// All differences, in the order of the expected value.
#[must_use]
pub fn differences(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(expected), Some(actual), &mut found);
    found
}

fn compare(
    path: &str,
    expected: Option<&Value>,
    actual: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (expected, actual) {
        (Some(Value::Mapping(left)), Some(Value::Mapping(right))) => {
            for (key, value) in left {
                compare(&child(path, key), Some(value), right.get(key), found);
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                compare(&child(path, key), None, Some(value), found);
            }
        }
        (Some(Value::Sequence(left)), Some(Value::Sequence(right))) => {
            for at in 0..left.len().max(right.len()) {
                compare(&format!("{path}[{at}]"), left.get(at), right.get(at), found);
            }
        }
        // NaN is itself here.
        (left, right) if left == right || both_nan(left, right) => {}
        (left, right) => found.push(Difference {
            path: path.to_owned(),
            expected: left.cloned(),
            actual: right.cloned(),
        }),
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
        let lines = listed(&differences(&list(1), &list(2)));
        assert_eq!(lines.len(), MOST_LISTED + 1);
        assert_eq!(lines[MOST_LISTED], "and 2 more differences");
    }

    #[test]
    fn every_difference_is_listed_with_its_path() {
        let left: Value = serde_yaml::from_str("{a: 1, b: [1, {c: x}], d: .nan, gone: 1}").unwrap();
        let right: Value =
            serde_yaml::from_str("{a: 2, b: [1, {c: y}, 3], d: .nan, come: 1}").unwrap();
        let lines: Vec<String> = differences(&left, &right)
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
