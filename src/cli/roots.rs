//! `roots`: lists the aggregates of a source.

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::capturing::assumed_dialect;
use crate::listing::{AggregatesRequest, ListedAggregate, ListedAggregates, list_aggregates};
use crate::model::{Domain, short_name};
use crate::project::Project;
use crate::terminal::{Amount, Column, Meter, Role, Table, Text, one_line, program, show_table};

/// List the aggregates of a source: domain, root, events, last event, last failure.
#[derive(Debug, Args)]
pub(super) struct RootsArguments {
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Only this domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Print as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &RootsArguments) -> Done {
    let request = AggregatesRequest {
        source: arguments.source.clone(),
        domain: arguments.domain.clone(),
    };
    let listed = {
        let meter = Meter::new("reading", Amount::Things("aggregates"));
        list_aggregates(project, &request, &mut |read, of| {
            meter.set(read as u64, Some(of as u64));
        })?
    };
    super::complain_of_unusable(&listed.unusable);
    if let Some(dialect) = listed.assumed_dialect {
        super::complain(format_args!("dialect {}", assumed_dialect(dialect)));
    }
    super::complain_of_hidden(listed.messages_hidden.as_deref());
    if arguments.json {
        for aggregate in &listed.aggregates {
            say(json_of(aggregate));
        }
        return all_read(&listed);
    }
    print_table(&listed.aggregates);
    if let Some(root) = listed.suggested {
        let source = arguments
            .source
            .as_ref()
            .map_or_else(String::new, |source| format!(" --source {source}"));
        say(format_args!("\nnext: {} capture {root}{source}", program()));
    }
    all_read(&listed)
}

fn all_read(listed: &ListedAggregates) -> Done {
    match listed.count_unread() {
        0 => Ok(()),
        unread => Err(Stop::Failed(format!(
            "{unread} of {} aggregates cannot be read; their rows say why",
            listed.aggregates.len()
        ))),
    }
}

fn json_of(aggregate: &ListedAggregate) -> serde_json::Value {
    let stored = aggregate.stored.as_ref().ok();
    let failure = aggregate.newest_failure.as_ref();
    let mut json = json!({
        "roots": 1,
        "domain": aggregate.domain.as_str(),
        "root": aggregate.root.to_string(),
        "events": stored.map(|stored| stored.count),
        "last_event": stored.map(|stored| &stored.last_type),
        "newest_failure": failure.map(|failure| json!({
            "command": failure.command,
            "code": failure.code.name(),
            "message": failure.message,
        })),
    });
    if let Err(error) = &aggregate.stored {
        json["error"] = json!(error);
    }
    json
}

fn last_event(aggregate: &ListedAggregate) -> &str {
    let stored = aggregate.stored.as_ref();
    stored.map_or("", |stored| short_name(&stored.last_type))
}

fn print_table(aggregates: &[ListedAggregate]) {
    let mut table = Table::new([
        Column::whole("domain"),
        Column::cut("root", 14),
        Column::whole("events").right(),
        Column::cut("last event", 14),
        Column::wrapped("last failure"),
    ]);
    for aggregate in aggregates {
        let events = match &aggregate.stored {
            Ok(stored) => stored.count.to_string(),
            Err(_) => "?".to_owned(),
        };
        let failure = match (&aggregate.stored, &aggregate.newest_failure) {
            (Err(error), _) => Text::of(Role::Bad, "cannot be read:")
                .with(Role::Plain, " ")
                .with(Role::Plain, error),
            (Ok(_), Some(failure)) => {
                let command = short_name(&failure.command);
                Text::plain(format_args!(
                    "{command} {}: {}",
                    failure.code, failure.message
                ))
            }
            (Ok(_), None) => Text::new(),
        };
        table.row([
            Text::plain(&aggregate.domain),
            Text::plain(aggregate.root),
            Text::plain(events),
            Text::plain(one_line(last_event(aggregate))),
            failure,
        ]);
    }
    show_table(&table);
}
