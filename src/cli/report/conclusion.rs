//! The end of the report: notes, the verdict, the comparison with the snapshot, and what differs.

use std::collections::BTreeSet;
use std::fmt;

use super::text::TextReport;
use crate::cli::differences;
use crate::harness::Ending;
use crate::model::Status;
use crate::replaying::SnapshotComparison;
use crate::snapshot::{Difference, Verdict, WITHOUT_SNAPSHOT};
use crate::terminal::{Role, Text};

/// Where the text of the conclusion begins.
const CONCLUSION: usize = 11;

/// The colour of a verdict. For a closed case production's outcome is history, and the snapshot decides.
pub(in crate::cli) const fn verdict_role(verdict: &Verdict, status: Status) -> Role {
    match (verdict, status) {
        (_, Status::Closed | Status::Intended) => Role::Plain,
        (Verdict::NotChecked { .. }, Status::Open) => Role::Caution,
        (Verdict::Reproduced, Status::Open) => Role::Good,
        (Verdict::NotReproduced { .. }, Status::Open) => Role::Bad,
    }
}

impl TextReport<'_> {
    pub(super) fn notes(&self, text: &mut Text) {
        for note in &self.report.notes {
            self.note(text, note);
        }
        for rule in &self.report.replayed.unused_rules {
            let (field, pattern) = (&rule.field, &rule.type_pattern);
            self.note(
                text,
                format_args!("the case's own rule for `{field}` of `{pattern}` never fired"),
            );
        }
        let view = self.report.replayed.view.as_ref();
        if view.is_some_and(|view| view.get(WITHOUT_SNAPSHOT).is_some()) {
            self.note(
                text,
                "with the full history instead of the stored snapshot the outcome is another",
            );
        }
    }

    pub(super) fn conclusion(&self, text: &mut Text) {
        if self.report.is_what_if {
            return;
        }
        text.push(Role::Plain, "\n");
        let verdict = &self.report.replayed.verdict;
        let role = verdict_role(verdict, self.report.fixture.case.status);
        self.conclude(text, "verdict", role, &verdict.to_string());
        if let Verdict::NotReproduced { differences, .. } = verdict {
            differences::push(text, differences, CONCLUSION, self.layout.room);
        }
        match &self.report.snapshot {
            SnapshotComparison::NoSnapshot => self.conclude(text, "snapshot", Role::Plain, "none"),
            SnapshotComparison::Same => {
                self.conclude(text, "snapshot", Role::Good, "the same");
                if let Ending::Failed(reason) = self.report.ending() {
                    self.conclude(text, "", Role::Bad, reason.as_str());
                }
            }
            SnapshotComparison::NotChecked(reason) => {
                let words = format!("not checked: {reason}");
                self.conclude(text, "snapshot", Role::Caution, &words);
            }
            SnapshotComparison::Differs(differences) => {
                self.conclude(text, "snapshot", Role::Bad, "differs");
                differences::push(text, differences, CONCLUSION, self.layout.room);
            }
        }
    }

    /// A line of the conclusion.
    fn conclude(&self, text: &mut Text, label: &str, role: Role, words: &str) {
        let line = Text::plain(format_args!("{label:<CONCLUSION$}")).with_result(role, words);
        for line in line.lines() {
            self.paragraph(text, &line, CONCLUSION);
        }
    }

    fn note(&self, text: &mut Text, note: impl fmt::Display) {
        text.push(Role::Plain, "\n");
        let line = Text::of(Role::Caution, "note:").with(Role::Plain, format_args!(" {note}"));
        for line in line.lines() {
            self.paragraph(text, &line, 2);
        }
    }

    /// All differences, from production and from the snapshot.
    fn differences(&self) -> impl Iterator<Item = &Difference> {
        let from_production = match &self.report.replayed.verdict {
            Verdict::NotReproduced { differences, .. } => differences.as_slice(),
            Verdict::Reproduced | Verdict::NotChecked { .. } => &[],
        };
        let from_snapshot = match &self.report.snapshot {
            SnapshotComparison::Differs(differences) => differences.as_slice(),
            _ => &[],
        };
        from_production.iter().chain(from_snapshot)
    }

    /// The elements that differ of all lists with this key.
    pub(super) fn differing_elements(&self, list: &str) -> BTreeSet<usize> {
        let elements = self.differences().flat_map(|it| it.path.elements());
        let of_list = elements.filter(|(key, _)| *key == list);
        of_list.map(|(_, index)| index).collect()
    }

    /// The sequences of pages that today's code turns into something else.
    pub(super) fn differing_sequences(&self) -> BTreeSet<u32> {
        let Some(view) = &self.report.replayed.view else {
            return BTreeSet::new();
        };
        let elements = self.differences().filter_map(|it| it.path.top_element());
        let sequences = elements.filter_map(|(list, index)| {
            let sequence = view.get(list)?.get(index)?.get("sequence")?;
            u32::try_from(sequence.as_u64()?).ok()
        });
        sequences.collect()
    }
}
