//! What if: the same case with another history or another command.

use std::fmt;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use super::Stop;
use crate::model::{Body, Case, History, Page, Payload};
use crate::payload::{Edit, Registry, split_assignment};
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

/// What `--set`, `--set-yaml` and `--unset` ask for, in the order of the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Vec<Change>);

#[derive(Debug, Clone)]
struct Change {
    flag: Flag,
    text: String,
}

#[derive(Debug, Clone, Copy)]
enum Flag {
    Set,
    SetYaml,
    Unset,
}

impl Flag {
    const ALL: [Self; 3] = [Self::Set, Self::SetYaml, Self::Unset];

    const fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::SetYaml => "set-yaml",
            Self::Unset => "unset",
        }
    }

    fn argument(self) -> Arg {
        let (value, help) = match self {
            Self::Set => (
                "PATH=VALUE",
                "What if a field of the command were another, as in command.amount.amount=100? Or of the new event of a \
                 saga, process manager or projector (trigger.FIELD; of several, trigger.SEQUENCE.FIELD), or of the fact \
                 (fact.FIELD)? A string takes the value as it is; numbers, enums, bytes, timestamps and durations are \
                 written as in fixtures. Of a list the index of an element follows, of a map the key, in double quotes \
                 where it has dots",
            ),
            Self::SetYaml => (
                "PATH=YAML",
                "The same with a value in YAML, as fixtures write it: for messages, lists and maps",
            ),
            Self::Unset => (
                "PATH",
                "What if a field, an element of a list or an entry of a map were not there?",
            ),
        };
        Arg::new(self.name())
            .long(self.name())
            .value_name(value)
            .help(help)
            .action(ArgAction::Append)
    }
}

impl Args for Changes {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(Flag::ALL.map(Flag::argument))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Changes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found: Vec<(usize, Change)> = Vec::new();
        for flag in Flag::ALL {
            let indices = matches.indices_of(flag.name()).into_iter().flatten();
            let texts = matches.get_many::<String>(flag.name());
            let changes = texts.into_iter().flatten().map(|text| Change {
                flag,
                text: text.clone(),
            });
            found.extend(indices.zip(changes));
        }
        found.sort_by_key(|(index, _)| *index);
        Ok(Self(found.into_iter().map(|(_, change)| change).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Changes {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first flag that asks for a change, as it is written.
    pub(super) fn first_flag(&self) -> Option<&'static str> {
        self.0.first().map(|change| match change.flag {
            Flag::Set => "--set",
            Flag::SetYaml => "--set-yaml",
            Flag::Unset => "--unset",
        })
    }

    /// Makes the changes to what the case asks about. Gives the unknown fields that are lost with the own encoding of
    /// what is changed.
    pub(super) fn make(
        &self,
        case: &mut Case,
        registries: [&Registry; 2],
    ) -> Result<UnknownFields, Stop> {
        let mut lost = UnknownFields::new();
        for change in &self.0 {
            let made = change.make(case, registries);
            lost.append(&mut made.map_err(|reason| Stop::Usage(format!("{change}: {reason}")))?);
        }
        Ok(lost)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        write!(f, "--{} ", self.flag.name())?;
        for letter in self.text.chars().take(LONGEST) {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                write!(f, "{letter}")?;
            }
        }
        let is_cut = self.text.chars().nth(LONGEST).is_some();
        f.write_str(if is_cut { "…" } else { "" })
    }
}

impl Change {
    fn make(&self, case: &mut Case, registries: [&Registry; 2]) -> Result<UnknownFields, String> {
        let (path, value) = split_assignment(&self.text).map_err(|error| error.to_string())?;
        let edit = match (self.flag, value) {
            (Flag::Set, Some(text)) => Edit::Text(text.to_owned()),
            (Flag::SetYaml, Some(text)) => Edit::View(
                serde_yaml::from_str(text)
                    .map_err(|error| format!("the value is invalid YAML: {error}"))?,
            ),
            (Flag::Unset, None) => Edit::Unset,
            (Flag::Set, None) => {
                return Err("PATH=VALUE is expected, as in command.amount.amount=100".into());
            }
            (Flag::SetYaml, None) => {
                return Err("PATH=YAML is expected, as in 'command.amount={amount: 100}'".into());
            }
            (Flag::Unset, Some(_)) => {
                return Err("a path alone is expected, as in command.amount".into());
            }
        };
        let (root, field) = path.split_first().ok_or("the path is empty")?;
        let change = Field {
            path: field,
            edit: &edit,
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

/// A field of a payload, and what becomes of it.
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

/// Of several new events, the one whose sequence comes first in the path: `trigger.12.amount.amount`.
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
    /// By the first descriptors that have the field; a field may be newer than the case.
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
