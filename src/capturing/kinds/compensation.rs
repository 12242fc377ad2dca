//! A refused command told to whoever caused it.

use super::{KindCapture, NotedCase};
use crate::capture::compensation::{caused_by, notification, notification_page};
use crate::capture::{CaptureError, CaseDialect};
use crate::capturing::Stop;
use crate::capturing::redaction::demand_of_elsewhere;
use crate::capturing::request::FailureOrigin;
use crate::capturing::stimulus::{no_ticket_at, read_tickets_at};
use crate::capturing::telling::Telling;
use crate::model::{
    Case, CaseStimulus, ComponentKind, Cover, Destinations, EventBook, History, ProcessCase,
    Trigger,
};
use crate::ticket::Ticket;

impl KindCapture<'_> {
    /// The case of an aggregate, or of a process manager whose stream the root names.
    pub(super) fn compensation(
        &self,
        process_manager: Option<&str>,
        telling: &mut Telling,
    ) -> Result<NotedCase, Stop> {
        let (ticket, origin) = self.rejected()?;
        if self.request.failure.is_ticket() {
            demand_of_elsewhere(
                self.project,
                self.source,
                self.request.is_unredacted,
                &ticket.command.cover,
                &origin,
            )?;
        }
        if ticket.is_accepted() {
            return Err(Stop::Usage(format!(
                "{origin}: that command was accepted; a compensation is of one that was refused"
            )));
        }
        let told = Cover {
            correlation_id: ticket.command.cover.correlation_id.clone(),
            ..self.cover.clone()
        };
        let settled = CaseDialect::settle(self.source.spoken(self.queries), Some(ticket.spoken()))?;
        let dialect = settled.dialect;
        let ticket = ticket.read_in(dialect).map_err(CaptureError::from)?;
        let head = self.fetched.history.next_sequence();
        let known = self.end_known();
        let case = match process_manager {
            None => {
                let command = notification(&told, &ticket.command, &ticket.failure, dialect);
                let stimulus = CaseStimulus::Compensation(command);
                self.case(head, known, None, stimulus, None)
            }
            Some(name) => {
                self.component(name, ComponentKind::ProcessManager)?;
                let state = EventBook::new(
                    told.clone(),
                    self.fetched.snapshot.clone(),
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
                let page = notification_page(&told, &ticket.command, &ticket.failure, dialect);
                let mut case = self.case(head, known, Some(name), stimulus, None);
                case.cover = told;
                case.snapshot = None;
                case.history = History::new(vec![page]).unwrap_or_default();
                case
            }
        };
        let mut case = Case {
            redacted: ticket.redacted.fields.clone(),
            ..case
        };
        dialect.name().clone_into(&mut case.source.dialect);
        self.tell_history(&case, telling, &[]);
        telling.dialect(settled);
        let rejected = &ticket.command;
        telling.quote(
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
            telling.add(
                "",
                "the notification has no code: the ticket does not tell the reason that the logic gave",
            );
        }
        if !caused_by(&ticket, &self.cover) {
            telling.add(
                "",
                "its header does not say who caused it: that it was this one is taken from the command line",
            );
        }
        if process_manager.is_some() && dialect.rules().sends_destinations {
            self.tell_destinations(&Destinations::new(), telling);
        }
        Ok(NotedCase {
            case,
            head,
            redacted_by: ticket.redacted.by,
            dialect: settled,
        })
    }

    /// The refused command: as named, else the newest that this aggregate caused.
    fn rejected(&self) -> Result<(Ticket, String), Stop> {
        if let FailureOrigin::Ticket(asked) = &self.request.failure {
            let (file, line) = (asked.file.display(), asked.number);
            let log = read_tickets_at(&asked.file)?;
            let found = log.tickets.iter().rfind(|(number, ticket)| {
                line.map_or_else(|| caused_by(ticket, &self.cover), |line| *number == line)
            });
            let found =
                found.map(|(number, ticket)| (ticket.clone(), format!("from {file}:{number}")));
            return found.ok_or_else(|| match line {
                Some(line) => no_ticket_at(&log, line, asked),
                None => Stop::Failed(format!(
                    "{file}: no command in it was caused by {}/{}; name one with --ticket {file}:LINE",
                    self.cover.domain, self.cover.root
                )),
            });
        }
        let mut caused = self.source.tickets.iter();
        let is_meant = |ticket: &&Ticket| !ticket.is_accepted() && caused_by(ticket, &self.cover);
        match caused.rfind(is_meant) {
            Some(ticket) => Ok((
                ticket.clone(),
                "the last in the log that it caused".to_owned(),
            )),
            None => Err(Stop::Failed(format!(
                "no refused command in the log of source `{}` says in its header that {}/{} caused it; name the ticket \
                 of the refused command with --ticket FILE:LINE",
                self.source.name, self.cover.domain, self.cover.root
            ))),
        }
    }
}
