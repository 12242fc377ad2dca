//! `replay`: the debug report of cases.

use std::path::Path;

use clap::Args;

use super::report::{Report, States, states};
use super::what_if::{self, Changes};
use super::{Done, Fixtures, Stop, debug, say, several, through};
use crate::diagram::mermaid;
use crate::fixture::Fixture;
use crate::harness::Entry;
use crate::project::{Checked, Project, SelectedLogic};
use crate::replay::{ReplayNote, unknown_in_replies};
use crate::wire::UnknownFields;

/// Replay cases on today's logic and report: history, command, outcome, what production did, verdict.
///
/// Nothing is persisted. One case is reported in full, and ends with 1 where it is not as it should be or cannot be judged.
/// Several get a line each, also on their twins, and are counted as `cargo test` counts them; they end with 1 where one
/// failed.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Replay on this logic: a name in replay.toml, or an address.
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(super) logic: Option<String>,
    /// Replay through this coordinator of replay.toml, on a store or in an edition of its own.
    #[arg(long, value_name = "NAME", conflicts_with = "debug")]
    pub(super) coordinator: Option<String>,
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
    pub(super) json: bool,
    /// Print the sequence diagram of a flow as Mermaid text, and nothing else.
    #[arg(long, conflicts_with_all = ["debug", "json"])]
    mermaid: bool,
}

impl ReplayArguments {
    const fn is_what_if(&self) -> bool {
        self.to_sequence.is_some() || !self.changes.is_empty()
    }

    /// A flag that makes sense for one case only.
    fn flag_for_one(&self) -> Option<&'static str> {
        let to_sequence = self.to_sequence.map(|_| "--to-sequence");
        to_sequence
            .or_else(|| self.changes.first_flag())
            .or_else(|| self.debug.then_some("--debug"))
            .or_else(|| self.mermaid.then_some("--mermaid"))
    }
}

pub(super) fn run(project: &Project, arguments: &ReplayArguments) -> Done {
    let entries = arguments.fixtures.select(project)?;
    match (entries.as_slice(), arguments.flag_for_one()) {
        ([entry], _) => {
            let is_fine = one(project, arguments, entry)?;
            if is_fine { Ok(()) } else { Err(Stop::Differs) }
        }
        (entries, Some(flag)) => Err(Stop::Usage(format!(
            "{flag} takes one case, and {} are named: {}",
            entries.len(),
            beginning(entries)
        ))),
        (entries, None) => several::run(project, arguments, entries),
    }
}

/// The first few names.
fn beginning(entries: &[Entry]) -> String {
    const SHOWN: usize = 3;
    let names = entries.iter().take(SHOWN).map(|it| it.name.as_str());
    let rest = if entries.len() > SHOWN { ", …" } else { "" };
    format!("{}{rest}", names.collect::<Vec<_>>().join(", "))
}

/// Replays one case and reports it in full. Whether it is as it should be.
fn one(project: &Project, arguments: &ReplayArguments, entry: &Entry) -> Result<bool, Stop> {
    let path = entry.path.as_path();
    let mut fixture = project.folder().read(path)?;
    let lost = change(project, arguments, &mut fixture)?;
    let logic = choose(project, arguments, entry, &fixture)?.ok_or_else(|| {
        let domain = &fixture.case.cover.domain;
        Stop::Failed(format!(
            "{}: {}; add [logic.{domain}] to replay.toml, or say --logic ADDRESS",
            Project::shown(path),
            project.logics().none_for(domain.as_str())
        ))
    })?;
    if arguments.debug {
        if let Some(note) = &lost {
            say(format_args!("note: {note}"));
        }
        debug::run(project, path, &fixture, &logic, arguments.is_what_if())?;
        return Ok(true);
    }
    let case = (path, &fixture, &logic);
    report(project, arguments, case, lost.as_ref(), |report| {
        if arguments.mermaid {
            let Checked::Flow(flow) = &report.run.checked else {
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
            say(report.text().trim_end());
        }
        Ok(report.is_fine())
    })?
}

/// Makes the changes that are asked for. Gives a note on what is lost with them.
fn change(
    project: &Project,
    arguments: &ReplayArguments,
    fixture: &mut Fixture,
) -> Result<Option<ReplayNote>, Stop> {
    let mut lost = UnknownFields::new();
    if let Some(last) = arguments.to_sequence {
        lost.append(&mut what_if::cut(&mut fixture.case, last)?);
    }
    if !arguments.changes.is_empty() {
        let today = project.registry_for(&fixture.case.source.dialect)?;
        let registries = [&fixture.descriptors, today];
        lost.append(&mut arguments.changes.make(&mut fixture.case, registries)?);
    }
    Ok(ReplayNote::not_sent(lost))
}

/// Replays a case, and tells what came of it.
pub(super) fn report<T>(
    project: &Project,
    arguments: &ReplayArguments,
    (path, fixture, logic): (&Path, &Fixture, &SelectedLogic),
    lost: Option<&ReplayNote>,
    tell: impl FnOnce(&Report<'_>) -> T,
) -> Result<T, Stop> {
    let (mut run, through, target) = if let Some(name) = &arguments.coordinator {
        let (run, through) = through::run(project, (name, arguments.force), path, fixture, logic)?;
        (run, Some(through), None)
    } else {
        let dialect = &fixture.case.source.dialect;
        let target = project.logics().target(logic, dialect)?;
        let run = project
            .run_case(fixture, target.as_ref(), true)
            .map_err(|error| Stop::Failed(project.with_last_words(logic, &error)))?;
        (run, None, Some(target))
    };
    let today = project.registry_for(&fixture.case.source.dialect)?;
    let descriptors = [today, &fixture.descriptors];
    // No coordinator says a state.
    let states = target.as_ref().map_or_else(States::default, |target| {
        states(&fixture.case, &run, target.as_ref(), descriptors)
    });
    let of_states = target.and_then(|target| unknown_in_replies(target.as_ref()));
    let notes = of_states.iter().chain(lost).map(ToString::to_string);
    for note in notes.collect::<Vec<_>>() {
        // The replies that states are folded from may tell the same as the replay's own.
        if !run.notes.contains(&note) {
            run.notes.push(note);
        }
    }
    let last_words = project.words_of_crashed(logic, &run.checked);
    let last_words = last_words.or_else(|| {
        let is_crashed = states.failure.is_some();
        is_crashed.then(|| project.logics().last_words(&logic.config.name))?
    });
    Ok(tell(&Report {
        last_words,
        path,
        fixture,
        logic,
        run: &run,
        states,
        descriptors,
        through,
        is_what_if: arguments.is_what_if(),
    }))
}

/// The logic that a case is replayed on; none where none is configured.
pub(super) fn choose(
    project: &Project,
    arguments: &ReplayArguments,
    entry: &Entry,
    fixture: &Fixture,
) -> Result<Option<SelectedLogic>, Stop> {
    let logics = project.logics();
    match (&arguments.logic, &entry.twin) {
        (Some(address), _) if address.contains(':') => Ok(Some(SelectedLogic::at_address(
            address,
            fixture.case.stimulus.component_kind(),
            &fixture.case.cover.domain,
        ))),
        (Some(name), _) | (None, Some(name)) => Ok(Some(logics.named(name)?)),
        (None, None) => Ok(logics.of_case(&fixture.case)?),
    }
}
