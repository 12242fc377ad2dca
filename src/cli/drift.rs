//! `drift`: prints how message types changed since cases were captured.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::{Value, json};

use super::{Done, Stop, complain, say, selected};
use crate::documentation::Page;
use crate::drift::{Against, Drift, DriftReport};
use crate::harness::discover;
use crate::model::counted;
use crate::payload::Breaks;
use crate::project::{OperationError, Project};

/// Names of cases that a line of the report shows.
const MOST_NAMED: usize = 3;

/// Show how message types changed since cases were captured.
///
/// Compares the descriptor set that each case was captured with to the descriptors in replay.toml. Every change names the rule of
/// `buf breaking` that it breaks, if any, and the cases with a payload that contains the type. `wire`: captured bytes are read
/// differently, or not at all. `names`: bytes are read as before, but a field or value has another name. Ends with 1 if a
/// `wire` change concerns a case. Replays nothing.
#[derive(Debug, Args)]
pub(super) struct DriftArguments {
    /// Cases as for `replay`; all by default.
    #[arg(value_name = "FIXTURE")]
    fixtures: Vec<PathBuf>,
    /// Compare with the descriptors of a git revision instead of today's, as in `git:main`. Needs no checkout.
    #[arg(long, value_name = "git:REV")]
    against: Option<Revision>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// A revision, written as `git:REV`.
#[derive(Debug, Clone)]
struct Revision(String);

impl FromStr for Revision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("git:") {
            Some(revision) if !revision.is_empty() => Ok(Self(revision.to_owned())),
            _ => Err("git: and a revision is expected, such as git:main".to_owned()),
        }
    }
}

pub(super) fn run(project: &Project, arguments: &DriftArguments) -> Done {
    let entries = if arguments.fixtures.is_empty() {
        discover(project).map_err(|error| Stop::Failed(error.to_string()))?
    } else {
        selected(project, &arguments.fixtures)?
    };
    let against = match &arguments.against {
        None => Against::Today,
        Some(Revision(revision)) => Against::Revision(revision.clone()),
    };
    let report = DriftReport::of(project, &entries, &against).map_err(OperationError::from)?;
    if arguments.json {
        say(json_of(&report));
    } else {
        say(text_of(&report));
        for (case, reason) in &report.not_compared {
            complain(format_args!("not compared: {case}: {reason}"));
        }
    }
    if report.is_breaking() {
        return Err(Stop::Differs);
    }
    Ok(())
}

fn text_of(report: &DriftReport) -> String {
    let mut lines = Vec::new();
    let mut last = None;
    for drift in &report.changes {
        if last != Some(&drift.change.type_name) {
            last = Some(&drift.change.type_name);
            lines.push(drift.change.type_name.clone());
        }
        lines.extend(lines_of(drift));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(summary(report));
    if !report.changes.is_empty() {
        lines.push(format!("what the words mean: {}", Page::ProtoChanges));
    }
    lines.join("\n")
}

fn lines_of(drift: &Drift) -> [String; 2] {
    let rules: Vec<&str> = drift.change.rules.iter().map(|rule| rule.name()).collect();
    let rules = if rules.is_empty() {
        String::new()
    } else {
        format!("  [{}]", rules.join(", "))
    };
    let change = format!(
        "  {:<12}{}{rules}",
        drift.change.breaks().word(),
        drift.change.description
    );
    let named: Vec<&str> = drift
        .cases
        .iter()
        .take(MOST_NAMED)
        .map(String::as_str)
        .collect();
    let more = drift.cases.len() - named.len();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    let concerns = match drift.cases.len() {
        0 => "concerns no case".to_owned(),
        count => format!(
            "concerns {}: {}{more}",
            counted(count, "case"),
            named.join(", ")
        ),
    };
    [change, format!("  {:<12}{concerns}", "")]
}

fn summary(report: &DriftReport) -> String {
    let sets = counted(report.sets.len(), "descriptor set");
    let cases = counted(report.cases, "case");
    if report.cases == 0 {
        return format!(
            "nothing was compared with {}: no case has a descriptor set",
            report.against
        );
    }
    if report.changes.is_empty() {
        return format!(
            "no drift: {sets} of {cases} compared with {}",
            report.against
        );
    }
    let of = |breaks| {
        let changes = report.changes.iter();
        changes.filter(|it| it.change.breaks() == breaks).count()
    };
    format!(
        "{}: {} wire, {} names, {} compatible; {sets} of {cases} compared with {}",
        counted(report.changes.len(), "change"),
        of(Breaks::Wire),
        of(Breaks::Names),
        of(Breaks::Nothing),
        report.against
    )
}

fn json_of(report: &DriftReport) -> Value {
    let changes = report.changes.iter().map(|drift| {
        let rules: Vec<&str> = drift.change.rules.iter().map(|rule| rule.name()).collect();
        json!({
            "type": drift.change.type_name,
            "change": drift.change.kind.word(),
            "description": drift.change.description,
            "breaks": drift.change.breaks().word(),
            "rules": rules,
            "descriptor_sets": drift.sets,
            "cases": drift.cases,
        })
    });
    let sets = report.sets.iter();
    let sets = sets.map(|(hash, is_changed)| json!({"hash": hash, "changed": is_changed}));
    let not_compared = report.not_compared.iter();
    let not_compared = not_compared.map(|(case, reason)| json!({"case": case, "reason": reason}));
    json!({
        "version": 1,
        "against": report.against,
        "compared_cases": report.cases,
        "descriptor_sets": sets.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
        "not_compared": not_compared.collect::<Vec<_>>(),
        "breaking": report.is_breaking(),
    })
}
