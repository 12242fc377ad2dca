//! Speculation with sagas, process managers and projectors: the input comes with the request.

use bytes::Bytes;
use prost::Message;

use super::super::messages as pb;
use super::super::{DecodeError, Dialect, decode, stimulus};
use super::{CoordinatorService, Refused, not_understood};
use crate::model::{Failure, Outcome, Stimulus};

impl CoordinatorService {
    pub(super) fn speculate_reaction(
        &self,
        method: &str,
        request: Bytes,
    ) -> Result<Vec<Bytes>, Refused> {
        let stimulus = asked(method, request, self.dialect).map_err(not_understood)?;
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

/// What the request asks of a component.
fn asked(method: &str, request: Bytes, dialect: Dialect) -> Result<Stimulus, DecodeError> {
    let request: pb::SpeculateRequest = decode::message("speculative request", request)?;
    let Some(inner) = request.request else {
        return Err(DecodeError::new("speculative request", "it is empty"));
    };
    match method
        .split_once('/')
        .map_or(method, |(service, _)| service)
    {
        "SagaCoordinatorService" => stimulus::saga(inner, dialect),
        "ProcessManagerCoordinatorService" => stimulus::process_manager(inner),
        _ => stimulus::project(inner, false),
    }
}
