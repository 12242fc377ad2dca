//! A dead letter: the command that somebody gave up on, and why.

use std::path::Path;

use bytes::Bytes;

use super::given::Given;
use super::request::CaptureRequest;
use super::{Stop, redaction};
use crate::capture::{Logged, LoggedFailure, RootSpec};
use crate::grpc::{DeadLetter, Rejected};
use crate::project::Project;
use crate::terminal::words;
use crate::wire::DecodeError;
use crate::{files, plain};

/// The failure of a dead letter, which is named by its file or number.
pub(super) fn find(
    project: &Project,
    request: &CaptureRequest,
    asked: &str,
) -> Result<Option<Given>, Stop> {
    let source = project.source_name(request.source.as_deref())?;
    // Before anything of it is read: what redacts it has to be there.
    redaction::redactor(project, &source, request.is_unredacted)?;
    let (letter, name) = read(project, &source, asked)?;
    project.unknown().add(letter.unknown.clone());
    let cover = &letter.cover;
    let is_meant = |spec: &&RootSpec| {
        spec.fits(&cover.root) && spec.domain.as_ref().is_none_or(|it| *it == cover.domain)
    };
    if let Some(spec) = request.aggregate.as_ref().filter(|spec| !is_meant(spec)) {
        return Err(Stop::Failed(format!(
            "{name} is of {}/{}, not of {spec}",
            cover.domain, cover.root
        )));
    }
    if let Rejected::Events { last } = letter.rejected {
        return Err(Stop::Failed(of_events(&letter, last, &name)));
    }
    // Enums have other numbers in other dialects: the coordinator of the domain knows.
    let open = project.source(Some(&source), Some(&cover.domain))?;
    let dialect = open.domains[&cover.domain].dialect();
    let failure = LoggedFailure::of_letter(&letter, dialect)
        .map_err(|reason| Stop::Failed(format!("{name}: {reason}")))?;
    let by = match letter.component.as_str() {
        "" => String::new(),
        component => format!(", given up by {component}"),
    };
    Ok(failure.map(|failure| Given {
        logged: Logged::Failure(failure),
        origin: format!("from {name}{by}"),
        unusable: Vec::new(),
    }))
}

/// By its number, or from a file. A file of that very name goes first.
fn read(project: &Project, source: &str, asked: &str) -> Result<(DeadLetter, String), Stop> {
    let path = Path::new(asked);
    if let (Ok(id), false) = (asked.parse(), path.exists()) {
        let found = project.dead_letters(source)?.get(id)?;
        let name = format!("dead letter {id}");
        let letter = found.ok_or_else(|| {
            Stop::Failed(format!(
                "source `{source}` has no {name}: `cargo xtask tickets --dead-letters` lists them"
            ))
        })?;
        return Ok((letter, name));
    }
    let name = Project::shown(path);
    let bytes = files::read_named(path, files::WRITTEN).map_err(|error| {
        Stop::Failed(format!(
            "cannot read the dead letter {name}: {}",
            words(&error)
        ))
    })?;
    let letter = decoded(bytes).map_err(|reason| Stop::Failed(format!("{name} {reason}")))?;
    Ok((letter, name))
}

/// The letter of a file, which may be packed. The message goes first: it may happen to begin as packed bytes do.
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

/// Events are captured by the component that could not take them. Its words may repeat what they hold.
fn of_events(letter: &DeadLetter, last: Option<u32>, name: &str) -> String {
    let whose = match letter.component.as_str() {
        "" => "a component".to_owned(),
        component => component.to_owned(),
    };
    let at = last.map_or_else(String::new, |last| format!(" --at {last}"));
    format!(
        "{name} holds no command but events that {whose} gave up on; capture what it was shown: cargo xtask capture \
         {}/{}{at} with --component NAME",
        letter.cover.domain, letter.cover.root
    )
}
