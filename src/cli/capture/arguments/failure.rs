//! Which failure, on the command line.

use std::path::PathBuf;

use clap::Args;

use crate::capturing::{FailureOrigin, NumberedFile, PersistedClaim, RequestedFailure};
use crate::cli::Stop;
use crate::model::AnsweredBy;

#[derive(Debug, Args)]
pub(super) struct FailureArguments {
    #[command(flatten)]
    outside: OutsideArguments,
    /// Take the command from a YAML or JSON file.
    ///
    /// `-` is standard input. The command `command new` writes a draft.
    #[arg(long, value_name = "FILE")]
    pub(super) command: Option<PathBuf>,
    /// Take the newest failure from a log.
    ///
    /// The log may hold other things too; `-` is standard input. The failure is a ticket, or the fields of a failure, which
    /// make a case of the history unless --command brings the command.
    #[arg(long, value_name = "FILE")]
    pub(super) from_log: Option<PathBuf>,
    /// One case for each distinct failure of the log.
    ///
    /// Failures are the same by domain, command, code and message.
    #[arg(long)]
    pub(super) each_distinct: bool,
    /// The aggregate, for --recording.
    #[arg(
        hide_short_help = true,
        long = "root",
        id = "recorded_root",
        value_name = "ROOT",
        requires = "recording",
        conflicts_with = "root"
    )]
    pub(super) recorded_root: Option<String>,
    /// How many events production stored for an accepted command, if the events do not show it; `unknown` for a command
    /// that was never sent.
    #[arg(hide_short_help = true, long, value_name = "COUNT|unknown", value_parser = parse_persisted)]
    pub(super) persisted: Option<PersistedClaim>,
    /// Which component gave the failing answer: with `logic`, codes that usually come from the transport, such as
    /// `RESOURCE_EXHAUSTED`, count as the logic's own.
    #[arg(hide_short_help = true, long, value_name = "logic", value_parser = parse_answered_by)]
    pub(super) answered_by: Option<AnsweredBy>,
}

/// Origins of a failure. They exclude each other, except that a log and a command that the user wrote go together.
#[derive(Debug, Args)]
#[group(id = "outside", multiple = false)]
struct OutsideArguments {
    /// Take the command from a failure ticket.
    ///
    /// Without a line, the newest ticket of the aggregate in the file; of the whole file if no aggregate is named.
    #[arg(long, value_name = "FILE[:LINE]")]
    ticket: Option<String>,
    /// Take the command from a dead letter: a file with an encoded `AngzarrDeadLetter`, or its number in the source's
    /// `DlqAdminService`. The letter is neither deleted nor sent again.
    #[arg(hide_short_help = true, long, value_name = "FILE|ID")]
    dead_letter: Option<String>,
    /// Take a recorded call, by its number in the recording; without a number, the newest that failed. A call to a
    /// coordinator brings the command, a call to logic the whole case.
    #[arg(hide_short_help = true, long, value_name = "FILE[:CALL]")]
    recorded: Option<String>,
    /// Take the newest call of the aggregate from a recording, preferably one that failed.
    #[arg(hide_short_help = true, long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Make a case of a bundle, which `--bundle` wrote where production is; `-` is standard input.
    ///
    /// The bundle may be in a log, with other lines around it.
    #[arg(hide_short_help = true, long, value_name = "FILE")]
    from_bundle: Option<PathBuf>,
    /// Capture the history alone, even if a command failed.
    #[arg(hide_short_help = true, id = "history", long = "history")]
    is_history_alone: bool,
}

impl OutsideArguments {
    const fn flag(&self) -> Option<&'static str> {
        match self {
            Self {
                ticket: Some(_), ..
            } => Some("--ticket"),
            Self {
                dead_letter: Some(_),
                ..
            } => Some("--dead-letter"),
            Self {
                recorded: Some(_), ..
            } => Some("--recorded"),
            Self {
                recording: Some(_), ..
            } => Some("--recording"),
            Self {
                from_bundle: Some(_),
                ..
            } => Some("--from-bundle"),
            Self {
                is_history_alone: true,
                ..
            } => Some("--history"),
            _ => None,
        }
    }
}

impl FailureArguments {
    /// Refuses a second origin of the failure.
    pub(super) fn check(&self) -> Result<(), Stop> {
        let written = self.command.is_some().then_some("--command");
        let log = self.from_log.is_some().then_some("--from-log");
        match (written.or(log), self.outside.flag()) {
            (Some(one), Some(other)) => Err(Stop::Usage(format!(
                "{one} and {other}: a case is of one failure, from one place"
            ))),
            _ => Ok(()),
        }
    }

    /// The failure of a case of a command.
    pub(super) fn requested(&self) -> RequestedFailure {
        self.of_origin(self.origin())
    }

    /// The bundle, if one is named.
    pub(super) fn bundle(&self) -> Option<RequestedFailure> {
        let file = self.outside.from_bundle.clone()?;
        Some(self.of_origin(FailureOrigin::Bundle(file)))
    }

    /// The recorded call, and the component that it goes to; none if no recording is named.
    pub(super) fn recorded(&self, component: Option<String>) -> Option<RequestedFailure> {
        let recorded = self.outside.recorded.as_deref();
        let recorded = recorded.map(NumberedFile::from_argument);
        let recording = self.outside.recording.as_ref().map(NumberedFile::whole);
        let call = recorded.or(recording)?;
        Some(self.of_origin(FailureOrigin::Recording { call, component }))
    }

    pub(super) fn ticket(&self) -> Option<NumberedFile<usize>> {
        let ticket = self.outside.ticket.as_deref();
        ticket.map(NumberedFile::from_argument)
    }

    pub(super) const fn has_dead_letter(&self) -> bool {
        self.outside.dead_letter.is_some()
    }

    pub(super) const fn is_history_alone(&self) -> bool {
        self.outside.is_history_alone
    }

    fn of_origin(&self, origin: FailureOrigin) -> RequestedFailure {
        RequestedFailure {
            origin,
            answered_by: self.answered_by.unwrap_or_default(),
            persisted: self.persisted,
        }
    }

    /// The origin. `check` has left at most one.
    fn origin(&self) -> FailureOrigin {
        let log = self.from_log.clone();
        match (&self.command, log, self.ticket(), &self.outside.dead_letter) {
            (Some(file), log, ..) => FailureOrigin::Written {
                file: file.clone(),
                log,
            },
            (None, Some(log), ..) => FailureOrigin::Log(log),
            (None, None, Some(ticket), _) => FailureOrigin::Ticket(ticket),
            (None, None, None, Some(letter)) => FailureOrigin::DeadLetter(letter.clone()),
            (None, None, None, None) if self.outside.is_history_alone => FailureOrigin::Nothing,
            (None, None, None, None) => FailureOrigin::Source,
        }
    }
}

fn parse_answered_by(text: &str) -> Result<AnsweredBy, String> {
    match text {
        "logic" => Ok(AnsweredBy::Logic),
        _ => Err("`logic` is expected".into()),
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
