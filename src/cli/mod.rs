//! The command line: parses arguments, calls the library, and prints results.
//!
//! Exit codes: 0 success, 1 a case differs or a command failed, 2 wrong usage.

mod audit;
mod capture;
mod changes;
mod clean;
mod close;
mod command;
mod completions;
mod debug;
mod differences;
mod doctor;
mod drift;
mod editions;
mod find;
mod formatting;
mod init;
mod overview;
mod record;
mod replay;
mod report;
mod review;
mod roots;
mod schema;
mod serve;
mod several;
mod show;
mod tickets;
mod what_if;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum as _};

use crate::harness::{self, Entry, TestArguments, select};
use crate::model::Edition;
use crate::project::{App, OperationError, Project, ReadAmount, ReadKind, ReadingWatcher};
use crate::terminal::{
    Amount, Colours, Meter, Program, complain, complain_of_error, program, say, set_colours,
    set_program, warn, words,
};

/// Make a production bug a regression test: capture its events, replay them, accept the outcome.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    display_name = "angzarr-replay",
    version
)]
struct Arguments {
    /// The configuration, instead of the nearest `replay.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Colours in the output: auto, always or never.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    color: Option<Colours>,
    #[command(subcommand)]
    command: Command,
}

/// Each command has a line in the overall `--help`, and more in its own help.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(about = "Set a project up: replay.toml, and what else it needs")]
    Init(init::InitArguments),
    #[command(about = "Capture an aggregate's history and the command that failed")]
    Capture(Box<capture::CaptureArguments>),
    #[command(about = "Replay cases on today's logic and report what differs")]
    Replay(replay::ReplayArguments),
    #[command(about = "Accept or reject changed outcomes, one by one or in groups")]
    Review(review::ReviewArguments),
    #[command(about = "Replay every case and compare with the accepted outcomes")]
    Test(Box<TestArguments>),
    #[command(about = "List the aggregates of a source")]
    Roots(roots::RootsArguments),
    #[command(about = "Find what an alert or a customer names, and what failed around it")]
    Find(find::FindArguments),
    #[command(about = "Show the events of an aggregate, and its state")]
    Show(show::ShowArguments),
    #[command(about = "List the failures of a source or of logs, in groups")]
    Tickets(tickets::TicketsArguments),
    #[command(about = "Accept today's outcome of cases and mark them closed")]
    Close(close::CloseArguments),
    #[command(about = "Say what a branch changed, for its reviewer")]
    Changes(changes::ChangesArguments),
    #[command(about = "Say how message types changed since cases were captured")]
    Drift(drift::DriftArguments),
    #[command(name = "command", about = "Write a command for `capture --command`")]
    Draft(command::CommandArguments),
    #[command(about = "Look for secrets and personal data in fixtures and logs")]
    Audit(audit::AuditArguments),
    #[command(about = "Write fixtures in the form that `capture` writes")]
    Fmt(formatting::FmtArguments),
    #[command(about = "Delete files that no fixture uses")]
    Clean(clean::CleanArguments),
    #[command(about = "Serve the local coordinator on 127.0.0.1")]
    Serve(serve::ServeArguments),
    #[command(about = "Pass calls on to a server, and record those that fail")]
    Record(record::RecordArguments),
    #[command(about = "List or delete what `replay --coordinator` left behind")]
    Editions(editions::EditionsArguments),
    #[command(about = "Check that what the project names is there and works")]
    Doctor(doctor::DoctorArguments),
    #[command(about = "Print the JSON Schema of fixtures, replay.toml or tickets")]
    Schema(schema::SchemaArguments),
    #[command(about = "Print completions for a shell")]
    Completions(completions::CompletionsArguments),
}

/// Cases in the folder of fixtures, as all commands accept them.
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

/// Errors of the library are printed unchanged.
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
        set_program(Program::Cargo(self.command_name.unwrap_or("cargo xtask")));
        self.commands()
    }

    /// The main of `angzarr-replay`: the same commands, under the program's own name.
    #[must_use]
    #[doc(hidden)]
    pub fn program(self) -> ExitCode {
        set_program(Program::Standalone);
        self.commands()
    }

    fn commands(self) -> ExitCode {
        crate::terminal::escape_panics();
        let arguments = match parsed(std::env::args_os()) {
            Ok(arguments) => arguments,
            Err(error) => {
                if let Some(colours) = wanted_colours(std::env::args_os()) {
                    set_colours(colours);
                }
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        if let Some(colours) = arguments.color {
            set_colours(colours);
        }
        // The recorder starts no logic and handles signals itself.
        if !matches!(arguments.command, Command::Record(_)) {
            crate::processes::end_all_on_interrupt();
        }
        let folder = std::env::current_dir().unwrap_or_default();
        match dispatch(arguments, &self, &folder) {
            Ok(code) => code,
            Err(stop) => {
                let code = if matches!(stop, Stop::Usage(_)) { 2 } else { 1 };
                if !matches!(stop, Stop::Differs) {
                    complain_of_error(&stop);
                }
                ExitCode::from(code)
            }
        }
    }

    /// Checks that the command line accepts these words, the first of which is the program's name. Runs nothing. For
    /// the tests of the documentation.
    #[doc(hidden)]
    pub fn understands(words: &[&str]) -> Result<(), String> {
        match Arguments::try_parse_from(words) {
            Err(error) if error.use_stderr() => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// The whole command line as text: the output of `--help` for every command.
    #[must_use]
    #[doc(hidden)]
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

/// The command line under the name that this program was called by.
fn command_line() -> clap::Command {
    let name = program().name();
    overview::grouped(Arguments::command().name(name).bin_name(name))
}

fn parsed(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let matches = command_line().try_get_matches_from(words)?;
    Arguments::from_arg_matches(&matches)
}

/// The edition that an option names.
fn edition(name: Option<&str>) -> Result<Option<Edition>, Stop> {
    let edition = name.map(Edition::from_label).transpose();
    edition.map_err(|error| Stop::Usage(error.to_string()))
}

/// The value of `--color` in words that are not a valid command line, or ask for help.
fn wanted_colours(words: impl IntoIterator<Item = OsString>) -> Option<Colours> {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let values = words
        .iter()
        .zip(words.iter().skip(1).map(Some).chain([None]));
    let mut values = values.filter_map(|(word, next)| match word.strip_prefix("--color")? {
        "" => next.map(String::as_str),
        rest => rest.strip_prefix('='),
    });
    values.find_map(|value| Colours::from_str(value, false).ok())
}

/// Shows the progress of reading that may take long.
fn reading_meter() -> Box<ReadingWatcher> {
    let meter = Mutex::new(None);
    Box::new(move |amount| {
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        *meter = amount.map(|ReadAmount { kind, read, of }| {
            let shown = meter.take().unwrap_or_else(|| match kind {
                ReadKind::Logs => Meter::new("reading logs", Amount::Bytes),
                ReadKind::Recordings => Meter::new("reading recordings", Amount::Bytes),
                ReadKind::StoredEvents => {
                    Meter::new("searching event stores", Amount::Things("events"))
                }
            });
            shown.set(read, of);
            shown
        });
    })
}

fn dispatch(arguments: Arguments, app: &App, folder: &Path) -> Result<ExitCode, Stop> {
    if let (Some(_), Command::Init(_) | Command::Completions(_) | Command::Schema(_)) =
        (&arguments.config, &arguments.command)
    {
        return Err(Stop::Usage(
            "`init`, `completions` and `schema` read no configuration; leave out --config".into(),
        ));
    }
    let named = arguments.config.as_deref();
    let open = || -> Result<Project, Stop> {
        let app = app.clone();
        let mut project = match named {
            None => Project::open(app, folder)?,
            Some(file) => Project::open_named(app, file)?,
        };
        project.watch_reading(reading_meter());
        Ok(project)
    };
    let done: Done = match arguments.command {
        Command::Init(arguments) => init::run(&arguments, folder),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Schema(arguments) => {
            schema::run(&arguments);
            Ok(())
        }
        Command::Review(arguments) => review::run(&open()?, &arguments),
        Command::Changes(arguments) => changes::run(&open()?, &arguments),
        Command::Drift(arguments) => drift::run(&open()?, &arguments),
        Command::Fmt(arguments) => formatting::run(&open()?, &arguments),
        Command::Doctor(arguments) => doctor::run(&open()?, &arguments),
        Command::Capture(arguments) => capture::run(open()?, &arguments),
        Command::Roots(arguments) => roots::run(&open()?, &arguments),
        Command::Find(arguments) => find::run(&open()?, &arguments),
        Command::Show(arguments) => show::run(&open()?, &arguments),
        Command::Tickets(arguments) => tickets::run(&open()?, &arguments),
        Command::Replay(arguments) if arguments.watches() => {
            replay::watch(&open, named, &arguments)
        }
        Command::Replay(arguments) => replay::run(&open()?, &arguments),
        Command::Close(arguments) => close::run(&open()?, &arguments),
        Command::Draft(arguments) => command::run(&open()?, &arguments),
        Command::Serve(arguments) => serve::run(&open()?, &arguments),
        Command::Record(arguments) => record::run(&open()?, &arguments),
        Command::Editions(arguments) => editions::run(&open()?, &arguments),
        Command::Audit(arguments) => audit::run(&open()?, &arguments),
        Command::Clean(arguments) => clean::run(&open()?, &arguments),
        Command::Test(arguments) => {
            let reopen = || open().map_err(|stop| stop.to_string());
            return Ok(harness::test(open()?, &arguments, &reopen, named));
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Prints the lines of failure logs that were skipped, and why.
fn complain_of_unusable(lines: &[String]) {
    for line in lines {
        warn("not usable", line);
    }
}

/// Prints the reason why failure messages are not shown, if there is one.
fn complain_of_hidden(reason: Option<&str>) {
    if let Some(reason) = reason {
        warn("messages are not shown", reason);
    }
}
