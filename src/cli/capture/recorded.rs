//! A call that the recorder noted: it brings its history along, or says which command is meant.

use std::path::{Path, PathBuf};

use clap::Args;

use super::given::Given;
use super::kinds::AskedKind;
use super::telling::Telling;
use super::{Capture, CaptureArguments, Finished, Naming, captured_at, redaction};
use crate::capture::{CaseDialect, Logged, RootSpec, SpokenDialect};
use crate::cli::{Stop, words};
use crate::model::{Case, ComponentKind, Domain, Edition, FailureClass};
use crate::project::{OpenSource, Project};
use crate::record::{
    Answer, Between, CaseOf, Note, Recorded, case_of, parse_recording, ticket_of, whole_lines,
};
use crate::terminal::complain;
use crate::wire::UnknownFields;
use crate::{files, plain};

/// Where a noted call comes from.
#[derive(Debug, Args)]
pub(super) struct RecordedArguments {
    /// A call that the recorder noted, by its number in the recording; without one, the newest that failed. One to a
    /// coordinator brings the command, one to logic the whole case.
    #[arg(long, value_name = "FILE[:CALL]", conflicts_with_all = OTHERS)]
    recorded: Option<String>,
    /// Look through a recording for the newest call of the aggregate; one that failed goes before one that did not.
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS, conflicts_with = "recorded")]
    recording: Option<PathBuf>,
    /// The aggregate, for --recording.
    #[arg(
        long = "root",
        id = "recorded_root",
        value_name = "ROOT",
        requires = "recording",
        conflicts_with = "root"
    )]
    root: Option<String>,
}

const OTHERS: [&str; 6] = [
    "ticket",
    "command",
    "from_log",
    "each_distinct",
    "history",
    "to_sequence",
];

/// What a recording gives.
pub(super) enum Found {
    /// A whole case, which is captured.
    Captured,
    /// A command to look up the history of.
    Command(Box<Given>),
}

/// Which call is meant.
enum Asked {
    Call(u64),
    Newest,
}

/// Takes the call that was asked for, if one was.
pub(super) fn find(project: &Project, arguments: &CaptureArguments) -> Result<Option<Found>, Stop> {
    let asked = &arguments.recorded;
    let (file, which) = match (&asked.recorded, &asked.recording) {
        (Some(text), _) => split(text),
        (None, Some(file)) => (file.clone(), Asked::Newest),
        (None, None) => return Ok(None),
    };
    let name = Project::shown(&file);
    // Before anything of it is read: what redacts it has to be there.
    redaction::redactor_of_recording(project, &name, arguments.unredacted)?;
    let calls = read(&file, &name)?;
    let root = asked.root.as_deref().or(arguments.root.as_deref());
    let wanted = Wanted {
        spec: root.map(str::parse).transpose()?,
        arguments,
        edition: super::edition(arguments)?,
    };
    let recorded = match which {
        Asked::Call(number) => calls
            .iter()
            .find(|recorded| recorded.note.call == number)
            .ok_or_else(|| {
                Stop::Failed(format!(
                    "{name}: there is no call {number}{}",
                    there(&calls)
                ))
            })?,
        Asked::Newest => wanted.newest(&calls, &name)?,
    };
    let note = &as_the_source_speaks(project, arguments, &recorded.note)?;
    let origin = format!("from {name}, call {}", note.call);
    project.unknown().add(note.unknown_fields());
    if note.between() == Some(Between::ClientAndCoordinator) {
        let ticket = ticket_of(note).ok_or_else(|| {
            Stop::Failed(format!(
                "{name}, call {}: its command does not decode",
                note.call
            ))
        })?;
        let logged = Logged::Ticket(ticket);
        let given = Given {
            logged,
            origin,
            unusable: Vec::new(),
        };
        return Ok(Some(Found::Command(Box::new(given))));
    }
    capture(project, arguments, &name, note)?;
    Ok(Some(Found::Captured))
}

/// A call whose dialect the recorder assumed is read in that of its source, where one is configured.
fn as_the_source_speaks(
    project: &Project,
    arguments: &CaptureArguments,
    note: &Note,
) -> Result<Note, Stop> {
    let configured = project.configured_dialect(arguments.source.as_deref())?;
    let Some(source) = configured.filter(|it| it.package() == note.dialect.package()) else {
        return Ok(note.clone());
    };
    let settled = CaseDialect::settle(SpokenDialect::known(source), Some(note.spoken()))?;
    Ok(Note {
        dialect: settled.dialect,
        dialect_assumed: false,
        ..note.clone()
    })
}

/// The file, and the number of the call behind a colon. A file of that very name goes first.
fn split(text: &str) -> (PathBuf, Asked) {
    match text.rsplit_once(':') {
        Some((file, number)) if !Path::new(text).exists() => match number.parse() {
            Ok(number) => (file.into(), Asked::Call(number)),
            Err(_) => (text.into(), Asked::Newest),
        },
        _ => (text.into(), Asked::Newest),
    }
}

fn read(file: &Path, name: &str) -> Result<Vec<Recorded>, Stop> {
    let unreadable = |error| {
        let reason = words(&error);
        Stop::Failed(format!("cannot read the recording {name}: {reason}"))
    };
    let source = plain::open(file).map_err(unreadable)?;
    let bytes = files::read_from(source, files::MADE).map_err(unreadable)?;
    let (whole, unfinished) = whole_lines(&bytes);
    if let Some(line) = unfinished {
        complain(format_args!(
            "{name}:{line}: this line has no end and is passed over: a recorder is writing it, or was killed while it was"
        ));
    }
    let text = files::text(whole.to_vec()).map_err(unreadable)?;
    parse_recording(&text).map_err(|error| Stop::Failed(format!("{name}: {error}")))
}

/// The numbers that there are, as an end of a sentence.
fn there(calls: &[Recorded]) -> String {
    match (calls.first(), calls.last()) {
        (Some(first), Some(last)) => format!(
            "; it holds {} calls from {} to {}, those out of the ring left out",
            calls.len(),
            first.note.call,
            last.note.call
        ),
        _ => "; it is empty".to_owned(),
    }
}

/// Which calls count.
struct Wanted<'a> {
    spec: Option<RootSpec>,
    arguments: &'a CaptureArguments,
    edition: Option<Edition>,
}

impl Wanted<'_> {
    fn fits(&self, note: &Note) -> bool {
        let Ok(subject) = note.subject() else {
            return false;
        };
        let is_domain = |wanted: &Domain| *wanted == subject.domain;
        let spec = self.spec.as_ref();
        let said = spec.and_then(|spec| spec.domain.as_ref());
        let Some(cover) = &subject.cover else {
            return spec.is_none() && self.arguments.domain.as_ref().is_none_or(is_domain);
        };
        self.arguments.domain.as_ref().is_none_or(is_domain)
            && said.is_none_or(is_domain)
            && spec.is_none_or(|spec| spec.fits(&cover.root))
            && self
                .edition
                .as_ref()
                .is_none_or(|edition| edition.label() == cover.edition.label())
    }

    /// The newest that failed and says something of the logic, else the newest that was accepted.
    fn newest<'b>(&self, calls: &'b [Recorded], name: &str) -> Result<&'b Recorded, Stop> {
        let fitting = || calls.iter().filter(|recorded| self.fits(&recorded.note));
        let usable = |failed: bool| {
            fitting()
                .filter(|recorded| makes_a_case(&recorded.note))
                .rfind(|recorded| recorded.note.is_accepted() != failed)
        };
        if let Some(found) = usable(true).or_else(|| usable(false)) {
            // The logic's own call of the same failure says more.
            let whole = fitting().filter(|other| is_same_failure(&found.note, &other.note));
            return Ok(whole.last().unwrap_or(found));
        }
        let of = self
            .spec
            .as_ref()
            .map_or_else(String::new, |spec| format!(" of {spec}"));
        Err(Stop::Failed(match fitting().count() {
            0 if calls.is_empty() => format!("{name}: there is no call in it"),
            0 => format!(
                "{name}: none of its {} calls is {}",
                calls.len(),
                self.spec.as_ref().map_or_else(
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
fn is_same_failure(command: &Note, call: &Note) -> bool {
    let (Answer::Status(told), Answer::Status(answered)) = (&command.answer, &call.answer) else {
        return false;
    };
    let type_name = |note: &Note| note.subject().map(|subject| subject.type_name);
    command.between() == Some(Between::ClientAndCoordinator)
        && call.between() == Some(Between::CoordinatorAndLogic)
        && type_name(command) == type_name(call)
        && (told.failure.code, &told.failure.message)
            == (answered.failure.code, &answered.failure.message)
}

/// Whether a call says anything about the logic, all by itself.
fn makes_a_case(note: &Note) -> bool {
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
    arguments: &CaptureArguments,
    name: &str,
    note: &Note,
) -> Result<Finished, Stop> {
    let file = Path::new(name).file_name().unwrap_or_default();
    let with = CaseOf {
        source: file.to_string_lossy().into_owned(),
        captured_at: captured_at(),
        labels: arguments.labels(),
    };
    let mut case = case_of(note, with)
        .map_err(|error| Stop::Failed(format!("{name}, call {}: {error}", note.call)))?;
    case.logic = component(project, arguments, &case)?;
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
        arguments,
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
    arguments: &CaptureArguments,
    case: &Case,
) -> Result<Option<String>, Stop> {
    let kind = case.stimulus.component_kind();
    let (named, flag) = match (kind, arguments.kind.asked()) {
        (ComponentKind::Aggregate, _) => return Ok(None),
        (ComponentKind::Upcaster, _) => {
            let upcaster = project.logics().upcaster_of(&case.cover.domain);
            let own = upcaster.filter(|it| it.config.kind == ComponentKind::Upcaster);
            return Ok(own.map(|upcaster| upcaster.config.name));
        }
        (ComponentKind::Saga, Some(AskedKind::Saga(name)))
        | (ComponentKind::ProcessManager, Some(AskedKind::ProcessManager(name)))
        | (ComponentKind::Projector, Some(AskedKind::Projector(name))) => (Some(name), ""),
        (ComponentKind::Saga, _) => (None, "--saga"),
        (ComponentKind::ProcessManager, _) => (None, "--process-manager"),
        (ComponentKind::Projector, _) => (None, "--projector"),
    };
    if let Some(name) = named {
        let found = project.logics().named(name)?.config;
        if found.kind != kind {
            return Err(Stop::Usage(format!(
                "logic `{name}` is of kind {}, and the call is one of a {}",
                found.kind.word(),
                kind.word()
            )));
        }
        return Ok(Some(name.to_owned()));
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
            "the call is one of a {}, and none that takes events of `{}` is configured: name it with {flag}, after adding it to \
             replay.toml",
            kind.word(),
            case.cover.domain
        ))),
        _ => Err(Stop::Usage(format!(
            "the call is one of a {}, and does not say of which: name it with {flag}: {}",
            kind.word(),
            components.join(", ")
        ))),
    }
}

/// What is worth saying of the call and its case.
fn told(case: &Case, note: &Note, head: u32) -> Telling {
    let mut telling = Telling::default();
    let time = jiff::Timestamp::new(note.time.seconds, note.time.nanos);
    telling.add(
        "call",
        format!(
            "{}, {} at {}",
            note.call,
            note.method(),
            time.unwrap_or_default()
        ),
    );
    telling.recorded(case, head);
    telling
}
