//! What if: the same case with another history or another command.

use serde_yaml::Value;

use super::Stop;
use crate::fixture::Case;
use crate::payload::{Decoded, Registry};

/// Cuts the history after `last` and sends the command for the head there.
pub(super) fn cut(case: &mut Case, last: i64) -> Result<(), Stop> {
    let head = last
        .checked_add(1)
        .and_then(|head| u32::try_from(head).ok());
    let head = head.ok_or_else(|| Stop::Usage(format!("--to-sequence {last} is no sequence")))?;
    if head > case.history.next_sequence() {
        return Err(Stop::Usage(format!(
            "--to-sequence {last} is beyond the captured history, which ends before sequence {}",
            case.history.next_sequence()
        )));
    }
    case.history = case.history.before(head);
    case.snapshot = case
        .snapshot
        .take()
        .filter(|snapshot| snapshot.sequence < head);
    if let Some(command) = case.stimulus.command_mut() {
        *command = command.restamped(head);
    }
    Ok(())
}

/// Sets a field of the command: `command.amount.amount=100`.
pub(super) fn set(
    case: &mut Case,
    assignment: &str,
    registries: [&Registry; 2],
) -> Result<(), Stop> {
    let usage = |reason: &str| Stop::Usage(format!("--set {assignment}: {reason}"));
    let (path, text) = assignment
        .split_once('=')
        .ok_or_else(|| usage("command.FIELD=VALUE is expected"))?;
    let path = path
        .strip_prefix("command.")
        .ok_or_else(|| usage("only fields of the command can be set"))?;
    let Some(command) = case.stimulus.command_mut() else {
        return Err(usage("the case has no command"));
    };
    let payload = command
        .pages
        .first_mut()
        .and_then(|page| page.command.as_mut());
    let payload = payload.ok_or_else(|| usage("the command has no payload"))?;
    let registry = registries
        .into_iter()
        .find(|registry| registry.knows(payload.type_name()));
    let registry = registry.ok_or_else(|| usage("there is no descriptor of the command's type"))?;
    let (Decoded::Exact(mut view) | Decoded::Inexact(mut view)) = registry.decode(payload) else {
        return Err(usage("the command's bytes do not decode"));
    };
    let value = serde_yaml::from_str(text).map_err(|_| usage("the value is no YAML"))?;
    let parts: Vec<&str> = path.split('.').collect();
    assign(&mut view, &parts, value).map_err(|reason| usage(&reason))?;
    payload.value = registry
        .encode(payload.type_name(), &view)
        .map_err(|error| usage(&error.to_string()))?;
    command.original = None;
    Ok(())
}

fn assign(view: &mut Value, path: &[&str], value: Value) -> Result<(), String> {
    let [key, rest @ ..] = path else {
        *view = value;
        return Ok(());
    };
    if let Value::Sequence(items) = view {
        let count = items.len();
        let index = key.parse::<usize>().ok().filter(|index| *index < count);
        let index = index.ok_or_else(|| format!("`{key}` is no element of a list of {count}"))?;
        return assign(&mut items[index], rest, value);
    }
    if view.is_null() {
        *view = Value::Mapping(serde_yaml::Mapping::new());
    }
    let Value::Mapping(fields) = view else {
        return Err(format!("`{key}` is below a plain value"));
    };
    assign(
        fields.entry((*key).into()).or_insert(Value::Null),
        rest,
        value,
    )
}
