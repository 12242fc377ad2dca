//! What standard output and standard error can show: colours, and how wide.

use std::io::{IsTerminal, Write as _};

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
    width_of(&std::io::stdout())
}

/// The same for standard error.
pub(super) fn stderr_width() -> Option<usize> {
    width_of(&std::io::stderr())
}

#[cfg(unix)]
fn width_of(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    let size = || terminal_size::terminal_size_of(stream);
    stream.is_terminal().then(|| columns(size)).flatten()
}

#[cfg(windows)]
fn width_of(stream: &(impl IsTerminal + std::os::windows::io::AsHandle)) -> Option<usize> {
    let size = || terminal_size::terminal_size_of(stream);
    stream.is_terminal().then(|| columns(size)).flatten()
}

/// `COLUMNS`, as shells and their users set it, or the columns of the terminal itself.
fn columns(
    size: impl FnOnce() -> Option<(terminal_size::Width, terminal_size::Height)>,
) -> Option<usize> {
    let variable = std::env::var("COLUMNS").ok();
    let variable = variable.and_then(|text| text.parse().ok());
    let columns = variable.filter(|columns| *columns > 0);
    let columns = columns.or_else(|| size().map(|(columns, _)| usize::from(columns.0)))?;
    Some(columns.max(NARROWEST))
}
