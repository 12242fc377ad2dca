//! `roots`: lists the aggregates of a source.

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::capturing::assumed_dialect;
use crate::listing::{
    AggregateFilter, AggregateList, AggregatesRequest, ListSummary, ListedAggregate,
};
use crate::model::{Domain, counted, short_name};
use crate::project::Project;
use crate::terminal::{
    Column, Role, Table, Text, one_line, paragraph, program, show, show_table, stdout_width,
};

/// List the aggregates of a source, with their newest known failures.
///
/// Each line is printed as soon as it is known. The list has the main timeline only.
#[derive(Debug, Args)]
pub(super) struct RootsArguments {
    /// Only these aggregates: those of a domain (`player/`), or those whose root begins like this (`player/65`, `6513`).
    #[arg(value_name = "[DOMAIN/][PREFIX]")]
    filter: Option<AggregateFilter>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Only this domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Show how many events there are, and the last one.
    ///
    /// An event store counts them itself. From a coordinator, this reads the whole history of every aggregate that is
    /// listed, one after the other, within the limits that replay.toml sets for the source.
    #[arg(long)]
    counts: bool,
    /// Print as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &RootsArguments) -> Done {
    let request = AggregatesRequest {
        source: arguments.source.clone(),
        domain: arguments.domain.clone(),
        filter: arguments.filter.clone().unwrap_or_default(),
        with_counts: arguments.counts,
    };
    let list = AggregateList::open(project, &request)?;
    super::complain_of_unusable(list.unusable());
    if let Some(dialect) = list.assumed_dialect() {
        super::complain(format_args!("dialect {}", assumed_dialect(dialect)));
    }
    super::complain_of_hidden(list.messages_hidden());
    if arguments.json {
        let summary = list.each(&mut |aggregate| say(json_of(aggregate)))?;
        return all_read(&summary);
    }
    let table = AggregateTable::of(&list, arguments.counts);
    table.print_header();
    let summary = list.each(&mut |aggregate| table.print_row(aggregate))?;
    say(format_args!(
        "\n{} listed",
        counted(summary.listed, "aggregate")
    ));
    for limits in list.limits() {
        let limits = Text::plain(format_args!("not known: {limits}"));
        show(&paragraph(&limits, stdout_width(), 2).trim_end());
    }
    if let Some(root) = summary.suggested {
        let source = arguments
            .source
            .as_ref()
            .map_or_else(String::new, |source| format!(" --source {source}"));
        say(format_args!("\nnext: {} capture {root}{source}", program()));
    }
    all_read(&summary)
}

fn all_read(summary: &ListSummary) -> Done {
    match summary.unread {
        0 => Ok(()),
        unread => Err(Stop::Failed(format!(
            "{unread} of {} aggregates cannot be read; their rows say why",
            summary.listed
        ))),
    }
}

fn json_of(aggregate: &ListedAggregate) -> serde_json::Value {
    let stored = aggregate.stored.as_ref().and_then(|it| it.as_ref().ok());
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
    if let Some(Err(error)) = &aggregate.stored {
        json["error"] = json!(error);
    }
    json
}

/// The table, which is printed row by row: its widths are known before the first row.
struct AggregateTable {
    domain: usize,
    with_counts: bool,
}

/// Width of a root, and of the column with the last event. A longer name moves what follows it.
const ROOT: usize = 36;
const LAST_EVENT: usize = 16;

impl AggregateTable {
    fn of(list: &AggregateList<'_>, with_counts: bool) -> Self {
        let widths = list.domains().map(|domain| domain.as_str().len());
        Self {
            domain: widths.max().unwrap_or(0).max("domain".len()),
            with_counts,
        }
    }

    fn print_header(&self) {
        show_table(&self.table(["domain", "root", "events", "last event", "last failure"]));
    }

    /// A table without rows.
    fn table(&self, titles: [&'static str; 5]) -> Table {
        let [domain, root, events, last, failure] = titles;
        let mut columns = vec![
            Column::whole(domain).at_least(self.domain),
            Column::cut(root, 14).at_least(ROOT),
        ];
        if self.with_counts {
            columns.push(Column::whole(events).right().at_least("events".len()));
            columns.push(Column::cut(last, 14).at_least(LAST_EVENT));
        }
        columns.push(Column::wrapped(failure).at_least("last failure".len()));
        Table::new(columns)
    }

    fn print_row(&self, aggregate: &ListedAggregate) {
        let (count, last) = match &aggregate.stored {
            Some(Ok(stored)) => (stored.count.to_string(), short_name(&stored.last_type)),
            Some(Err(_)) => ("?".to_owned(), ""),
            None => (String::new(), ""),
        };
        let failure = match (&aggregate.stored, &aggregate.newest_failure) {
            (Some(Err(error)), _) => Text::of(Role::Bad, "cannot be read:")
                .with(Role::Plain, " ")
                .with(Role::Plain, error),
            (_, Some(failure)) => {
                let command = short_name(&failure.command);
                Text::plain(format_args!(
                    "{command} {}: {}",
                    failure.code, failure.message
                ))
            }
            (_, None) => Text::new(),
        };
        let mut cells = vec![Text::plain(&aggregate.domain), Text::plain(aggregate.root)];
        if self.with_counts {
            cells.push(Text::plain(count));
            cells.push(Text::plain(one_line(last)));
        }
        cells.push(failure);
        let mut table = self.table([""; 5]);
        table.row(cells);
        show_table(&table);
    }
}
