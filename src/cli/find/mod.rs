//! `find`: what an alert or a customer names.

mod json;
mod text;

use std::path::PathBuf;

use clap::Args;

use super::{Done, Stop, say};
use crate::finding::{FieldClue, FindRequest, find};
use crate::model::Domain;
use crate::project::Project;

/// Find what an alert or a customer names, what failed around it, and the command that captures it.
///
/// Looks in the failure logs, program logs and dead letters of the source, in its event stores or coordinators, and in the
/// recordings and logs that you name. Only reads. Exit code 1 means that nothing was found.
#[derive(Debug, Args)]
pub(super) struct FindArguments {
    /// A trace id or `traceparent`, a correlation id, a root or its first digits (four or more), an external id, an edition
    /// in an event store, or the number of a dead letter.
    #[arg(value_name = "ID", required_unless_present = "field")]
    ids: Vec<String>,
    /// Commands and events with this value in this field, in logs, recordings and event stores.
    #[arg(long = "where", id = "field", value_name = "TYPE.FIELD=VALUE")]
    field: Option<FieldClue>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Ask only the coordinator or event store of this domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Look in this log too; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    from_log: Vec<PathBuf>,
    /// Look in this recording too.
    #[arg(long, value_name = "FILE")]
    recorded: Vec<PathBuf>,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &FindArguments) -> Done {
    let request = FindRequest {
        ids: arguments.ids.clone(),
        field: arguments.field.clone(),
        source: arguments.source.clone(),
        domain: arguments.domain.clone(),
        logs: arguments.from_log.clone(),
        recordings: arguments.recorded.clone(),
    };
    let report = find(project, &request)?;
    super::complain_of_unusable(&report.unusable);
    super::complain_of_hidden(report.messages_hidden.as_deref());
    if arguments.json {
        say(json::of(&report));
    } else {
        text::print(&report);
    }
    if report.matching == 0 {
        return Err(Stop::Failed(
            "nothing was found; try another id of the same incident, or name a log with --from-log or a recording with \
             --recorded"
                .into(),
        ));
    }
    Ok(())
}
