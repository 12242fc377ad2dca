//! Speculative calls to sagas, process managers and projectors, whose requests contain the input.

use bytes::Bytes;
use prost::Message;

use super::{CoordinatorService, RefusedCall, not_understood};
use crate::model::{Failure, Outcome, Stimulus};
use crate::wire::messages as pb;
use crate::wire::{DecodeError, Dialect, decode, stimulus};

impl CoordinatorService {
    pub(super) fn speculate_reaction(
        &self,
        method: &str,
        request: Bytes,
    ) -> Result<Vec<Bytes>, RefusedCall> {
        let stimulus = decode_stimulus(method, request, self.dialect).map_err(not_understood)?;
        let outcome = self.coordinator.speculate_reaction(stimulus)?;
        let reply: Bytes = match outcome {
            Outcome::Reacted(reaction) if method.starts_with("Saga") => {
                stimulus::saga_reply(&reaction, self.dialect).encode_to_vec()
            }
            Outcome::Reacted(reaction) => {
                stimulus::process_manager_reply(&reaction, self.dialect).encode_to_vec()
            }
            Outcome::Projected(projection) => {
                stimulus::projection_reply(&projection, self.dialect).encode_to_vec()
            }
            other => {
                let failure = other.failure().cloned();
                let none = || Failure::crashed("the component gave no answer");
                return Err(failure.unwrap_or_else(none).into());
            }
        }
        .into();
        Ok(vec![reply])
    }
}

/// Domain for a book without one.
const NO_DOMAIN: &str = "none";

/// Completes the cover of a book that may lack it. Sidecars accept such books as they are; here the component receives the
/// nil root, and the domain and edition of `like`.
fn with_complete_cover(
    book: Option<Bytes>,
    like: Option<&pb::Cover>,
) -> Result<pb::EventBook, DecodeError> {
    let mut book: pb::EventBook = decode::message("event book", book.unwrap_or_default())?;
    let own = book.cover.take();
    let mut cover = own.unwrap_or_else(|| pb::Cover {
        root: None,
        ..like.cloned().unwrap_or_default()
    });
    cover.root.get_or_insert_with(|| pb::Uuid {
        value: vec![0; 16].into(),
    });
    if cover.domain.is_empty() {
        let domain = like.map_or("", |like| &like.domain);
        let named = if domain.is_empty() { NO_DOMAIN } else { domain };
        named.clone_into(&mut cover.domain);
    }
    book.cover = Some(cover);
    Ok(book)
}

/// Decodes the stimulus in a request.
fn decode_stimulus(
    method: &str,
    request: Bytes,
    dialect: Dialect,
) -> Result<Stimulus, DecodeError> {
    let request: pb::SpeculateRequest = decode::message("speculative request", request)?;
    let Some(inner) = request.request else {
        return Err(DecodeError::new("speculative request", "it is empty"));
    };
    match method
        .split_once('/')
        .map_or(method, |(service, _)| service)
    {
        "SagaCoordinatorService" => {
            let mut message: pb::SagaHandleRequest = decode::message("saga request", inner)?;
            let source = with_complete_cover(message.source.take(), None)?;
            message.source = Some(source.encode_to_vec().into());
            stimulus::saga(message.encode_to_vec().into(), dialect)
        }
        "ProcessManagerCoordinatorService" => {
            let mut message: pb::ProcessManagerHandleRequest =
                decode::message("process manager request", inner)?;
            let trigger = with_complete_cover(message.trigger.take(), None)?;
            let state = with_complete_cover(message.process_state.take(), trigger.cover.as_ref())?;
            message.trigger = Some(trigger.encode_to_vec().into());
            message.process_state = Some(state.encode_to_vec().into());
            stimulus::process_manager(message.encode_to_vec().into())
        }
        _ => stimulus::project(inner, false),
    }
}
