//! What if: the same case with another history or another command.

use serde_yaml::Value;

use super::Stop;
use crate::fixture::Case;
use crate::model::{Body, History, Page, Payload};
use crate::payload::{Decoded, Registry};
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};

/// Cuts the history after `last` and sends the command for the head there. Gives the unknown fields that are lost with the
/// command's own encoding.
pub(super) fn cut(case: &mut Case, last: i64) -> Result<UnknownFields, Stop> {
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
    let mut unsent = UnknownFields::new();
    if let Some(command) = case.stimulus.command_mut() {
        let restamped = command.restamped(head);
        if restamped.original.is_none() {
            unsent = unknown_in_command(command);
        }
        *command = restamped;
    }
    Ok(unsent)
}

/// Sets a field of what the case asks about: `command.amount.amount=100`, `trigger.amount.amount=100` of the new event of
/// a saga, process manager or projector, `fact.amount.amount=100`. Gives the unknown fields that are lost with the own
/// encoding of what is changed.
pub(super) fn set(
    case: &mut Case,
    assignment: &str,
    registries: [&Registry; 2],
) -> Result<UnknownFields, Stop> {
    let usage = |reason: &str| Stop::Usage(format!("--set {assignment}: {reason}"));
    let (path, text) = assignment
        .split_once('=')
        .ok_or_else(|| usage("PATH=VALUE is expected, as in command.amount.amount=100"))?;
    let value = serde_yaml::from_str(text).map_err(|_| usage("the value is no YAML"))?;
    let path: Vec<&str> = path.split('.').collect();
    let changed = match (path.as_slice(), case.stimulus.trigger()) {
        (["command", field @ ..], _) => set_of_command(case, field, value, registries),
        (["trigger", field @ ..], Some(trigger)) => {
            set_of_trigger(case, trigger.from, field, value, registries)
        }
        (["trigger", ..], None) => Err("the case has no new events".into()),
        (["fact", field @ ..], _) => set_of_fact(case, field, value, registries),
        _ => {
            Err("only fields of the `command`, of the `trigger` or of the `fact` can be set".into())
        }
    };
    changed.map_err(|reason| usage(&reason))
}

fn set_of_command(
    case: &mut Case,
    field: &[&str],
    value: Value,
    registries: [&Registry; 2],
) -> Result<UnknownFields, String> {
    let is_triggered = case.stimulus.trigger().is_some();
    let Some(command) = case.stimulus.command_mut() else {
        return Err(if is_triggered {
            "the case has no command, but new events: trigger.FIELD=VALUE sets a field of theirs"
                .into()
        } else {
            "the case has no command".into()
        });
    };
    let page = command.pages.first_mut();
    let payload = page.and_then(|page| page.command.as_mut());
    let payload = payload.ok_or("the command has no payload")?;
    set_field(payload, field, value, registries)?;
    let lost = unknown_in_command(command);
    command.original = None;
    Ok(lost)
}

/// Of several new events, the one whose sequence comes first in the path: `trigger.12.amount.amount`.
fn set_of_trigger(
    case: &mut Case,
    from: u32,
    path: &[&str],
    value: Value,
    registries: [&Registry; 2],
) -> Result<UnknownFields, String> {
    let mut pages = std::mem::take(&mut case.history).into_pages();
    let (sequence, field): (Option<u32>, &[&str]) = match path {
        [first, rest @ ..] if first.parse::<u32>().is_ok() => (first.parse().ok(), rest),
        path => (None, path),
    };
    let mut new: Vec<&mut Page> = pages.iter_mut().filter(|it| it.sequence >= from).collect();
    let page = match (sequence, new.len()) {
        (None, 1) => new.pop(),
        (None, count) => {
            return Err(format!(
                "the case has {count} new events: trigger.SEQUENCE.FIELD=VALUE says which"
            ));
        }
        (Some(sequence), _) => new.into_iter().find(|page| page.sequence == sequence),
    };
    let page = page.ok_or("no new event has that sequence")?;
    set_of_body(&mut page.body, field, value, registries)?;
    let lost = unknown_in_page(page);
    page.original = None;
    case.history = History::new(pages).map_err(|error| error.to_string())?;
    Ok(lost)
}

fn set_of_fact(
    case: &mut Case,
    field: &[&str],
    value: Value,
    registries: [&Registry; 2],
) -> Result<UnknownFields, String> {
    let facts = case.stimulus.facts_mut().ok_or("the case has no fact")?;
    let page = facts.pages.first_mut().ok_or("the fact has no event")?;
    set_of_body(&mut page.body, field, value, registries)?;
    Ok(UnknownFields::new())
}

fn set_of_body(
    body: &mut Body,
    field: &[&str],
    value: Value,
    registries: [&Registry; 2],
) -> Result<(), String> {
    let Body::Event(payload) = body else {
        return Err("the event itself is not in the case".into());
    };
    set_field(payload, field, value, registries)
}

fn set_field(
    payload: &mut Payload,
    field: &[&str],
    value: Value,
    registries: [&Registry; 2],
) -> Result<(), String> {
    let described = registries
        .into_iter()
        .find(|registry| registry.knows(payload.type_name()));
    let registry =
        described.ok_or_else(|| format!("there is no descriptor of `{}`", payload.type_name()))?;
    let (Decoded::Exact(mut view) | Decoded::Inexact(mut view)) = registry.decode(payload) else {
        return Err(format!(
            "the bytes of `{}` do not decode",
            payload.type_name()
        ));
    };
    assign(&mut view, field, value)?;
    payload.value = registry
        .encode(payload.type_name(), &view)
        .map_err(|error| error.to_string())?;
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
