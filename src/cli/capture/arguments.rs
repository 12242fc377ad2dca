//! The arguments of `capture`, under the headings of its help, and the request that they make.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::capture::{Labels, RootSpec, Span, UpTo};
use crate::capturing::{
    CaptureRequest, FailureLog, FailureOrigin, NumberedFile, PersistedClaim, Reacting,
    RequestedBook, RequestedKind,
};
use crate::cli::{Done, Stop};
use crate::model::{AnsweredBy, ComponentKind, Domain, Edition, Probe, Timestamp};
use crate::project::Project;

/// Capture an aggregate's history, with the command that failed, into a fixture.
///
/// Reads only. The newest failure of the aggregate is taken from the source's failure log; --ticket, --from-log or
/// --command names another; without any, the case is of the history alone.
#[derive(Debug, Args)]
pub(in crate::cli) struct CaptureArguments {
    /// The aggregate: UUID, its first digits, base64 or domain/uuid.
    ///
    /// A UUID may be written with or without dashes. A ticket and a log name the aggregate themselves.
    #[arg(required_unless_present_any = [
        "from_log", "each_distinct", "ticket", "correlation", "recorded", "recorded_root", "dead_letter"
    ])]
    root: Option<String>,
    #[command(flatten, next_help_heading = "Which aggregate")]
    aggregate: AggregateArguments,
    #[command(flatten, next_help_heading = "Which failure")]
    failure: FailureArguments,
    #[command(flatten, next_help_heading = "Which kind of case")]
    kind: KindArguments,
    #[command(flatten, next_help_heading = "How much history")]
    history: HistoryArguments,
    #[command(flatten, next_help_heading = "How it is written")]
    written: WrittenArguments,
    #[command(flatten, next_help_heading = "Redaction")]
    redaction: RedactionArguments,
}

#[derive(Debug, Args)]
struct AggregateArguments {
    /// Domain of the aggregate.
    #[arg(hide_short_help = true, long)]
    domain: Option<Domain>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(hide_short_help = true, long)]
    source: Option<String>,
    /// Edition; `main` where it is left out.
    #[arg(hide_short_help = true, long)]
    edition: Option<String>,
}

#[derive(Debug, Args)]
struct FailureArguments {
    /// Take the command from a failure ticket.
    ///
    /// Without a line, the newest of the aggregate in the file is taken, or of the file where no aggregate is named.
    #[arg(long, value_name = "FILE[:LINE]", conflicts_with = "command")]
    ticket: Option<String>,
    /// Take the command from a YAML or JSON file.
    ///
    /// `-` is standard input. `cargo xtask command new` writes a draft.
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Take the newest failure from a log.
    ///
    /// The log may hold other things too; `-` is standard input. The failure is a ticket, or the fields of a failure, which
    /// make a case of the history unless --command brings the command.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ticket", "history"])]
    from_log: Option<PathBuf>,
    /// Take the command from a dead letter: an encoded `AngzarrDeadLetter`, or its number in the source's
    /// `DlqAdminService`, of which nothing is deleted or sent again.
    #[arg(hide_short_help = true, long, value_name = "FILE|ID", conflicts_with_all = [
        "ticket", "command", "history", "from_log", "each_distinct", "persisted", "component", "saga", "process_manager",
        "projector", "upcaster", "fact", "compensation", "correlation", "recorded", "recorded_root"
    ])]
    dead_letter: Option<String>,
    /// One case for each distinct failure of the log.
    ///
    /// Failures are the same by domain, command, code and message.
    #[arg(long, conflicts_with_all = [
        "ticket", "command", "history", "name", "title", "to_sequence", "as_of", "persisted"
    ])]
    each_distinct: bool,
    /// A call that the recorder noted, by its number in the recording; without one, the newest that failed. One to a
    /// coordinator brings the command, one to logic the whole case.
    #[arg(hide_short_help = true, long, value_name = "FILE[:CALL]", conflicts_with_all = NOT_WITH_RECORDINGS)]
    recorded: Option<String>,
    /// Look through a recording for the newest call of the aggregate; one that failed goes before one that did not.
    #[arg(hide_short_help = true, long, value_name = "FILE", conflicts_with_all = NOT_WITH_RECORDINGS, conflicts_with = "recorded")]
    recording: Option<PathBuf>,
    /// The aggregate, for --recording.
    #[arg(
        hide_short_help = true,
        long = "root",
        id = "recorded_root",
        value_name = "ROOT",
        requires = "recording",
        conflicts_with = "root"
    )]
    recorded_root: Option<String>,
    /// Capture the history alone, whatever failed.
    #[arg(hide_short_help = true, id = "history", long = "history", conflicts_with_all = ["ticket", "command"])]
    is_left_out: bool,
    /// How many events production stored for the command that it accepted, where the events do not tell; `unknown` for a
    /// command that was never sent.
    #[arg(hide_short_help = true, long, value_name = "COUNT|unknown", value_parser = parse_persisted, conflicts_with = "history")]
    persisted: Option<PersistedClaim>,
    /// Who gave the failing answer: codes that are the transport's as a rule, such as `RESOURCE_EXHAUSTED`, are then taken
    /// for the logic's own.
    #[arg(hide_short_help = true, long, value_name = "logic", value_parser = parse_answered_by, conflicts_with = "history")]
    answered_by: Option<AnsweredBy>,
}

const NOT_WITH_RECORDINGS: [&str; 6] = [
    "ticket",
    "command",
    "from_log",
    "each_distinct",
    "history",
    "to_sequence",
];

/// Kinds of case besides commands and histories.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
struct KindArguments {
    /// A case of a saga, process manager or projector.
    ///
    /// It is of what the component makes of the aggregate's events; the configuration knows the kind of the component.
    #[arg(long, value_name = "NAME", conflicts_with_all = WRITTEN_SOURCES)]
    component: Option<String>,
    /// The same as --component, of a saga.
    #[arg(long, hide = true, value_name = "NAME", conflicts_with_all = OTHER_SOURCES)]
    saga: Option<String>,
    /// The same as --component, of a process manager.
    #[arg(long, hide = true, value_name = "NAME", conflicts_with_all = WRITTEN_SOURCES)]
    process_manager: Option<String>,
    /// The same as --component, of a projector.
    #[arg(long, hide = true, value_name = "NAME", conflicts_with_all = OTHER_SOURCES)]
    projector: Option<String>,
    /// A case of what upcasts the domain's pages.
    #[arg(hide_short_help = true, long, conflicts_with_all = OTHER_SOURCES)]
    upcaster: bool,
    /// A case of an aggregate that takes up facts: the events that --at names, as if they had come from outside.
    #[arg(hide_short_help = true, long, conflicts_with_all = OTHER_SOURCES)]
    fact: bool,
    /// A case of an aggregate that is told that a command which it caused was refused: the newest such one of the log, or
    /// that of --ticket. With a process manager as --component, the root is that of its stream, and it is told.
    #[arg(hide_short_help = true, long, conflicts_with_all = ["command", "from_log", "each_distinct", "history"])]
    compensation: bool,
    /// Correlation id of a workflow. By itself: a case of the whole workflow across all domains, which begins at the
    /// aggregate, with a command where one is given, else with its first event. With --from-log: the failure of the log
    /// whose command has it.
    #[arg(hide_short_help = true, long, value_name = "ID")]
    correlation: Option<String>,
    /// The events that the component reacts to; the newest that it subscribes to where it is left out.
    #[arg(hide_short_help = true, long, value_name = "SEQUENCE|FIRST-LAST")]
    at: Option<Span>,
    /// Show the component the events before them too.
    #[arg(hide_short_help = true, long)]
    with_history: bool,
    /// What the component was told of an aggregate that it writes to: the sequence of its next event, by domain.
    #[arg(hide_short_help = true, long, value_name = "DOMAIN=SEQUENCE", value_parser = parse_destination)]
    destination: Vec<(Domain, u32)>,
    /// A book that belongs to the case, and where it is cut: the first event that came after, and the last of them that
    /// belongs to the workflow.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "DOMAIN/ROOT[@FIRST[-LAST]]"
    )]
    book: Vec<RequestedBook>,
    /// The effects of the projector's ordinary call do no harm: it may be used where there is no speculative one.
    #[arg(hide_short_help = true, long)]
    harmless: bool,
}

/// Where a command comes from, which these kinds have none of.
const OTHER_SOURCES: [&str; 5] = ["ticket", "command", "from_log", "each_distinct", "history"];

/// The same where a refused command may be named.
const WRITTEN_SOURCES: [&str; 4] = ["command", "from_log", "each_distinct", "history"];

#[derive(Debug, Args)]
struct HistoryArguments {
    /// Last event that the command saw; -1 for none.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "SEQUENCE",
        allow_negative_numbers = true,
        conflicts_with = "as_of"
    )]
    to_sequence: Option<i64>,
    /// The history as it was at an instant, as in 2026-11-23T00:01:30Z.
    #[arg(hide_short_help = true, long, value_name = "TIME")]
    as_of: Option<String>,
    /// Leave references to events that are stored elsewhere (claim check) as they are, instead of reading the events.
    #[arg(hide_short_help = true, long)]
    keep_external: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
struct WrittenArguments {
    /// Make today's outcome the expectation at once.
    ///
    /// For cases that characterise what the logic does.
    #[arg(long)]
    accept: bool,
    /// Folder of the fixtures, instead of the configured one.
    #[arg(hide_short_help = true, long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Name of the fixture without ending, instead of one made of type, root and head.
    #[arg(hide_short_help = true, long)]
    name: Option<String>,
    /// Title of the case.
    #[arg(hide_short_help = true, long)]
    title: Option<String>,
    /// Issue that the case belongs to.
    #[arg(hide_short_help = true, long)]
    issue: Option<String>,
    /// Whether it is replayed twice to find fields that differ from run to run; never where effects forbid it.
    #[arg(hide_short_help = true, long, value_name = "always|never", value_parser = parse_probe)]
    probe: Option<Probe>,
    /// Write nothing, print what would be written.
    #[arg(long)]
    dry_run: bool,
    /// Replace a different case of the same name; write a case whose outcome redaction changes.
    #[arg(hide_short_help = true, long)]
    force: bool,
    /// Print the result as JSON.
    #[arg(hide_short_help = true, long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RedactionArguments {
    /// Capture without redaction: secrets and personal data reach the file.
    #[arg(hide_short_help = true, long)]
    unredacted: bool,
}

impl CaptureArguments {
    /// Finds out of which kind the component is that --component names.
    pub(super) fn know_component(&mut self, project: &Project) -> Done {
        self.kind.check_flags()?;
        let Some(name) = self.kind.component.take() else {
            return Ok(());
        };
        let kind = project.logics().named(&name)?.config.kind;
        let flag = match kind {
            ComponentKind::Saga => &mut self.kind.saga,
            ComponentKind::ProcessManager => &mut self.kind.process_manager,
            ComponentKind::Projector => &mut self.kind.projector,
            ComponentKind::Aggregate | ComponentKind::Upcaster => {
                return Err(Stop::Usage(format!(
                    "--component {name}: logic `{name}` is of kind {}; a saga, process manager or projector is expected",
                    kind.word()
                )));
            }
        };
        *flag = Some(name);
        Ok(())
    }

    /// Whether there is to be a case for each distinct failure.
    pub(super) const fn is_of_each_distinct(&self) -> bool {
        self.failure.each_distinct
    }

    pub(super) const fn wants_json(&self) -> bool {
        self.written.json
    }
}

impl TryFrom<&CaptureArguments> for CaptureRequest {
    type Error = Stop;

    fn try_from(arguments: &CaptureArguments) -> Result<Self, Stop> {
        let CaptureArguments {
            root,
            aggregate,
            failure,
            kind,
            history,
            written,
            redaction,
        } = arguments;
        let up_to = history.up_to()?;
        let edition = aggregate.edition.as_deref().map(Edition::from_label);
        let edition = edition
            .transpose()
            .map_err(|error| Stop::Usage(error.to_string()))?;
        let named = failure.recorded_root.as_ref().or(root.as_ref());
        let spec: Option<RootSpec> = named.map(|root| root.parse()).transpose()?;
        kind.check_flags()?;
        let is_with_ticket = failure.ticket.is_some();
        Ok(Self {
            aggregate: spec,
            domain: aggregate.domain.clone(),
            source: aggregate.source.clone(),
            edition,
            up_to,
            failure: failure.origin(kind.correlation.as_ref()),
            answered_by: failure.answered_by.unwrap_or_default(),
            persisted: failure.persisted,
            // With a log, the id of a workflow says which of its failures is meant.
            kind: kind.requested(failure.from_log.is_some(), is_with_ticket)?,
            correlation: kind.correlation.clone(),
            keeps_external: history.keep_external,
            labels: Labels {
                title: written.title.clone(),
                issue: written.issue.clone(),
                is_accepted: written.accept,
                probe: written.probe,
            },
            name: written.name.clone(),
            fixtures: written.fixtures.clone(),
            is_dry_run: written.dry_run,
            is_forced: written.force,
            is_unredacted: redaction.unredacted,
        })
    }
}

impl HistoryArguments {
    fn up_to(&self) -> Result<UpTo, Stop> {
        match (self.to_sequence, &self.as_of) {
            (Some(last), _) => {
                let head = last
                    .checked_add(1)
                    .and_then(|head| u32::try_from(head).ok());
                head.map(UpTo::Before)
                    .ok_or_else(|| Stop::Usage(format!("--to-sequence {last} is no sequence")))
            }
            (None, Some(text)) => {
                let instant: jiff::Timestamp = text.parse().map_err(|_| {
                    Stop::Usage(format!(
                        "--as-of {text}: an instant such as 2026-11-23T00:01:30Z is expected"
                    ))
                })?;
                Ok(UpTo::Time(Timestamp {
                    seconds: instant.as_second(),
                    nanos: instant.subsec_nanosecond(),
                }))
            }
            (None, None) => Ok(UpTo::Head),
        }
    }
}

impl FailureArguments {
    /// The way to the failure. The conflicts above leave one.
    fn origin(&self, correlation: Option<&String>) -> FailureOrigin {
        let log = self.from_log.as_ref().map(|file| FailureLog {
            file: file.clone(),
            correlation: correlation.cloned(),
        });
        if let Some(file) = &self.command {
            let file = file.clone();
            return FailureOrigin::Written { file, log };
        }
        if let Some(log) = log {
            return FailureOrigin::Log(log);
        }
        let ticket = self.ticket.as_deref();
        let recorded = self.recorded.as_deref().map(NumberedFile::from_argument);
        let recording = self.recording.as_ref().map(NumberedFile::whole);
        let nothing = self.is_left_out.then_some(FailureOrigin::Nothing);
        let named = [
            ticket.map(|text| FailureOrigin::Ticket(NumberedFile::from_argument(text))),
            self.dead_letter.clone().map(FailureOrigin::DeadLetter),
            recorded.or(recording).map(FailureOrigin::Recording),
            nothing,
        ];
        named.into_iter().flatten().next().unwrap_or_default()
    }
}

impl KindArguments {
    /// Refuses two kinds at once.
    fn check_flags(&self) -> Result<(), Stop> {
        let kinds = [
            (
                "--component",
                self.component.is_some() && !self.compensation,
            ),
            ("--saga", self.saga.is_some()),
            (
                "--process-manager",
                self.process_manager.is_some() && !self.compensation,
            ),
            ("--compensation", self.compensation),
            ("--projector", self.projector.is_some()),
            ("--upcaster", self.upcaster),
            ("--fact", self.fact),
        ];
        let mut named = kinds.iter().filter(|(_, named)| *named);
        match (named.next(), named.next()) {
            (Some((one, _)), Some((other, _))) => Err(Stop::Usage(format!(
                "{one} and {other}: a case is of one kind"
            ))),
            _ => Ok(()),
        }
    }

    /// The kind with what belongs to it. Refuses flags that belong to another.
    fn requested(&self, has_log: bool, has_ticket: bool) -> Result<RequestedKind, Stop> {
        let kind = self.named_kind(has_log);
        let allowed: &[Flag] = match &kind {
            RequestedKind::Saga { .. } => &[AT, WITH_HISTORY, DESTINATION],
            RequestedKind::ProcessManager { .. } => &[AT, WITH_HISTORY, DESTINATION, BOOK],
            RequestedKind::Projector { .. } => &[AT, WITH_HISTORY, HARMLESS],
            RequestedKind::Fact { .. } => &[AT],
            RequestedKind::Compensation {
                process_manager: Some(_),
                ..
            } => &[DESTINATION],
            RequestedKind::Flow { .. } => &[AT, BOOK],
            RequestedKind::Compensation { .. }
            | RequestedKind::Upcaster
            | RequestedKind::Command => &[],
        };
        let is_refused = |flag: &&Flag| {
            (flag.is_there)(self) && allowed.iter().all(|other| other.name != flag.name)
        };
        let flags = [AT, WITH_HISTORY, DESTINATION, BOOK, HARMLESS];
        if let Some(Flag {
            name, goes_with, ..
        }) = flags.iter().find(is_refused)
        {
            return Err(Stop::Usage(format!("{name} goes with {goes_with}")));
        }
        let article = match &kind {
            RequestedKind::Saga { .. } => "a saga",
            RequestedKind::ProcessManager { .. } => "a process manager",
            RequestedKind::Projector { .. } => "a projector",
            _ => return Ok(kind),
        };
        if has_ticket {
            return Err(Stop::Usage(format!(
                "--ticket goes with --compensation here: {article} reacts to events"
            )));
        }
        Ok(kind)
    }

    fn named_kind(&self, has_log: bool) -> RequestedKind {
        let (at, books) = (self.at, self.book.clone());
        let destinations = self.destination.clone();
        let reacting = Reacting {
            at,
            with_history: self.with_history,
        };
        let process_manager = self.process_manager.clone();
        if self.compensation {
            return RequestedKind::Compensation {
                process_manager,
                destinations,
            };
        }
        match (self.saga.clone(), process_manager, self.projector.clone()) {
            (Some(name), _, _) => RequestedKind::Saga {
                name,
                reacting,
                destinations,
            },
            (_, Some(name), _) => RequestedKind::ProcessManager {
                name,
                reacting,
                destinations,
                books,
            },
            (_, _, Some(name)) => RequestedKind::Projector {
                name,
                reacting,
                is_harmless: self.harmless,
            },
            (None, None, None) if self.upcaster => RequestedKind::Upcaster,
            (None, None, None) if self.fact => RequestedKind::Fact { at },
            (None, None, None) => match self.correlation.clone() {
                Some(id) if !has_log => RequestedKind::Flow { id, at, books },
                _ => RequestedKind::Command,
            },
        }
    }
}

/// A flag that belongs to some kinds of case only.
struct Flag {
    name: &'static str,
    is_there: fn(&KindArguments) -> bool,
    goes_with: &'static str,
}

const AT: Flag = Flag {
    name: "--at",
    is_there: |kind| kind.at.is_some(),
    goes_with: "a case of a saga, process manager, projector, fact or workflow",
};

const WITH_HISTORY: Flag = Flag {
    name: "--with-history",
    is_there: |kind| kind.with_history,
    goes_with: "a case of a saga, process manager or projector",
};

const DESTINATION: Flag = Flag {
    name: "--destination",
    is_there: |kind| !kind.destination.is_empty(),
    goes_with: "a case of a saga or process manager",
};

const BOOK: Flag = Flag {
    name: "--book",
    is_there: |kind| !kind.book.is_empty(),
    goes_with: "a case of a process manager or workflow",
};

const HARMLESS: Flag = Flag {
    name: "--harmless",
    is_there: |kind| kind.harmless,
    goes_with: "a case of a projector",
};

fn parse_answered_by(text: &str) -> Result<AnsweredBy, String> {
    match text {
        "logic" => Ok(AnsweredBy::Logic),
        _ => Err("only `logic` can be said".into()),
    }
}

fn parse_persisted(text: &str) -> Result<PersistedClaim, String> {
    match text {
        "unknown" => Ok(PersistedClaim::Unknown),
        text => text
            .parse()
            .map(PersistedClaim::Count)
            .map_err(|_| "a number of events or `unknown` is expected".into()),
    }
}

fn parse_probe(text: &str) -> Result<Probe, String> {
    match text {
        "always" => Ok(Probe::Always),
        "never" => Ok(Probe::Never),
        _ => Err("always or never is expected".into()),
    }
}

fn parse_destination(text: &str) -> Result<(Domain, u32), String> {
    let refused = || "DOMAIN=SEQUENCE is expected, as in player=4".to_owned();
    let (domain, sequence) = text.split_once('=').ok_or_else(refused)?;
    let domain = domain
        .parse()
        .map_err(|error: crate::model::IdError| error.to_string())?;
    Ok((domain, sequence.parse().map_err(|_| refused())?))
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}`: a sequence is expected, or two as in 3-5");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let first = first.parse().map_err(|_| refused())?;
        let last = last.parse().map_err(|_| refused())?;
        if first > last {
            return Err(format!("`{text}`: the second sequence is before the first"));
        }
        Ok(Self { first, last })
    }
}

impl FromStr for RequestedBook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}`: DOMAIN/ROOT is expected, with the whole root, and where to cut it as in …@3 or …@3-5"
            )
        };
        let (aggregate, cut) = match text.split_once('@') {
            Some((aggregate, cut)) => (aggregate, Some(cut)),
            None => (text, None),
        };
        let (domain, root) = aggregate.split_once('/').ok_or_else(refused)?;
        let cut = match cut {
            None => None,
            Some(cut) => Some(match cut.split_once('-') {
                Some(_) => {
                    let span: Span = cut.parse()?;
                    (span.first, Some(span.last))
                }
                None => (cut.parse().map_err(|_| refused())?, None),
            }),
        };
        Ok(Self {
            domain: domain.parse().map_err(|_| refused())?,
            root: root.parse().map_err(|_| refused())?,
            cut,
        })
    }
}
