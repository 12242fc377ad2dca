//! A recorded call, and what it is about.

use bytes::Bytes;

use crate::model::{
    AnsweredBy, Body, CommandBook, Cover, Domain, EmittedBook, EventBook, Failure, Outcome,
    Payload, Redactions, Stimulus, Timestamp,
};
use crate::wire::{
    self, DecodeError, Dialect, FailingStatus, SpokenDialect, StoredBook, UnknownFields,
};

const COMMAND: &str = "CommandHandlerCoordinatorService/HandleCommand";
/// The recorded methods, with the names of their requests and replies: commands of clients, and calls from a coordinator to
/// logic that become a case or a part of one.
const RECORDED_METHODS: [(&str, &str, &str); 9] = [
    (COMMAND, "CommandRequest", "CommandResponse"),
    (
        "CommandHandlerService/Handle",
        "ContextualCommand",
        "BusinessResponse",
    ),
    (
        "CommandHandlerService/HandleFact",
        "FactRequest",
        "EventBook",
    ),
    ("UpcasterService/Upcast", "UpcastRequest", "UpcastResponse"),
    ("SagaService/Handle", "SagaHandleRequest", "SagaResponse"),
    (
        "ProcessManagerService/Prepare",
        "ProcessManagerPrepareRequest",
        "ProcessManagerPrepareResponse",
    ),
    (
        "ProcessManagerService/Handle",
        "ProcessManagerHandleRequest",
        "ProcessManagerHandleResponse",
    ),
    (
        "ProjectorService/HandleSpeculative",
        "EventBook",
        "Projection",
    ),
    ("ProjectorService/Handle", "EventBook", "Projection"),
];

/// The connection on which a call was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Between a client and a coordinator, where the command and its result are visible, but not the state.
    ClientAndCoordinator,
    /// Between a coordinator and logic, where state, stimulus and answer are visible.
    CoordinatorAndLogic,
}

impl Link {
    /// The connection on which a method (`Service/Method`, without the package) is recorded; none if it is not recorded.
    #[must_use]
    pub fn of(method: &str) -> Option<Self> {
        if method == COMMAND {
            return Some(Self::ClientAndCoordinator);
        }
        let is_noted = RECORDED_METHODS.iter().any(|(noted, ..)| *noted == method);
        is_noted.then_some(Self::CoordinatorAndLogic)
    }
}

/// How a call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With a message.
    Reply(Bytes),
    /// With a failing status.
    Status(FailingStatus),
}

/// A recorded call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// Its number in the recording, from 1.
    pub number: u64,
    /// When it began.
    pub time: Timestamp,
    /// Path, as in `/angzarr.SagaService/Handle`.
    pub path: String,
    /// Its dialect. If several share the package, the configured or else the likeliest one.
    pub dialect: Dialect,
    /// Whether the dialect was assumed because several share its package.
    pub dialect_assumed: bool,
    /// The request message.
    pub request: Bytes,
    /// The answer.
    pub answer: Answer,
    /// What redaction did to it before it was written.
    pub redacted: Redactions,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Domain.
    pub domain: Domain,
    /// The aggregate; none for an upcaster, whose request only has the domain.
    pub cover: Option<Cover>,
    /// Type of the command, or of the newest event; empty if there is none.
    pub type_name: String,
}

impl Subject {
    /// Whether another call has the same domain, aggregate, timeline and type.
    #[must_use]
    pub fn is_about_same(&self, other: &Self) -> bool {
        let is_same_stream = match (&self.cover, &other.cover) {
            (Some(own), Some(other)) => own.is_same_stream(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        is_same_stream && (&self.domain, &self.type_name) == (&other.domain, &other.type_name)
    }

    /// Whether the call is about the same timeline of the same aggregate.
    #[must_use]
    pub fn is_of(&self, cover: &Cover) -> bool {
        self.cover
            .as_ref()
            .is_some_and(|own| own.is_same_stream(cover))
    }
}

impl RecordedCall {
    /// `Service/Method` without the package.
    #[must_use]
    pub fn method(&self) -> &str {
        let package = self.dialect.package().len();
        self.path.get(package + 2..).unwrap_or_default()
    }

    /// Its dialect, and whether it was assumed.
    #[must_use]
    pub const fn spoken(&self) -> SpokenDialect {
        SpokenDialect {
            dialect: self.dialect,
            is_assumed: self.dialect_assumed,
        }
    }

    /// The connection on which it was recorded.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        Link::of(self.method())
    }

    /// Names of its request and reply, without the package; empty if the method is not recorded.
    pub(super) fn messages(&self) -> (&'static str, &'static str) {
        let found = RECORDED_METHODS
            .iter()
            .find(|(noted, ..)| *noted == self.method());
        found.map_or(("", ""), |(_, request, reply)| (*request, *reply))
    }

    /// Its request and reply as payloads with their types.
    #[must_use]
    pub fn as_payloads(&self) -> Vec<Payload> {
        let (request, reply) = self.messages();
        let payload = |name: &str, bytes: &Bytes| Payload {
            type_url: format!("/{}.{name}", self.dialect.package()).into(),
            value: bytes.to_vec(),
        };
        let mut payloads = vec![payload(request, &self.request)];
        if let Answer::Reply(bytes) = &self.answer {
            payloads.push(payload(reply, bytes));
        }
        payloads
    }

    /// The texts in its failing status.
    pub(crate) fn texts(&self) -> Vec<String> {
        let Answer::Status(FailingStatus { failure, .. }) = &self.answer else {
            return Vec::new();
        };
        let info = failure.info.iter();
        let of_info = info.flat_map(|info| {
            let pairs = info.metadata.iter().flat_map(|(key, value)| [key, value]);
            std::iter::once(&info.reason).chain(pairs)
        });
        std::iter::once(&failure.message)
            .chain(of_info)
            .cloned()
            .collect()
    }

    /// Unknown fields of request, reply and details, except in parts that keep their original bytes.
    #[must_use]
    pub fn unknown_fields(&self) -> UnknownFields {
        let mut found = wire::unknown_in_request(self.method(), &self.request);
        found.append(&mut match &self.answer {
            Answer::Reply(reply) => wire::unknown_in_reply(self.method(), reply),
            Answer::Status(refusal) => wire::unknown_in_details(&refusal.details),
        });
        found
    }

    /// The command in a call to a coordinator.
    pub fn command(&self) -> Result<CommandBook, DecodeError> {
        let bytes = wire::command_book_of_request(self.request.clone())?;
        wire::command_book(&bytes, self.dialect)
    }

    /// What the coordinator stored for a command, according to its reply.
    pub fn stored(&self) -> Result<Option<StoredBook>, DecodeError> {
        match &self.answer {
            Answer::Reply(reply) => wire::event_book_of_response(reply.clone()).map(Some),
            Answer::Status(_) => Ok(None),
        }
    }

    /// The stimulus in a call to logic.
    pub fn stimulus(&self) -> Result<Stimulus, DecodeError> {
        wire::stimulus_of_request(self.method(), self.request.clone(), self.dialect).unwrap_or_else(
            || {
                Err(DecodeError::of(
                    &self.path,
                    "it is not a method of client logic",
                ))
            },
        )
    }

    /// Who answered, as far as the connection shows it.
    #[must_use]
    pub fn answered_by(&self) -> AnsweredBy {
        match self.link() {
            Some(Link::CoordinatorAndLogic) => AnsweredBy::Logic,
            _ => AnsweredBy::NotKnown,
        }
    }

    /// The outcome of a call to logic.
    pub fn outcome(&self, stimulus: &Stimulus) -> Result<Result<Outcome, Failure>, DecodeError> {
        match &self.answer {
            Answer::Reply(reply) => {
                wire::outcome_of_reply(stimulus, reply.clone(), self.dialect).map(Ok)
            }
            Answer::Status(refusal) => Ok(Outcome::from_failure(
                refusal.failure.clone(),
                self.answered_by(),
            )),
        }
    }

    /// Whether the call succeeded and its reply does not refuse the command.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.subject_and_acceptance().1
    }

    /// What the call is about.
    pub fn subject(&self) -> Result<Subject, DecodeError> {
        self.subject_and_acceptance().0
    }

    /// Its subject, and whether it is accepted. Decodes the request once for both.
    pub(super) fn subject_and_acceptance(&self) -> (Result<Subject, DecodeError>, bool) {
        let is_answered = matches!(self.answer, Answer::Reply(_));
        if self.link() == Some(Link::ClientAndCoordinator) {
            let subject = self.command().map(|command| of_command(&command));
            return (subject, is_answered);
        }
        let stimulus = match self.stimulus() {
            Ok(stimulus) => stimulus,
            Err(error) => return (Err(error), is_answered),
        };
        let refuses = || {
            let outcome = self.outcome(&stimulus);
            matches!(outcome, Ok(Ok(Outcome::Revoked(_) | Outcome::Notified(_))))
        };
        let is_accepted = is_answered && !refuses();
        (self.subject_of(stimulus), is_accepted)
    }

    fn subject_of(&self, stimulus: Stimulus) -> Result<Subject, DecodeError> {
        Ok(match stimulus {
            Stimulus::Command { command, .. } => of_command(&command),
            Stimulus::Fact { facts, prior } => of_facts(&facts, prior.cover),
            Stimulus::Saga { source: book, .. }
            | Stimulus::Prepare { trigger: book, .. }
            | Stimulus::ProcessManager { trigger: book, .. }
            | Stimulus::Project { events: book, .. } => of_book(book),
            Stimulus::Upcast { domain, pages } => Subject {
                domain,
                cover: None,
                type_name: newest(pages.iter().map(|page| &page.body)),
            },
            Stimulus::Fold { .. } => {
                return Err(DecodeError::of(&self.path, "it is not recorded"));
            }
        })
    }
}

fn of_command(command: &CommandBook) -> Subject {
    Subject {
        domain: command.cover.domain.clone(),
        cover: Some(command.cover.clone()),
        type_name: command.type_name().to_owned(),
    }
}

fn of_facts(facts: &EmittedBook, cover: Cover) -> Subject {
    Subject {
        domain: cover.domain.clone(),
        cover: Some(cover),
        type_name: newest(facts.pages.iter().map(|page| &page.body)),
    }
}

fn of_book(book: EventBook) -> Subject {
    Subject {
        domain: book.cover.domain.clone(),
        type_name: newest(book.history.pages().iter().map(|page| &page.body)),
        cover: Some(book.cover),
    }
}

fn newest<'a>(bodies: impl DoubleEndedIterator<Item = &'a Body>) -> String {
    let last = bodies.rev().find_map(Body::event);
    last.map_or("", Payload::type_name).to_owned()
}
