//! What a workflow begins with: a command, or events of the aggregate.

use crate::capture::workflow::{began_at, gather};
use crate::capture::{
    Assembled, CaptureError, CaseDialect, CaseParts, FailingCommand, RootPart, RootSpec, Span,
    UpTo, assemble, find_trigger, knowledge,
};
use crate::capturing::context::CaptureContext;
use crate::capturing::kinds::KindCase;
use crate::capturing::kinds::words::span_in_words;
use crate::capturing::report::CaptureReport;
use crate::capturing::request::RequestedStart;
use crate::capturing::stream_capture::StreamCapture;
use crate::capturing::{OperationError, captured_at, tickets, written_command};
use crate::model::{
    AnsweredBy, CaseStimulus, Cover, Edition, FlowCase, FlowStart, HeadKnowledge, Page, Trigger,
};
use crate::wire::unknown_in_command;

/// Finds the aggregate at which the workflow began, if the request names none.
pub(in crate::capturing) fn find_start(
    context: &CaptureContext<'_>,
    source_name: &str,
) -> Result<RootSpec, OperationError> {
    let source = context.project.source(Some(source_name), None)?;
    let request = context.request;
    let id = request.correlation.as_deref().unwrap_or_default();
    let edition = request.edition.clone().unwrap_or(Edition::Main);
    let shares = gather(&source.domains, id, &edition)?;
    let start = began_at(&shares, id)?;
    Ok(RootSpec {
        domain: Some(start.cover.domain.clone()),
        root: RootPart::Full(start.cover.root),
    })
}

/// A flow whose start is known; the books of the other aggregates are still missing.
pub(super) struct StartedFlow {
    pub(super) of_kind: KindCase,
    /// Later pages of the first book.
    pub(super) after: Vec<Page>,
    /// The first event of the workflow, which tells when it began.
    pub(super) first: Option<Page>,
}

impl StreamCapture<'_> {
    /// Starts the flow as requested. `own` are the pages of the aggregate that carry the correlation id.
    pub(super) fn start(
        &self,
        start: &RequestedStart,
        own: &[Page],
        report: &mut CaptureReport,
    ) -> Result<StartedFlow, OperationError> {
        match start {
            RequestedStart::FirstEvent => {
                let first = own.first().ok_or_else(|| CaptureError::NoStart {
                    aggregate: format!("{}/{}", self.cover.domain, self.cover.root),
                    id: self.cover.correlation_id.clone(),
                })?;
                let span = Span {
                    first: first.sequence,
                    last: first.sequence,
                };
                let how = "the first with the correlation id (a command with --command or --ticket goes before)";
                self.start_with_events(span, how, own, report)
            }
            RequestedStart::Events(span) => self.start_with_events(*span, "as given", own, report),
            RequestedStart::Written(file) => {
                let (failing, origin) = written_command::read(
                    self,
                    &self.without_workflow(),
                    file,
                    AnsweredBy::NotKnown,
                    None,
                )?;
                self.start_with_command(&failing, &origin, own, report)
            }
            RequestedStart::Ticket(asked) => {
                let cover = self.without_workflow();
                let named = tickets::find(asked, &cover, AnsweredBy::NotKnown)?;
                let Some(failing) = named.failing() else {
                    return Err(OperationError::Failed(format!(
                        "{asked}: it holds no command to begin with"
                    )));
                };
                self.context.demand_redaction(
                    self.source,
                    &failing.command.cover,
                    &named.origin,
                )?;
                self.start_with_command(&failing, &named.origin, own, report)
            }
        }
    }

    fn start_with_events(
        &self,
        span: Span,
        how: &str,
        own: &[Page],
        report: &mut CaptureReport,
    ) -> Result<StartedFlow, OperationError> {
        let (span, rule) = find_trigger(&self.fetched.history, Some(span), &|_| true, false)?;
        let start = FlowStart::Events(Trigger {
            from: span.first,
            with_history: false,
        });
        let stimulus = CaseStimulus::Flow(FlowCase {
            start,
            books: Vec::new(),
        });
        let case = self.case(span.last + 1, knowledge(rule), None, stimulus, None);
        self.report_case(&case, None, report);
        report.add("begins", format!("with {}, {how}", span_in_words(span)));
        let mut pages = self.fetched.history.pages().iter();
        let later = own.iter().filter(|page| page.sequence > span.last);
        Ok(StartedFlow {
            of_kind: self.of_source(case, span.first),
            first: pages.find(|page| page.sequence == span.first).cloned(),
            after: later.cloned().collect(),
        })
    }

    fn start_with_command(
        &self,
        failing: &FailingCommand,
        origin: &str,
        own: &[Page],
        report: &mut CaptureReport,
    ) -> Result<StartedFlow, OperationError> {
        let spoken = self.source.spoken(self.queries);
        let settled = CaseDialect::settle(spoken, failing.dialect)?;
        let failing = self.in_workflow(
            &failing
                .read_in(settled.dialect)
                .map_err(CaptureError::from)?,
        );
        let up_to = match (self.context.request.up_to, own.first()) {
            (requested @ UpTo::Before(_), _) => requested,
            (_, Some(first)) => UpTo::Before(first.sequence),
            (_, None) => UpTo::Head,
        };
        let assembled = assemble(CaseParts {
            cover: &self.cover,
            fetched: self.fetched,
            up_to,
            failing: Some(&failing),
            noted: None,
            source: &self.source.name,
            dialect: spoken,
            captured_at: captured_at(),
            labels: self.context.request.labels.clone(),
        })?;
        if assembled.is_restamped {
            self.add_unknown_of(&failing);
        }
        let head_rule = self.head_rule(own, assembled.case.source.head);
        let Assembled { mut case, head, .. } = assembled;
        case.stimulus = match case.stimulus {
            CaseStimulus::Command(command) => CaseStimulus::Flow(FlowCase {
                start: FlowStart::Command(command),
                books: Vec::new(),
            }),
            other => other,
        };
        case.observed = None;
        report.history(&case, self.fetched);
        report.dialect(settled);
        let name = failing.command.type_name();
        report.add("begins", format!("with {name}, {origin}"));
        report.add("head", format!("{head}, {head_rule}"));
        let later = own.iter().filter(|page| page.sequence >= head);
        Ok(StartedFlow {
            of_kind: KindCase {
                case,
                head,
                redacted_by: failing.redacted.by,
                dialect: settled,
            },
            first: own.first().cloned(),
            after: later.cloned().collect(),
        })
    }

    /// The command with the correlation id of the workflow. Production's events are found by that id, hop by hop, so no
    /// number of stored events is needed.
    fn in_workflow(&self, failing: &FailingCommand) -> FailingCommand {
        let mut failing = FailingCommand {
            accepted: None,
            ..failing.clone()
        };
        let id = &self.cover.correlation_id;
        if failing.command.cover.correlation_id != *id {
            failing.command.cover.correlation_id.clone_from(id);
            self.add_unknown_of(&failing);
            failing.command.original = None;
        }
        failing
    }

    /// Remembers the unknown fields of a command whose original bytes are not kept.
    fn add_unknown_of(&self, failing: &FailingCommand) {
        let unknown = self.context.project.unknown();
        unknown.add(unknown_in_command(&failing.command));
    }

    /// How the head of the first command is known, in words.
    const fn head_rule(&self, own: &[Page], known: HeadKnowledge) -> &'static str {
        match (self.context.request.up_to, own.first(), known) {
            (UpTo::Before(_), _, _) => "as given",
            (_, Some(_), _) => "its first event with the correlation id comes there",
            (_, None, HeadKnowledge::Checked) => {
                "which the command's own header says and its coordinator checked"
            }
            (_, None, _) => "assumed: today's (give it with --to-sequence)",
        }
    }

    /// The aggregate without the workflow: tickets are found by it.
    fn without_workflow(&self) -> Cover {
        super::books::as_stored(self.cover.clone())
    }
}
