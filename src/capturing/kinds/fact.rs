//! Cases of facts: stored events, recorded once more as if they had come from outside.

use super::words::{rule_in_words, span_in_words};
use super::{KindCase, StreamCapture};
use crate::capture::{Span, as_facts, find_trigger, knowledge};
use crate::capturing::OperationError;
use crate::capturing::report::CaptureReport;
use crate::model::{CaseStimulus, Observed, Page};
use crate::wire::unknown_in_page;

impl StreamCapture<'_> {
    /// A case of the requested events, otherwise of the newest.
    pub(super) fn fact(
        &self,
        at: Option<Span>,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let (span, rule) = find_trigger(&self.fetched.history, at, &|_| true, false)?;
        let pages = self.fetched.history.pages().iter();
        let pages = pages.filter(|page| (span.first..=span.last).contains(&page.sequence));
        let pages: Vec<Page> = pages.cloned().collect();
        let facts = as_facts(&self.cover, &pages);
        let unknown = self.context.project.unknown();
        unknown.add(pages.iter().flat_map(unknown_in_page).collect());
        let stored = pages.into_iter().map(|page| page.body);
        let case = self.case(
            span.first,
            knowledge(rule),
            None,
            CaseStimulus::Fact(facts),
            Some(Observed::accepted(stored)),
        );
        self.report_case(&case, None, report);
        report.add(
            "fact",
            format!(
                "{}, {}; its external id is erased when it is stored: a made-up one stands for it",
                span_in_words(span),
                rule_in_words(rule)
            ),
        );
        Ok(self.of_source(case, span.first))
    }
}
