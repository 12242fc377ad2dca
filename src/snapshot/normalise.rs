//! Normalising rules, which exclude fields such as timestamps and generated ids from comparison.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_yaml::Value;

use crate::model::{Rule, matches_pattern};
use crate::payload::Registry;

/// Normalising rules in the order they are tried, and which of them have matched.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<(Rule, AtomicBool)>,
}

impl Rules {
    /// Rules, none of which has matched yet.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            rules: rules
                .into_iter()
                .map(|rule| (rule, AtomicBool::new(false)))
                .collect(),
        }
    }

    /// Replaces the fields that a rule names with the rule's reason. It stays visible that the field is present.
    pub fn apply(&self, type_name: &str, view: &mut Value) {
        for (rule, fired) in &self.rules {
            if !matches_pattern(&rule.type_pattern, type_name) {
                continue;
            }
            if replace(view, &path(rule), &rule.reason) {
                fired.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Rules that never matched.
    pub fn unused(&self) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(|(_, fired)| !fired.load(Ordering::Relaxed))
            .map(|(rule, _)| rule)
    }
}

/// Why a rule can never match, if the descriptors show that: no type or no field of theirs fits it.
#[must_use]
pub fn why_impossible(rule: &Rule, descriptors: &Registry) -> Option<String> {
    let path: Vec<String> = path(rule).into_iter().map(str::to_owned).collect();
    let checked = descriptors.check_field_path(&rule.type_pattern, &path);
    checked.err().map(|reason| reason.to_string())
}

fn path(rule: &Rule) -> Vec<&str> {
    rule.field.split('.').collect()
}

fn replace(view: &mut Value, path: &[&str], reason: &str) -> bool {
    match (view, path) {
        // Lists are transparent: a rule applies to all elements.
        (Value::Sequence(items), path) => {
            let mut fired = false;
            for item in items {
                fired |= replace(item, path, reason);
            }
            fired
        }
        (Value::Mapping(fields), [field, rest @ ..]) => {
            let mut fired = false;
            for (key, value) in fields.iter_mut() {
                if !key.as_str().is_some_and(|key| matches_pattern(field, key)) {
                    continue;
                }
                if rest.is_empty() {
                    *value = Value::String(format!("[{reason}]"));
                    fired = true;
                } else {
                    fired |= replace(value, rest, reason);
                }
            }
            fired
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(type_pattern: &str, field: &str) -> Rule {
        Rule {
            type_pattern: type_pattern.into(),
            field: field.into(),
            reason: "clock".into(),
        }
    }

    #[test]
    fn a_rule_reaches_into_lists_and_leaves_the_field_visible() {
        let mut view: Value =
            serde_yaml::from_str("seats: [{since_at: 1, n: 1}, {since_at: 2, n: 2}]").unwrap();
        let rules = Rules::new([rule("t.*", "seats.*_at"), rule("t.*", "nothing")]);
        rules.apply("t.Seated", &mut view);
        let expected: Value = serde_yaml::from_str(
            "seats: [{since_at: '[clock]', n: 1}, {since_at: '[clock]', n: 2}]",
        )
        .unwrap();
        assert_eq!(view, expected);
        assert_eq!(
            rules
                .unused()
                .map(|rule| rule.field.as_str())
                .collect::<Vec<_>>(),
            ["nothing"]
        );
    }
}
