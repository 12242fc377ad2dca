//! Differences between two outcomes, as lines of a message.

use crate::snapshot::{Difference, Renderer, shown};
use crate::terminal::{Role, Text, paragraph, width, wrap};

/// Room of a difference on one line, if the output has no width.
const WIDE: usize = 120;

/// Adds differences to a text, each with an indent.
pub(super) fn push(
    text: &mut Text,
    differences: &[Difference],
    indent: usize,
    room: Option<usize>,
) {
    let (some, more) = shown(differences);
    let blanks = " ".repeat(indent);
    for difference in some {
        let mut line = Text::plain(&blanks);
        line.append(&difference.styled());
        if width(line.as_str()) <= room.unwrap_or(indent + WIDE) {
            text.append(&line);
            text.push(Role::Plain, "\n");
        } else {
            push_long(text, difference, &blanks, room);
        }
    }
    if let Some(more) = more {
        text.push(Role::Plain, format_args!("{blanks}{more}\n"));
    }
}

/// A difference as removed and added lines.
fn push_long(text: &mut Text, difference: &Difference, blanks: &str, room: Option<usize>) {
    let place = Text::plain(format_args!("{blanks}{}", difference.place()));
    text.append(&paragraph(&place, room, blanks.len() + 2));
    let sides = [
        ('-', Role::Removed, &difference.expected),
        ('+', Role::Added, &difference.actual),
    ];
    for (sign, role, value) in sides {
        let Some(value) = value else { continue };
        let value = Text::of(role, Renderer::text(value).trim_end());
        let lines = match room {
            Some(room) => wrap(&value, room.saturating_sub(blanks.len() + 2)),
            None => value.lines().collect(),
        };
        for line in lines {
            text.push(Role::Plain, blanks);
            text.push(role, format_args!("{sign} "));
            text.append(&line);
            text.push(Role::Plain, "\n");
        }
    }
}
