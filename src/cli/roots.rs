//! `roots`: what can be captured.

use clap::Args;
use serde_json::json;

use super::{Done, say};
use crate::capture::ticket::Ticket;
use crate::capture::{UpTo, fetch_history, select_ticket};
use crate::model::{Cover, Domain, Payload, Root};
use crate::project::Project;

/// List the aggregates of a source: domain, root, events, last event, newest failure.
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
    events: usize,
    last: String,
    failure: Option<(String, String)>,
}

pub(super) fn run(project: &Project, arguments: &RootsArguments) -> Done {
    let source = project.source(arguments.source.as_deref(), arguments.domain.as_ref())?;
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
            let fetched = fetch_history(queries.as_ref(), &cover, UpTo::Head, &mut |_| {})?;
            let pages = fetched.history.pages();
            let last = pages
                .last()
                .and_then(|page| page.body.event())
                .map_or("", Payload::type_name)
                .to_owned();
            let failure = newest_failure(&source.tickets, &cover);
            rows.push(Row {
                domain,
                root,
                events: pages.len(),
                last,
                failure,
            });
        }
    }
    if arguments.json {
        for row in &rows {
            say(json_of(row));
        }
        return Ok(());
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
    Ok(())
}

/// The failure that a capture would take.
fn newest_failure(tickets: &[Ticket], cover: &Cover) -> Option<(String, String)> {
    let newest = select_ticket(tickets, cover)?.ticket;
    Some((
        newest.command.type_name().to_owned(),
        format!("{}: {}", newest.failure.code, newest.failure.message),
    ))
}

fn json_of(row: &Row) -> serde_json::Value {
    json!({
        "domain": row.domain.as_str(),
        "root": row.root.to_string(),
        "events": row.events,
        "last_event": row.last,
        "newest_failure": row.failure.as_ref().map(|(command, message)| json!({"command": command, "message": message})),
    })
}

/// A type's name without its package.
fn short(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or_default()
}

fn print_table(rows: &[Row]) {
    let width = |of: fn(&Row) -> usize, title: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(title.len())
    };
    let domain = width(|row| row.domain.as_str().len(), "domain");
    let last = width(|row| short(&row.last).len(), "last event");
    say(format_args!(
        "{:<domain$}  {:<36}  {:>6}  {:<last$}  newest failure",
        "domain", "root", "events", "last event"
    ));
    for row in rows {
        let failure = row
            .failure
            .as_ref()
            .map_or_else(String::new, |(command, message)| {
                format!("{} {message}", short(command))
            });
        let line = format!(
            "{:<domain$}  {}  {:>6}  {:<last$}  {failure}",
            row.domain.as_str(),
            row.root,
            row.events,
            short(&row.last)
        );
        say(line.trim_end());
    }
}
