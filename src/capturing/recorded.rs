//! A call of a recording: a call to logic brings its whole case, a call to a coordinator only its command.

use std::fs::File;
use std::path::Path;

use super::context::CaptureContext;
use super::named_failure::NamedFailure;
use super::pending_capture::PendingCapture;
use super::report::CaptureReport;
use super::request::{CaptureRequest, NumberedFile};
use super::{CaptureWatcher, Captured, OperationError, Progress, captured_at};
use crate::capture::{CaseDialect, Logged};
use crate::model::{AnsweredBy, Case, ComponentKind, Domain, FailureClass};
use crate::project::{OpenSource, Project, ReadKind, WatchedFile};
use crate::record::{
    Answer, CaseMetadata, Link, RecordedCall, RecordedLine, case_of, parse_recording, ticket_of,
    whole_lines,
};
use crate::terminal::words;
use crate::wire::SpokenDialect;
use crate::{files, plain};

/// A call of a recording, and what its capture needs.
pub(super) struct CaptureOfCall<'a> {
    context: CaptureContext<'a>,
    /// Name of the recording.
    name: String,
    call: RecordedCall,
}

/// Finds the call of a number, otherwise the newest that the request means.
pub(super) fn find<'a>(
    project: &'a Project,
    request: &'a CaptureRequest,
    asked: &NumberedFile<u64>,
    watch: &mut CaptureWatcher<'_>,
) -> Result<CaptureOfCall<'a>, OperationError> {
    let name = Project::shown(&asked.file);
    // The redactor must be available before anything is read.
    let context = CaptureContext::of_recording(project, request, &name)?;
    let calls = read(project, &asked.file, &name, watch)?;
    let recorded = match asked.number {
        Some(number) => calls
            .iter()
            .find(|recorded| recorded.call.number == number)
            .ok_or_else(|| {
                OperationError::Failed(format!(
                    "{name}: there is no call {number}{}",
                    there(&calls)
                ))
            })?,
        None => CallFilter(request).newest(&calls, &name)?,
    };
    let call = as_the_source_speaks(project, request, &recorded.call)?;
    project.unknown().add(call.unknown_fields());
    Ok(CaptureOfCall {
        context,
        name,
        call,
    })
}

impl CaptureOfCall<'_> {
    /// Whether it is a call to logic, which brings its whole case. A call to a coordinator brings only the command.
    pub(super) fn is_to_logic(&self) -> bool {
        self.call.link() != Some(Link::ClientAndCoordinator)
    }

    /// The failure of a call to a coordinator.
    pub(super) fn failure(self) -> Result<NamedFailure, OperationError> {
        let (name, number) = (&self.name, self.call.number);
        let ticket = ticket_of(&self.call).ok_or_else(|| {
            OperationError::Failed(format!(
                "{name}, call {number}: its command does not decode"
            ))
        })?;
        Ok(NamedFailure {
            logged: Logged::Ticket(ticket),
            origin: format!("from {name}, call {number}"),
            unusable: Vec::new(),
        })
    }

    /// Captures the case of a call to logic. The component is the one that the request names, if it names one.
    pub(super) fn capture(&self, component: Option<&str>) -> Result<Captured, OperationError> {
        let (project, request) = (self.context.project, self.context.request);
        let (name, call) = (&self.name, &self.call);
        self.refuse_claims()?;
        let file = Path::new(name).file_name().unwrap_or_default();
        let with = CaseMetadata {
            source: file.to_string_lossy().into_owned(),
            captured_at: captured_at(),
            labels: request.labels.clone(),
        };
        let mut case = case_of(call, with).map_err(|error| {
            OperationError::Failed(format!("{name}, call {}: {error}", call.number))
        })?;
        case.logic = component_name(project, component, &case)?;
        let head = match case.stimulus.trigger() {
            Some(trigger) => trigger.from,
            None => case.head(),
        };
        let dialect = CaseDialect::of(call.spoken());
        let mut report = call_report(&case, call, head);
        report.dialect(dialect);
        let source = OpenSource::of_recording(name);
        PendingCapture::new(&self.context, &source, dialect, report)
            .redacted_before_by(call.redacted.by.clone())
            .finish(case, head)
    }

    /// A call to logic holds its answer and what was stored, so the request may not claim anything about them.
    fn refuse_claims(&self) -> Result<(), OperationError> {
        let Some(failure) = self.context.request.failure() else {
            return Ok(());
        };
        let flag = match (failure.persisted, failure.answered_by) {
            (None, AnsweredBy::NotKnown) => return Ok(()),
            (Some(_), _) => "--persisted",
            (None, AnsweredBy::Logic) => "--answered-by",
        };
        Err(OperationError::Usage(format!(
            "{}, call {}: a call to logic holds the logic's own answer; {flag} is for a command",
            self.name, self.call.number
        )))
    }
}

/// Reads a call whose dialect the recorder assumed in the dialect that is configured for its source, if there is one.
fn as_the_source_speaks(
    project: &Project,
    request: &CaptureRequest,
    call: &RecordedCall,
) -> Result<RecordedCall, OperationError> {
    let configured = project.configured_dialect(request.source.as_deref())?;
    let Some(source) = configured.filter(|it| it.package() == call.dialect.package()) else {
        return Ok(call.clone());
    };
    let settled = CaseDialect::settle(SpokenDialect::known(source), Some(call.spoken()))?;
    Ok(RecordedCall {
        dialect: settled.dialect,
        dialect_assumed: false,
        ..call.clone()
    })
}

fn read(
    project: &Project,
    file: &Path,
    name: &str,
    watch: &mut CaptureWatcher<'_>,
) -> Result<Vec<RecordedLine>, OperationError> {
    let unreadable = |error| {
        let reason = words(&error);
        OperationError::Failed(format!("cannot read the recording {name}: {reason}"))
    };
    let progress = &mut project.file_progress(ReadKind::Recordings, [file]);
    let opened = File::open(file).and_then(|file| plain::of(WatchedFile { file, progress }));
    let source = opened.map_err(unreadable)?;
    let bytes = files::read_from(source, files::MADE).map_err(unreadable)?;
    let (whole, unfinished) = whole_lines(&bytes);
    if let Some(line) = unfinished {
        watch(Progress::Remark(format!(
            "{name}:{line}: this line has no end and is passed over: a recorder is writing it, or was killed while it was"
        )));
    }
    let text = files::text(whole.to_vec()).map_err(unreadable)?;
    parse_recording(&text).map_err(|error| OperationError::Failed(format!("{name}: {error}")))
}

/// The numbers of the calls in the recording, as the end of a sentence.
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

/// The calls that the request means.
struct CallFilter<'a>(&'a CaptureRequest);

impl CallFilter<'_> {
    fn fits(&self, call: &RecordedCall) -> bool {
        let Ok(subject) = call.subject() else {
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

    /// The newest that failed and concerns the logic, otherwise the newest that was accepted.
    fn newest<'b>(
        &self,
        calls: &'b [RecordedLine],
        name: &str,
    ) -> Result<&'b RecordedLine, OperationError> {
        let fitting = || calls.iter().filter(|recorded| self.fits(&recorded.call));
        let usable = |failed: bool| {
            fitting()
                .filter(|recorded| makes_a_case(&recorded.call))
                .rfind(|recorded| recorded.call.is_accepted() != failed)
        };
        if let Some(found) = usable(true).or_else(|| usable(false)) {
            // The call to the logic with the same failure contains more.
            let whole = fitting().filter(|other| is_same_failure(&found.call, &other.call));
            return Ok(whole.last().unwrap_or(found));
        }
        let of = self
            .0
            .aggregate
            .as_ref()
            .map_or_else(String::new, |spec| format!(" of {spec}"));
        Err(OperationError::Failed(match fitting().count() {
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

/// Whether a failed command led to this call to logic.
fn is_same_failure(command: &RecordedCall, call: &RecordedCall) -> bool {
    let (Answer::Status(reported), Answer::Status(answered)) = (&command.answer, &call.answer)
    else {
        return false;
    };
    let type_name = |call: &RecordedCall| call.subject().map(|subject| subject.type_name);
    command.link() == Some(Link::ClientAndCoordinator)
        && call.link() == Some(Link::CoordinatorAndLogic)
        && type_name(command) == type_name(call)
        && (reported.failure.code, &reported.failure.message)
            == (answered.failure.code, &answered.failure.message)
}

/// Whether a case of the call would test the logic.
fn makes_a_case(call: &RecordedCall) -> bool {
    let passed_over = [FailureClass::StaleSequence, FailureClass::Unreachable];
    let is_usable = match &call.answer {
        Answer::Status(refusal) => {
            let command = call.command().ok();
            let sequence = command.and_then(|command| command.expected_sequence());
            let class = refusal.failure.class_for(sequence, call.answered_by());
            !passed_over.contains(&class)
        }
        Answer::Reply(_) => true,
    };
    is_usable && !call.method().ends_with("/Prepare")
}

/// Name of the saga, process manager, projector or upcaster, which the call does not contain: the one that the request names,
/// otherwise the only one that subscribes to the domain.
fn component_name(
    project: &Project,
    named: Option<&str>,
    case: &Case,
) -> Result<Option<String>, OperationError> {
    let kind = case.stimulus.component_kind();
    if let Some(name) = named {
        let found = project.logics().named(name)?.config;
        if found.kind != kind {
            return Err(OperationError::Usage(format!(
                "logic `{name}` is of kind {}, and the call is one of a {}",
                found.kind.word(),
                kind.word()
            )));
        }
        return Ok(Some(found.name));
    }
    match kind {
        ComponentKind::Aggregate => return Ok(None),
        ComponentKind::Upcaster => {
            let upcaster = project.logics().upcaster_of(&case.cover.domain);
            let own = upcaster.filter(|it| it.config.kind == ComponentKind::Upcaster);
            return Ok(own.map(|upcaster| upcaster.config.name));
        }
        ComponentKind::Saga | ComponentKind::ProcessManager | ComponentKind::Projector => {}
    }
    let subscribes = |subscriptions: &crate::project::Subscriptions| {
        subscriptions.is_empty() || subscriptions.contains_key(&case.cover.domain)
    };
    let mut components: Vec<String> = project
        .logics()
        .of_component_kind(kind)
        .filter(|logic| subscribes(&logic.config.subscriptions))
        .map(|logic| logic.config.name)
        .collect();
    match components.len() {
        1 => Ok(components.pop()),
        0 => Err(OperationError::Usage(format!(
            "the call is one of a {}, and none that takes events of `{}` is configured: name it with --component, after adding it to \
             replay.toml",
            kind.word(),
            case.cover.domain
        ))),
        _ => Err(OperationError::Usage(format!(
            "the call is one of a {}, and does not say of which: name it with --component: {}",
            kind.word(),
            components.join(", ")
        ))),
    }
}

/// The report about the call and its case.
fn call_report(case: &Case, call: &RecordedCall, head: u32) -> CaptureReport {
    let mut report = CaptureReport::default();
    let time = jiff::Timestamp::new(call.time.seconds, call.time.nanos);
    report.add(
        "call",
        format!(
            "{}, {} at {}",
            call.number,
            call.method(),
            time.unwrap_or_default()
        ),
    );
    report.recorded(case, head);
    report
}
