//! `editions`: lists or deletes editions that replays through coordinators left behind.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Done, Stop, say};
use crate::model::counted;
use crate::project::{EditionCleanup, Ledger, LedgerEntry, Project};
use crate::terminal::{Role, Text, one_line, paragraph, show, stdout_width};

/// List or delete editions that `replay --coordinator` made at an address.
#[derive(Debug, Args)]
pub(super) struct EditionsArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, oldest first.
    List {
        /// Print as JSON, one object per line.
        #[arg(long)]
        json: bool,
    },
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
        Action::List { json } => list(&ledger, *json),
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

fn list(ledger: &Ledger, wants_json: bool) -> Done {
    let entries = ledger.read()?;
    if wants_json {
        for entry in &entries {
            say(json_of(entry));
        }
        return Ok(());
    }
    if entries.is_empty() {
        say("nothing is left behind");
    }
    let room = stdout_width();
    for entry in &entries {
        let place = format!(
            "  {}/{}, at {} ({})",
            entry.domain, entry.root, entry.address, entry.coordinator
        );
        let origin = format!("  for {}, {}", entry.made_for, entry.made_at);
        let mut text = Text::plain(one_line(&entry.edition)).with(Role::Plain, "\n");
        for line in [place, origin] {
            let line = Text::of(Role::Faint, one_line(&line));
            text.append(&paragraph(&line, room, 4));
        }
        show(&text.trim_end());
    }
    Ok(())
}

fn json_of(entry: &LedgerEntry) -> serde_json::Value {
    json!({
        "editions": 1,
        "edition": entry.edition,
        "domain": entry.domain,
        "root": entry.root,
        "address": entry.address,
        "coordinator": entry.coordinator,
        "dialect": entry.dialect,
        "made_for": entry.made_for,
        "made_at": entry.made_at,
    })
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
