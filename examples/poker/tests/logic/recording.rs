//! The recorded calls as model values, as far as the demo has to do with them.

use std::path::Path;

use angzarr_replay::internal::model::{
    AnsweredBy, Code, CommandBook, Cover, EventBook, Failure, Outcome, Page, Stimulus,
};
use angzarr_replay::internal::wire::{self, Dialect};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost::bytes::Bytes;
use test_support::books;

/// One line of the recording.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Call {
    pub(crate) n: u32,
    pub(crate) role: String,
    pub(crate) server: String,
    path: String,
    request: String,
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    response: Option<String>,
}

/// What all requests and replies of interest have in common: a book in field 1.
#[derive(Clone, PartialEq, Message)]
struct First {
    #[prost(bytes = "bytes", optional, tag = "1")]
    book: Option<Bytes>,
}

/// The whole recording.
pub(crate) fn calls() -> Vec<Call> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/calls.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A call by its number.
pub(crate) fn call(n: u32) -> Call {
    calls().into_iter().find(|call| call.n == n).unwrap()
}

impl Call {
    /// Last part of the path.
    pub(crate) fn method(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// What was asked of client logic of any kind.
    pub(crate) fn stimulus(&self) -> Stimulus {
        let method = self.path.rsplit('.').next().unwrap();
        wire::stimulus_of_request(method, bytes(&self.request), Dialect::ANGZARR)
            .unwrap()
            .unwrap()
    }

    /// What client logic of any kind answered.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.response {
            Some(reply) => {
                wire::outcome_of_reply(&self.stimulus(), bytes(reply), Dialect::ANGZARR).unwrap()
            }
            None => Outcome::from_failure(self.failure(), AnsweredBy::Logic).unwrap(),
        }
    }

    /// The failing status.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            code: Code::from_name(&self.code).unwrap(),
            message: self.message.clone().unwrap(),
            info: None,
        }
    }

    /// The command of a call to a coordinator.
    pub(crate) fn command(&self) -> CommandBook {
        let command = First::decode(bytes(&self.request)).unwrap().book.unwrap();
        wire::command_book(&command, Dialect::ANGZARR).unwrap()
    }

    /// History and command of a call to client logic.
    pub(crate) fn contextual(&self) -> (EventBook, CommandBook) {
        let Stimulus::Command { prior, command } = self.stimulus() else {
            panic!("call {} gives logic no command", self.n);
        };
        (prior, command)
    }

    /// The pages of an accepted command's reply.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let reply = First::decode(bytes(self.response.as_ref().unwrap())).unwrap();
        let book = wire::event_book(reply.book.unwrap_or_default()).unwrap();
        book.history.into_pages()
    }
}

/// A history as logic is shown it.
pub(crate) fn book(cover: Cover, pages: Vec<Page>) -> EventBook {
    books::book(cover, pages)
}

fn bytes(text: &str) -> Bytes {
    STANDARD.decode(text).unwrap().into()
}
