//! `review`: accepts or rejects pending outcomes, one by one or in groups.

use std::io::IsTerminal as _;

use clap::Args;
use console::{Key, Term};
use serde_json::json;

use super::{Done, Stop, differences, say};
use crate::model::counted;
use crate::project::Project;
use crate::review::{Group, PendingOutcome, PendingOutcomes, groups};
use crate::snapshot::listed;
use crate::terminal::{Role, Text, escaped, paragraph, program, show, stdout_width, warn};

/// Accept or reject changed outcomes, one by one or in groups.
///
/// A test run leaves the changed outcome of each case beside its snapshot. Outcomes that changed in the same way share
/// one question. Asks nothing without a terminal, or with one of the flags.
#[derive(Debug, Args)]
pub(super) struct ReviewArguments {
    /// List the groups and their cases.
    #[arg(long)]
    list: bool,
    /// Accept the outcomes of a group, of a FIXTURE, or `all`; open cases among them become closed.
    #[arg(long, value_name = "GROUP|FIXTURE|all")]
    accept: Vec<String>,
    /// Discard the outcomes of a group, of a FIXTURE, or `all`.
    #[arg(long, value_name = "GROUP|FIXTURE|all")]
    reject: Vec<String>,
    /// Print the groups as JSON, one object per line.
    #[arg(long, conflicts_with_all = ["list", "accept", "reject"])]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &ReviewArguments) -> Done {
    let found = PendingOutcomes::of(project)?;
    for reason in &found.unreadable {
        warn("passed over", reason);
    }
    let groups = groups(found.outcomes);
    if groups.is_empty() && !arguments.json {
        say(format_args!(
            "no outcome waits to be reviewed; `{}` leaves one for each case that changed",
            program().test()
        ));
    }
    if !arguments.accept.is_empty() || !arguments.reject.is_empty() {
        let accepted = named(project, &groups, &arguments.accept)?;
        let rejected = named(project, &groups, &arguments.reject)?;
        settle(project, &accepted, Decision::Accept)?;
        return settle(project, &rejected, Decision::Reject);
    }
    if arguments.json {
        for group in &groups {
            say(json_of(group));
        }
        return Ok(());
    }
    let is_asked =
        !arguments.list && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if is_asked {
        ask(project, &groups)
    } else {
        let room = stdout_width();
        for group in &groups {
            show(&summary(group, room));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Accept,
    Reject,
}

/// The outcomes that the words name. An unknown word is an error, and nothing is written.
fn named<'g>(
    project: &Project,
    groups: &'g [Group],
    words: &[String],
) -> Result<Vec<&'g PendingOutcome>, Stop> {
    let all = || groups.iter().flat_map(|group| &group.outcomes);
    let mut chosen: Vec<&PendingOutcome> = Vec::new();
    for word in words {
        let of_word: Vec<&PendingOutcome> = if word == "all" {
            all().collect()
        } else if let Some(group) = groups.iter().find(|group| group.id == *word) {
            group.outcomes.iter().collect()
        } else {
            let entries = super::selected(project, &[word.into()])?;
            let is_named = |outcome: &&PendingOutcome| {
                entries.iter().any(|entry| entry.name == outcome.entry.name)
            };
            let found: Vec<&PendingOutcome> = all().filter(is_named).collect();
            if found.is_empty() {
                return Err(Stop::Failed(format!(
                    "{word}: no outcome waits to be reviewed there"
                )));
            }
            found
        };
        chosen.extend(of_word);
    }
    chosen.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    chosen.dedup_by(|a, b| a.entry.name == b.entry.name);
    Ok(chosen)
}

fn settle(project: &Project, outcomes: &[&PendingOutcome], decision: Decision) -> Done {
    for outcome in outcomes {
        match decision {
            Decision::Accept => outcome.accept()?,
            Decision::Reject => outcome.discard()?,
        }
        let word = match decision {
            Decision::Accept => "accepted",
            Decision::Reject => "rejected",
        };
        say(format_args!(
            "{word} {}",
            Project::shown(&outcome.entry.path)
        ));
    }
    if decision == Decision::Accept && !outcomes.is_empty() {
        let files = outcomes
            .iter()
            .flat_map(|it| project.files_to_commit(&it.entry.path));
        let files: std::collections::BTreeSet<String> = files.collect();
        let files: Vec<String> = files.into_iter().collect();
        say(format_args!("commit: {}", files.join(" ")));
    }
    Ok(())
}

/// A group as an entry of a list: its title, its changes if there are several, and its cases.
fn summary(group: &Group, room: Option<usize>) -> Text {
    let title = Text::of(Role::Heading, &group.id).with(Role::Plain, "  ");
    let mut text = paragraph(&title.with(Role::Plain, group.title()), room, 7);
    if group.changes.len() > 1 {
        for change in &group.changes {
            let line = Text::plain(format_args!("       {change}"));
            text.append(&paragraph(&line, room, 9));
        }
    }
    if group.outcomes.len() > 1 {
        for outcome in &group.outcomes {
            text.push(
                Role::Plain,
                format_args!("         {}\n", outcome.entry.name),
            );
        }
    }
    text
}

fn json_of(group: &Group) -> serde_json::Value {
    let case = |outcome: &PendingOutcome| {
        json!({
            "trial": *outcome.entry.name,
            "fixture": Project::shown(&outcome.entry.path),
            "heading": outcome.heading.trim_end(),
            "production": outcome.production,
            "differences": listed(&outcome.differences),
        })
    };
    json!({
        "review": 1,
        "group": group.id,
        "changes": group.changes,
        "cases": group.outcomes.iter().map(case).collect::<Vec<_>>(),
    })
}

/// The meaning of a pressed key.
enum Choice {
    Settle(Decision),
    Skip,
    OneByOne,
    Quit,
}

/// Asks the user about each group.
fn ask(project: &Project, groups: &[Group]) -> Done {
    let term = Term::stdout();
    for (at, group) in groups.iter().enumerate() {
        let title = Text::of(
            Role::Heading,
            format_args!("\n{} of {}:", at + 1, groups.len()),
        );
        let title = title.with(Role::Plain, format_args!(" {}\n", group.title()));
        for line in title.lines() {
            show(&paragraph(&line, stdout_width(), 2));
        }
        show(&example(&group.outcomes[0], group.outcomes.len()));
        let is_several = group.outcomes.len() > 1;
        match choice(&term, is_several, &group.outcomes[0])? {
            Choice::Settle(decision) => {
                settle(
                    project,
                    &group.outcomes.iter().collect::<Vec<_>>(),
                    decision,
                )?;
            }
            Choice::OneByOne => {
                for outcome in &group.outcomes {
                    say(format_args!("\n{}\n", outcome.entry.name));
                    show(&example(outcome, 1));
                    match choice(&term, false, outcome)? {
                        Choice::Settle(decision) => settle(project, &[outcome], decision)?,
                        Choice::Quit => return Ok(()),
                        Choice::Skip | Choice::OneByOne => {}
                    }
                }
            }
            Choice::Quit => return Ok(()),
            Choice::Skip => {}
        }
    }
    Ok(())
}

/// One case of a group: its title, what production did, and what changed.
fn example(outcome: &PendingOutcome, of: usize) -> Text {
    let room = stdout_width();
    let mut text = Text::new();
    for line in outcome.heading.lines() {
        text.append(&paragraph(&Text::plain(line), room, 9));
    }
    if let Some(production) = &outcome.production {
        let line = Text::plain(format_args!("production: {production}"));
        text.append(&paragraph(&line, room, 2));
    }
    text.push(Role::Plain, "\n");
    match outcome.accepted {
        Some(_) => differences::push(&mut text, &outcome.differences, 2, room),
        None => {
            for line in outcome.text.lines() {
                let line = Text::of(Role::Added, format_args!("  {line}"));
                text.append(&paragraph(&line, room, 4));
            }
        }
    }
    if of > 1 {
        let more = counted(of - 1, "more case");
        text.push(
            Role::Plain,
            format_args!("\nand {more} that changed the same way\n"),
        );
    }
    text
}

fn choice(term: &Term, is_several: bool, outcome: &PendingOutcome) -> Result<Choice, Stop> {
    let one_by_one = if is_several { ", (o)ne by one" } else { "" };
    loop {
        let prompt = format!("(a)ccept, (r)eject, (s)kip{one_by_one}, (w)hole text, (q)uit? ");
        let failed =
            |error: std::io::Error| Stop::Failed(format!("the terminal: {}", super::words(&error)));
        term.write_str(&prompt).map_err(failed)?;
        let key = term.read_key().map_err(failed)?;
        term.write_line("").map_err(failed)?;
        match key {
            Key::Char('a') => return Ok(Choice::Settle(Decision::Accept)),
            Key::Char('r') => return Ok(Choice::Settle(Decision::Reject)),
            Key::Char('s') | Key::Enter => return Ok(Choice::Skip),
            Key::Char('o') if is_several => return Ok(Choice::OneByOne),
            Key::Char('w') => term.write_line(&escaped(&outcome.text)).map_err(failed)?,
            Key::Char('q') | Key::Escape | Key::CtrlC => return Ok(Choice::Quit),
            _ => {}
        }
    }
}
