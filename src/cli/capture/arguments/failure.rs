//! Which failure, on the command line.

use std::path::PathBuf;

use clap::Args;

use crate::capturing::{FailureLog, FailureOrigin, NumberedFile, PersistedClaim};
use crate::model::AnsweredBy;

#[derive(Debug, Args)]
pub(super) struct FailureArguments {
    #[command(flatten)]
    way: WayArguments,
    /// Take the newest failure from a log.
    ///
    /// The log may hold other things too; `-` is standard input. The failure is a ticket, or the fields of a failure, which
    /// make a case of the history unless --command brings the command.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "ticket", "dead_letter", "recorded", "recording", "history"
    ])]
    pub(super) from_log: Option<PathBuf>,
    /// One case for each distinct failure of the log.
    ///
    /// Failures are the same by domain, command, code and message.
    #[arg(long, conflicts_with_all = ["way", "name", "title", "to_sequence", "as_of", "persisted"])]
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
    /// How many events production stored for the command that it accepted, where the events do not tell; `unknown` for a
    /// command that was never sent.
    #[arg(hide_short_help = true, long, value_name = "COUNT|unknown", value_parser = parse_persisted, conflicts_with = "history")]
    pub(super) persisted: Option<PersistedClaim>,
    /// Who gave the failing answer: codes that are the transport's as a rule, such as `RESOURCE_EXHAUSTED`, are then taken
    /// for the logic's own.
    #[arg(hide_short_help = true, long, value_name = "logic", value_parser = parse_answered_by, conflicts_with = "history")]
    pub(super) answered_by: Option<AnsweredBy>,
}

/// Ways to a command that exclude each other. A log goes with a command that somebody wrote, so it is none of them.
#[derive(Debug, Args)]
#[group(id = "way", multiple = false)]
struct WayArguments {
    /// Take the command from a failure ticket.
    ///
    /// Without a line, the newest of the aggregate in the file is taken, or of the file where no aggregate is named.
    #[arg(long, value_name = "FILE[:LINE]")]
    ticket: Option<String>,
    /// Take the command from a YAML or JSON file.
    ///
    /// `-` is standard input. `cargo xtask command new` writes a draft.
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Take the command from a dead letter: an encoded `AngzarrDeadLetter`, or its number in the source's
    /// `DlqAdminService`, of which nothing is deleted or sent again.
    #[arg(hide_short_help = true, long, value_name = "FILE|ID", conflicts_with_all = ["persisted", "correlation"])]
    dead_letter: Option<String>,
    /// A call that the recorder noted, by its number in the recording; without one, the newest that failed. One to a
    /// coordinator brings the command, one to logic the whole case.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "FILE[:CALL]",
        conflicts_with = "to_sequence"
    )]
    recorded: Option<String>,
    /// Look through a recording for the newest call of the aggregate; one that failed goes before one that did not.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "FILE",
        conflicts_with = "to_sequence"
    )]
    recording: Option<PathBuf>,
    /// Capture the history alone, whatever failed.
    #[arg(hide_short_help = true, id = "history", long = "history")]
    is_left_out: bool,
}

impl FailureArguments {
    /// The way to the failure. The command line leaves one of them.
    pub(super) fn origin(&self, correlation: Option<&String>) -> FailureOrigin {
        let log = self.from_log.as_ref().map(|file| FailureLog {
            file: file.clone(),
            correlation: correlation.cloned(),
        });
        if let Some(file) = &self.way.command {
            let file = file.clone();
            return FailureOrigin::Written { file, log };
        }
        if let Some(log) = log {
            return FailureOrigin::Log(log);
        }
        let ticket = self.way.ticket.as_deref();
        let recorded = self
            .way
            .recorded
            .as_deref()
            .map(NumberedFile::from_argument);
        let recording = self.way.recording.as_ref().map(NumberedFile::whole);
        let nothing = self.way.is_left_out.then_some(FailureOrigin::Nothing);
        let named = [
            ticket.map(|text| FailureOrigin::Ticket(NumberedFile::from_argument(text))),
            self.way.dead_letter.clone().map(FailureOrigin::DeadLetter),
            recorded.or(recording).map(FailureOrigin::Recording),
            nothing,
        ];
        named.into_iter().flatten().next().unwrap_or_default()
    }

    /// Whether a ticket brings the command.
    pub(super) const fn is_ticket(&self) -> bool {
        self.way.ticket.is_some()
    }
}

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
