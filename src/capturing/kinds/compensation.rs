//! Cases of a refused command about which the aggregate or process manager that caused it is notified.

use super::{KindCase, StreamCapture};
use crate::capture::compensation::{caused_by, notification, notification_page};
use crate::capture::{CaptureError, CaseDialect};
use crate::capturing::report::CaptureReport;
use crate::capturing::request::NumberedFile;
use crate::capturing::{OperationError, tickets};
use crate::model::{
    Case, CaseStimulus, ComponentKind, Cover, Destinations, EventBook, History, ProcessCase,
    Trigger,
};
use crate::ticket::Ticket;
use crate::wire::Dialect;

impl StreamCapture<'_> {
    /// A case of the aggregate, or of a process manager whose stream this is.
    pub(super) fn compensation(
        &self,
        asked: Option<&NumberedFile<usize>>,
        process_manager: Option<&str>,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let (ticket, origin) = match asked {
            Some(asked) => self.ticket_of_file(asked)?,
            None => self.newest_caused()?,
        };
        if asked.is_some() {
            self.context
                .demand_redaction(self.source, &ticket.command.cover, &origin)?;
        }
        if ticket.is_accepted() {
            return Err(OperationError::Usage(format!(
                "{origin}: that command was accepted; a compensation is of one that was refused"
            )));
        }
        let settled = CaseDialect::settle(self.source.spoken(self.queries), Some(ticket.spoken()))?;
        let dialect = settled.dialect;
        let ticket = ticket.read_in(dialect).map_err(CaptureError::from)?;
        let case = match process_manager {
            None => self.notified_aggregate(&ticket, dialect),
            Some(name) => self.notified_process_manager(name, &ticket, dialect)?,
        };
        let mut case = Case {
            redacted: ticket.redacted.fields.clone(),
            ..case
        };
        dialect.name().clone_into(&mut case.source.dialect);
        case.source.revision.clone_from(&ticket.service_version);
        report.history(&case, self.fetched);
        report.dialect(settled);
        self.report_rejection(&ticket, &origin, dialect, report);
        if process_manager.is_some() && dialect.rules().sends_destinations {
            self.report_destinations(&Destinations::new(), report);
        }
        Ok(KindCase {
            case,
            head: self.fetched.history.next_sequence(),
            redacted_by: ticket.redacted.by,
            dialect: settled,
        })
    }

    /// The stream that is notified, with the workflow of the refused command.
    fn notified_cover(&self, ticket: &Ticket) -> Cover {
        Cover {
            correlation_id: ticket.command.cover.correlation_id.clone(),
            ..self.cover.clone()
        }
    }

    fn notified_aggregate(&self, ticket: &Ticket, dialect: Dialect) -> Case {
        let cover = self.notified_cover(ticket);
        let command = notification(&cover, &ticket.command, &ticket.failure, dialect);
        let head = self.fetched.history.next_sequence();
        let stimulus = CaseStimulus::Compensation(command);
        self.case(head, self.end_known(), None, stimulus, None)
    }

    fn notified_process_manager(
        &self,
        name: &str,
        ticket: &Ticket,
        dialect: Dialect,
    ) -> Result<Case, OperationError> {
        self.component(name, ComponentKind::ProcessManager)?;
        let cover = self.notified_cover(ticket);
        let head = self.fetched.history.next_sequence();
        let state = EventBook::new(
            cover.clone(),
            self.fetched.snapshot_before(head),
            self.fetched.history.before(head),
        );
        let stimulus = CaseStimulus::ProcessCompensation(ProcessCase {
            trigger: Trigger {
                from: 0,
                with_history: false,
            },
            destinations: self.destinations(),
            state,
        });
        let page = notification_page(&cover, &ticket.command, &ticket.failure, dialect);
        let case = self.case(head, self.end_known(), Some(name), stimulus, None);
        Ok(Case {
            cover,
            snapshot: None,
            history: History::new(vec![page]).unwrap_or_default(),
            ..case
        })
    }

    fn report_rejection(
        &self,
        ticket: &Ticket,
        origin: &str,
        dialect: Dialect,
        report: &mut CaptureReport,
    ) {
        let rejected = &ticket.command;
        report.quote(
            "rejected",
            format!(
                "{} to {}/{}, {origin}: {}",
                rejected.type_name(),
                rejected.cover.domain,
                rejected.cover.root,
                ticket.failure.code
            ),
            &ticket.failure.message,
        );
        if dialect.rules().rejection_code && ticket.failure.info.is_none() {
            report.add(
                "",
                "the notification has no code: the ticket does not tell the reason that the logic gave",
            );
        }
        if !caused_by(ticket, &self.cover) {
            report.add(
                "",
                "its header does not say who caused it: that it was this one is taken from the command line",
            );
        }
    }

    /// The refused command of a ticket file: that of a line, otherwise the newest that this aggregate caused.
    fn ticket_of_file(
        &self,
        asked: &NumberedFile<usize>,
    ) -> Result<(Ticket, String), OperationError> {
        let (file, line) = (asked.file.display(), asked.number);
        let log = tickets::read(&asked.file)?;
        let is_meant = |number: usize, ticket: &Ticket| {
            line.map_or_else(|| caused_by(ticket, &self.cover), |line| number == line)
        };
        let found = log
            .tickets
            .iter()
            .rfind(|(number, ticket)| is_meant(*number, ticket));
        let found = found.map(|(number, ticket)| (ticket.clone(), format!("from {file}:{number}")));
        found.ok_or_else(|| match line {
            Some(line) => tickets::missing_at(&log, line, asked),
            None => OperationError::Failed(format!(
                "{file}: no command in it was caused by {}/{}; name one with --ticket {file}:LINE",
                self.cover.domain, self.cover.root
            )),
        })
    }

    /// The newest refused command in the source's logs that this aggregate caused.
    fn newest_caused(&self) -> Result<(Ticket, String), OperationError> {
        let mut caused = self.source.tickets.iter();
        let is_meant = |ticket: &&Ticket| !ticket.is_accepted() && caused_by(ticket, &self.cover);
        match caused.rfind(is_meant) {
            Some(ticket) => Ok((
                ticket.clone(),
                "the last in the log that it caused".to_owned(),
            )),
            None => Err(OperationError::Failed(format!(
                "no refused command in the log of source `{}` says in its header that {}/{} caused it; name the ticket \
                 of the refused command with --ticket FILE:LINE",
                self.source.name, self.cover.domain, self.cover.root
            ))),
        }
    }
}
