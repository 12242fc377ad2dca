//! Dead letters: messages that coordinators and components gave up on, and a client of the service that lists them.
//!
//! The client only reads: it has no call that deletes letters or sends their commands again.

use bytes::Bytes;
use prost::Message;

use super::CallError;
use super::query_connection::{Query, QueryConnection};
use crate::model::{Code, CommandBook, Cover, Timestamp};
use crate::wire::messages as pb;
use crate::wire::unknown::{Kept, UnknownFields, unknown_in};
use crate::wire::{DecodeError, Dialect, decode};

/// Known packages of the service; the dialect `angzarr` does not have it.
const PACKAGES: [&str; 2] = [
    "io.angzarr.status.v1",
    "angzarr_client.proto.angzarr.status",
];

/// Number of letters per request.
const PAGE_SIZE: i32 = 100;

/// A dead letter. It has a reason, but no status code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Addressee of the abandoned message.
    pub cover: Cover,
    /// The abandoned message.
    pub rejected: Rejected,
    /// Reason, including the component's error message.
    pub reason: String,
    /// Time of the failure.
    pub time: Option<Timestamp>,
    /// Next sequence of the aggregate at that time, if the letter has it.
    pub head: Option<u32>,
    /// Component that gave up, as in ``saga `hand-player` ``; empty if the letter does not name it.
    pub component: String,
    /// Unknown fields of the letter, except those of the rejected command, which keeps them.
    pub unknown: UnknownFields,
}

/// The abandoned message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// A command: an encoded `CommandBook`, whose enum numbers depend on the dialect.
    Command(Bytes),
    /// Events that a component could not process.
    Events {
        /// Sequence of the last event.
        last: Option<u32>,
    },
}

impl DeadLetter {
    /// Decodes an `AngzarrDeadLetter`.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        use pb::angzarr_dead_letter::Payload;
        let unknown = unknown_in("AngzarrDeadLetter", &bytes, Kept::Parts);
        let letter: pb::AngzarrDeadLetter = decode::message("dead letter", bytes)?;
        let (of_payload, rejected) = match letter.payload {
            Some(Payload::RejectedCommand(command)) => {
                let book: pb::CommandBook = decode::message("rejected command", command.clone())?;
                (book.cover, Rejected::Command(command))
            }
            Some(Payload::RejectedEvents(events)) => {
                let book: pb::EventBook = decode::message("rejected events", events.clone())?;
                let stored = decode::event_book(events)?;
                let last = stored.history.pages().last().map(|page| page.sequence);
                (book.cover, Rejected::Events { last })
            }
            None => {
                return Err(DecodeError::new(
                    "dead letter",
                    "it holds neither a command nor events",
                ));
            }
        };
        let cover = of_payload
            .or(letter.cover)
            .ok_or_else(|| DecodeError::new("dead letter", "it names no aggregate"))?;
        let (details, head) = details(letter.rejection_details);
        let reason = [letter.rejection_reason, details];
        let mut reason: Vec<String> = reason.into_iter().filter(|it| !it.is_empty()).collect();
        reason.dedup();
        let component = match (&*letter.source_component_type, &*letter.source_component) {
            ("", "") => String::new(),
            ("", name) => format!("`{name}`"),
            (kind, name) => format!("{kind} `{name}`"),
        };
        Ok(Self {
            cover: decode::cover(cover)?,
            rejected,
            reason: reason.join(": "),
            time: letter.occurred_at.map(decode::timestamp),
            head,
            component,
            unknown,
        })
    }

    /// Decodes the command in the dialect of its coordinator; `None` if the letter holds events.
    pub fn command(&self, dialect: Dialect) -> Result<Option<CommandBook>, DecodeError> {
        match &self.rejected {
            Rejected::Command(bytes) => decode::command_book(bytes, dialect).map(Some),
            Rejected::Events { .. } => Ok(None),
        }
    }
}

/// The component's error message, and the head of the aggregate.
fn details(details: Option<pb::angzarr_dead_letter::RejectionDetails>) -> (String, Option<u32>) {
    use pb::angzarr_dead_letter::RejectionDetails as Details;
    match details {
        None => (String::new(), None),
        Some(Details::SequenceMismatch(mismatch)) => {
            (String::new(), Some(mismatch.actual_sequence))
        }
        Some(Details::EventProcessingFailed(failed)) => (failed.error, None),
        Some(Details::PayloadRetrievalFailed(failed)) => (failed.error, None),
        Some(Details::CompensationDeliveryFailed(failed)) => (failed.last_error, None),
    }
}

/// A query for dead letters that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server has the service in none of the known packages.
    #[error(
        "{address} has no DlqAdminService in any known dialect: core 0.5 has none; is it the address of angzarr-status?"
    )]
    NoService {
        /// The address.
        address: String,
    },
    /// The service answers, but its storage is not available.
    #[error(
        "{address} reports that it cannot read dead letters now (degraded, {status} {title}{}): whether there are any is \
         unknown",
        if detail.is_empty() { String::new() } else { format!(": {detail}") }
    )]
    Degraded {
        /// The address.
        address: String,
        /// HTTP status code.
        status: i32,
        /// Short description.
        title: String,
        /// Long description.
        detail: String,
    },
    /// The reply does not decode.
    #[error(
        "{address} answered with bytes that make no sense{}: {reason}",
        id.map(|id| format!(" (number {id})")).unwrap_or_default()
    )]
    Garbage {
        /// The address.
        address: String,
        /// Number of the letter, if the request was for one.
        id: Option<i64>,
        /// The decoding error.
        reason: DecodeError,
    },
}

/// A stored letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLetter {
    /// Its number.
    pub id: i64,
    /// The decoded letter.
    pub letter: Result<DeadLetter, DecodeError>,
}

/// Client that reads dead letters. It has no method that deletes one or sends one again.
#[derive(Debug, Clone)]
pub struct DeadLetterClient {
    connection: QueryConnection,
}

impl DeadLetterClient {
    /// A client on a connection to angzarr-status.
    #[must_use]
    pub fn new(connection: impl Into<QueryConnection>) -> Self {
        Self {
            connection: connection.into(),
        }
    }

    /// All letters in the service's order. One that does not decode does not hide the others.
    pub fn list(&self) -> Result<Vec<StoredLetter>, DeadLetterError> {
        use pb::list_dead_letters_response::Result as Answer;
        let mut letters = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListDeadLettersRequest {
                page_size: PAGE_SIZE,
                page_token: page_token.clone(),
            };
            let reply = self.ask(Query::ListDeadLetters, &request)?;
            let reply: pb::ListDeadLettersResponse = decode::message("list of dead letters", reply)
                .map_err(|reason| self.garbage(None, reason))?;
            let page = match reply.result {
                Some(Answer::Ok(page)) => page,
                Some(Answer::Degraded(problem)) => return Err(self.degraded(problem)),
                None => pb::ListDeadLettersOk::default(),
            };
            let read = |entry: pb::StoredDeadLetter| StoredLetter {
                id: entry.id,
                letter: DeadLetter::decode(entry.payload),
            };
            letters.extend(page.entries.into_iter().map(read));
            // Without the second check, a server that repeats its page token would cause an endless loop.
            if page.next_page_token.is_empty() || page.next_page_token == page_token {
                return Ok(letters);
            }
            page_token = page.next_page_token;
        }
    }

    /// One letter; `None` if there is no such number.
    pub fn get(&self, id: i64) -> Result<Option<DeadLetter>, DeadLetterError> {
        use pb::get_dead_letter_response::Result as Answer;
        let reply = match self.ask(Query::GetDeadLetter, &pb::GetDeadLetterRequest { id }) {
            Err(DeadLetterError::Call(error))
                if error
                    .failure()
                    .is_some_and(|failure| failure.code == Code::NotFound) =>
            {
                return Ok(None);
            }
            reply => reply?,
        };
        let reply: pb::GetDeadLetterResponse = decode::message("dead letter", reply)
            .map_err(|reason| self.garbage(Some(id), reason))?;
        let found = match reply.result {
            Some(Answer::Ok(found)) => found.entry,
            Some(Answer::Degraded(problem)) if problem.status == 404 => None,
            Some(Answer::Degraded(problem)) => return Err(self.degraded(problem)),
            None => None,
        };
        found
            .map(|entry| DeadLetter::decode(entry.payload))
            .transpose()
            .map_err(|reason| self.garbage(Some(id), reason))
    }

    /// Queries each package of the service until the server knows one.
    fn ask(&self, query: Query, request: &impl Message) -> Result<Bytes, DeadLetterError> {
        let message = request.encode_to_vec().into();
        for package in PACKAGES {
            match self.connection.ask_in(package, query, &message) {
                Err(error) if error.is_unknown_method() => {}
                answer => return Ok(answer?.pop().unwrap_or_default()),
            }
        }
        Err(DeadLetterError::NoService {
            address: self.connection.address().to_owned(),
        })
    }

    fn degraded(&self, problem: pb::ProblemDetails) -> DeadLetterError {
        DeadLetterError::Degraded {
            address: self.connection.address().to_owned(),
            status: problem.status,
            title: problem.title,
            detail: problem.detail,
        }
    }

    fn garbage(&self, id: Option<i64>, reason: DecodeError) -> DeadLetterError {
        DeadLetterError::Garbage {
            address: self.connection.address().to_owned(),
            id,
            reason,
        }
    }
}
