//! The first replay of a case, before it is written.

use super::report::CaptureReport;
use crate::fixture::Fixture;
use crate::model::Probe;
use crate::project::{CaseRun, Project, descriptors};
use crate::snapshot::Flicker;

/// Replays the case, twice unless that is forbidden; fields that differ from run to run get a rule in the fixture.
/// Without an answer it says why.
pub(super) fn replay(
    project: &Project,
    fixture: &mut Fixture,
    report: &mut CaptureReport,
) -> Result<CaseRun, String> {
    let logics = project.logics();
    let Some(logic) = logics
        .of_case(&fixture.case)
        .map_err(|error| error.to_string())?
    else {
        return Err(logics.none_for(fixture.case.cover.domain.as_str()));
    };
    let target = logics
        .target(&logic, &fixture.case.source.dialect)
        .map_err(|error| error.to_string())?;
    report.add("replayed on", logic.describe());
    let once = |fixture: &Fixture| {
        project
            .run_case(fixture, target.as_ref(), true)
            .map_err(|error| project.with_last_words(&logic, &error))
    };
    let first = once(fixture)?;
    if let Some(words) = project.words_of_crashed(&logic, &first.checked) {
        report.add("last output", words.replace('\n', "\n               "));
    }
    let probe = project.probe_of(&fixture.case);
    if probe == Probe::Never {
        return Ok(first);
    }
    let Some(found) = flicker(project, fixture, &first, &once(fixture)?) else {
        return Ok(first);
    };
    if found.rules.is_empty() {
        return Err(unsteady(&found));
    }
    for rule in &found.rules {
        report.add(
            "rule",
            format!(
                "{} of {} differs from run to run: left out",
                rule.field, rule.type_pattern
            ),
        );
    }
    fixture.case.rules = found.rules;
    let first = once(fixture)?;
    match flicker(project, fixture, &first, &once(fixture)?) {
        None => Ok(first),
        Some(found) => Err(unsteady(&found)),
    }
}

/// What no rule can leave out makes a case that cannot be judged.
fn unsteady(found: &Flicker) -> String {
    let found: Vec<String> = found.differences.iter().map(ToString::to_string).collect();
    format!(
        "not deterministic, two runs one after the other differ: {}",
        found.join("; ")
    )
}

/// What differs between two replays of a case.
pub(crate) fn flicker(
    project: &Project,
    fixture: &Fixture,
    first: &CaseRun,
    second: &CaseRun,
) -> Option<Flicker> {
    let descriptors = descriptors(project, fixture).unwrap_or_default();
    Flicker::between(first.view.as_ref()?, second.view.as_ref()?, &descriptors)
}
