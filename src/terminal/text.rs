//! Text with styles. Everything that is added is escaped first, so only our own styles reach the terminal.

use std::fmt::{self, Write as _};
use std::ops::Range;

use anstyle::{AnsiColor, Style};

use super::{is_command, push_escaped, safe};

/// What a part of a text means; each meaning has one style.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Plain,
    /// The title of a section or a table.
    Heading,
    /// It is as expected.
    Good,
    /// Somebody has to do something.
    Bad,
    /// It could not be judged, or may be surprising.
    Caution,
    /// A value that was expected and is no longer there.
    Removed,
    /// A value that is there now.
    Added,
    /// Less important than the text around it.
    Faint,
}

impl Role {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Good | Self::Added => AnsiColor::Green.on_default(),
            Self::Bad | Self::Removed => AnsiColor::Red.on_default(),
            Self::Caution => AnsiColor::Yellow.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// Text with styles. Holds no active character, so its letters are what the terminal shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    text: String,
    /// Where each part begins. The text before the first part is plain.
    starts: Vec<(usize, Role)>,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self {
            text: String::new(),
            starts: Vec::new(),
        }
    }

    /// A text of one role.
    pub(crate) fn of(role: Role, what: impl fmt::Display) -> Self {
        Self::new().with(role, what)
    }

    pub(crate) fn plain(what: impl fmt::Display) -> Self {
        Self::of(Role::Plain, what)
    }

    /// The same text with more at its end.
    #[must_use]
    pub(crate) fn with(mut self, role: Role, what: impl fmt::Display) -> Self {
        self.push(role, what);
        self
    }

    /// Adds a result such as `not reproduced: REASON`. Its role ends before the reason.
    #[must_use]
    pub(crate) fn with_result(self, role: Role, words: &str) -> Self {
        let (result, reason) = words.split_at(words.find(':').unwrap_or(words.len()));
        self.with(role, result).with(Role::Plain, reason)
    }

    /// Adds text at the end.
    pub(crate) fn push(&mut self, role: Role, what: impl fmt::Display) {
        self.push_safe(role, &safe(&what.to_string()));
    }

    pub(crate) fn append(&mut self, other: &Self) {
        for (role, part) in other.parts(0..other.text.len()) {
            self.push_safe(role, part);
        }
    }

    fn push_safe(&mut self, role: Role, text: &str) {
        if text.is_empty() {
            return;
        }
        let last = self.starts.last().map_or(Role::Plain, |(_, role)| *role);
        if last != role {
            self.starts.push((self.text.len(), role));
        }
        self.text.push_str(text);
    }

    /// The letters without styles.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// A part of the text with its styles.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        let mut slice = Self::new();
        for (role, part) in self.parts(range) {
            slice.push_safe(role, part);
        }
        slice
    }

    /// The text without blanks and empty lines at its end.
    pub(crate) fn trim_end(&self) -> Self {
        self.slice(0..self.text.trim_end().len())
    }

    /// The lines, without their endings.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Self> {
        let mut end = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let start = end;
            end += line.len();
            self.slice(start..start + line.trim_end_matches('\n').len())
        })
    }

    /// The parts of a range, each of one role.
    fn parts(&self, range: Range<usize>) -> impl Iterator<Item = (Role, &str)> {
        let first = self.starts.partition_point(|(at, _)| *at <= range.start);
        let role = first
            .checked_sub(1)
            .map_or(Role::Plain, |at| self.starts[at].1);
        let later = self.starts[first..].iter().copied();
        let later = later.take_while(move |(at, _)| *at < range.end);
        let mut begun = Some((range.start, role));
        let mut later = later.fuse();
        std::iter::from_fn(move || {
            let (start, role) = begun.take()?;
            begun = later.next();
            let end = begun.map_or(range.end, |(at, _)| at);
            Some((role, &self.text[start..end]))
        })
    }

    /// The text as it is written to a stream. A line that looks like a command for a CI runner does not act.
    pub(crate) fn shown(&self, has_colours: bool) -> String {
        let mut shown = String::with_capacity(self.text.len());
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let end = start + line.len();
            if is_command(line) {
                let command = start + line.len() - line.trim_start().len();
                shown.push_str(&self.text[start..command]);
                push_escaped(
                    &mut shown,
                    self.text[command..].chars().next().unwrap_or_default(),
                );
                start = command + 1;
            }
            for (role, part) in self.parts(start..end) {
                push_styled(&mut shown, role, part, has_colours);
            }
            start = end;
        }
        shown
    }
}

/// Styles end before the line does, because pagers show each line for itself.
fn push_styled(shown: &mut String, role: Role, part: &str, has_colours: bool) {
    let (words, ending) = match part.strip_suffix('\n') {
        Some(words) => (words, "\n"),
        None => (part, ""),
    };
    if has_colours && role != Role::Plain && !words.is_empty() {
        let style = role.style();
        let _ = write!(shown, "{style}{words}{style:#}");
    } else {
        shown.push_str(words);
    }
    shown.push_str(ending);
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// Adds plain text.
impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_safe(Role::Plain, &safe(text));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::escaped;

    const FOREIGN: &str = "\u{1b}[31mred\u{1b}[0m \u{1b}[2J\u{202e}";

    #[test]
    fn only_our_own_styles_are_shown() {
        let text = Text::plain("verdict ").with(Role::Bad, FOREIGN);
        assert_eq!(text.shown(false), "verdict red \\u001b[2J\\u202e");
        assert_eq!(
            text.shown(true),
            "verdict \u{1b}[31mred \\u001b[2J\\u202e\u{1b}[0m"
        );
    }

    #[test]
    fn a_style_ends_with_its_line() {
        let text = Text::of(Role::Heading, "one\ntwo").with(Role::Plain, "!");
        assert_eq!(
            text.shown(true),
            "\u{1b}[1mone\u{1b}[0m\n\u{1b}[1mtwo\u{1b}[0m!"
        );
    }

    #[test]
    fn a_line_of_several_parts_is_no_command() {
        let text = Text::plain(" ")
            .with(Role::Good, ":")
            .with(Role::Bad, ":error::x");
        assert_eq!(text.shown(false), escaped(" ::error::x"));
        assert!(text.shown(true).starts_with(" \\u003a"));
    }

    #[test]
    fn parts_keep_their_styles() {
        let text = Text::of(Role::Removed, "old")
            .with(Role::Plain, " became ")
            .with(Role::Added, "new");
        assert_eq!(text.slice(0..text.as_str().len()), text);
        let part = text.slice(2..12);
        assert_eq!(part.as_str(), "d became n");
        assert_eq!(
            part,
            Text::of(Role::Removed, "d")
                .with(Role::Plain, " became ")
                .with(Role::Added, "n")
        );
        let lines: Vec<Text> = Text::plain("a\n").with(Role::Bad, "b").lines().collect();
        assert_eq!(lines, [Text::plain("a"), Text::of(Role::Bad, "b")]);
    }
}
