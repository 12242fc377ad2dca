//! The first replay of a case, before it is written.

use serde_yaml::Value;

use super::Telling;
use crate::fixture::{Fixture, Probe};
use crate::project::{CaseRun, Project};
use crate::snapshot::{Flicker, proposed_rules};

/// Replays the case, twice unless that is forbidden; fields that differ from run to run get a rule in the fixture.
/// Without an answer it says why.
pub(super) fn replay(
    project: &Project,
    fixture: &mut Fixture,
    telling: &mut Telling,
) -> Result<CaseRun, String> {
    let logics = project.logics();
    let Some(logic) = logics
        .of_case(&fixture.case)
        .map_err(|error| error.to_string())?
    else {
        return Err(format!(
            "no logic is configured for the domain `{}`",
            fixture.case.cover.domain
        ));
    };
    let target = logics
        .target(&logic, &fixture.case.source.dialect)
        .map_err(|error| error.to_string())?;
    telling.add("replayed on", logic.describe());
    let once = |fixture: &Fixture| {
        project
            .run_case(fixture, target.as_ref(), true)
            .map_err(|error| project.with_last_words(&logic, &error))
    };
    let first = once(fixture)?;
    if let Some(words) = project.words_of_crashed(&logic, &first.checked) {
        telling.add("last output", words.replace('\n', "\n               "));
    }
    let probe = project.probe_of(&fixture.case);
    if probe == Probe::Never {
        return Ok(first);
    }
    let second = once(fixture)?;
    let rules = views(&first, &second).map(|(first, second)| proposed_rules(first, second));
    let rules = rules.unwrap_or_default();
    if rules.is_empty() {
        return stable(first, &second);
    }
    for rule in &rules {
        telling.add(
            "rule",
            format!(
                "{} of {} differs from run to run: left out",
                rule.field, rule.type_pattern
            ),
        );
    }
    fixture.case.rules = rules;
    let first = once(fixture)?;
    let second = once(fixture)?;
    stable(first, &second)
}

fn views<'a>(first: &'a CaseRun, second: &'a CaseRun) -> Option<(&'a Value, &'a Value)> {
    first.view.as_ref().zip(second.view.as_ref())
}

/// Gives the run back if the other is the same; what no rule can leave out makes a case that cannot be judged.
fn stable(first: CaseRun, second: &CaseRun) -> Result<CaseRun, String> {
    let found = views(&first, second).and_then(|(first, second)| Flicker::between(first, second));
    match found {
        None => Ok(first),
        Some(Flicker { differences, .. }) => {
            let found: Vec<String> = differences.iter().map(ToString::to_string).collect();
            Err(format!(
                "not deterministic, two runs one after the other differ: {}",
                found.join("; ")
            ))
        }
    }
}
