//! `clean`: deletes files that no fixture uses.

use clap::Args;

use super::{Done, Stop, complain, say, words};
use crate::harness::{DiscoveryError, leftovers};
use crate::project::Project;
use crate::terminal::several_errors;

/// Delete files that no fixture uses: snapshots and pending snapshots without their fixture, and descriptor sets and
/// histories that no fixture names.
///
/// Deletes only files in the folder of fixtures that this tool wrote.
#[derive(Debug, Args)]
pub(super) struct CleanArguments {
    /// Delete nothing; list the files that would be deleted.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(project: &Project, arguments: &CleanArguments) -> Done {
    let found = leftovers(project).map_err(|error| {
        Stop::Failed(match error {
            // A folder without any fixture is probably the wrong one.
            DiscoveryError::Empty { folder } => format!(
                "there is no fixture in {folder}, so nothing in it is deleted; is `fixtures` in replay.toml right?"
            ),
            error @ DiscoveryError::Unreadable(_) => error.to_string(),
        })
    })?;
    for (file, reason) in &found.left_alone {
        complain(format_args!(
            "left alone: {}: {reason}",
            Project::shown(file)
        ));
    }
    let mut failures = Vec::new();
    for file in &found.unused {
        let shown = Project::shown(file);
        if arguments.dry_run {
            say(format_args!("would delete {shown}"));
            continue;
        }
        match std::fs::remove_file(file) {
            Ok(()) => say(format_args!("deleted {shown}")),
            Err(error) => failures.push(format!("{shown} cannot be deleted: {}", words(&error))),
        }
    }
    failures.extend(found.unknown.map(|reason| {
        format!(
            "descriptor sets and histories are left alone, since nobody knows which of them are in use: {reason}"
        )
    }));
    if !failures.is_empty() {
        return Err(Stop::Failed(several_errors(failures)));
    }
    if found.unused.is_empty() {
        say("nothing to delete");
    }
    Ok(())
}
