//! A dead letter: a command that a component gave up on, and why.

use std::path::Path;

use bytes::Bytes;

use super::OperationError;
use super::context::CaptureContext;
use super::named_failure::NamedFailure;
use crate::capture::{Logged, LoggedFailure, RootSpec};
use crate::grpc::{DeadLetter, Rejected};
use crate::project::Project;
use crate::terminal::{program, words};
use crate::wire::DecodeError;
use crate::{files, plain};

/// Finds the failure of a dead letter by its file or number; none if the letter says nothing about it.
pub(super) fn find(
    context: &CaptureContext<'_>,
    asked: &str,
) -> Result<Option<NamedFailure>, OperationError> {
    let (project, request) = (context.project, context.request);
    let source = context.source_name()?;
    // The redactor must be available before anything is read.
    context.redactor()?;
    let (letter, name) = read(project, &source, asked)?;
    project.unknown().add(letter.unknown.clone());
    let cover = &letter.cover;
    let is_meant = |spec: &&RootSpec| {
        spec.fits(&cover.root) && spec.domain.as_ref().is_none_or(|it| *it == cover.domain)
    };
    if let Some(spec) = request.aggregate.as_ref().filter(|spec| !is_meant(spec)) {
        return Err(OperationError::Failed(format!(
            "{name} is of {}/{}, not of {spec}",
            cover.domain, cover.root
        )));
    }
    if let Rejected::Events { last } = letter.rejected {
        return Err(OperationError::Failed(of_events(&letter, last, &name)));
    }
    // Enums have other numbers in other dialects, and the coordinator of the domain knows its dialect.
    let open = project.source(Some(&source), Some(&cover.domain))?;
    let dialect = open.domains[&cover.domain].dialect();
    let failure = LoggedFailure::of_letter(&letter, dialect)
        .map_err(|reason| OperationError::Failed(format!("{name}: {reason}")))?;
    let by = match letter.component.as_str() {
        "" => String::new(),
        component => format!(", given up by {component}"),
    };
    Ok(failure.map(|failure| NamedFailure {
        logged: Logged::Failure(failure),
        origin: format!("from {name}{by}"),
        unusable: Vec::new(),
    }))
}

/// Reads a letter by its number, or from a file. A file of that name takes precedence.
fn read(
    project: &Project,
    source: &str,
    asked: &str,
) -> Result<(DeadLetter, String), OperationError> {
    let path = Path::new(asked);
    if let (Ok(id), false) = (asked.parse(), path.exists()) {
        let found = project.dead_letters(source)?.get(id)?;
        let name = format!("dead letter {id}");
        let letter = found.ok_or_else(|| {
            OperationError::Failed(format!(
                "source `{source}` has no {name}: `{} tickets --dead-letters` lists them",
                program()
            ))
        })?;
        return Ok((letter, name));
    }
    let name = Project::shown(path);
    let bytes = files::read_named(path, files::WRITTEN).map_err(|error| {
        OperationError::Failed(format!(
            "cannot read the dead letter {name}: {}",
            words(&error)
        ))
    })?;
    let letter =
        decoded(bytes).map_err(|reason| OperationError::Failed(format!("{name} {reason}")))?;
    Ok((letter, name))
}

/// Decodes a letter, which may be compressed. The plain message is tried first, because it may happen to begin like
/// compressed bytes.
fn decoded(bytes: Vec<u8>) -> Result<DeadLetter, String> {
    let no_letter = |reason: DecodeError| {
        format!(
            "is no encoded AngzarrDeadLetter: {reason}; it is the message itself, without base64 and framing"
        )
    };
    let bytes = Bytes::from(bytes);
    let reason = match DeadLetter::decode(bytes.clone()) {
        Ok(letter) => return Ok(letter),
        Err(reason) => reason,
    };
    if let Some(unpacked) = plain::unpacked(&bytes, files::WRITTEN) {
        return match unpacked.flaw {
            Some(flaw) => Err(format!("cannot be unpacked: {flaw}")),
            None => DeadLetter::decode(unpacked.bytes.into()).map_err(no_letter),
        };
    }
    Err(match plain::encoding_in_words(&bytes) {
        Some(encoding) => format!(
            "is {encoding}, which is not read here; give the encoded AngzarrDeadLetter itself, uncompressed or compressed with \
             gzip or zstd"
        ),
        None => no_letter(reason),
    })
}

/// Refuses a letter with events: a case of them is captured by the component that could not handle them. The letter's own
/// reason is not shown, because it may repeat their values.
fn of_events(letter: &DeadLetter, last: Option<u32>, name: &str) -> String {
    let whose = match letter.component.as_str() {
        "" => "a component".to_owned(),
        component => component.to_owned(),
    };
    let at = last.map_or_else(String::new, |last| format!(" --at {last}"));
    format!(
        "{name} holds no command but events that {whose} gave up on; capture what it was shown: {} capture \
         {}/{}{at} with --component NAME",
        program(),
        letter.cover.domain,
        letter.cover.root
    )
}
