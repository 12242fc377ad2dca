//! Cases of whole workflows, gathered from all domains.

mod books;
mod reached;
mod start;

use super::words::book_in_words;
use super::{KindCase, StreamCapture};
use crate::capture::CutBook;
use crate::capture::workflow::{Share, gather, observed_hops};
use crate::capturing::OperationError;
use crate::capturing::report::CaptureReport;
use crate::capturing::request::RequestedStart;
use crate::model::{CaseStimulus, Observed, Page};
use crate::project::OpenSource;
use crate::redact::RedactError;
use crate::ticket::Ticket;
use crate::wire::unknown_in_page;
pub(in crate::capturing) use start::find_start;

impl StreamCapture<'_> {
    /// A case of the workflow of the request's correlation id.
    pub(super) fn flow(
        &self,
        start: &RequestedStart,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let project = self.context.project;
        let id = self.cover.correlation_id.as_str();
        let everywhere = project.source(Some(&self.source.name), None)?;
        let shares = gather(&everywhere.domains, id, &self.cover.edition)?;
        let (own, others): (Vec<&Share>, Vec<&Share>) = shares
            .iter()
            .partition(|share| share.cover.is_same_stream(&self.cover));
        let own: &[Page] = own.first().map_or(&[], |share| &share.pages);
        let started = self.start(start, own, report)?;
        let books = self.other_books(&everywhere, &others, started.first.as_ref())?;
        report_books(&books, report);
        let tickets = self.workflow_tickets(&everywhere)?;
        if self.context.redactor()?.is_some() {
            // The books that the flow reaches are found by a replay with unredacted values.
            project.logics().hide_output();
        }
        // Only the events of what production stored are kept.
        let stored = started.after.iter();
        let stored = stored.chain(books.iter().flat_map(|book| &book.after));
        project
            .unknown()
            .add(stored.flat_map(unknown_in_page).collect());
        let hops = observed_hops((&self.cover, &started.after), &books, &tickets);
        let is_shared = |share: &&Share| share.cover.domain == self.cover.domain;
        if others.iter().any(is_shared) {
            let hint =
                "several flows may share one correlation id: --book names the books of this one";
            report.add("", hint);
        }
        let mut of_kind = started.of_kind;
        let case = &mut of_kind.case;
        if let CaseStimulus::Flow(flow) = &mut case.stimulus {
            flow.books = books.into_iter().map(|cut| cut.book).collect();
        }
        if !hops.is_empty() {
            case.observed = Some(Observed::Flow(hops));
        }
        let revision = &mut case.source.revision;
        *revision = revision.take().or_else(|| build_of(&tickets));
        for note in project.unsubscribed() {
            report.add("left out", note);
        }
        self.add_reached_books(case, &everywhere, report)?;
        Ok(of_kind)
    }

    /// Failure tickets of the workflow, redacted.
    fn workflow_tickets(&self, everywhere: &OpenSource) -> Result<Vec<Ticket>, OperationError> {
        let redactor = self.context.redactor()?;
        let tickets = everywhere.tickets.iter();
        let tickets = tickets
            .filter(|ticket| ticket.command.cover.correlation_id == self.cover.correlation_id)
            .map(|ticket| match redactor {
                None => Ok(ticket.clone()),
                // Only their failures reach the case, which does not know the fields of their commands.
                Some(redactor) => Ok(Ticket {
                    failure: redactor.ticket(ticket)?.failure,
                    ..ticket.clone()
                }),
            });
        tickets
            .collect::<Result<_, RedactError>>()
            .map_err(|error| OperationError::Failed(error.to_string()))
    }
}

/// The build that answered the failures of a workflow, if they all name the same one.
fn build_of(tickets: &[Ticket]) -> Option<String> {
    let failed = tickets.iter().filter(|ticket| !ticket.is_accepted());
    let mut builds = failed.map(|ticket| &ticket.service_version);
    let first = builds.next()?;
    let is_only_one = builds.all(|build| build == first);
    first.clone().filter(|_| is_only_one)
}

fn report_books(books: &[CutBook], report: &mut CaptureReport) {
    for (position, book) in books.iter().enumerate() {
        let key = if position == 0 { "books" } else { "" };
        let later = match book.after.len() {
            0 => String::new(),
            1 => "; production went on with 1 event".to_owned(),
            count => format!("; production went on with {count} events"),
        };
        report.add(key, format!("{}{later}", book_in_words(book)));
    }
}
