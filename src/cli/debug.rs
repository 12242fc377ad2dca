//! `replay --debug`: the logic under its debugger, one `Handle`, no deadline, over again on Enter.

use std::io::BufRead;
use std::net::TcpListener;
use std::path::Path;

use super::replay::replayed;
use super::report::Report;
use super::{Stop, say};
use crate::fixture::Fixture;
use crate::project::{LogicPlace, Project, SelectedLogic, launch_spec};
use crate::replay::{GrpcTarget, StartedLogic, Target};
use crate::wire::{Connection, ConnectionOptions, LogicClient};

pub(super) fn run(
    project: &Project,
    path: &Path,
    fixture: &Fixture,
    logic: &SelectedLogic,
    is_what_if: bool,
) -> Result<(), Stop> {
    loop {
        let (target, _running) = prepare(project, fixture, logic)?;
        let run = replayed(project, fixture, target.as_ref(), false)?;
        let report = Report {
            path,
            fixture,
            logic,
            run: &run,
            states: (None, None),
            descriptors: [project.registry()?, &fixture.descriptors],
            is_what_if,
        };
        say(report.text().trim_end());
        say("\nEnter: once more from the start; end of input (Ctrl-D): done");
        if !enter() {
            return Ok(());
        }
    }
}

/// Waits for Enter; false at the end of input.
fn enter() -> bool {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .is_ok_and(|length| length > 0)
}

type Prepared = (Box<dyn Target>, Option<StartedLogic>);

/// Makes the logic ready, says what to attach to, and waits.
fn prepare(project: &Project, fixture: &Fixture, logic: &SelectedLogic) -> Result<Prepared, Stop> {
    let address = match &logic.config.place {
        LogicPlace::InProcess(_) => {
            let pid = std::process::id();
            say(format_args!(
                "logic `{}` runs in this process; attach to it: rust-lldb -p {pid}, or rust-gdb -p {pid}\n\
                 then press Enter to send one command",
                logic.config.name
            ));
            enter();
            let target = project
                .logics()
                .target(logic, &fixture.case.source.dialect)?;
            return Ok((target, None));
        }
        LogicPlace::Address(address) => {
            say(format_args!(
                "logic `{}` is at {address}; attach to its process, then press Enter to send one command",
                logic.config.name
            ));
            enter();
            (address.clone(), None)
        }
        LogicPlace::Command { .. } => {
            let started = under_debugger(logic)?;
            (started.address(), Some(started))
        }
    };
    let (address, started) = address;
    // A breakpoint may hold the call as long as it likes.
    let options = ConnectionOptions {
        deadline: None,
        ..ConnectionOptions::default()
    };
    let connection =
        Connection::new(&address, options).map_err(|error| Stop::Failed(error.to_string()))?;
    let dialect = crate::project::dialect_of(logic, &fixture.case.source.dialect)
        .map_err(|error| Stop::Failed(error.to_string()))?;
    let target = GrpcTarget::new(LogicClient::new(connection, dialect), logic.config.upcaster);
    Ok((Box::new(target), started))
}

fn under_debugger(logic: &SelectedLogic) -> Result<StartedLogic, Stop> {
    let failed = |error: &dyn std::fmt::Display| Stop::Failed(error.to_string());
    let LogicPlace::Command {
        debug: Some(debug), ..
    } = &logic.config.place
    else {
        return Err(Stop::Usage(format!(
            "logic `{}` has no debug command; add one to replay.toml:\n\n  [logic.{}.debug]\n  command = [\"…\", \
             \"{{debug_port}}\", …]\n  attach = \"what to attach, and where: {{debug_port}}\"",
            logic.config.name, logic.config.name
        )));
    };
    let mut spec =
        launch_spec(&logic.config).ok_or_else(|| Stop::Failed("the logic is no command".into()))?;
    let ports = free_port()
        .and_then(|port| Ok((port, free_port()?)))
        .map_err(|error| failed(&error))?;
    let debug_port = ports.1.to_string();
    let fill = |text: &String| text.replace("{debug_port}", &debug_port);
    spec.command = debug.command.iter().map(fill).collect();
    let port = spec.port.unwrap_or(ports.0);
    let started = StartedLogic::spawn(&spec, port).map_err(|error| failed(&error))?;
    say(format_args!(
        "{}\nwaiting until it serves on 127.0.0.1:{port} …",
        fill(&debug.attach).replace("{port}", &port.to_string())
    ));
    started
        .await_serving(None)
        .map_err(|error| failed(&error))?;
    say("it serves; sending one command");
    Ok(started)
}

fn free_port() -> std::io::Result<u16> {
    TcpListener::bind("127.0.0.1:0")?
        .local_addr()
        .map(|address| address.port())
}
