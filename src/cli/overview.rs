//! The overall `--help`: first the five everyday commands, then the others in groups.

use std::fmt::Write as _;

use clap::Command;

/// The commands that a newcomer needs, in the order of use.
const FIRST: [&str; 5] = ["init", "capture", "replay", "review", "test"];

/// The other commands by purpose.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Finding failures", &["find", "roots", "show", "tickets"]),
    (
        "Fixtures",
        &[
            "close", "changes", "drift", "command", "audit", "fmt", "clean",
        ],
    ),
    ("Serving", &["serve", "record"]),
    ("Operating", &["editions"]),
    ("Project", &["doctor", "schema", "completions"]),
];

const TEMPLATE: &str = "{about}\n\nUsage: {usage}\n\n{before-help}Options:\n{options}";

/// Width of a command's name in the list.
const NAME: usize = 13;

/// Adds the grouped list of commands to the command line's help.
pub(super) fn grouped(command: Command) -> Command {
    let line = |name: &str| {
        let about = command
            .find_subcommand(name)
            .and_then(Command::get_about)
            .map(ToString::to_string);
        about.map(|about| format!("  {name:<NAME$}{about}\n"))
    };
    let mut text = String::from("Commands:\n");
    text.extend(FIRST.into_iter().filter_map(line));
    for (title, names) in GROUPS {
        let _ = writeln!(text, "\n{title}:");
        text.extend(names.iter().filter_map(|name| line(name)));
    }
    command
        .help_template(TEMPLATE)
        .before_help(format!("{text}\n`help COMMAND` explains a command.\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn every_command_has_one_place_and_one_line() {
        let command = Arguments::command();
        let mut names: Vec<&str> = FIRST.to_vec();
        names.extend(GROUPS.iter().flat_map(|(_, names)| names.iter()));
        names.sort_unstable();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        known.sort_unstable();
        assert_eq!(names, known);
        for sub in command.get_subcommands() {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(2 + NAME + about.len() <= 80, "{}: {about}", sub.get_name());
        }
    }
}
