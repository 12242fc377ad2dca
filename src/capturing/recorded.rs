//! A call that the recorder noted: it brings its history along, or says which command is meant.

use std::path::Path;

use super::finishing::{Capture, Naming};
use super::given::Given;
use super::request::{CaptureRequest, NumberedFile};
use super::telling::Telling;
use super::{Captured, Progress, Stop, Watch, captured_at, redaction};
use crate::capture::{CaseDialect, Logged};
use crate::model::{Case, ComponentKind, Domain, FailureClass};
use crate::project::{OpenSource, Project};
use crate::record::{
    Answer, CaseMetadata, Link, RecordedCall, RecordedLine, case_of, parse_recording, ticket_of,
    whole_lines,
};
use crate::terminal::words;
use crate::wire::{SpokenDialect, UnknownFields};
use crate::{files, plain};

/// What a recording gives.
pub(super) enum Found {
    /// A whole case, which is captured.
    Captured(Box<Captured>),
    /// A command to look up the history of.
    Command(Box<Given>),
}

/// Takes a call of a recording.
pub(super) fn find(
    project: &Project,
    request: &CaptureRequest,
    asked: &NumberedFile<u64>,
    watch: &mut Watch<'_>,
) -> Result<Found, Stop> {
    let name = Project::shown(&asked.file);
    // Before anything of it is read: what redacts it has to be there.
    redaction::redactor_of_recording(project, &name, request.is_unredacted)?;
    let calls = read(&asked.file, &name, watch)?;
    let wanted = Wanted(request);
    let recorded = match asked.number {
        Some(number) => calls
            .iter()
            .find(|recorded| recorded.call.number == number)
            .ok_or_else(|| {
                Stop::Failed(format!(
                    "{name}: there is no call {number}{}",
                    there(&calls)
                ))
            })?,
        None => wanted.newest(&calls, &name)?,
    };
    let note = &as_the_source_speaks(project, request, &recorded.call)?;
    let origin = format!("from {name}, call {}", note.number);
    project.unknown().add(note.unknown_fields());
    if note.link() == Some(Link::ClientAndCoordinator) {
        let ticket = ticket_of(note).ok_or_else(|| {
            Stop::Failed(format!(
                "{name}, call {}: its command does not decode",
                note.number
            ))
        })?;
        let logged = Logged::Ticket(ticket);
        let given = Given {
            logged,
            origin,
            unusable: Vec::new(),
        };
        return Ok(Found::Command(Box::new(given)));
    }
    let captured = capture(project, request, &name, note)?;
    Ok(Found::Captured(Box::new(captured)))
}

/// A call whose dialect the recorder assumed is read in that of its source, where one is configured.
fn as_the_source_speaks(
    project: &Project,
    request: &CaptureRequest,
    note: &RecordedCall,
) -> Result<RecordedCall, Stop> {
    let configured = project.configured_dialect(request.source.as_deref())?;
    let Some(source) = configured.filter(|it| it.package() == note.dialect.package()) else {
        return Ok(note.clone());
    };
    let settled = CaseDialect::settle(SpokenDialect::known(source), Some(note.spoken()))?;
    Ok(RecordedCall {
        dialect: settled.dialect,
        dialect_assumed: false,
        ..note.clone()
    })
}

fn read(file: &Path, name: &str, watch: &mut Watch<'_>) -> Result<Vec<RecordedLine>, Stop> {
    let unreadable = |error| {
        let reason = words(&error);
        Stop::Failed(format!("cannot read the recording {name}: {reason}"))
    };
    let source = plain::open(file).map_err(unreadable)?;
    let bytes = files::read_from(source, files::MADE).map_err(unreadable)?;
    let (whole, unfinished) = whole_lines(&bytes);
    if let Some(line) = unfinished {
        watch(Progress::Remark(format!(
            "{name}:{line}: this line has no end and is passed over: a recorder is writing it, or was killed while it was"
        )));
    }
    let text = files::text(whole.to_vec()).map_err(unreadable)?;
    parse_recording(&text).map_err(|error| Stop::Failed(format!("{name}: {error}")))
}

/// The numbers that there are, as an end of a sentence.
fn there(calls: &[RecordedLine]) -> String {
    match (calls.first(), calls.last()) {
        (Some(first), Some(last)) => format!(
            "; it holds {} calls from {} to {}, those out of the ring left out",
            calls.len(),
            first.call.number,
            last.call.number
        ),
        _ => "; it is empty".to_owned(),
    }
}

/// Which calls count.
struct Wanted<'a>(&'a CaptureRequest);

impl Wanted<'_> {
    fn fits(&self, note: &RecordedCall) -> bool {
        let Ok(subject) = note.subject() else {
            return false;
        };
        let is_domain = |wanted: &Domain| *wanted == subject.domain;
        let spec = self.0.aggregate.as_ref();
        let said = spec.and_then(|spec| spec.domain.as_ref());
        let Some(cover) = &subject.cover else {
            return spec.is_none() && self.0.domain.as_ref().is_none_or(is_domain);
        };
        self.0.domain.as_ref().is_none_or(is_domain)
            && said.is_none_or(is_domain)
            && spec.is_none_or(|spec| spec.fits(&cover.root))
            && self
                .0
                .edition
                .as_ref()
                .is_none_or(|edition| edition.label() == cover.edition.label())
    }

    /// The newest that failed and says something of the logic, else the newest that was accepted.
    fn newest<'b>(&self, calls: &'b [RecordedLine], name: &str) -> Result<&'b RecordedLine, Stop> {
        let fitting = || calls.iter().filter(|recorded| self.fits(&recorded.call));
        let usable = |failed: bool| {
            fitting()
                .filter(|recorded| makes_a_case(&recorded.call))
                .rfind(|recorded| recorded.call.is_accepted() != failed)
        };
        if let Some(found) = usable(true).or_else(|| usable(false)) {
            // The logic's own call of the same failure says more.
            let whole = fitting().filter(|other| is_same_failure(&found.call, &other.call));
            return Ok(whole.last().unwrap_or(found));
        }
        let of = self
            .0
            .aggregate
            .as_ref()
            .map_or_else(String::new, |spec| format!(" of {spec}"));
        Err(Stop::Failed(match fitting().count() {
            0 if calls.is_empty() => format!("{name}: there is no call in it"),
            0 => format!(
                "{name}: none of its {} calls is {}",
                calls.len(),
                self.0.aggregate.as_ref().map_or_else(
                    || "what was asked for".to_owned(),
                    |spec| format!("of {spec}")
                )
            ),
            count => format!(
                "{name}: its {count} calls{of} are stale, or failures of the transport, and say nothing about the \
                 logic; name one if that is the point: --recorded {name}:CALL"
            ),
        }))
    }
}

/// Whether a call to logic is that which a failed command led to.
fn is_same_failure(command: &RecordedCall, call: &RecordedCall) -> bool {
    let (Answer::Status(told), Answer::Status(answered)) = (&command.answer, &call.answer) else {
        return false;
    };
    let type_name = |note: &RecordedCall| note.subject().map(|subject| subject.type_name);
    command.link() == Some(Link::ClientAndCoordinator)
        && call.link() == Some(Link::CoordinatorAndLogic)
        && type_name(command) == type_name(call)
        && (told.failure.code, &told.failure.message)
            == (answered.failure.code, &answered.failure.message)
}

/// Whether a call says anything about the logic, all by itself.
fn makes_a_case(note: &RecordedCall) -> bool {
    let passed_over = [FailureClass::StaleSequence, FailureClass::Unreachable];
    let is_usable = match &note.answer {
        Answer::Status(refusal) => {
            let command = note.command().ok();
            let sequence = command.and_then(|command| command.expected_sequence());
            let class = refusal.failure.class_for(sequence, note.answered_by());
            !passed_over.contains(&class)
        }
        Answer::Reply(_) => true,
    };
    is_usable && !note.method().ends_with("/Prepare")
}

fn capture(
    project: &Project,
    request: &CaptureRequest,
    name: &str,
    note: &RecordedCall,
) -> Result<Captured, Stop> {
    let file = Path::new(name).file_name().unwrap_or_default();
    let with = CaseMetadata {
        source: file.to_string_lossy().into_owned(),
        captured_at: captured_at(),
        labels: request.labels.clone(),
    };
    let mut case = case_of(note, with)
        .map_err(|error| Stop::Failed(format!("{name}, call {}: {error}", note.number)))?;
    case.logic = component(project, request, &case)?;
    let head = match case.stimulus.trigger() {
        Some(trigger) => trigger.from,
        None => case.head(),
    };
    let dialect = CaseDialect::of(note.spoken());
    let mut telling = told(&case, note, head);
    telling.dialect(dialect);
    let source = OpenSource::of_recording(name);
    Capture {
        project,
        request,
        source: &source,
        dialect,
        telling,
        naming: Naming::Plain,
        redacted_by: note.redacted.by.clone(),
        redacting: None,
        suspects: Vec::new(),
        unknown: UnknownFields::new(),
    }
    .finish(case, head)
}

/// Name of the saga, process manager, projector or upcaster, which no call says: the one that was named, else the only
/// one that takes events of the domain.
fn component(
    project: &Project,
    request: &CaptureRequest,
    case: &Case,
) -> Result<Option<String>, Stop> {
    let kind = case.stimulus.component_kind();
    match kind {
        ComponentKind::Aggregate => return Ok(None),
        ComponentKind::Upcaster => {
            let upcaster = project.logics().upcaster_of(&case.cover.domain);
            let own = upcaster.filter(|it| it.config.kind == ComponentKind::Upcaster);
            return Ok(own.map(|upcaster| upcaster.config.name));
        }
        ComponentKind::Saga | ComponentKind::ProcessManager | ComponentKind::Projector => {}
    }
    if let Some(name) = request.kind.component() {
        let found = project.logics().named(name)?.config;
        if found.kind != kind {
            return Err(Stop::Usage(format!(
                "logic `{name}` is of kind {}, and the call is one of a {}",
                found.kind.word(),
                kind.word()
            )));
        }
        return Ok(Some(found.name));
    }
    let takes = |subscriptions: &crate::project::Subscriptions| {
        subscriptions.is_empty() || subscriptions.contains_key(&case.cover.domain)
    };
    let mut components: Vec<String> = project
        .logics()
        .of_component_kind(kind)
        .filter(|logic| takes(&logic.config.subscriptions))
        .map(|logic| logic.config.name)
        .collect();
    match components.len() {
        1 => Ok(components.pop()),
        0 => Err(Stop::Usage(format!(
            "the call is one of a {}, and none that takes events of `{}` is configured: name it with --component, after adding it to \
             replay.toml",
            kind.word(),
            case.cover.domain
        ))),
        _ => Err(Stop::Usage(format!(
            "the call is one of a {}, and does not say of which: name it with --component: {}",
            kind.word(),
            components.join(", ")
        ))),
    }
}

/// What is worth saying of the call and its case.
fn told(case: &Case, note: &RecordedCall, head: u32) -> Telling {
    let mut telling = Telling::default();
    let time = jiff::Timestamp::new(note.time.seconds, note.time.nanos);
    telling.add(
        "call",
        format!(
            "{}, {} at {}",
            note.number,
            note.method(),
            time.unwrap_or_default()
        ),
    );
    telling.recorded(case, head);
    telling
}
