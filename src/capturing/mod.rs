//! A capture as one call: a [`CaptureRequest`] becomes a fixture, and [`Captured`] says what was found and written.
//!
//! Above `capture`, which has neither clock nor file system: here sources are opened, logs and recordings are read, and the
//! case is redacted, replayed and saved. Nothing is printed: what happens meanwhile is reported as [`Progress`]. A source
//! is asked queries and nothing else.
//!
//! - `request`, `captured`, `progress`: what goes in, what comes out, and what is reported meanwhile.
//! - `context`: what all steps share. `stream_capture`: one stream whose history has been read, and its case of a command;
//!   `kinds`: its cases of other kinds.
//! - `named_failure`, `failure_filter`, `log_file`, `tickets`, `dead_letter`, `recorded`: failures from outside the source.
//!   `found_failure`, `written_command`: the failure of a stream. `bundled`, `bundle`: a whole case that was captured
//!   elsewhere, and its format.
//! - `pending_capture`: the case is redacted (`redaction`), replayed (`first_replay`) and saved (`saving`); `report` collects
//!   what was found.
//! - `distinct`: one case for each distinct failure. `captured_failures`: failures that are captured already.

mod bundle;
mod bundled;
mod captured;
mod captured_failures;
mod context;
mod dead_letter;
mod distinct;
mod failure_filter;
mod first_replay;
mod found_failure;
mod kinds;
mod likely_command;
mod log_file;
mod messages;
mod named_failure;
mod pending_capture;
mod progress;
mod recorded;
mod redaction;
mod report;
mod request;
mod saving;
mod stream_capture;
mod tickets;
mod written_command;

#[doc(inline)]
pub use crate::capture::{Labels, RootSpec, Span, UpTo};
pub use crate::project::OperationError;
#[doc(hidden)]
pub use bundle::{fixture_of as fixture_of_bundle, packed as packed_bundle};
pub use captured::{CaptureVerdict, Captured, ReportLine, SavedState};
pub(crate) use captured_failures::CapturedFailures;
pub(crate) use distinct::left_aside;
pub use distinct::{CapturedBug, CapturedBugs, capture_each_distinct};
pub(crate) use likely_command::{LikelyCommand, StoredEvent, likely_command};
pub(crate) use log_file::{demand_some, read_log};
pub(crate) use messages::Messages;
pub use progress::{CaptureWatcher, Progress};
pub(crate) use report::{assumed_dialect, not_kept};
pub use request::{
    CaptureRequest, FailureOrigin, NumberedFile, PersistedClaim, RequestedBook, RequestedFailure,
    RequestedKind, RequestedStart, RequestedTrigger,
};
pub(crate) use saving::{accept, accepted_status, demand_rejection, save_bundle};

use crate::capture::{EventQueries, Fetched, fetch_single_history, find_root};
use crate::model::{Cover, Domain, Edition, Root, Timestamp};
use crate::project::{OpenSource, Project, system_clock};
use crate::ticket::Ticket;
use context::CaptureContext;
use failure_filter::FailureFilter;
use named_failure::NamedFailure;
use pending_capture::Naming;
use stream_capture::StreamCapture;

/// Captures one case. `watch` receives what happens meanwhile.
///
/// ```no_run
/// use angzarr_replay::capturing::{CaptureRequest, UpTo, capture};
/// use angzarr_replay::{App, Project};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let project = Project::open(App::new(), std::path::Path::new("."))?;
/// let request = CaptureRequest {
///     aggregate: Some("player/6513270e".parse()?),
///     up_to: UpTo::Before(3),
///     ..CaptureRequest::default()
/// };
/// let captured = capture(project, &request, &mut |_| {})?;
/// println!("{}: {:?}", captured.path.display(), captured.verdict);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the request contradicts itself, something that it needs is missing, or the fixture cannot be written.
pub fn capture(
    project: Project,
    request: &CaptureRequest,
    watch: &mut CaptureWatcher<'_>,
) -> Result<Captured, OperationError> {
    request.check()?;
    let project = &with_fixtures(project, request);
    let context = &CaptureContext::new(project, request);
    let recorded = match request.failure().map(|failure| &failure.origin) {
        Some(FailureOrigin::Recording { call, component }) => {
            let recorded = recorded::find(project, request, call, watch)?;
            if recorded.is_to_logic() {
                return recorded.capture(component.as_deref());
            }
            Some(recorded.failure()?)
        }
        Some(FailureOrigin::Bundle(file)) => return bundled::capture(project, request, file),
        _ => None,
    };
    let named = match recorded {
        Some(named) => Some(named),
        None => named_failure(context)?,
    };
    let named = named.as_ref();
    let (name, domain) = source_and_domain(context, named)?;
    let source = project.source(Some(&name), domain.as_ref())?;
    let captured = capture_from(context, &source, named, Naming::Plain, watch);
    // The report of a successful capture names the unusable lines itself.
    captured.inspect_err(|error| {
        let of_named = named.map_or(&[][..], |named| &named.unusable);
        let mut lines = [&source.failures.unusable[..], of_named].concat();
        let error = error.to_string();
        lines.retain(|line| !error.contains(line.as_str()));
        lines.dedup();
        for line in &lines {
            watch(Progress::PassedOver(line));
        }
    })
}

/// Now, to the second.
pub(crate) fn captured_at() -> Timestamp {
    Timestamp {
        seconds: system_clock()().seconds,
        nanos: 0,
    }
}

fn with_fixtures(project: Project, request: &CaptureRequest) -> Project {
    match &request.fixtures {
        Some(folder) => project.with_fixtures(folder),
        None => project,
    }
}

/// The failure, if something outside the source names it.
fn named_failure(context: &CaptureContext<'_>) -> Result<Option<NamedFailure>, OperationError> {
    let request = context.request;
    let Some(failure) = request.failure() else {
        return Ok(None);
    };
    let filter = FailureFilter::of(request);
    match &failure.origin {
        FailureOrigin::DeadLetter(asked) => dead_letter::find(context, asked),
        FailureOrigin::Log(log) | FailureOrigin::Written { log: Some(log), .. } => {
            filter.newest_in_log(context.project, log).map(Some)
        }
        FailureOrigin::Ticket(asked) if request.aggregate.is_none() => {
            filter.of_ticket(asked).map(Some)
        }
        FailureOrigin::Source
        | FailureOrigin::Ticket(_)
        | FailureOrigin::Written { log: None, .. }
        | FailureOrigin::Recording { .. }
        | FailureOrigin::Bundle(_)
        | FailureOrigin::Nothing => Ok(None),
    }
}

/// Name of the source, and the domain of the aggregate if it is known: then only its coordinator is connected to. The
/// redactor must be available before anything is read.
fn source_and_domain(
    context: &CaptureContext<'_>,
    named: Option<&NamedFailure>,
) -> Result<(String, Option<Domain>), OperationError> {
    let (project, request) = (context.project, context.request);
    let spec = spec(request, named);
    let name = context.source_name()?;
    let domain = domain_of(project, &name, spec.as_ref(), request.domain.as_ref())?;
    context.redactor()?;
    Ok((name, domain))
}

/// The domain of an aggregate, if it is known without a query. Refuses the beginning of a root that would have to be
/// searched for in several domains.
pub(crate) fn domain_of(
    project: &Project,
    source: &str,
    spec: Option<&RootSpec>,
    flag: Option<&Domain>,
) -> Result<Option<Domain>, OperationError> {
    let domain = one_domain(flag, spec.and_then(|spec| spec.domain.as_ref()))?;
    let domain = match (spec, project.config().sources.get(source)) {
        // A store finds the beginning of a root by its index.
        (Some(spec), Some(config)) if domain.is_none() && config.stores.is_empty() => {
            spec.only_domain(source, config.domains(), || failed(project, source))?
        }
        _ => domain,
    };
    Ok(domain.cloned())
}

/// Aggregates in the failure logs of a source, as far as the logs can be read.
fn failed(project: &Project, source: &str) -> Vec<(Domain, Root)> {
    let failures = project.failures(Some(source)).unwrap_or_default();
    let logged = failures.entries.iter().map(|entry| &entry.logged);
    logged
        .filter_map(|logged| Some((logged.domain()?.clone(), logged.root())))
        .collect()
}

/// The aggregate, if the request or a failure names one.
fn spec(request: &CaptureRequest, named: Option<&NamedFailure>) -> Option<RootSpec> {
    named
        .map(NamedFailure::spec)
        .or_else(|| request.aggregate.clone())
}

/// Captures one aggregate of an open source. `named` is the failure, if something outside the source names it.
fn capture_from(
    context: &CaptureContext<'_>,
    source: &OpenSource,
    named: Option<&NamedFailure>,
    naming: Naming<'_>,
    watch: &mut CaptureWatcher<'_>,
) -> Result<Captured, OperationError> {
    let request = context.request;
    let spec = match (spec(request, named), &request.kind) {
        (Some(spec), _) => spec,
        (None, RequestedKind::Flow { .. }) => kinds::find_start(context, &source.name)?,
        (None, _) => {
            return Err(OperationError::Usage(
                "name the aggregate: its root is missing".into(),
            ));
        }
    };
    let edition = match (&request.edition, named) {
        (Some(edition), _) => edition.clone(),
        (None, Some(named)) => named.logged.edition().clone(),
        (None, None) => Edition::Main,
    };
    let cover = cover_of(source, &source.tickets, &spec, edition)?;
    let queries = source.domains[&cover.domain].as_ref();
    let fetched = fetch(queries, &cover, request.up_to, watch)?;
    let stream = StreamCapture {
        context,
        source,
        queries,
        cover,
        fetched: &fetched,
    };
    match &request.kind {
        RequestedKind::Command(failure) => stream.of_command(failure, named, naming),
        _ => stream.of_kind(naming),
    }
}

/// The stream that a root names, or the beginning of one. The aggregates of `tickets` are tried first.
pub(crate) fn cover_of(
    source: &OpenSource,
    tickets: &[Ticket],
    spec: &RootSpec,
    edition: Edition,
) -> Result<Cover, OperationError> {
    let (domain, root) = find_root(spec, &edition, &source.domains, tickets)?;
    Ok(Cover {
        edition,
        ..Cover::main(domain, root)
    })
}

pub(crate) fn one_domain<'a>(
    flag: Option<&'a Domain>,
    spec: Option<&'a Domain>,
) -> Result<Option<&'a Domain>, OperationError> {
    match (flag, spec) {
        (Some(flag), Some(spec)) if flag != spec => Err(OperationError::Usage(format!(
            "the root names the domain `{spec}`, --domain names `{flag}`"
        ))),
        (flag, spec) => Ok(flag.or(spec)),
    }
}

/// Fetches a history, and reports how many events have been read.
fn fetch(
    queries: &dyn EventQueries,
    cover: &Cover,
    up_to: UpTo,
    watch: &mut CaptureWatcher<'_>,
) -> Result<Fetched, OperationError> {
    watch(Progress::Reading { cover, events: 0 });
    let fetched = fetch_single_history(queries, cover, up_to, &mut |events| {
        watch(Progress::Reading { cover, events });
    });
    watch(Progress::Read);
    Ok(fetched?)
}
