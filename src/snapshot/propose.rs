//! Proposes normalising rules for fields that differ from run to run.

use serde_yaml::Value;

use super::difference::PAYLOAD_KEYS;
use super::{Difference, differences};
use crate::model::Rule;
use crate::payload::Registry;

/// The differences between two consecutive runs of a case, and the rules that would exclude them.
#[derive(Debug, Clone, PartialEq)]
pub struct Flicker {
    /// All differences.
    pub differences: Vec<Difference>,
    /// A rule for each payload field that differs.
    pub rules: Vec<Rule>,
}

impl Flicker {
    /// None if the runs are equal.
    #[must_use]
    pub fn between(first: &Value, second: &Value, descriptors: &[&Registry]) -> Option<Self> {
        let differences = differences(first, second, descriptors);
        (!differences.is_empty()).then(|| Self {
            rules: proposed_rules(first, second),
            differences,
        })
    }

    /// The differences, one per line.
    #[must_use]
    pub fn differing(&self) -> String {
        let lines = self.differences.iter().map(|it| format!("  {it}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What to do about them. Only fields of payloads can be excluded.
    #[must_use]
    pub fn advice(&self, fixture: &str) -> String {
        if self.rules.is_empty() {
            return "no rule can exclude it: only fields of events, commands, states and views can be excluded; make the logic \
                    deterministic there, or skip the case with `[[skip]]` in replay.toml"
                .to_owned();
        }
        let rules: String = self.rules.iter().map(of_configuration).collect();
        format!(
            "to exclude it from every comparison, add this to replay.toml and accept the outcome again:\n\n{rules}\
             in this case only: cargo xtask close --add-rules {fixture}"
        )
    }
}

/// A rule in the syntax of `replay.toml`.
fn of_configuration(rule: &Rule) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    format!(
        "  [[rules]]\n  type = {}\n  field = {}\n  reason = {}\n\n",
        text(&rule.type_pattern),
        text(&rule.field),
        text(&rule.reason)
    )
}

/// A rule for each field of an event or state that differs between two consecutive runs of a case.
#[must_use]
pub fn proposed_rules(first: &Value, second: &Value) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for difference in differences(first, second, &[]) {
        let Some((type_pattern, field)) = typed_field(first, &difference.path) else {
            continue;
        };
        if !rules
            .iter()
            .any(|rule| rule.type_pattern == type_pattern && rule.field == field)
        {
            rules.push(Rule {
                type_pattern,
                field,
                reason: "differs from run to run".into(),
            });
        }
    }
    rules
}

/// Splits `events[1].event.seats[2].since` into the type of that event and `seats.since`.
fn typed_field(view: &Value, path: &str) -> Option<(String, String)> {
    // The first of these keys holds a payload; its type is beside the key.
    let (holder, field) = PAYLOAD_KEYS
        .iter()
        .find_map(|key| path.split_once(&format!(".{key}.")))?;
    let type_name = at(view, holder)?.get("type")?.as_str()?.to_owned();
    let parts: Vec<&str> = field
        .split('.')
        .map(|part| part.split('[').next().unwrap_or(part))
        .collect();
    Some((type_name, parts.join(".")))
}

fn at<'a>(mut view: &'a Value, path: &str) -> Option<&'a Value> {
    for part in path.split('.') {
        let (key, index) = part
            .split_once('[')
            .map_or((part, None), |(key, rest)| (key, Some(rest)));
        view = view.get(key)?;
        if let Some(index) = index {
            view = view.get(index.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    Some(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_differs_gets_one_rule_by_the_type_of_its_event() {
        let view = |a: u32, b: u32| -> Value {
            let text = format!(
                "events: [{{type: t.Sat, event: {{seats: [{{since: {a}}}, {{since: {b}}}], n: 1}}}}]\n\
                 state: {{type: t.State, state: {{at: {a}}}}}"
            );
            serde_yaml::from_str(&text).unwrap()
        };
        let rules = proposed_rules(&view(1, 2), &view(3, 4));
        let found: Vec<_> = rules
            .iter()
            .map(|rule| (rule.type_pattern.as_str(), rule.field.as_str()))
            .collect();
        assert_eq!(found, [("t.Sat", "seats.since"), ("t.State", "at")]);
    }
}
