//! `completions`: prints shell completions for commands, flags and files.

use clap::Args;
use clap_complete::Shell;

use super::{Done, Stop, command_line};
use crate::terminal::program;

/// Print completions for a shell: bash, zsh, fish, powershell or elvish.
///
/// The shell loads them from its own folder of completions, for example
/// `angzarr-replay completions fish > ~/.config/fish/completions/angzarr-replay.fish`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    shell: Shell,
}

pub(super) fn run(arguments: &CompletionsArguments) -> Done {
    let name = program().name();
    if name.contains(' ') {
        return Err(Stop::Failed(format!(
            "shells complete programs, and `{name}` is an alias of cargo; install the program angzarr-replay and ask it"
        )));
    }
    let mut command = command_line();
    clap_complete::generate(arguments.shell, &mut command, name, &mut std::io::stdout());
    Ok(())
}
