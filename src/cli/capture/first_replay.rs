//! The first replay of a case, before it is written.

use super::Telling;
use crate::cli::replay::with_last_words;
use crate::fixture::{Fixture, Probe};
use crate::project::{CaseRun, Project, RunError, run_case};
use crate::replay::Target;
use crate::snapshot::{Rules, proposed_rules};

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
        once(project, fixture, target.as_ref())
            .map_err(|error| with_last_words(project, &logic, &error))
    };
    let first = once(fixture)?;
    let probe = project.probe_of(&fixture.case);
    if probe == Probe::Never {
        return Ok(first);
    }
    let second = once(fixture)?;
    let rules = first
        .view
        .as_ref()
        .zip(second.view.as_ref())
        .map(|(first, second)| proposed_rules(first, second));
    let rules = rules.unwrap_or_default();
    if rules.is_empty() {
        return Ok(first);
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
    once(fixture)
}

fn once(project: &Project, fixture: &Fixture, target: &dyn Target) -> Result<CaseRun, RunError> {
    let rules = Rules::new(project.config().rules.clone());
    let own = Rules::new(fixture.case.rules.clone());
    run_case(project, fixture, target, &rules, &own, true)
}
