//! `cargo xtask`: arguments to library calls, results to words.
//!
//! Exit codes: 0 success, 1 a case differs or something failed, 2 wrong usage.

mod audit;
mod capture;
mod clean;
mod close;
mod command;
mod debug;
mod editions;
mod record;
mod replay;
mod report;
mod roots;
mod serve;
mod several;
mod tickets;
mod what_if;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::harness::{Entry, select};
use crate::project::{App, OperationError, Project};
use crate::terminal::{complain, say, words};

/// Make a production bug a regression test: capture its events, replay them, accept the outcome.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    display_name = "angzarr-replay",
    version
)]
struct Arguments {
    /// The configuration, instead of the nearest `replay.toml` upwards.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Capture(Box<capture::CaptureArguments>),
    Roots(roots::RootsArguments),
    Tickets(tickets::TicketsArguments),
    Replay(replay::ReplayArguments),
    Close(close::CloseArguments),
    #[command(name = "command")]
    Draft(command::CommandArguments),
    Serve(serve::ServeArguments),
    Record(record::RecordArguments),
    Editions(editions::EditionsArguments),
    Audit(audit::AuditArguments),
    Clean(clean::CleanArguments),
}

/// Cases of the folder of fixtures, as every command takes them.
#[derive(Debug, Args)]
struct Fixtures {
    /// A file, a folder (every fixture below it), a pattern in quotes such as 'player/withdraw-*', or the name of a trial
    /// such as `player::withdraw-funds-6513270e-3`.
    #[arg(required = true, value_name = "FIXTURE")]
    fixtures: Vec<PathBuf>,
}

impl Fixtures {
    fn select(&self, project: &Project) -> Result<Vec<Entry>, Stop> {
        selected(project, &self.fixtures)
    }
}

fn selected(project: &Project, words: &[PathBuf]) -> Result<Vec<Entry>, Stop> {
    Ok(select(project, words)?)
}

/// Why a command did not succeed.
#[derive(Debug)]
enum Stop {
    /// Something that it needs is missing or does not work.
    Failed(String),
    /// Wrong usage.
    Usage(String),
    /// A case differs; the report says how.
    Differs,
}

type Done = Result<(), Stop>;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) | Self::Usage(message) => f.write_str(message),
            Self::Differs => f.write_str("a case differs"),
        }
    }
}

/// The library words its errors; they are printed as they are.
impl<E> From<E> for Stop
where
    OperationError: From<E>,
{
    fn from(error: E) -> Self {
        match OperationError::from(error) {
            OperationError::Failed(message) => Self::Failed(message),
            OperationError::Usage(message) => Self::Usage(message),
        }
    }
}

impl App {
    /// The main of `cargo xtask`.
    #[must_use]
    pub fn cli(self) -> ExitCode {
        crate::terminal::escape_panics();
        let arguments = match Arguments::try_parse() {
            Ok(arguments) => arguments,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        // The recorder starts no logic and handles signals itself.
        if !matches!(arguments.command, Command::Record(_)) {
            crate::processes::end_all_on_interrupt();
        }
        let folder = std::env::current_dir().unwrap_or_default();
        match dispatch(arguments, self, &folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(stop) => {
                let code = if matches!(stop, Stop::Usage(_)) { 2 } else { 1 };
                if !matches!(stop, Stop::Differs) {
                    complain(format_args!("error: {stop}"));
                }
                ExitCode::from(code)
            }
        }
    }

    /// Whether the command line accepts these words; the first is its own name. Runs nothing. The tests of the documentation
    /// use it.
    #[doc(hidden)]
    pub fn understands(words: &[&str]) -> Result<(), String> {
        match Arguments::try_parse_from(words) {
            Err(error) if error.use_stderr() => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// The whole command line as text: the output of `--help` for every command.
    #[must_use]
    pub fn reference() -> String {
        // The text must not depend on the terminal.
        let mut command = Arguments::command().term_width(100);
        command.build();
        let described = command.get_subcommands_mut();
        let described = described.filter(|sub| sub.get_name() != "help");
        let sections = described.map(|sub| {
            let name = sub.get_name().to_owned();
            format!(
                "## cargo xtask {name}\n\n```text\n{}```\n",
                sub.render_long_help()
            )
        });
        sections.collect::<Vec<_>>().join("\n")
    }
}

fn dispatch(arguments: Arguments, app: App, folder: &Path) -> Done {
    let project = match &arguments.config {
        None => Project::open(app, folder)?,
        Some(file) => Project::open_named(app, file)?,
    };
    match arguments.command {
        Command::Capture(arguments) => capture::run(project, &arguments),
        Command::Roots(arguments) => roots::run(&project, &arguments),
        Command::Tickets(arguments) => tickets::run(&project, &arguments),
        Command::Replay(arguments) => replay::run(&project, &arguments),
        Command::Close(arguments) => close::run(&project, &arguments),
        Command::Draft(arguments) => command::run(&project, &arguments),
        Command::Serve(arguments) => serve::run(&project, &arguments),
        Command::Record(arguments) => record::run(&project, &arguments),
        Command::Editions(arguments) => editions::run(&project, &arguments),
        Command::Audit(arguments) => audit::run(&project, &arguments),
        Command::Clean(arguments) => clean::run(&project, &arguments),
    }
}

/// Prints the lines of failure logs that were skipped, and why.
fn complain_of_unusable(lines: &[String]) {
    for line in lines {
        complain(format_args!("not usable: {line}"));
    }
}

/// Prints why no message is shown, if so.
fn complain_of_hidden(reason: Option<&str>) {
    if let Some(reason) = reason {
        complain(format_args!("messages are not shown: {reason}"));
    }
}
