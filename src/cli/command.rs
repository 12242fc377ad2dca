//! `command new`: prints a skeleton of a command.

use clap::{Args, Subcommand};
use serde_yaml::{Mapping, Value};

use super::{Done, Stop, say};
use crate::payload::{Registry, to_yaml};
use crate::project::Project;
use crate::wire::Dialect;

/// Write commands for `capture --command`.
#[derive(Debug, Args)]
pub(super) struct CommandArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a YAML skeleton of a command, from the descriptors.
    New {
        /// Type of the command, in full or its last part.
        r#type: String,
    },
}

pub(super) fn run(project: &Project, arguments: &CommandArguments) -> Done {
    let What::New { r#type } = &arguments.what;
    let registry = project.registry()?;
    let unknown = |error: crate::payload::UnknownType| {
        Stop::Failed(match error.similar.as_slice() {
            [] if error.left_out.is_empty() => {
                format!("{error}; name the descriptors in replay.toml")
            }
            _ => error.to_string(),
        })
    };
    let (registry, name) = match registry.resolve(r#type) {
        Ok(name) => (registry, name),
        Err(error) => of_the_framework(project, r#type)?.ok_or_else(|| unknown(error))?,
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
