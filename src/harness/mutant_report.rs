//! The report at the end of a run on mutants that the cases would not notice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::mutant_trials::{ComparedWith, HidingReason, TriedMutant};
use crate::model::counted;

/// Number of cases that are named on a line.
const NAMED: usize = 3;

/// Collects the findings of all trials; printed at the end.
#[derive(Default)]
pub(super) struct MutantReport(Mutex<Findings>);

#[derive(Default)]
struct Findings {
    cases: usize,
    mutants: usize,
    unnoticed: usize,
    lines: BTreeMap<Section, BTreeMap<MutationLine, Merged>>,
    /// Cases whose mutants could not be tried, with the reason.
    not_tried: BTreeMap<String, String>,
}

/// Why mutants were not noticed, in the order of printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Unexplained,
    Rules,
    OpenCases,
    Never,
}

impl Section {
    const fn title(self) -> &'static str {
        match self {
            Self::Unexplained => "hidden for an unknown reason",
            Self::Rules => "hidden by rules",
            Self::OpenCases => "noticed only by a snapshot, which an open case does not have",
            Self::Never => "never compared",
        }
    }
}

/// What mutants on one line have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MutationLine {
    what: String,
    reason: Option<HidingReason>,
}

/// What differs between them.
#[derive(Default)]
struct Merged {
    /// How a field was changed.
    changes: BTreeSet<&'static str>,
    cases: BTreeSet<String>,
}

impl MutantReport {
    /// Adds the mutants of a case that passed.
    pub(super) fn add(
        &self,
        case: &str,
        compared: ComparedWith,
        tried: Result<Vec<TriedMutant>, String>,
    ) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = match tried {
            Ok(tried) => tried,
            Err(reason) => {
                found.not_tried.insert(case.to_owned(), reason);
                return;
            }
        };
        found.cases += 1;
        found.mutants += tried.len();
        for tried in tried {
            if !tried.is_noticed(compared) {
                found.unnoticed += 1;
                found.add(case, tried);
            }
        }
    }
}

impl Findings {
    fn add(&mut self, case: &str, tried: TriedMutant) {
        let section = match &tried.reason {
            _ if tried.by_snapshot => Section::OpenCases,
            None => Section::Unexplained,
            Some(HidingReason::Never(_)) => Section::Never,
            Some(_) => Section::Rules,
        };
        let (what, change) = match (&tried.reason, tried.field) {
            (Some(HidingReason::Never(known)), _) => (known.what.to_owned(), None),
            (_, Some(field)) => (field.path, Some(field.change)),
            (_, None) => (tried.change, None),
        };
        let line = MutationLine {
            what,
            reason: tried.reason,
        };
        let merged = self.lines.entry(section).or_default().entry(line);
        let merged = merged.or_default();
        merged.changes.extend(change);
        merged.cases.insert(case.to_owned());
    }
}

impl fmt::Display for MutantReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cases = counted(found.cases, "case");
        match found.unnoticed {
            _ if found.cases == 0 => writeln!(f, "mutants: none, since no case passed")?,
            0 => writeln!(f, "mutants: {} of {cases}, each noticed", found.mutants)?,
            n => writeln!(f, "mutants: {} of {cases}, {n} not noticed", found.mutants)?,
        }
        for (section, lines) in &found.lines {
            writeln!(f, "  {}:", section.title())?;
            for (line, merged) in lines {
                write!(f, "    {line}", line = line.what)?;
                for (at, change) in merged.changes.iter().enumerate() {
                    write!(f, "{}{change}", if at == 0 { " " } else { ", " })?;
                }
                if let Some(reason) = &line.reason {
                    write!(f, " -- {reason}")?;
                }
                match section {
                    Section::Never => writeln!(f, " [{}]", counted(merged.cases.len(), "case"))?,
                    _ => writeln!(f, " [{}]", named(&merged.cases))?,
                }
            }
        }
        for (case, reason) in &found.not_tried {
            writeln!(f, "  not tried: {case}: {reason}")?;
        }
        Ok(())
    }
}

fn named(cases: &BTreeSet<String>) -> String {
    let first: Vec<&str> = cases.iter().take(NAMED).map(String::as_str).collect();
    match cases.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
