//! Messages of failures as they are shown. They may repeat values of their commands.

use crate::capture::Logged;
use crate::project::Project;
use crate::redact::{RedactError, Redactor};
use crate::ticket::Ticket;

/// How messages are shown.
pub(crate) enum Messages {
    /// As they are, because no redaction is configured.
    Plain,
    /// As a capture would write them.
    Redacted(Redactor),
    /// Not at all, because redaction is configured but not available, for this reason.
    Hidden(String),
}

const HIDDEN: &str = "(a message that cannot be redacted)";

const HIDDEN_ID: &str = "(an id that cannot be redacted)";

/// Replaces a message whose command cannot be redacted.
fn hidden_for(error: &RedactError) -> String {
    format!("(a message that cannot be redacted: {error})")
}

impl Messages {
    /// As configured for a source.
    pub(crate) fn of(project: &Project, source: &str) -> Self {
        if project.config().redaction.is_none() {
            return Self::Plain;
        }
        match project.redactor(source) {
            Ok(Some(redactor)) => Self::Redacted(redactor),
            Ok(None) => Self::Hidden("nothing redacts them".to_owned()),
            Err(error) => Self::Hidden(error.to_string()),
        }
    }

    /// Why none is shown, if so.
    pub(crate) fn hidden(&self) -> Option<&str> {
        match self {
            Self::Hidden(reason) => Some(reason),
            Self::Plain | Self::Redacted(_) => None,
        }
    }

    /// Whether they are shown as they are.
    pub(crate) fn are_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// The correlation id of a failure, without the values that redaction removes from its command.
    pub(crate) fn correlation_id(&self, logged: &Logged) -> String {
        let id = logged.correlation_id();
        let redactor = match self {
            _ if id.is_empty() => return String::new(),
            Self::Redacted(redactor) => redactor,
            Self::Plain | Self::Hidden(_) => return self.id(id),
        };
        let book = match logged {
            Logged::Ticket(ticket) => redactor.ticket(ticket).map(|ticket| ticket.command),
            Logged::Failure(failure) => match &failure.command {
                Some(command) => redactor.session().book(&command.book),
                None => return self.id(id),
            },
        };
        book.map_or_else(|_| HIDDEN_ID.to_owned(), |book| book.cover.correlation_id)
    }

    /// An id that belongs to no known command.
    pub(crate) fn id(&self, id: &str) -> String {
        match self {
            Self::Hidden(_) if !id.is_empty() => HIDDEN_ID.to_owned(),
            Self::Plain | Self::Hidden(_) => id.to_owned(),
            Self::Redacted(redactor) => redactor.redact_text(id),
        }
    }

    /// A message whose command is not known: only what looks like a secret or personal data by itself is removed.
    pub(crate) fn of_text(&self, message: &str) -> String {
        match self {
            Self::Plain => message.to_owned(),
            Self::Redacted(redactor) => redactor.redact_text(message),
            Self::Hidden(_) => HIDDEN.to_owned(),
        }
    }

    /// The message of a ticket, without the values that redaction removes from its command.
    pub(crate) fn of_ticket(&self, ticket: &Ticket) -> String {
        match self {
            Self::Plain => ticket.failure.message.clone(),
            Self::Redacted(redactor) => match redactor.ticket(ticket) {
                Ok(ticket) => ticket.failure.message,
                Err(error) => hidden_for(&error),
            },
            Self::Hidden(_) => HIDDEN.to_owned(),
        }
    }

    /// The message of a logged failure. Without a command, only what looks like a secret by itself is removed.
    pub(crate) fn of_logged(&self, logged: &Logged) -> String {
        match (logged, self) {
            (Logged::Ticket(ticket), _) => self.of_ticket(ticket),
            (Logged::Failure(failure), Self::Plain) => failure.noted.message.clone(),
            (Logged::Failure(failure), Self::Redacted(redactor)) => {
                let mut session = redactor.session();
                let command = failure.command.as_ref();
                let read = command.map(|command| session.book(&command.book));
                match read.transpose() {
                    Ok(_) => session.text(&failure.noted.message),
                    Err(error) => hidden_for(&error),
                }
            }
            (Logged::Failure(_), Self::Hidden(_)) => HIDDEN.to_owned(),
        }
    }
}
