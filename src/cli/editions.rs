//! `editions`: what replays through coordinators left behind, and how it goes away.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use super::{Done, Stop, say};
use crate::grpc::{Connection, ConnectionOptions, DeletedEdition, EditionsClient, EditionsError};
use crate::model::{Domain, EditionName, counted};
use crate::project::{Ledger, LeftBehind, Project};

/// Editions that `replay --coordinator` made at an address: list them, delete what can be deleted.
#[derive(Debug, Args)]
pub(super) struct EditionsArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, oldest first.
    List,
    /// Delete those whose coordinator can, and say what is left and how it goes away.
    Clean {
        /// Take an edition off the list that was deleted by other means.
        #[arg(long, value_name = "EDITION")]
        forget: Vec<String>,
    },
}

pub(super) fn run(project: &Project, arguments: &EditionsArguments) -> Done {
    let ledger = Ledger::of(&project.config().root);
    match &arguments.action {
        Action::List => list(&ledger),
        Action::Clean { forget } if forget.is_empty() => clean(&ledger),
        Action::Clean { forget } => forget_all(&ledger, forget),
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

fn forget_all(ledger: &Ledger, names: &[String]) -> Done {
    let entries = ledger.read()?;
    for name in names {
        if !entries.iter().any(|entry| entry.edition == *name) {
            return Err(Stop::Failed(format!(
                "no edition `{name}` is noted; `cargo xtask editions list` says which are"
            )));
        }
    }
    let gone: Vec<LeftBehind> = entries
        .into_iter()
        .filter(|entry| names.contains(&entry.edition))
        .collect();
    ledger.remove(&gone)?;
    say(format_args!(
        "{} taken off the list",
        counted(gone.len(), "line")
    ));
    Ok(())
}

fn clean(ledger: &Ledger) -> Done {
    let entries = ledger.read()?;
    if entries.is_empty() {
        say("nothing is left behind");
        return Ok(());
    }
    let mut gone: Vec<LeftBehind> = Vec::new();
    let mut is_something_left = false;
    let places: BTreeSet<(&str, &str, &str)> = entries
        .iter()
        .map(|entry| {
            (
                entry.address.as_str(),
                entry.domain.as_str(),
                entry.edition.as_str(),
            )
        })
        .collect();
    for (address, domain, edition) in places {
        match delete(address, domain, edition) {
            Ok(deleted) => {
                say(format_args!(
                    "deleted {edition} of {domain} at {address}: {} pages",
                    deleted.pages
                ));
                let same = |entry: &&LeftBehind| {
                    (
                        entry.address.as_str(),
                        entry.domain.as_str(),
                        entry.edition.as_str(),
                    ) == (address, domain, edition)
                };
                gone.extend(entries.iter().filter(same).cloned());
            }
            Err(reason) => {
                is_something_left = true;
                say(format_args!("kept {edition} of {domain}: {reason}"));
            }
        }
    }
    ledger.remove(&gone)?;
    if is_something_left {
        return Err(Stop::Failed(
            "not everything that was left behind could be deleted".into(),
        ));
    }
    Ok(())
}

fn delete(address: &str, domain: &str, edition: &str) -> Result<DeletedEdition, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let name = EditionName::new(edition).map_err(|error| words(&error))?;
    let of = Domain::new(domain).map_err(|error| words(&error))?;
    let connection =
        Connection::new(address, ConnectionOptions::default()).map_err(|error| words(&error))?;
    match EditionsClient::new(connection).delete(&of, &name) {
        Ok(deleted) => Ok(deleted),
        Err(error @ EditionsError::NotOffered { .. }) => Err(format!(
            "{error}. Delete its rows by SQL, in the tables of events and of snapshots of that store, where the domain is \
             '{domain}' and the edition '{edition}', or drop the database; then `cargo xtask editions clean --forget {edition}`"
        )),
        Err(error) => Err(words(&error)),
    }
}
