//! What if: modifies a case by cutting its history or changing fields of its stimulus.

use crate::model::{Body, Case, History, Page, Payload};
use crate::payload::{Edit, Registry};
use crate::project::OperationError;
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};

/// A change of a field in the command, the new events or the fact.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct FieldChange {
    path: Vec<String>,
    edit: Edit,
    written: String,
}

impl FieldChange {
    /// A change of the field at a path such as `command`, `amount`. Errors quote it as `written`.
    #[must_use]
    pub const fn new(path: Vec<String>, edit: Edit, written: String) -> Self {
        Self {
            path,
            edit,
            written,
        }
    }

    /// Applies the change to a case. Returns the unknown fields that are lost when the original encoding is dropped.
    pub(super) fn make(
        &self,
        case: &mut Case,
        registries: [&Registry; 2],
    ) -> Result<UnknownFields, OperationError> {
        self.made(case, registries)
            .map_err(|reason| OperationError::Usage(format!("{}: {reason}", self.written)))
    }

    fn made(&self, case: &mut Case, registries: [&Registry; 2]) -> Result<UnknownFields, String> {
        let (root, field) = self.path.split_first().ok_or("the path is empty")?;
        let change = Field {
            path: field,
            edit: &self.edit,
            registries,
        };
        match (root.as_str(), case.stimulus.trigger()) {
            ("command", _) => set_of_command(case, change),
            ("trigger", Some(trigger)) => set_of_trigger(case, trigger.from, change),
            ("trigger", None) => Err("the case has no new events".into()),
            ("fact", _) => set_of_fact(case, change),
            _ => Err(
                "only fields of the `command`, of the `trigger` or of the `fact` can be set".into(),
            ),
        }
    }
}

/// Cuts the history after `last` and addresses the command to the new head. Returns the unknown fields that are lost
/// when the command's original encoding is dropped.
pub(super) fn cut(case: &mut Case, last: i64) -> Result<UnknownFields, OperationError> {
    let head = last
        .checked_add(1)
        .and_then(|head| u32::try_from(head).ok());
    let head =
        head.ok_or_else(|| OperationError::Usage(format!("--to-sequence {last} is no sequence")))?;
    if head > case.history.next_sequence() {
        return Err(OperationError::Usage(format!(
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

/// A field of a payload, and its edit.
#[derive(Clone, Copy)]
struct Field<'a> {
    path: &'a [String],
    edit: &'a Edit,
    registries: [&'a Registry; 2],
}

fn set_of_command(case: &mut Case, field: Field<'_>) -> Result<UnknownFields, String> {
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
    field.change(payload)?;
    let lost = unknown_in_command(command);
    command.original = None;
    Ok(lost)
}

/// If there are several new events, the path starts with a sequence: `trigger.12.amount.amount`.
fn set_of_trigger(case: &mut Case, from: u32, field: Field<'_>) -> Result<UnknownFields, String> {
    let mut pages = std::mem::take(&mut case.history).into_pages();
    let (sequence, path): (Option<u32>, &[String]) = match field.path {
        [first, rest @ ..] if first.parse::<u32>().is_ok() => (first.parse().ok(), rest),
        path => (None, path),
    };
    let field = Field { path, ..field };
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
    set_of_body(&mut page.body, field)?;
    let lost = unknown_in_page(page);
    page.original = None;
    case.history = History::new(pages).map_err(|error| error.to_string())?;
    Ok(lost)
}

fn set_of_fact(case: &mut Case, field: Field<'_>) -> Result<UnknownFields, String> {
    let facts = case.stimulus.facts_mut().ok_or("the case has no fact")?;
    let page = facts.pages.first_mut().ok_or("the fact has no event")?;
    set_of_body(&mut page.body, field)?;
    Ok(UnknownFields::new())
}

fn set_of_body(body: &mut Body, field: Field<'_>) -> Result<(), String> {
    let Body::Event(payload) = body else {
        return Err("the event itself is not in the case".into());
    };
    field.change(payload)
}

impl Field<'_> {
    /// Edits with the first descriptors that have the field, which may be newer than the case.
    fn change(&self, payload: &mut Payload) -> Result<(), String> {
        let mut refusal = None;
        let all = self.registries.into_iter();
        for registry in all.filter(|registry| registry.knows(payload.type_name())) {
            match registry.edit(payload, self.path, self.edit) {
                Ok(value) => {
                    payload.value = value;
                    return Ok(());
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        Err(match refusal {
            None => self.registries[0].missing(payload.type_name()).to_string(),
            Some(error) => {
                let place = format!("`{}`", error.path.join("."));
                if error.path.is_empty() || error.message.contains(&place) {
                    error.message
                } else {
                    format!("{}, in {place}", error.message)
                }
            }
        })
    }
}
