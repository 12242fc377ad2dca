//! `roots`: what can be captured.

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::capture::{UpTo, fetch_history, select_ticket};
use crate::capturing::{Messages, assumed_dialect};
use crate::model::{AnsweredBy, Cover, Domain, Page, Payload, Root, short_name};
use crate::project::Project;
use crate::ticket::Ticket;

/// List the aggregates of a source: domain, root, events, last event, last failure.
#[derive(Debug, Args)]
pub(super) struct RootsArguments {
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Only this domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Print as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

struct Row {
    domain: Domain,
    root: Root,
    /// How many events, and the type of the last.
    read: Result<(usize, String), String>,
    failure: Option<(String, String)>,
}

pub(super) fn run(project: &Project, arguments: &RootsArguments) -> Done {
    let source = project.source(arguments.source.as_deref(), arguments.domain.as_ref())?;
    super::tell_unusable(&source.failures.unusable);
    if let Some(dialect) = source.assumed_dialect {
        super::complain(format_args!("dialect {}", assumed_dialect(dialect)));
    }
    let messages = Messages::of(project, &source.name);
    let mut rows = Vec::new();
    for (domain, queries) in &source.domains {
        let mut roots = queries
            .aggregate_roots()
            .map_err(crate::capture::CaptureError::from)?;
        // A shared store lists every domain.
        roots.retain(|(owner, _)| owner == domain);
        roots.sort();
        for (domain, root) in roots {
            let cover = Cover::main(domain.clone(), root);
            // One aggregate that cannot be read does not hide the others.
            let read = fetch_history(queries.as_ref(), &cover, UpTo::Head, &mut |_| {})
                .map(|fetched| length_and_last(fetched.history.pages()))
                .map_err(|error| error.to_string());
            let failure = newest_failure(&source.tickets, &cover, &messages);
            rows.push(Row {
                domain,
                root,
                read,
                failure,
            });
        }
    }
    super::tell_hidden(&messages);
    if arguments.json {
        for row in &rows {
            say(json_of(row));
        }
        return all_read(&rows);
    }
    print_table(&rows);
    // A failure that can be replayed here is the better first one.
    let failed = || rows.iter().filter(|row| row.failure.is_some());
    let has_logic = |row: &&Row| project.logics().of_domain(&row.domain).is_some();
    if let Some(row) = failed().find(has_logic).or_else(|| failed().next()) {
        let source = arguments
            .source
            .as_ref()
            .map_or_else(String::new, |source| format!(" --source {source}"));
        say(format_args!(
            "\nnext: cargo xtask capture {}{source}",
            row.root
        ));
    }
    all_read(&rows)
}

fn length_and_last(pages: &[Page]) -> (usize, String) {
    let last = pages.last().and_then(|page| page.body.event());
    (pages.len(), last.map_or("", Payload::type_name).to_owned())
}

fn all_read(rows: &[Row]) -> Done {
    match rows.iter().filter(|row| row.read.is_err()).count() {
        0 => Ok(()),
        unread => Err(Stop::Failed(format!(
            "{unread} of {} aggregates cannot be read; their rows say why",
            rows.len()
        ))),
    }
}

/// The failure that a capture would take.
fn newest_failure(
    tickets: &[Ticket],
    cover: &Cover,
    messages: &Messages,
) -> Option<(String, String)> {
    let newest = select_ticket(tickets, cover, AnsweredBy::NotKnown)?.ticket;
    Some((
        newest.command.type_name().to_owned(),
        format!("{}: {}", newest.failure.code, messages.of_ticket(newest)),
    ))
}

fn json_of(row: &Row) -> serde_json::Value {
    let read = row.read.as_ref().ok();
    let mut json = json!({
        "domain": row.domain.as_str(),
        "root": row.root.to_string(),
        "events": read.map(|(events, _)| events),
        "last_event": read.map(|(_, last)| last),
        "newest_failure": row.failure.as_ref().map(|(command, message)| json!({"command": command, "message": message})),
    });
    if let Err(error) = &row.read {
        json["error"] = json!(error);
    }
    json
}

fn last_event(row: &Row) -> &str {
    row.read.as_ref().map_or("", |(_, last)| short_name(last))
}

fn print_table(rows: &[Row]) {
    let width = |of: fn(&Row) -> usize, title: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(title.len())
    };
    let domain = width(|row| row.domain.as_str().len(), "domain");
    let last = width(|row| last_event(row).len(), "last event");
    say(format_args!(
        "{:<domain$}  {:<36}  {:>6}  {:<last$}  last failure",
        "domain", "root", "events", "last event"
    ));
    for row in rows {
        let (events, failure) = match (&row.read, &row.failure) {
            (Err(error), _) => ("?".to_owned(), format!("cannot be read: {error}")),
            (Ok((events, _)), Some((command, message))) => (
                events.to_string(),
                format!("{} {message}", short_name(command)),
            ),
            (Ok((events, _)), None) => (events.to_string(), String::new()),
        };
        let line = format!(
            "{:<domain$}  {}  {:>6}  {:<last$}  {failure}",
            row.domain.as_str(),
            row.root,
            events,
            last_event(row)
        );
        say(line.trim_end());
    }
}
