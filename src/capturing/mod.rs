//! A capture as one call: a [`CaptureRequest`] becomes a fixture, and [`Captured`] says what was found and written.
//!
//! Above `capture`, which has neither clock nor file system: here sources are opened, logs and recordings are read, the
//! case is redacted, replayed and saved. Nothing is printed: what happens meanwhile is reported as [`Progress`]. A source
//! is asked queries and nothing else.

mod captured;
mod captured_failures;
mod dead_letter;
mod distinct;
mod finishing;
mod first_replay;
mod given;
mod kinds;
mod messages;
mod progress;
mod recorded;
mod redaction;
mod request;
mod saving;
mod stimulus;
mod stop;
mod telling;

pub use captured::{CaptureVerdict, Captured, ReportLine, SavedState};
pub(crate) use distinct::left_aside;
pub use distinct::{CapturedBug, CapturedBugs, capture_each_distinct};
pub(crate) use first_replay::flicker;
pub(crate) use given::{demand_some, read as read_log};
pub(crate) use messages::Messages;
pub use progress::{Progress, Watch};
pub use request::{
    CaptureRequest, FailureLog, FailureOrigin, NumberedFile, PersistedClaim, Reacting,
    RequestedBook, RequestedKind,
};
pub(crate) use saving::mark_closed;
pub use stop::Stop;
pub(crate) use telling::{assumed_dialect, not_kept};

use crate::capture::{
    Assembled, CaptureError, CaseParts, EventQueries, Fetched, Persisted, RootSpec, UpTo, assemble,
    fetch_history, find_root,
};
use crate::model::{Cover, Domain, Edition, Root, Timestamp};
use crate::project::{OpenSource, Project, system_clock};
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};
use finishing::{Capture, Naming};
use telling::Telling;

/// Now, to the second.
fn captured_at() -> Timestamp {
    Timestamp {
        seconds: system_clock()().seconds,
        nanos: 0,
    }
}

/// Captures one case. `watch` is told what happens meanwhile.
///
/// # Errors
/// Where the request cannot be meant, something that it needs cannot be had, or the fixture cannot be written.
pub fn capture(
    project: Project,
    request: &CaptureRequest,
    watch: &mut Watch<'_>,
) -> Result<Captured, Stop> {
    let project = with_fixtures(project, request);
    let given = match failure_of(&project, request, watch)? {
        Some(recorded::Found::Captured(captured)) => return Ok(*captured),
        Some(recorded::Found::Command(given)) => Some(*given),
        None => None,
    };
    let (source_name, domain) = source_of(&project, request, given.as_ref())?;
    let source = project.source(Some(&source_name), domain.as_ref())?;
    let given = given.as_ref();
    let captured = capture_from(&project, request, &source, given, Naming::Plain, watch);
    // The report of a capture names them.
    captured.inspect_err(|stop| {
        let of_given = given.map_or(&[][..], |given| &given.unusable);
        let mut lines = [&source.failures.unusable[..], of_given].concat();
        let stop = stop.to_string();
        lines.retain(|line| !stop.contains(line.as_str()));
        lines.dedup();
        for line in &lines {
            watch(Progress::PassedOver(line));
        }
    })
}

fn with_fixtures(project: Project, request: &CaptureRequest) -> Project {
    match &request.fixtures {
        Some(folder) => project.with_fixtures(folder),
        None => project,
    }
}

/// Name of the source, and the only domain of it that has to be asked. What redacts has to be there before anything is
/// read.
fn source_of(
    project: &Project,
    request: &CaptureRequest,
    given: Option<&given::Given>,
) -> Result<(String, Option<Domain>), Stop> {
    let spec = spec(request, given);
    let domain = one_domain(
        request.domain.as_ref(),
        spec.as_ref().and_then(|spec| spec.domain.as_ref()),
    )?;
    let source_name = project.source_name(request.source.as_deref())?;
    let domain = match (&spec, project.config().sources.get(&source_name)) {
        (Some(spec), Some(config)) if domain.is_none() => {
            spec.only_domain(&source_name, config.domains(), || {
                failed(project, &source_name)
            })?
        }
        _ => domain,
    };
    let domain = domain.cloned();
    redaction::redactor(project, &source_name, request.is_unredacted)?;
    Ok((source_name, domain))
}

/// The failure where something outside of the source names it.
fn failure_of(
    project: &Project,
    request: &CaptureRequest,
    watch: &mut Watch<'_>,
) -> Result<Option<recorded::Found>, Stop> {
    let given = match &request.failure {
        FailureOrigin::Recording(asked) => {
            return recorded::find(project, request, asked, watch).map(Some);
        }
        FailureOrigin::DeadLetter(asked) => dead_letter::find(project, request, asked)?,
        FailureOrigin::Log(log) | FailureOrigin::Written { log: Some(log), .. } => {
            Some(given::from_log(request, log)?)
        }
        FailureOrigin::Ticket(asked)
            if request.aggregate.is_none() && request.kind == RequestedKind::Command =>
        {
            Some(given::from_ticket(request, asked)?)
        }
        _ => None,
    };
    Ok(given.map(|given| recorded::Found::Command(Box::new(given))))
}

/// Aggregates that the failure logs of a source name, as far as the logs can be read.
fn failed(project: &Project, source: &str) -> Vec<(Domain, Root)> {
    let failures = project.failures(Some(source)).unwrap_or_default();
    let logged = failures.entries.iter().map(|entry| &entry.logged);
    logged
        .filter_map(|logged| Some((logged.domain()?.clone(), logged.root())))
        .collect()
}

/// The aggregate that is meant, where one is named.
fn spec(request: &CaptureRequest, given: Option<&given::Given>) -> Option<RootSpec> {
    given
        .map(given::Given::spec)
        .or_else(|| request.aggregate.clone())
}

fn unnamed() -> Stop {
    Stop::Usage("name the aggregate: its root is missing".into())
}

/// Captures one aggregate of an open source; `given` is the failure, where a log names it.
fn capture_from(
    project: &Project,
    request: &CaptureRequest,
    source: &OpenSource,
    given: Option<&given::Given>,
    naming: Naming<'_>,
    watch: &mut Watch<'_>,
) -> Result<Captured, Stop> {
    let spec = match (spec(request, given), &request.kind) {
        (Some(spec), _) => spec,
        (None, RequestedKind::Flow { id, .. }) => {
            kinds::find_start(project, request, &source.name, id)?
        }
        (None, _) => return Err(unnamed()),
    };
    let up_to = request.up_to;
    let edition = match (&request.edition, given) {
        (Some(edition), _) => edition.clone(),
        (None, Some(given)) => given.logged.edition().clone(),
        (None, None) => Edition::Main,
    };
    let (domain, root) = find_root(&spec, &edition, &source.domains, &source.tickets)?;
    let queries = source.domains[&domain].as_ref();
    let cover = Cover {
        edition,
        ..Cover::main(domain, root)
    };
    let fetched = fetch(queries, &cover, up_to, watch)?;
    if request.kind != RequestedKind::Command {
        let capture = kinds::KindCapture {
            project,
            request,
            source,
            queries,
            cover,
            fetched: &fetched,
        };
        return capture.run(naming);
    }
    let stimulus = stimulus::find(
        project,
        request,
        source,
        &cover,
        &fetched,
        queries.dialect(),
        given,
    )?;
    let is_of_source =
        matches!(naming, Naming::Distinct(_)) && request.failure == FailureOrigin::Source;
    let is_elsewhere = request.failure.is_ticket() || (given.is_some() && !is_of_source);
    if let (Some(failing), true) = (&stimulus.failing, is_elsewhere) {
        redaction::demand_of_elsewhere(
            project,
            source,
            request.is_unredacted,
            &failing.command.cover,
            &stimulus.origin,
        )?;
    }
    if fetched.head == 0 && stimulus.failing.is_none() {
        return Err(nothing(&cover, queries, source).into());
    }
    let assembled = assemble(CaseParts {
        cover: &cover,
        fetched: &fetched,
        up_to,
        failing: stimulus.failing.as_ref(),
        noted: stimulus.noted.as_ref(),
        source: &source.name,
        dialect: source.spoken(queries),
        captured_at: captured_at(),
        labels: request.labels.clone(),
    })?;
    project
        .unknown()
        .add(lost_fields(&assembled, &fetched, &stimulus));
    let mut telling = Telling::default();
    telling.capture(&assembled, &fetched, &stimulus);
    telling.unusable(&unusable_lines(source, &stimulus));
    Capture {
        project,
        request,
        source,
        dialect: assembled.dialect,
        telling,
        naming,
        redacted_by: stimulus
            .failing
            .map(|failing| failing.redacted.by)
            .unwrap_or_default(),
        redacting: None,
        suspects: Vec::new(),
        unknown: UnknownFields::new(),
    }
    .finish(assembled.case, assembled.head)
}

/// Says that nothing is stored, and nothing failed.
fn nothing(cover: &Cover, queries: &dyn EventQueries, source: &OpenSource) -> CaptureError {
    CaptureError::Nothing {
        spec: format!(
            "{}/{} (edition {})",
            cover.domain,
            cover.root,
            cover.edition.label()
        ),
        place: queries.place(),
        tickets: source.tickets.len(),
    }
}

/// Lines that were passed over, in the source's logs and in the one that was named, which may be one of them.
fn unusable_lines(source: &OpenSource, stimulus: &stimulus::Found) -> Vec<String> {
    let known = &source.failures.unusable;
    let more = stimulus
        .unusable
        .iter()
        .filter(|line| !known.contains(line));
    known.iter().chain(more).cloned().collect()
}

/// Unknown fields of a command whose header was replaced, and of the pages that production stored, of which only the events
/// are kept.
fn lost_fields(
    assembled: &Assembled,
    fetched: &Fetched,
    stimulus: &stimulus::Found,
) -> UnknownFields {
    let restamped = stimulus.failing.as_ref();
    let restamped = restamped.filter(|_| assembled.is_restamped);
    let mut unknown = restamped.map_or_else(UnknownFields::new, |failing| {
        unknown_in_command(&failing.command)
    });
    if let Some(Persisted::Known { events, .. }) = &assembled.persisted {
        let pages = fetched.history.pages().iter().chain(&fetched.later);
        let stored = pages.filter(|page| page.sequence >= assembled.head);
        unknown.extend(stored.take(events.len()).flat_map(unknown_in_page));
    }
    unknown
}

fn one_domain<'a>(
    flag: Option<&'a Domain>,
    spec: Option<&'a Domain>,
) -> Result<Option<&'a Domain>, Stop> {
    match (flag, spec) {
        (Some(flag), Some(spec)) if flag != spec => Err(Stop::Usage(format!(
            "the root names the domain `{spec}`, --domain names `{flag}`"
        ))),
        (flag, spec) => Ok(flag.or(spec)),
    }
}

/// Fetches, and reports how far it is.
fn fetch(
    queries: &dyn EventQueries,
    cover: &Cover,
    up_to: UpTo,
    watch: &mut Watch<'_>,
) -> Result<Fetched, Stop> {
    let fetched = fetch_history(queries, cover, up_to, &mut |events| {
        watch(Progress::Reading { cover, events });
    });
    watch(Progress::Read);
    Ok(fetched?)
}
