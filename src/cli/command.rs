//! `command new`: prints a skeleton of a command.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_yaml::{Mapping, Value};

use super::{Done, Stop, say};
use crate::capture::{RootSpec, RootSpecError};
use crate::capturing::{CaptureRequest, LikelyCommand, StoredEvent, likely_command};
use crate::model::{Domain, short_name};
use crate::payload::{FieldOrigin, LikelyField, Registry};
use crate::project::Project;
use crate::terminal::program;
use crate::wire::Dialect;
use crate::yaml::to_yaml;

/// Write commands for `capture --command`.
#[derive(Debug, Args)]
pub(super) struct CommandArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a YAML skeleton of a command, from the descriptors.
    New(NewArguments),
}

#[derive(Debug, Args)]
struct NewArguments {
    /// Type of the command, in full or its last part.
    #[arg(required_unless_present = "from_event")]
    r#type: Option<String>,
    /// Fill in what a stored event has: print the command that most likely led to it, with a mark on every guess.
    ///
    /// Reads the history up to the event, only with queries. Without TYPE, the type is a guess too.
    #[arg(long, value_name = "ROOT@SEQUENCE", value_parser = parse_event)]
    from_event: Option<(RootSpec, u32)>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long, requires = "from_event")]
    source: Option<String>,
    /// Domain of the aggregate.
    #[arg(long, requires = "from_event")]
    domain: Option<Domain>,
    /// Edition of the aggregate.
    #[arg(long, requires = "from_event")]
    edition: Option<String>,
    /// Print values as they are, without redaction.
    #[arg(long, requires = "from_event")]
    unredacted: bool,
}

fn parse_event(text: &str) -> Result<(RootSpec, u32), String> {
    let (root, sequence) = text
        .rsplit_once('@')
        .ok_or("expected the root and the sequence of an event, as in player/6513270e@3")?;
    let root = root
        .parse()
        .map_err(|error: RootSpecError| error.to_string())?;
    let sequence = sequence
        .parse()
        .map_err(|_| format!("`{sequence}` is not a sequence, which is a number from 0"))?;
    Ok((root, sequence))
}

pub(super) fn run(project: &Project, arguments: &CommandArguments) -> Done {
    let What::New(arguments) = &arguments.what;
    match (&arguments.from_event, &arguments.r#type) {
        (Some((root, sequence)), _) => from_event(project, arguments, root, *sequence),
        (None, Some(name)) => skeleton(project, name),
        // The parser demands one of them.
        (None, None) => Ok(()),
    }
}

fn skeleton(project: &Project, name: &str) -> Done {
    let registry = project.registry()?;
    let unknown = |error: crate::payload::UnknownType| {
        Stop::Failed(match error.similar.as_slice() {
            [] if error.left_out.is_empty() => {
                format!("{error}; name the descriptors in replay.toml")
            }
            _ => error.to_string(),
        })
    };
    let (registry, name) = match registry.resolve(name) {
        Ok(name) => (registry, name),
        Err(error) => of_the_framework(project, name)?.ok_or_else(|| unknown(error))?,
    };
    let payload = registry.skeleton(&name).map_err(unknown)?;
    let fields: Mapping = [("type", Value::from(name)), ("payload", payload)]
        .into_iter()
        .map(|(key, value)| (Value::from(key), value))
        .collect();
    say(to_yaml(&Value::Mapping(fields)).trim_end());
    say(
        "# sequence: 3                # head that the sender expected; the captured head where it is left out",
    );
    say("# merge_strategy: strict     # commutative, strict, aggregate-handles or manual");
    say("# correlation_id: wf-1");
    Ok(())
}

fn from_event(project: &Project, arguments: &NewArguments, root: &RootSpec, sequence: u32) -> Done {
    let edition = super::edition(arguments.edition.as_deref())?;
    let likely = likely_command(
        project,
        &StoredEvent {
            request: CaptureRequest {
                aggregate: Some(root.clone()),
                domain: arguments.domain.clone(),
                source: arguments.source.clone(),
                edition,
                is_unredacted: arguments.unredacted,
                ..CaptureRequest::default()
            },
            sequence,
            command: arguments.r#type.clone(),
        },
    )?;
    say(draft(&likely, sequence, arguments.r#type.is_some()).trim_end());
    Ok(())
}

/// The command as YAML, with a comment on every guess.
fn draft(likely: &LikelyCommand, sequence: u32, is_type_known: bool) -> String {
    let (cover, message) = (&likely.cover, &likely.message);
    let mut text = format!(
        "# From {}, sequence {sequence} of {}/{}. Check everything that is marked as a guess or an example.\n",
        short_name(&likely.event),
        cover.domain,
        cover.root
    );
    if !is_type_known {
        text.push_str("# guess: the message most similar to the event");
        if !message.others.is_empty() {
            let others: Vec<&str> = message.others.iter().map(|it| short_name(it)).collect();
            let _ = write!(text, "; others are {}", others.join(", "));
        }
        text.push('\n');
    }
    let _ = writeln!(text, "type: {}", message.type_name);
    text.push_str(if message.fields.is_empty() {
        "payload: {}\n"
    } else {
        "payload:\n"
    });
    for LikelyField {
        name,
        value,
        origin,
    } in &message.fields
    {
        let _ = match origin {
            FieldOrigin::SameName => Ok(()),
            FieldOrigin::SameType(other) => writeln!(
                text,
                "  # guess: `{other}`, the only field of the event with this type"
            ),
            FieldOrigin::Example => writeln!(text, "  # example: the event has no such field"),
        };
        let field = Mapping::from_iter([(Value::from(name.as_str()), value.clone())]);
        for line in to_yaml(&Value::Mapping(field)).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(
        text,
        "# guess: the first event of the command; smaller if earlier events came from the same command\nsequence: {sequence}"
    );
    let last = i64::from(sequence) - 1;
    let _ = writeln!(
        text,
        "# then: {} capture {}/{} --command FILE --to-sequence {last}",
        program(),
        cover.domain,
        cover.root
    );
    text
}

/// A message that Angzarr itself puts into payloads, from the first dialect that has one of this name.
fn of_the_framework<'a>(
    project: &'a Project,
    name: &str,
) -> Result<Option<(&'a Registry, String)>, Stop> {
    for dialect in Dialect::all() {
        let registry = project.registry_for(dialect.name())?;
        if let Ok(name) = registry.resolve(name) {
            return Ok(Some((registry, name)));
        }
    }
    Ok(None)
}
