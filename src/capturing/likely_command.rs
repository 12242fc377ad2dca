//! The command that most likely led to a stored event: a guess for `capture --command`, which people complete.

use std::collections::BTreeSet;

use super::context::CaptureContext;
use super::request::CaptureRequest;
use super::{OperationError, cover_of, fetch, source_and_domain};
use crate::capture::{RootSpec, UpTo};
use crate::model::{Cover, Edition, Payload};
use crate::payload::LikelyMessage;
use crate::project::Project;
use crate::terminal::program;

/// The event whose command is guessed.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    /// The aggregate, its source and its edition, as for a capture.
    pub(crate) request: CaptureRequest,
    /// Sequence of the event.
    pub(crate) sequence: u32,
    /// Type of the command, in full or its last part, if it is known.
    pub(crate) command: Option<String>,
}

/// A command that may have led to the event.
#[derive(Debug)]
pub(crate) struct LikelyCommand {
    /// The aggregate.
    pub(crate) cover: Cover,
    /// Type of the event.
    pub(crate) event: String,
    /// The command.
    pub(crate) message: LikelyMessage,
}

/// Reads an event, only with queries, and guesses its command from the project's descriptors. Values are redacted as in a
/// capture.
///
/// # Errors
/// If the event cannot be read, is not there, or has no message that is similar enough.
pub(crate) fn likely_command(
    project: &Project,
    wanted: &StoredEvent,
) -> Result<LikelyCommand, OperationError> {
    let request = CaptureRequest {
        up_to: UpTo::Before(wanted.sequence.saturating_add(1)),
        ..wanted.request.clone()
    };
    let context = &CaptureContext::new(project, &request);
    let (name, domain) = source_and_domain(context, None)?;
    let source = project.source(Some(&name), domain.as_ref())?;
    let spec: &RootSpec = request
        .aggregate
        .as_ref()
        .ok_or_else(|| OperationError::Usage("name the aggregate: its root is missing".into()))?;
    let edition = request.edition.clone().unwrap_or(Edition::Main);
    let cover = cover_of(&source, &source.tickets, spec, edition)?;
    let queries = source.domains[&cover.domain].as_ref();
    let fetched = fetch(queries, &cover, request.up_to, &mut |_| {})?;
    let mut events = fetched.history.pages().iter();
    let types: BTreeSet<&str> = events
        .clone()
        .filter_map(|page| page.body.event())
        .map(Payload::type_name)
        .collect();
    let place = format!(
        "sequence {} of {}/{}",
        wanted.sequence, cover.domain, cover.root
    );
    let page = events.find(|page| page.sequence == wanted.sequence);
    let event = page.and_then(|page| page.body.event()).ok_or_else(|| {
        OperationError::Failed(format!(
            "there is no event at {place}; `{} roots` lists what is stored",
            program()
        ))
    })?;
    let event = match context.redactor()? {
        Some(redactor) => {
            redactor
                .redact_payload(event)
                .map_err(|error| OperationError::Failed(format!("{place}: {error}")))?
                .payload
        }
        None => event.clone(),
    };
    let registry = project.registry_for(queries.dialect().name())?;
    let resolved = wanted.command.as_deref().map(|name| registry.resolve(name));
    let named = resolved
        .transpose()
        .map_err(|error| OperationError::Failed(error.to_string()))?;
    let message = registry.likely_message(&event, named.as_deref(), &types);
    let message = message.ok_or_else(|| not_likely(&place, event.type_name()))?;
    Ok(LikelyCommand {
        cover,
        event: event.type_name().to_owned(),
        message,
    })
}

fn not_likely(place: &str, event: &str) -> OperationError {
    OperationError::Failed(format!(
        "{place} is {event}, and no message of the descriptors is similar enough to be its command; name the type, as in `{} \
         command new TYPE --from-event …`, and check `descriptors` in replay.toml",
        program()
    ))
}
