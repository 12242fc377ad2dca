//! `replay --debug`: runs the logic under its debugger, sends one `Handle` without a deadline, and repeats on Enter.

use std::fmt::Display;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::{Done, Stop, complain_of_error, replay, report, say};
use crate::documentation::Page;
use crate::fixture::Fixture;
use crate::grpc::{Connection, ConnectionOptions, LogicClient};
use crate::model::CaseStimulus;
use crate::processes::{StartedServer, free_port};
use crate::project::{
    CommandConfig, LogicChoice, LogicPlace, Project, ReadyLogic, ReplayOptions, SelectedLogic,
    debug_command, readiness,
};
use crate::replay::{GrpcTarget, Target};
use crate::replaying::{PreparedCase, ReplayReport, ReplayRequest};
use crate::terminal::show;

pub(super) fn run(
    project: &Project,
    path: &Path,
    request: &ReplayRequest,
    shows_all: bool,
) -> Done {
    let prepared = PreparedCase::read(project, path, request)?;
    let logic = prepared.selected_logic(project, request)?;
    loop {
        let round = Round::prepare(project, &prepared.fixture, &logic)?;
        let ended = round.report(project, &prepared);
        match &ended {
            Ok(report) => show(&report::text(report, replay::layout(shows_all))),
            // The user may have ended the logic from the debugger, so go on.
            Err(error) => complain_of_error(error),
        }
        say("\nEnter: once more from the start; end of input (Ctrl-D): done");
        if !enter() {
            return ended.map(drop).map_err(|_| Stop::Differs);
        }
    }
}

/// Waits for Enter. Returns false at the end of input.
fn enter() -> bool {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .is_ok_and(|length| length > 0)
}

/// Logic that is ready for one stimulus. Logic that was started for it ends with it.
struct Round {
    logic: Arc<ReadyLogic>,
    started: Option<StartedServer>,
}

impl Round {
    /// Makes the logic ready, prints what to attach to, and waits.
    fn prepare(project: &Project, fixture: &Fixture, logic: &SelectedLogic) -> Result<Self, Stop> {
        let (name, stimulus) = (&logic.config.name, stimulus(fixture));
        let (target, started) = match &logic.config.place {
            LogicPlace::InProcess(_) => {
                let pid = std::process::id();
                say(format_args!(
                    "logic `{name}` runs in this process; attach to it: rust-lldb -p {pid}, or rust-gdb -p {pid}\n\
                     then press Enter to send {stimulus}"
                ));
                enter();
                let dialect = &fixture.case.source.dialect;
                (project.logics().target(logic, dialect)?, None)
            }
            LogicPlace::Address(address) => {
                say(format_args!(
                    "logic `{name}` is at {address}; attach to its process, then press Enter to send {stimulus}"
                ));
                enter();
                (patient_target(project, fixture, logic, address)?, None)
            }
            LogicPlace::Command(start) => {
                let started = under_debugger(name, start)?;
                say(format_args!("it serves; sending {stimulus}"));
                let target = patient_target(project, fixture, logic, &started.address())?;
                (target, Some(started))
            }
        };
        Ok(Self {
            logic: Arc::new(ReadyLogic::new(logic.clone(), target)),
            started,
        })
    }

    /// Sends the stimulus and reports the outcome.
    fn report(&self, project: &Project, prepared: &PreparedCase) -> Result<ReplayReport, String> {
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&self.logic),
            asks_once: true,
            ..ReplayOptions::default()
        };
        prepared.replay(project, &options).map_err(|error| {
            // The logic's output is on the terminal already.
            match self.started.as_ref().map(StartedServer::last_words) {
                Some((_, Some(status))) => format!("{error}\nthe logic ended with {status}"),
                Some((_, None)) | None => error.to_string(),
            }
        })
    }
}

const fn stimulus(fixture: &Fixture) -> &'static str {
    match fixture.case.stimulus {
        CaseStimulus::Command(_) => "one command",
        CaseStimulus::History => "the history",
        CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::Projector { .. } => "the new events",
        CaseStimulus::Upcaster => "the pages",
        CaseStimulus::Compensation(_) | CaseStimulus::ProcessCompensation(_) => "one notification",
        CaseStimulus::Fact(_) => "one fact",
        CaseStimulus::Flow(_) => "the flow",
    }
}

/// Logic at an address, without a deadline: a breakpoint may hold the call as long as it likes.
fn patient_target(
    project: &Project,
    fixture: &Fixture,
    logic: &SelectedLogic,
    address: &str,
) -> Result<Box<dyn Target>, Stop> {
    let options = ConnectionOptions {
        deadline: None,
        status_limit: project.config().status_limit,
        reply_limit: Some(project.config().reply_limit),
        ..ConnectionOptions::default()
    };
    let connection = Connection::new(address, options).map_err(|error| failed(&error))?;
    let dialect = logic
        .dialect(&fixture.case.source.dialect)
        .map_err(|error| failed(&error))?;
    let client = LogicClient::new(connection, dialect);
    Ok(Box::new(GrpcTarget::new(client, logic.config.upcaster)))
}

fn failed(error: &dyn Display) -> Stop {
    Stop::Failed(error.to_string())
}

fn under_debugger(name: &str, start: &CommandConfig) -> Result<StartedServer, Stop> {
    let (port, debug_port) = free_port()
        .and_then(|port| Ok((port, free_port()?)))
        .map_err(|error| failed(&error))?;
    let Some((spec, attach)) = debug_command(name, start, port, debug_port) else {
        return Err(Stop::Usage(format!(
            "logic `{name}` has no debug command; add one to replay.toml (recipes: {}):\n\n  \
             [logic.{name}.debug]\n  command = [\"…\", \"{{debug_port}}\", …]\n  attach = \"what to attach, and \
             where: {{debug_port}}\"",
            Page::Debugging
        )));
    };
    let started = StartedServer::spawn(&spec).map_err(|error| failed(&error))?;
    say(format_args!(
        "{attach}\nwaiting until it serves on {} …",
        started.address()
    ));
    started
        .await_ready(None, &readiness)
        .map_err(|error| failed(&error))?;
    Ok(started)
}
