//! A command that the user wrote in a file.

use std::path::Path;

use super::named_failure::NamedFailure;
use super::{OperationError, StreamCapture};
use crate::capture::{FailingCommand, StoredCount, UpTo, parse_draft};
use crate::model::{AnsweredBy, Cover, Payload, Redactions};
use crate::terminal::words;
use crate::wire::Dialect;
use crate::{files, plain};

/// Reads a command for a stream, and says where it comes from. A log may say how production answered it. Otherwise, if the request says where it belongs in
/// the history, production accepted it.
pub(super) fn read(
    stream: &StreamCapture<'_>,
    cover: &Cover,
    file: &Path,
    answered_by: AnsweredBy,
    named: Option<&NamedFailure>,
) -> Result<(FailingCommand, String), OperationError> {
    let (text, name) = read_file(file)?;
    let mut draft = parse_draft(&text, &name)?;
    draft.sequence = draft
        .sequence
        .or_else(|| named.and_then(NamedFailure::sequence));
    let dialect = stream.queries.dialect();
    let history = &stream.fetched.history;
    let mut newest = history.pages().iter().rev();
    let prefix = newest
        .find_map(|page| page.body.event())
        .map_or_else(|| default_prefix(dialect), prefix_of);
    let project = stream.context.project;
    let command = draft.into_book(
        &name,
        project.registry_for(dialect.name())?,
        cover,
        history.next_sequence(),
        &prefix,
    )?;
    let has_place = stream.context.request.up_to != UpTo::Head;
    let failing = FailingCommand {
        command,
        failure: named.and_then(|named| named.logged.failure()),
        answered_by,
        accepted: (named.is_none() && has_place).then_some(StoredCount::AsPagesTell),
        head: None,
        dialect: None,
        redacted: Redactions::default(),
        revision: named.and_then(|named| named.logged.service_version().map(str::to_owned)),
    };
    let origin = match named {
        None => format!("from {name}"),
        Some(named) => format!("from {name}, its failure {}", named.origin),
    };
    Ok((failing, origin))
}

fn read_file(file: &Path) -> Result<(String, String), OperationError> {
    if file == Path::new("-") {
        let read = plain::read_to_string(Path::new("/dev/stdin"), files::WRITTEN);
        let text = read.map_err(|error| {
            OperationError::Failed(format!("cannot read standard input: {}", words(&error)))
        })?;
        return Ok((text, "standard input".into()));
    }
    let name = file.display().to_string();
    let text = plain::read_to_string(file, files::WRITTEN).map_err(|error| {
        OperationError::Failed(format!("cannot read {name}: {}", words(&error)))
    })?;
    Ok((text, name))
}

fn prefix_of(payload: &Payload) -> String {
    payload.type_url[..payload.type_url.len() - payload.type_name().len()].to_owned()
}

/// The prefix that the dialect's client libraries put before a type name.
fn default_prefix(dialect: Dialect) -> String {
    if dialect == Dialect::IO_ANGZARR_V1 {
        "/".into()
    } else {
        "type.googleapis.com/".into()
    }
}
