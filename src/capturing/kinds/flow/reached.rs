//! The books that a replay of the flow asks for.

use super::books::as_stored;
use crate::capture::cut;
use crate::capturing::OperationError;
use crate::capturing::kinds::words::book_in_words;
use crate::capturing::report::CaptureReport;
use crate::capturing::stream_capture::StreamCapture;
use crate::fixture::Fixture;
use crate::model::{Case, CaseStimulus, Cover, Probe};
use crate::project::{CaseResult, OpenSource, ReplayOptions};
use crate::replay::flow::FlowNote;

/// How often a replay may reach further aggregates.
const ROUNDS: usize = 8;

impl StreamCapture<'_> {
    /// Adds the books of aggregates that the flow reaches today and that the workflow did not name, perhaps because it was
    /// refused there. They are added as they are now.
    pub(super) fn add_reached_books(
        &self,
        case: &mut Case,
        everywhere: &OpenSource,
        report: &mut CaptureReport,
    ) -> Result<(), OperationError> {
        if self.context.project.probe_of(case) == Probe::Never {
            report.add(
                "reached",
                "not looked for, as `probe` forbids a second replay: --book names the books that are missing",
            );
            return Ok(());
        }
        for _ in 0..ROUNDS {
            let mut found = Vec::new();
            for cover in self.reached(case) {
                if !everywhere.domains.contains_key(&cover.domain) {
                    continue;
                }
                let cover = self.of_stream(&cover.domain, cover.root);
                let fetched = self.fetch_other(everywhere, &cover)?;
                if fetched.head == 0 {
                    continue;
                }
                let book = cut(as_stored(cover), &fetched, &[], None, None);
                report.add(
                    "reached",
                    format!("{}; the flow comes to it today", book_in_words(&book)),
                );
                found.push(book.book);
            }
            let CaseStimulus::Flow(flow) = &mut case.stimulus else {
                return Ok(());
            };
            if found.is_empty() {
                return Ok(());
            }
            flow.books.extend(found);
        }
        Ok(())
    }

    /// Streams whose books a replay of the flow misses; none if it cannot be replayed, which the first replay reports.
    fn reached(&self, case: &Case) -> Vec<Cover> {
        let Ok(registry) = self.context.project.registry_for(&case.source.dialect) else {
            return Vec::new();
        };
        let fixture = Fixture {
            case: case.clone(),
            descriptors: registry.clone(),
            descriptors_hash: None,
        };
        let options = ReplayOptions {
            asks_once: true,
            skips_verdict: true,
            ..ReplayOptions::default()
        };
        let replayed = self.context.project.replay(&fixture, &options).ok();
        let Some(CaseResult::Flow(run)) = replayed.map(|replayed| replayed.result) else {
            return Vec::new();
        };
        let mut missing: Vec<Cover> = Vec::new();
        for note in run.steps.iter().flat_map(|step| &step.notes) {
            if let FlowNote::BookMissing { cover } = note
                && !missing.iter().any(|known| known.is_same_stream(cover))
            {
                missing.push(cover.clone());
            }
        }
        missing
    }
}
