//! `replay`: the debug report of cases.

use std::path::{Path, PathBuf};

use clap::Args;

use super::report::{Report, States, states};
use super::what_if::{self, Changes};
use super::{Done, Stop, debug, say, through};
use crate::diagram::mermaid;
use crate::fixture::Fixture;
use crate::project::{Checked, Project, SelectedLogic};
use crate::replay::{Note, unknown_in_replies};
use crate::wire::UnknownFields;

/// Replay cases on today's logic and report: history, command, outcome, what production did, verdict.
///
/// Nothing is persisted. Ends with 1 where a case is not as it should be.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct ReplayArguments {
    /// Fixtures.
    #[arg(required = true)]
    fixtures: Vec<PathBuf>,
    /// Replay on this logic: a name in replay.toml, or an address.
    #[arg(long, value_name = "NAME|ADDRESS")]
    logic: Option<String>,
    /// Replay through this coordinator of replay.toml, on a store or in an edition of its own.
    #[arg(long, value_name = "NAME", conflicts_with = "debug")]
    coordinator: Option<String>,
    /// Load the history into an edition at the coordinator's address, though its dialect publishes what is loaded.
    #[arg(long, requires = "coordinator")]
    force: bool,
    /// What if the command had come after this event? -1 for none.
    #[arg(long, value_name = "SEQUENCE", allow_negative_numbers = true)]
    to_sequence: Option<i64>,
    #[command(flatten)]
    changes: Changes,
    /// Start the logic under its debugger, wait, and send exactly one `Handle` without a deadline.
    #[arg(long)]
    debug: bool,
    /// Print as JSON, one object a case.
    #[arg(long, conflicts_with = "debug")]
    json: bool,
    /// Print the sequence diagram of a flow as Mermaid text, and nothing else.
    #[arg(long, conflicts_with_all = ["debug", "json"])]
    mermaid: bool,
}

impl ReplayArguments {
    const fn is_what_if(&self) -> bool {
        self.to_sequence.is_some() || !self.changes.is_empty()
    }
}

pub(super) fn run(project: &Project, arguments: &ReplayArguments) -> Done {
    if arguments.debug && arguments.fixtures.len() != 1 {
        return Err(Stop::Usage("--debug takes one fixture".into()));
    }
    let mut all_fine = true;
    let mut failures = Vec::new();
    let mut is_first = true;
    for path in &arguments.fixtures {
        match one(project, arguments, path, is_first) {
            Ok(is_fine) => {
                all_fine &= is_fine;
                is_first = false;
            }
            Err(Stop::Failed(message)) => failures.push(message),
            Err(stop) => return Err(stop),
        }
    }
    if !failures.is_empty() {
        return Err(Stop::Failed(failures.join("\nerror: ")));
    }
    if all_fine { Ok(()) } else { Err(Stop::Differs) }
}

fn one(
    project: &Project,
    arguments: &ReplayArguments,
    path: &Path,
    is_first: bool,
) -> Result<bool, Stop> {
    let mut fixture = project.folder().read(path)?;
    let mut lost = UnknownFields::new();
    if let Some(last) = arguments.to_sequence {
        lost.append(&mut what_if::cut(&mut fixture.case, last)?);
    }
    if !arguments.changes.is_empty() {
        let today = project.registry_for(&fixture.case.source.dialect)?;
        let registries = [&fixture.descriptors, today];
        lost.append(&mut arguments.changes.make(&mut fixture.case, registries)?);
    }
    let lost = Note::not_sent(lost);
    let logic = choose(project, arguments, &fixture, path)?;
    if arguments.debug {
        if let Some(note) = &lost {
            say(format_args!("note: {note}"));
        }
        debug::run(project, path, &fixture, &logic, arguments.is_what_if())?;
        return Ok(true);
    }
    let (mut run, through, target) = if let Some(name) = &arguments.coordinator {
        let (run, through) =
            through::run(project, (name, arguments.force), path, &fixture, &logic)?;
        (run, Some(through), None)
    } else {
        let dialect = &fixture.case.source.dialect;
        let target = project.logics().target(&logic, dialect)?;
        let run = project
            .run_case(&fixture, target.as_ref(), true)
            .map_err(|error| Stop::Failed(project.with_last_words(&logic, &error)))?;
        (run, None, Some(target))
    };
    let today = project.registry_for(&fixture.case.source.dialect)?;
    let descriptors = [today, &fixture.descriptors];
    // No coordinator says a state.
    let states = target.as_ref().map_or_else(States::default, |target| {
        states(&fixture.case, &run, target.as_ref(), descriptors)
    });
    let of_states = target.and_then(|target| unknown_in_replies(target.as_ref()));
    let notes = of_states.iter().chain(&lost).map(ToString::to_string);
    for note in notes.collect::<Vec<_>>() {
        // The replies that states are folded from may tell the same as the replay's own.
        if !run.notes.contains(&note) {
            run.notes.push(note);
        }
    }
    let last_words = project.words_of_crashed(&logic, &run.checked);
    let last_words = last_words.or_else(|| {
        let is_crashed = states.failure.is_some();
        is_crashed.then(|| project.logics().last_words(&logic.config.name))?
    });
    let report = Report {
        last_words,
        path,
        fixture: &fixture,
        logic: &logic,
        run: &run,
        states,
        descriptors,
        through,
        is_what_if: arguments.is_what_if(),
    };
    if arguments.mermaid {
        let Checked::Flow(flow) = &run.checked else {
            return Err(Stop::Usage(format!(
                "{}: --mermaid draws flows, and this is a case of kind {}",
                Project::shown(path),
                fixture.case.stimulus.word()
            )));
        };
        say(mermaid(flow).trim_end());
    } else if arguments.json {
        say(report.json());
    } else {
        if !is_first {
            say("\n────────────────────────────────────────\n");
        }
        say(report.text().trim_end());
    }
    Ok(report.is_fine())
}

fn choose(
    project: &Project,
    arguments: &ReplayArguments,
    fixture: &Fixture,
    path: &Path,
) -> Result<SelectedLogic, Stop> {
    let domain = &fixture.case.cover.domain;
    match &arguments.logic {
        Some(address) if address.contains(':') => Ok(SelectedLogic::at_address(
            address,
            fixture.case.stimulus.component_kind(),
            domain,
        )),
        Some(name) => Ok(project.logics().named(name)?),
        None => project.logics().of_case(&fixture.case)?.ok_or_else(|| {
            Stop::Failed(format!(
                "{}: {}; add [logic.{domain}] to replay.toml, or say --logic ADDRESS",
                Project::shown(path),
                project.logics().none_for(domain.as_str())
            ))
        }),
    }
}
