//! Input that a coordinator refuses before it looks anything up. Messages are those of the real coordinator where they
//! were recorded.

use super::store::Stream;
use crate::coordination;
use crate::grpc::{RawCover, ReceivedCommand, ReceivedFacts, ReceivedQuery};
use crate::model::{CommandBook, Cover, Domain, Edition, Failure, Root};

/// What a query addresses.
pub(super) enum Addressed {
    /// One workflow.
    Workflow(String),
    /// One aggregate.
    Aggregate(Stream),
}

/// Checks a query. If it has a correlation id, the domain, root and edition are ignored.
pub(super) fn query(query: &ReceivedQuery) -> Result<Addressed, Failure> {
    let cover = query
        .cover
        .as_ref()
        .ok_or_else(|| Failure::refused("the query has no cover"))?;
    if cover.correlation_id.is_empty() {
        return Ok(Addressed::Aggregate(stream(cover)?));
    }
    coordination::validate_correlation_id(&cover.correlation_id)?;
    Ok(Addressed::Workflow(cover.correlation_id.clone()))
}

fn stream(cover: &RawCover) -> Result<Stream, Failure> {
    let domain = domain(&cover.domain)?;
    let root = root(cover)?;
    let edition = match edition(&cover.edition)? {
        Edition::Main => None,
        Edition::Named { name, .. } => Some(name),
    };
    Ok(Stream {
        domain,
        edition,
        root,
    })
}

/// Checks a received command.
pub(super) fn command(
    sent: Option<ReceivedCommand>,
    missing: &str,
) -> Result<CommandBook, Failure> {
    let sent = sent.ok_or_else(|| Failure::refused(missing))?;
    let cover = sent
        .cover
        .as_ref()
        .ok_or_else(|| Failure::refused("the command book has no cover"))?;
    stream(cover)?;
    coordination::validate_correlation_id(&cover.correlation_id)?;
    coordination::validate_size(sent.payload_sizes.iter().copied())?;
    readable(sent)
}

/// Checks a received compensation. Its size is not limited.
pub(super) fn compensation(sent: Option<ReceivedCommand>) -> Result<CommandBook, Failure> {
    let sent = sent.ok_or_else(|| Failure::refused("the request has no command"))?;
    let cover = sent
        .cover
        .as_ref()
        .ok_or_else(|| Failure::refused("the command book has no cover"))?;
    stream(cover)?;
    readable(sent)
}

fn readable(sent: ReceivedCommand) -> Result<CommandBook, Failure> {
    if sent.provisional {
        return Err(Failure::refused(
            "two-phase commit (cascade_id) is not offered by the local coordinator",
        ));
    }
    sent.book
        .map_err(|error| Failure::refused(error.to_string()))
}

/// Checks received facts and returns their stream. Their number and size are not limited.
pub(super) fn facts(sent: &ReceivedFacts) -> Result<Stream, Failure> {
    let cover = sent
        .cover
        .as_ref()
        .ok_or_else(|| Failure::refused("the facts have no cover"))?;
    coordination::validate_correlation_id(&cover.correlation_id)?;
    stream(cover)
}

/// The stream that a checked cover addresses.
pub(super) fn stream_of(cover: &Cover) -> Stream {
    Stream {
        domain: cover.domain.clone(),
        edition: match &cover.edition {
            Edition::Main => None,
            Edition::Named { name, .. } => Some(name.clone()),
        },
        root: cover.root,
    }
}

fn domain(name: &str) -> Result<Domain, Failure> {
    if name.is_empty() {
        return Err(Failure::refused("domain name cannot be empty"));
    }
    Domain::new(name).map_err(|error| Failure::refused(error.to_string()))
}

fn root(cover: &RawCover) -> Result<Root, Failure> {
    let bytes = cover
        .root
        .as_ref()
        .ok_or_else(|| Failure::refused("the cover has no root"))?;
    Root::from_slice(bytes).map_err(|_| {
        Failure::refused(format!(
            "Invalid UUID: invalid length: expected 16 bytes, found {}",
            bytes.len()
        ))
    })
}

fn edition(name: &str) -> Result<Edition, Failure> {
    Edition::from_name(name).map_err(|error| Failure::refused(error.to_string()))
}
