//! `editions`: lists or deletes editions that replays through coordinators left behind.

use clap::{Args, Subcommand};

use super::{Done, Stop, say};
use crate::model::counted;
use crate::project::{EditionCleanup, Ledger, Project};

/// List or delete editions that `replay --coordinator` made at an address.
#[derive(Debug, Args)]
pub(super) struct EditionsArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, oldest first.
    List,
    /// Delete those whose coordinator supports it, and explain how to delete the others.
    Clean {
        /// Remove an edition from the list that was deleted by other means.
        #[arg(long, value_name = "EDITION")]
        forget: Vec<String>,
    },
}

pub(super) fn run(project: &Project, arguments: &EditionsArguments) -> Done {
    let ledger = Ledger::of(&project.config().root);
    match &arguments.action {
        Action::List => list(&ledger),
        Action::Clean { forget } if forget.is_empty() => clean(&ledger),
        Action::Clean { forget } => {
            let forgotten = ledger.forget_editions(forget)?;
            say(format_args!(
                "{} taken off the list",
                counted(forgotten, "line")
            ));
            Ok(())
        }
    }
}

fn list(ledger: &Ledger) -> Done {
    let entries = ledger.read()?;
    if entries.is_empty() {
        say("nothing is left behind");
    }
    for entry in &entries {
        say(format_args!(
            "{}  {}/{}  at {} ({})  for {}, {}",
            entry.edition,
            entry.domain,
            entry.root,
            entry.address,
            entry.coordinator,
            entry.made_for,
            entry.made_at
        ));
    }
    Ok(())
}

fn clean(ledger: &Ledger) -> Done {
    let mut is_something_left = false;
    let count = ledger.delete_editions(&mut |cleanup| {
        let EditionCleanup {
            address,
            domain,
            edition,
            ..
        } = cleanup;
        match &cleanup.result {
            Ok(deleted) => say(format_args!(
                "deleted {edition} of {domain} at {address}: {} pages",
                deleted.pages
            )),
            Err(reason) => {
                is_something_left = true;
                say(format_args!("kept {edition} of {domain}: {reason}"));
            }
        }
    })?;
    if count == 0 {
        say("nothing is left behind");
    }
    if is_something_left {
        return Err(Stop::Failed(
            "not everything that was left behind could be deleted".into(),
        ));
    }
    Ok(())
}
