//! What standard output and standard error can show: colours, and how wide.

use std::io::{IsTerminal as _, Write as _};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use super::Text;

/// Whether output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    // Without a documentation comment, the help of every command stays short.
    // On a terminal, unless `NO_COLOR` is set; elsewhere if `CLICOLOR_FORCE` is set.
    Auto,
    Always,
    Never,
}

/// Sets whether output has colours, for all streams and also for the messages of clap and libtest.
pub(crate) fn set_colours(colours: Colours) {
    let choice = match colours {
        Colours::Auto => ColorChoice::Auto,
        Colours::Always => ColorChoice::Always,
        Colours::Never => ColorChoice::Never,
    };
    choice.write_global();
}

/// Prints a text and a line ending. A closed pipe is not an error.
pub(super) fn print_line(stream: impl RawStream + AsLockedWrite, text: &Text) {
    let choice = AutoStream::choice(&stream);
    let shown = text.shown(choice != ColorChoice::Never);
    let mut stream = AutoStream::new(stream, choice);
    let _ = writeln!(stream, "{shown}");
}

/// Whether text for standard output has colours.
pub(crate) fn stdout_has_colours() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// Narrower terminals are treated as if they had this width.
const NARROWEST: usize = 20;

/// The number of columns of the terminal that standard output is; none if it is a pipe or a file.
pub(crate) fn stdout_width() -> Option<usize> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let columns = columns_variable().or_else(|| {
        let (columns, _) = terminal_size::terminal_size_of(&stdout)?;
        Some(usize::from(columns.0))
    });
    columns.map(|columns| columns.max(NARROWEST))
}

/// `COLUMNS`, as shells and their users set it.
fn columns_variable() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok()?.parse().ok()?;
    (columns > 0).then_some(columns)
}
