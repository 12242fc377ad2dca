//! `show`: the events of an aggregate, and its state.

use clap::Args;
use serde_json::json;

use super::report::{instant, one_line_of};
use super::{Done, say};
use crate::capture::{EditionShape, RootSpec};
use crate::capturing::assumed_dialect;
use crate::model::{Domain, Edition, counted, short_name};
use crate::project::Project;
use crate::showing::{ShowRequest, ShownAggregate, ShownEvent, show};
use crate::terminal::{
    Column, Role, Table, Text, one_line, paragraph, show as show_text, show_table, stdout_width,
};
use crate::yaml::to_yaml;

/// Show the events of an aggregate, and the state that today's logic folds from them.
///
/// Writes nothing, and sends nothing but queries to the source. Payloads are redacted as `capture` would redact them, if
/// replay.toml has [redaction].
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The aggregate: a UUID, its first digits, its base64, or DOMAIN/ROOT.
    #[arg(value_name = "ROOT")]
    root: String,
    /// Show it as it was after this event.
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u32>,
    /// Its edition.
    #[arg(long, value_name = "NAME")]
    edition: Option<String>,
    /// Its domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Show every event, at full length; otherwise a long history is shortened in the middle.
    #[arg(long)]
    all: bool,
    /// Print as JSON, always with every event.
    #[arg(long)]
    json: bool,
}

/// Number of first and of last events that are shown of a long history.
const FIRST: usize = 5;
const LAST: usize = 15;

/// Length of the fields on one line.
const ROOM: usize = 100;

pub(super) fn run(project: &Project, arguments: &ShowArguments) -> Done {
    let edition = super::edition(arguments.edition.as_deref())?.unwrap_or_default();
    let request = ShowRequest {
        aggregate: arguments.root.parse::<RootSpec>()?,
        source: arguments.source.clone(),
        domain: arguments.domain.clone(),
        edition,
        last: arguments.at,
    };
    let shown = show(project, &request)?;
    if let Some(dialect) = shown.assumed_dialect {
        super::complain(format_args!("dialect {}", assumed_dialect(dialect)));
    }
    if arguments.json {
        say(json_of(&shown));
        return Ok(());
    }
    print(&shown, arguments.all);
    Ok(())
}

fn print(shown: &ShownAggregate, all: bool) {
    print_line(&title(shown));
    show_table(&events(shown, all));
    if shown.later > 0 {
        say(format_args!(
            "  and {}",
            counted(shown.later, "later event")
        ));
    }
    match &shown.state {
        Ok(state) => {
            let logic = shown.logic.as_deref().unwrap_or_default();
            let title = Text::of(Role::Heading, "\nstate");
            print_line(&title.with(Role::Plain, format_args!(", on {logic}")));
            for line in to_yaml(state).lines() {
                say(format_args!("  {line}"));
            }
        }
        Err(reason) => {
            let title = Text::of(Role::Caution, "\nno state:");
            print_line(&title.with(Role::Plain, format_args!(" {reason}")));
        }
    }
    if let Some(fields) = &shown.redacted {
        let fields = if fields.is_empty() {
            "nothing: no rule is about a field of these events".to_owned()
        } else {
            fields.join(", ")
        };
        print_line(&Text::plain(format_args!("\nredacted: {fields}")));
    }
}

/// Prints lines, broken between words where a terminal is too narrow.
fn print_line(text: &Text) {
    let mut lines = Text::new();
    for line in text.lines() {
        lines.append(&paragraph(&line, stdout_width(), 2));
    }
    show_text(&lines.trim_end());
}

fn title(shown: &ShownAggregate) -> Text {
    let cover = &shown.cover;
    let edition = match (&cover.edition, &shown.edition) {
        (Edition::Main, _) => String::new(),
        (edition, EditionShape::DivergesAt(sequence)) => format!(
            ", edition {}, its own from sequence {sequence} on",
            edition.label()
        ),
        (edition, _) => format!(
            ", edition {}, which has no events of its own: these are those of main",
            edition.label()
        ),
    };
    let count = counted(shown.events.len(), "event");
    let aggregate = format!("{}/{}", cover.domain, cover.root);
    Text::of(Role::Heading, aggregate).with(Role::Plain, format_args!("{edition}: {count}"))
}

/// The events; a long history is shortened in the middle.
fn events(shown: &ShownAggregate, all: bool) -> Table {
    let events = &shown.events;
    let fields = if all {
        Column::wrapped("")
    } else {
        Column::cut("", 24)
    };
    let mut columns = vec![Column::whole("").right().at_least(3)];
    let have_times = events.iter().any(|event| event.time.is_some());
    columns.extend(have_times.then_some(Column::whole("")));
    columns.extend([Column::cut("", 14), fields]);
    let mut table = Table::new(columns).indented(2);
    let left_out = events.len().saturating_sub(FIRST + LAST);
    let is_short = all || left_out < 2;
    for (index, event) in events.iter().enumerate() {
        if is_short || index < FIRST || index >= FIRST + left_out {
            table.row(row(event, have_times, all));
        } else if index == FIRST {
            table.line(Text::of(
                Role::Faint,
                format_args!("   … {left_out} events; --all shows them"),
            ));
        }
    }
    table
}

fn row(event: &ShownEvent, has_time: bool, all: bool) -> Vec<Text> {
    let mut cells = vec![Text::plain(event.sequence)];
    if has_time {
        let time = event.time.map(instant).unwrap_or_default();
        cells.push(Text::of(Role::Faint, time));
    }
    cells.push(Text::plain(name(event)));
    let mut fields = match &event.fields {
        Ok(view) => Text::plain(one_line(&one_line_of(
            view,
            if all { usize::MAX } else { ROOM },
        ))),
        Err(reason) => Text::of(Role::Caution, one_line(&format!("({reason})"))),
    };
    if event.is_provisional {
        fields.push(Role::Caution, "  (provisional)");
    }
    cells.push(fields);
    cells
}

fn name(event: &ShownEvent) -> String {
    one_line(short_name(&event.type_name)).into_owned()
}

fn json_of(shown: &ShownAggregate) -> serde_json::Value {
    let events = shown.events.iter().map(|event| {
        json!({
            "sequence": event.sequence,
            "time": event.time.map(instant),
            "type": event.type_name,
            "fields": event.fields.as_ref().ok(),
            "not_shown": event.fields.as_ref().err(),
            "provisional": event.is_provisional,
        })
    });
    json!({
        "version": 1,
        "source": shown.source,
        "domain": shown.cover.domain.as_str(),
        "root": shown.cover.root.to_string(),
        "edition": shown.cover.edition.label(),
        "events": events.collect::<Vec<_>>(),
        "later": shown.later,
        "state": shown.state.as_ref().ok(),
        "no_state": shown.state.as_ref().err(),
        "logic": shown.logic,
        "redacted": shown.redacted,
    })
}
