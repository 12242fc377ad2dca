//! The flags `--set`, `--set-yaml` and `--unset`.

use std::fmt;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use super::Stop;
use crate::payload::{Edit, split_assignment};
use crate::replaying::FieldChange;

/// The changes of `--set`, `--set-yaml` and `--unset`, in the order of the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Vec<FlagValue>);

#[derive(Debug, Clone)]
struct FlagValue {
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
                "Replay with another value in a field of the command: command.amount.amount=100. In a case of a saga, process \
                 manager or projector, trigger.FIELD is a field of the new event (trigger.SEQUENCE.FIELD if there are \
                 several), and fact.FIELD is a field of the fact. Strings are taken as they are; numbers, enums, bytes, \
                 timestamps and durations are written as in fixtures. An element of a list is named by its index, an \
                 entry of a map by its key, in double quotes if the key contains dots",
            ),
            Self::SetYaml => (
                "PATH=YAML",
                "Like --set, with the value in YAML as in fixtures: for messages, lists and maps",
            ),
            Self::Unset => (
                "PATH",
                "Replay without a field, an element of a list or an entry of a map",
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
        let mut found: Vec<(usize, FlagValue)> = Vec::new();
        for flag in Flag::ALL {
            let indices = matches.indices_of(flag.name()).into_iter().flatten();
            let texts = matches.get_many::<String>(flag.name());
            let changes = texts.into_iter().flatten().map(|text| FlagValue {
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
    /// The name of the first flag, as it is written.
    pub(super) fn first_flag(&self) -> Option<&'static str> {
        self.0.first().map(|change| match change.flag {
            Flag::Set => "--set",
            Flag::SetYaml => "--set-yaml",
            Flag::Unset => "--unset",
        })
    }

    /// Parses the changes.
    pub(super) fn parsed(&self) -> Result<Vec<FieldChange>, Stop> {
        let changes = self.0.iter().map(|change| {
            let parsed = change.parsed();
            parsed.map_err(|reason| Stop::Usage(format!("{change}: {reason}")))
        });
        changes.collect()
    }
}

impl fmt::Display for FlagValue {
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

impl FlagValue {
    fn parsed(&self) -> Result<FieldChange, String> {
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
        Ok(FieldChange::new(path, edit, self.to_string()))
    }
}
