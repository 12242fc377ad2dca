//! Output for terminals, pipes and CI logs: escaping, styles, tables that fit, and progress.
//!
//! Text from files and servers cannot trigger anything. Control characters can move the cursor, change the window title,
//! or overwrite earlier output. Bidirectional characters make text look like other text. A line that begins with `::` is
//! a command for a CI runner. Foreign text is escaped before anything else happens to it; styles are added afterwards.
//!
//! On a terminal, tables fit its width. Pipes and files receive every cell in full.

mod meter;
mod program;
mod stream;
mod table;
mod text;
mod width;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write as _;

pub(crate) use meter::{Amount, Meter};
pub(crate) use program::{Program, program, set_program};
pub(crate) use stream::{Colours, set_colours, stdout_has_colours, stdout_width};
pub(crate) use table::{Column, Table, paragraph, wrap};
pub(crate) use text::{Role, Text};
pub(crate) use width::{cut, width};

/// Escapes active characters as `\u001b`, which means the same within JSON. Line endings and tabs are kept, and colours
/// are removed.
#[must_use]
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) && !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Text::plain(text).shown(false))
}

/// Escapes active characters, but no commands for a CI runner, which depend on the whole line.
fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let text = without_colours(text);
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if acts(letter) {
            push_escaped(&mut shown, letter);
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Escapes text that must be on one line, such as a title or a name: line endings are escaped too.
#[must_use]
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            letter if is_active(letter) => push_escaped(&mut shown, letter),
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// Text in quotes on one line. Unlike Rust's own form, it keeps accents and letters of several characters.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    one_line(&quoted).into_owned()
}

/// The operating system's message without the error number.
#[must_use]
pub(crate) fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Prints to standard output. A closed pipe is not an error.
pub(crate) fn say(text: impl fmt::Display) {
    show(&Text::plain(text));
}

/// Prints to standard error.
pub(crate) fn complain(text: impl fmt::Display) {
    complain_styled(&Text::plain(text));
}

/// Prints text with styles, and a line ending, to standard output.
pub(crate) fn show(text: &Text) {
    stream::print_line(std::io::stdout().lock(), text);
}

/// Prints a table as wide as standard output, or in full.
pub(crate) fn show_table(table: &Table) {
    show(&table.text(stdout_width()).trim_end());
}

/// Prints text with styles, and a line ending, to standard error.
pub(crate) fn complain_styled(text: &Text) {
    stream::print_line(std::io::stderr().lock(), text);
}

/// Prints an error to standard error.
pub(crate) fn complain_of_error(text: impl fmt::Display) {
    complain_labelled(Role::Bad, "error", text);
}

/// Prints a remark to standard error, after a word that says what kind of remark it is.
pub(crate) fn warn(word: &str, text: impl fmt::Display) {
    complain_labelled(Role::Caution, word, text);
}

/// Several errors as one text. [`complain_of_error`] shows each of them as an error.
pub(crate) fn several_errors(errors: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let errors = errors.into_iter().map(|error| error.to_string());
    errors.collect::<Vec<_>>().join("\nerror: ")
}

fn complain_labelled(role: Role, label: &str, text: impl fmt::Display) {
    let label = format!("{label}:");
    let room = stream::stderr_width();
    let mut shown = Text::new();
    for line in Text::plain(format_args!("{label} {text}")).lines() {
        let line = match line.as_str().strip_prefix(&label) {
            Some(rest) => Text::of(role, &label).with(Role::Plain, rest),
            None => line,
        };
        shown.append(&paragraph(&line, room, 2));
    }
    complain_styled(&shown.trim_end());
}

/// Escapes panic messages, which may contain text from a file, by way of the logic that panicked.
pub(crate) fn escape_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        match escaped(&text) {
            Cow::Borrowed(_) => others(panic),
            Cow::Owned(shown) => {
                let _ = writeln!(std::io::stderr(), "{shown}");
            }
        }
    }));
}

const fn acts(letter: char) -> bool {
    letter != '\n' && letter != '\t' && is_active(letter)
}

const fn is_active(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The command syntax of GitHub (`::error::`) and Azure (`##vso[`).
fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("::") || line.starts_with("##[") || line.starts_with("##vso[")
}

fn push_escaped(shown: &mut String, letter: char) {
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        let _ = write!(shown, "\\u{unit:04x}");
    }
}

/// Removes colours, which logic writes to its log and which would be unreadable as text.
fn without_colours(text: &str) -> Cow<'_, str> {
    let Some((first, rest)) = text.split_once("\u{1b}[") else {
        return Cow::Borrowed(text);
    };
    let mut plain = first.to_owned();
    for part in rest.split("\u{1b}[") {
        let parameters = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        if let Some(at) = parameters.filter(|at| part[*at..].starts_with('m')) {
            plain.push_str(&part[at + 1..]);
        } else {
            plain.push_str("\u{1b}[");
            plain.push_str(part);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_is_escaped() {
        assert_eq!(escaped("plain: café\n\tnext"), "plain: café\n\tnext");
        assert_eq!(escaped("a\u{1b}[2Jb\u{7}"), "a\\u001b[2Jb\\u0007");
        assert_eq!(escaped("a\r\nb\u{9b}c"), "a\\u000d\nb\\u009bc");
        assert_eq!(escaped("a\u{202e}b"), "a\\u202eb");
        assert_eq!(escaped("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(escaped("a\n  ::error::b\n"), "a\n  \\u003a:error::b\n");
        assert_eq!(escaped("##[error]b"), "\\u0023#[error]b");
        assert_eq!(one_line("a\nb\u{85}"), "a\\nb\\u0085");
        assert_eq!(
            quoted("e\u{301} \"a\"\n\u{9b}"),
            "\"e\u{301} \\\"a\\\"\\n\\u009b\""
        );
    }

    #[test]
    fn json_stays_the_same() {
        let json = serde_json::json!({"text": "a\u{202e}\u{7f}\u{9b}\n::b"}).to_string();
        let shown = escaped(&json);
        assert!(!shown.contains('\u{202e}') && shown != json);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(&json));
    }
}
