//! The first replay of a case, before it is written.

use std::thread;

use super::report::CaptureReport;
use crate::fixture::{Fixture, PackedHistories};
use crate::project::{LogicChoice, Project, ReplayOptions, ReplayedCase};
use crate::snapshot::Flicker;

/// Replays the case and packs its long histories, which no replay changes. Both take about as long.
pub(super) fn replay_and_pack(
    project: &Project,
    fixture: &mut Fixture,
    report: &mut CaptureReport,
) -> (Result<ReplayedCase, String>, PackedHistories) {
    let case = fixture.case.clone();
    thread::scope(|scope| {
        let packed = scope.spawn(|| PackedHistories::of(&case));
        let first = replay(project, fixture, report);
        (first, packed.join().expect("packing does not panic"))
    })
}

/// Replays the case, twice unless that is forbidden; fields that differ from run to run get a rule in the fixture.
/// Without an answer it says why.
fn replay(
    project: &Project,
    fixture: &mut Fixture,
    report: &mut CaptureReport,
) -> Result<ReplayedCase, String> {
    let text = |error: crate::project::ReplayError| error.to_string();
    let logic = project
        .ready_logic(&fixture.case, &ReplayOptions::default())
        .map_err(text)?;
    report.add("replayed on", logic.selected().describe());
    let options = ReplayOptions {
        logic: LogicChoice::Ready(&logic),
        ..ReplayOptions::default()
    };
    let first = project.replay(fixture, &options).map_err(text)?;
    if let Some(output) = first.last_output(project) {
        report.add("last output", output.replace('\n', "\n               "));
    }
    let Some(found) = project.flicker(fixture, &first).map_err(text)? else {
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
    let first = project.replay(fixture, &options).map_err(text)?;
    match project.flicker(fixture, &first).map_err(text)? {
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
