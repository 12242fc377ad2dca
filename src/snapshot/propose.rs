//! Proposes normalising rules for fields that differ from run to run.

use serde_yaml::Value;

use super::{Difference, differences};
use crate::model::Rule;
use crate::payload::Registry;
use crate::terminal::program;

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
            rules: proposed_rules(&differences),
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
             in this case only: {} close --add-rules {fixture}",
            program()
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

/// A rule for each field of a payload that differs between two consecutive runs of a case.
fn proposed_rules(differences: &[Difference]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for difference in differences {
        let Some((type_name, field)) = difference.path.payload_field() else {
            continue;
        };
        let is_covered = |rule: &Rule| rule.type_pattern == type_name && rule.field == field;
        if !rules.iter().any(is_covered) {
            rules.push(Rule {
                type_pattern: type_name.to_owned(),
                field,
                reason: "differs from run to run".into(),
            });
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type and field of each rule that is proposed for two outcomes.
    fn proposed(first: &str, second: &str) -> Vec<(String, String)> {
        let view = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
        let flicker = Flicker::between(&view(first), &view(second), &[]).unwrap();
        let rules = flicker.rules.into_iter();
        rules.map(|rule| (rule.type_pattern, rule.field)).collect()
    }

    fn rule(type_name: &str, field: &str) -> (String, String) {
        (type_name.to_owned(), field.to_owned())
    }

    #[test]
    fn a_field_that_differs_gets_one_rule_by_the_type_of_its_event() {
        let view = |a: u32, b: u32| {
            format!(
                "events: [{{type: t.Sat, event: {{seats: [{{since: {a}}}, {{since: {b}}}], n: 1}}}}]\n\
                 state: {{type: t.State, state: {{at: {a}}}}}"
            )
        };
        assert_eq!(
            proposed(&view(1, 2), &view(3, 4)),
            [rule("t.Sat", "seats.since"), rule("t.State", "at")]
        );
    }

    #[test]
    fn a_projection_gets_a_rule() {
        let view =
            |at: u32| format!("{{outcome: projected, type: t.Row, projection: {{at: {at}}}}}");
        assert_eq!(proposed(&view(1), &view(2)), [rule("t.Row", "at")]);
    }

    #[test]
    fn fields_of_a_payload_may_be_called_like_a_payload() {
        let view = |at: u32| {
            format!("{{commands: [{{type: t.Go, command: {{state: {{event: {{at: {at}}}}}}}}}]}}")
        };
        assert_eq!(
            proposed(&view(1), &view(2)),
            [rule("t.Go", "state.event.at")]
        );
    }

    #[test]
    fn what_is_outside_of_payloads_gets_no_rule() {
        for (first, second) in [
            ("{message: at 1}", "{message: at 2}"),
            ("{events: [{type: t.A, event: {}}]}", "{events: []}"),
            ("{type: t.A, event: {}}", "{type: t.A}"),
        ] {
            assert_eq!(proposed(first, second), []);
        }
    }
}
