//! Captures of other kinds than a command: the reactions of sagas, process managers and projectors to an aggregate's events,
//! upcasters, facts, compensations, and whole workflows.

mod compensation;
mod component;
mod fact;
mod flow;
mod process_stream;
mod upcaster;
mod words;

use super::pending_capture::{Naming, PendingCapture};
use super::report::CaptureReport;
use super::request::RequestedKind;
use super::stream_capture::StreamCapture;
use super::{Captured, OperationError, captured_at};
use crate::capture::{Base, CaseDialect, UpTo};
use crate::model::{
    Case, CaseStimulus, Destinations, Fingerprints, HeadKnowledge, Observed, Provenance,
};
pub(super) use flow::find_start;

/// A case, and what is needed to finish its capture.
struct KindCase {
    case: Case,
    head: u32,
    /// What redacted its command before it was noted, if that is known.
    redacted_by: Fingerprints,
    dialect: CaseDialect,
}

impl StreamCapture<'_> {
    /// Captures a case of the requested kind.
    pub(super) fn of_kind(mut self, naming: Naming<'_>) -> Result<Captured, OperationError> {
        let request = self.context.request;
        if let Some(id) = &request.correlation {
            self.cover.correlation_id.clone_from(id);
        }
        let mut report = CaptureReport::default();
        let of_kind = match &request.kind {
            RequestedKind::Command(requested) => return self.of_command(requested, None, naming),
            RequestedKind::Saga { name, .. } => self.saga(name, &mut report)?,
            RequestedKind::ProcessManager { name, .. } => {
                self.process_manager(name, &mut report)?
            }
            RequestedKind::Projector {
                name, is_harmless, ..
            } => self.projector(name, *is_harmless, &mut report)?,
            RequestedKind::Upcaster { name } => self.upcaster(name.as_deref(), &mut report)?,
            RequestedKind::Fact { at } => self.fact(*at, &mut report)?,
            RequestedKind::Compensation {
                ticket,
                process_manager,
                ..
            } => self.compensation(ticket.as_ref(), process_manager.as_deref(), &mut report)?,
            RequestedKind::Flow { start, .. } => self.flow(start, &mut report)?,
        };
        PendingCapture::new(self.context, self.source, of_kind.dialect, report)
            .named(naming)
            .redacted_before_by(of_kind.redacted_by)
            .finish(of_kind.case, of_kind.head)
    }

    /// A case whose contents all come from the source.
    fn of_source(&self, case: Case, head: u32) -> KindCase {
        KindCase {
            case,
            head,
            redacted_by: Fingerprints::new(),
            dialect: self.dialect(),
        }
    }

    fn case(
        &self,
        end: u32,
        head: HeadKnowledge,
        logic: Option<&str>,
        stimulus: CaseStimulus,
        observed: Option<Observed>,
    ) -> Case {
        let base = Base {
            cover: self.cover.clone(),
            fetched: self.fetched,
            end,
            source: Provenance {
                name: self.source.name.clone(),
                dialect: self.queries.dialect().name().to_owned(),
                captured_at: captured_at(),
                head,
                from_store: self.fetched.store.is_some(),
                revision: None,
            },
            logic: logic.map(str::to_owned),
            labels: self.context.request.labels.clone(),
        };
        base.case(stimulus, observed)
    }

    /// How the end of the history is known.
    const fn end_known(&self) -> HeadKnowledge {
        match self.context.request.up_to {
            UpTo::Before(_) | UpTo::Time(_) => HeadKnowledge::Given,
            UpTo::Head => HeadKnowledge::Current,
        }
    }

    /// The dialect of a case whose contents all come from the source.
    fn dialect(&self) -> CaseDialect {
        CaseDialect::of(self.source.spoken(self.queries))
    }

    fn destinations(&self) -> Destinations {
        let requested = self.context.request.kind.destinations().iter();
        requested
            .map(|(domain, sequence)| (domain.to_string(), *sequence))
            .collect()
    }

    /// Reports the history of a case, the component that it names, and the dialect.
    fn report_case(&self, case: &Case, named: Option<(&str, &str)>, report: &mut CaptureReport) {
        report.history(case, self.fetched);
        if let Some((key, name)) = named {
            report.add(key, name);
        }
        report.dialect(self.dialect());
    }

    fn report_destinations(&self, destinations: &Destinations, report: &mut CaptureReport) {
        let dialect = self.queries.dialect();
        if !dialect.rules().sends_destinations {
            if !destinations.is_empty() {
                let note =
                    format!("kept, and told to nobody: `{dialect}` has no destination sequences");
                report.add("destinations", note);
            }
            return;
        }
        let listed: Vec<String> = destinations
            .iter()
            .map(|(domain, sequence)| format!("{domain} at {sequence}"))
            .collect();
        report.add(
            "destinations",
            if listed.is_empty() {
                "told none: heads of the past cannot be asked for (give them with --destination)"
                    .to_owned()
            } else {
                format!("{}, as given", listed.join(", "))
            },
        );
    }
}
