//! Facts and compensation: calls that skip the checks of a command.

use bytes::Bytes;
use prost::Message;

use super::{CoordinatorService, RawCover, RefusedCall, ReplyBook, not_understood, raw_cover};
use crate::model::EmittedBook;
use crate::wire::messages as pb;
use crate::wire::{DecodeError, decode, stimulus};

/// A received book of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFacts {
    /// Target aggregate, unchecked.
    pub cover: Option<RawCover>,
    /// Whether the facts go to the logic, by the dialect's rule.
    pub to_logic: bool,
    /// The book, if it decodes.
    pub book: Result<EmittedBook, DecodeError>,
}

/// Result of injecting facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactInjection {
    /// The stored pages.
    pub book: ReplyBook,
    /// Whether the facts were stored already.
    pub already_processed: bool,
}

impl CoordinatorService {
    pub(super) fn handle_event(&self, request: Bytes) -> Result<Vec<Bytes>, RefusedCall> {
        let request: pb::EventRequest =
            decode::message("event request", request).map_err(not_understood)?;
        let to_logic = if self.dialect.rules().facts_skip_logic_on_request {
            !request.skip_handler
        } else {
            request.route_to_handler
        };
        let facts = request.events.map(|book| sent_facts(book, to_logic));
        let injected = self.coordinator.handle_event(facts.transpose()?)?;
        let reply = pb::FactInjectionResponse {
            events: Some(self.encode_book(&injected.book)),
            already_processed: injected.already_processed,
            projections: Vec::new(),
        };
        Ok(vec![reply.encode_to_vec().into()])
    }

    pub(super) fn compensate(&self, request: Bytes) -> Result<Vec<Bytes>, RefusedCall> {
        let request: pb::CommandRequest =
            decode::message("command request", request).map_err(not_understood)?;
        let provisional = request.cascade_id.is_some_and(|id| !id.is_empty());
        let command = self.sent(request.command, provisional)?;
        let outcome = self.coordinator.compensate(command)?;
        let reply = stimulus::business_answer(&outcome, self.dialect);
        Ok(vec![reply.unwrap_or_default()])
    }
}

fn sent_facts(book: Bytes, to_logic: bool) -> Result<ReceivedFacts, RefusedCall> {
    let message: pb::EventBook = decode::message("facts", book).map_err(not_understood)?;
    Ok(ReceivedFacts {
        cover: message.cover.clone().map(raw_cover),
        to_logic,
        book: decode::emitted_book(message),
    })
}
