//! `close`: today's outcome becomes the expectation, and an open case a closed one.

use std::path::Path;

use clap::Args;

use super::{Done, Fixtures, Stop, say, words};
use crate::capturing::{flicker, mark_closed};
use crate::files;
use crate::fixture::{add_rules, write_atomically};
use crate::model::{Probe, Rule, Status};
use crate::project::Project;
use crate::snapshot::{Verdict, stored};

/// Accept today's outcome of cases: write their snapshots and mark them closed.
#[derive(Debug, Args)]
pub(super) struct CloseArguments {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Close even a case whose bug still reproduces: its behaviour becomes the expectation.
    #[arg(long)]
    force: bool,
    /// Leave out what differs from run to run: write a rule for each such field into the fixture.
    #[arg(long)]
    add_rules: bool,
}

pub(super) fn run(project: &Project, arguments: &CloseArguments) -> Done {
    let mut failures = Vec::new();
    for entry in arguments.fixtures.select(project)? {
        let closed = match &entry.twin {
            None => close(project, &entry.path, arguments),
            Some(twin) => Err(Stop::Usage(format!(
                "{}: a snapshot is of the case's own logic, and `{twin}` is held to it; leave out @{twin}",
                entry.name
            ))),
        };
        if let Err(stop) = closed {
            failures.push(stop.to_string());
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Stop::Failed(failures.join("\nerror: ")))
    }
}

fn close(project: &Project, path: &Path, arguments: &CloseArguments) -> Done {
    let shown = Project::shown(path);
    let mut fixture = project.folder().read(path)?;
    let logic = project.logics().of_case(&fixture.case)?.ok_or_else(|| {
        Stop::Failed(format!(
            "{shown}: {none}; add [logic.{domain}] to replay.toml",
            none = project
                .logics()
                .none_for(fixture.case.cover.domain.as_str()),
            domain = fixture.case.cover.domain
        ))
    })?;
    let target = project
        .logics()
        .target(&logic, &fixture.case.source.dialect)?;
    let once = |fixture: &crate::fixture::Fixture| {
        let run = project.run_case(fixture, target.as_ref(), true);
        run.map_err(|error| Stop::Failed(project.with_last_words(&logic, &error)))
    };
    let mut run = once(&fixture)?;
    let mut added = Vec::new();
    if project.probe_of(&fixture.case) != Probe::Never {
        let mut flickers = flicker(project, &fixture, &run, &once(&fixture)?);
        if let Some(found) = flickers.take_if(|_| arguments.add_rules) {
            added.clone_from(&found.rules);
            fixture.case.rules.extend(found.rules);
            run = once(&fixture)?;
            flickers = flicker(project, &fixture, &run, &once(&fixture)?);
        }
        if let Some(flicker) = flickers {
            return Err(Stop::Failed(format!(
                "{shown}: not deterministic: two runs one after the other differ\n{}\n\n{}",
                flicker.differing(),
                flicker.advice(&shown)
            )));
        }
    }
    let Some(text) = run.text() else {
        return Err(Stop::Failed(format!(
            "{shown}: there is no outcome to accept: logic `{}` offers neither Replay nor an upcaster",
            logic.config.name
        )));
    };
    let is_open = fixture.case.status == Status::Open;
    let is_accepted = Project::snapshot_path(path).exists();
    if is_open && !is_accepted && run.verdict == Verdict::Reproduced && !arguments.force {
        return Err(Stop::Failed(format!(
            "{shown}: the bug still reproduces; closing now would make it the expectation. Fix it first, or say \
             --force if this is how it shall be"
        )));
    }
    if !added.is_empty() {
        write_rules(project, path, &added, &fixture.case.rules)?;
    }
    stored::accept(path, &text).map_err(|error| {
        let snapshot = Project::shown(&Project::snapshot_path(path));
        Stop::Failed(format!("{snapshot} cannot be written: {}", words(&error)))
    })?;
    mark_closed(path)?;
    for Rule {
        type_pattern,
        field,
        ..
    } in &added
    {
        say(format_args!(
            "rule: {field} of {type_pattern} differs from run to run"
        ));
    }
    say(format_args!(
        "closed {shown}; its snapshot is {}",
        Project::shown(&Project::snapshot_path(path))
    ));
    say(format_args!(
        "commit: {}",
        project.files_to_commit(path).join(" ")
    ));
    Ok(())
}

/// Adds rules to the file, and reads it to see that it has them now.
fn write_rules(project: &Project, path: &Path, added: &[Rule], all: &[Rule]) -> Done {
    let shown = Project::shown(path);
    let text = files::read_to_string(path, files::MADE)
        .map_err(|error| Stop::Failed(format!("{shown}: {}", words(&error))))?;
    let edited = add_rules(&text, added).filter(|edited| {
        let read = project.folder().read_text(edited, path);
        read.is_ok_and(|fixture| fixture.case.rules == all)
    });
    let edited = edited.ok_or_else(|| {
        Stop::Failed(format!(
            "{shown}: its `rules` are not written as a list with an item on each line: write it so, or add the rules by hand; \
             nothing is written"
        ))
    })?;
    write_atomically(path, edited.as_bytes(), true)
        .map_err(|error| Stop::Failed(format!("{shown}: {}", words(&error))))
}
