//! An aggregate as one call: its events and the state that today's logic folds from them. Nothing is written, and nothing
//! but queries is sent to the source.
//!
//! The events go the way of a capture: read, assembled into a case of the history, redacted, and replayed on the logic. So
//! whatever is shown is redacted as a capture would redact it.

use serde_yaml::Value;

use crate::capture::{
    CaptureError, CaseParts, EditionShape, Labels, RootSpec, UpTo, assemble, fetch_single_history,
};
use crate::capturing::{captured_at, cover_of, domain_of};
use crate::fixture::Fixture;
use crate::model::{Body, Case, Cover, Domain, Edition, Outcome, Page, Payload, Timestamp};
use crate::payload::{Decoded, Registry};
use crate::project::{
    CaseResult, OpenSource, OperationError, Project, ReplayErrorKind, ReplayOptions,
};
use crate::redact::Redactor;
use crate::wire::Dialect;

/// Which aggregate to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowRequest {
    /// The aggregate.
    pub aggregate: RootSpec,
    /// Name of the source; the configured one if there is none.
    pub source: Option<String>,
    /// Its domain, if the aggregate does not name one.
    pub domain: Option<Domain>,
    /// Its edition.
    pub edition: Edition,
    /// The last event to show; the newest if there is none.
    pub last: Option<u32>,
}

/// An aggregate, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownAggregate {
    /// Name of the source.
    pub source: String,
    /// The aggregate.
    pub cover: Cover,
    /// How its edition relates to main.
    pub edition: EditionShape,
    /// The events.
    pub events: Vec<ShownEvent>,
    /// How many events there are after the last that is shown.
    pub later: usize,
    /// The state after the last event, or why there is none.
    pub state: Result<Value, String>,
    /// The logic that folded the state, in words.
    pub logic: Option<String>,
    /// The fields that redaction changed, as `FIELD of TYPE`; none if nothing redacts what is shown.
    pub redacted: Option<Vec<String>>,
    /// The dialect, if the source does not reveal it.
    pub assumed_dialect: Option<Dialect>,
}

/// An event, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownEvent {
    /// Its sequence.
    pub sequence: u32,
    /// When it was written; many writers leave it out.
    pub time: Option<Timestamp>,
    /// Its type; empty if the page holds no event.
    pub type_name: String,
    /// Its fields, or why they are not shown.
    pub fields: Result<Value, String>,
    /// Whether it is not yet confirmed.
    pub is_provisional: bool,
}

/// Reads an aggregate and folds its state.
///
/// # Errors
/// If the aggregate cannot be found or read, or redaction is configured and not available.
pub fn show(project: &Project, request: &ShowRequest) -> Result<ShownAggregate, OperationError> {
    let name = project.source_name(request.source.as_deref())?;
    let redactor = redactor(project, &name)?;
    let spec = &request.aggregate;
    let domain = domain_of(project, &name, Some(spec), request.domain.as_ref())?;
    let source = project.source_without_failures(Some(&name), domain.as_ref())?;
    let cover = cover_of(&source, &[], spec, request.edition.clone())?;
    let (case, later, edition) = read(&source, &cover, request.last)?;
    let shown_cover = case.cover.clone();
    let (case, redacted) = match redactor {
        None => (case, None),
        Some(redactor) => {
            let redacted = redactor.redact_case(&case);
            let case = redacted
                .map_err(|error| OperationError::Failed(error.to_string()))?
                .case;
            let fields = case.redacted.iter();
            let fields = fields.map(|field| format!("{} of {}", field.field, field.type_name));
            let fields = fields.collect();
            (case, Some(fields))
        }
    };
    let registry = project.registry_for(&case.source.dialect)?.clone();
    let pages = case.history.pages().iter();
    let events = pages.map(|page| event(page, &registry)).collect();
    let (state, logic) = state(project, case, registry);
    Ok(ShownAggregate {
        assumed_dialect: source.assumed_dialect,
        source: name,
        cover: shown_cover,
        edition,
        events,
        later,
        state,
        logic,
        redacted,
    })
}

/// The redactor; none if no redaction is configured, or none is needed for this source.
fn redactor(project: &Project, source: &str) -> Result<Option<Redactor>, OperationError> {
    match &project.config().redaction {
        None => Ok(None),
        Some(_) => Ok(project.redactor(source)?),
    }
}

/// The case of the history, and how many events there are after it.
fn read(
    source: &OpenSource,
    cover: &Cover,
    last: Option<u32>,
) -> Result<(Case, usize, EditionShape), OperationError> {
    let queries = source.domains[&cover.domain].as_ref();
    let up_to = last.map_or(UpTo::Head, |last| UpTo::Before(last.saturating_add(1)));
    let fetched = fetch_single_history(queries, cover, up_to, &mut |_| {})?;
    if fetched.head == 0 {
        return Err(CaptureError::Nothing {
            spec: format!(
                "{}/{} (edition {})",
                cover.domain,
                cover.root,
                cover.edition.label()
            ),
            place: queries.place(),
            tickets: 0,
        }
        .into());
    }
    let assembled = assemble(CaseParts {
        cover,
        fetched: &fetched,
        up_to,
        failing: None,
        noted: None,
        source: &source.name,
        dialect: source.spoken(queries),
        captured_at: captured_at(),
        labels: Labels::default(),
    })?;
    Ok((assembled.case, fetched.later.len(), fetched.edition))
}

fn event(page: &Page, registry: &Registry) -> ShownEvent {
    let (type_name, fields) = match &page.body {
        Body::Event(payload) => (payload.type_name().to_owned(), decoded(payload, registry)),
        Body::External(reference) => (
            String::new(),
            Err(format!("stored elsewhere, at {}", reference.uri)),
        ),
        Body::Empty => (String::new(), Err("nothing".to_owned())),
    };
    ShownEvent {
        sequence: page.sequence,
        time: page.created_at,
        type_name,
        fields,
        is_provisional: page.provisional,
    }
}

fn decoded(payload: &Payload, registry: &Registry) -> Result<Value, String> {
    match registry.decode(payload) {
        Decoded::Exact(view) | Decoded::Inexact(view) => Ok(view),
        Decoded::Undescribed => Err(format!("{} bytes; no descriptor", payload.value.len())),
        Decoded::Malformed(reason) => Err(format!(
            "{} bytes; not readable: {reason}",
            payload.value.len()
        )),
    }
}

/// The state that today's logic folds, and the logic.
fn state(
    project: &Project,
    case: Case,
    registry: Registry,
) -> (Result<Value, String>, Option<String>) {
    let fixture = Fixture {
        case,
        descriptors: registry,
        descriptors_hash: None,
    };
    let options = ReplayOptions {
        asks_once: true,
        skips_verdict: true,
        ..ReplayOptions::default()
    };
    let replayed = match project.replay(&fixture, &options) {
        Ok(replayed) => replayed,
        Err(error) => {
            let reason = match error.kind() {
                ReplayErrorKind::NotConfigured(reason) => reason.clone(),
                _ => error.to_string(),
            };
            return (Err(reason), None);
        }
    };
    let logic = Some(replayed.logic.selected().describe());
    let CaseResult::History(history) = replayed.result else {
        return (Err("the logic folds no history".to_owned()), logic);
    };
    let state = match history.state {
        Some(Outcome::Folded(state)) => decoded(&state, &fixture.descriptors),
        Some(other) => Err(match other.failure() {
            Some(failure) => format!("the logic failed: {}: {}", failure.code, failure.message),
            None => "the logic answered with no state".to_owned(),
        }),
        None => Err("the logic offers no `Replay`, which folds events into a state".to_owned()),
    };
    (state, logic)
}
