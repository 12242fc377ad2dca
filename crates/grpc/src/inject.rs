//! Writes facts to a coordinator. This is the only writing client; code that captures from production never gets it.

use bytes::Bytes;
use prost::Message;

use super::{CallError, Connection};
use crate::model::{EmittedBook, SyncMode};
use crate::wire::messages as pb;
use crate::wire::{DecodeError, Dialect, StoredBook, decode, encode};

const METHOD: (&str, &str) = ("CommandHandlerCoordinatorService", "HandleEvent");

/// Facts that could not be injected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The reply does not decode.
    #[error("{address} answered HandleEvent with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// The decoding error.
        reason: DecodeError,
    },
}

/// A coordinator's reply to injected facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InjectedFacts {
    /// The stored pages.
    pub book: StoredBook,
    /// Whether they were stored already.
    pub already_processed: bool,
}

/// Client that writes facts through a coordinator.
#[derive(Debug, Clone)]
pub struct FactClient {
    connection: Connection,
    dialect: Dialect,
}

impl FactClient {
    /// A client on a connection, in a dialect.
    #[must_use]
    pub const fn new(connection: Connection, dialect: Dialect) -> Self {
        Self {
            connection,
            dialect,
        }
    }

    /// Stores pages as they are, bypassing the logic and, if the dialect supports it, without notifying anything downstream.
    /// They get the next sequences, regardless of their headers.
    pub fn inject(&self, facts: &EmittedBook) -> Result<InjectedFacts, FactError> {
        self.send(encode_fact_request(facts, FactRoute::Store, self.dialect))
    }

    /// Sends facts to the logic and stores the events that it returns.
    pub fn inject_through_logic(&self, facts: &EmittedBook) -> Result<InjectedFacts, FactError> {
        self.send(encode_fact_request(facts, FactRoute::Logic, self.dialect))
    }

    fn send(&self, request: Bytes) -> Result<InjectedFacts, FactError> {
        let path = self.dialect.path(METHOD.0, METHOD.1);
        let reply = self.connection.call(&path, request)?;
        read(reply).map_err(|reason| FactError::Garbage {
            address: self.connection.address().to_owned(),
            reason,
        })
    }
}

/// Route of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactRoute {
    /// Directly into the store, bypassing the logic and everything downstream.
    Store,
    /// Through the logic.
    Logic,
}

/// Encodes the request of `HandleEvent`.
#[must_use]
pub fn encode_fact_request(facts: &EmittedBook, route: FactRoute, dialect: Dialect) -> Bytes {
    let past_logic = route == FactRoute::Store;
    let opts_out = dialect.rules().facts_skip_logic_on_request;
    let mode = if past_logic && dialect.rules().isolated_mode {
        SyncMode::Isolated
    } else {
        SyncMode::Async
    };
    let mut book = encode::emitted_book(facts, dialect);
    // Like clients, leave out the edition if it is main.
    book.cover = facts.cover.as_ref().map(encode::cover);
    let message = pb::EventRequest {
        events: Some(book.encode_to_vec().into()),
        sync_mode: dialect.sync_mode_number(mode),
        route_to_handler: !opts_out && !past_logic,
        skip_handler: opts_out && past_logic,
    };
    message.encode_to_vec().into()
}

fn read(reply: Bytes) -> Result<InjectedFacts, DecodeError> {
    let reply: pb::FactInjectionResponse = decode::message("reply to facts", reply)?;
    Ok(InjectedFacts {
        book: decode::event_book(reply.events.unwrap_or_default())?,
        already_processed: reply.already_processed,
    })
}
