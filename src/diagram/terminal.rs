//! The diagram for a terminal: a narrow lane for each participant on the left, the texts on the right.

use std::fmt::Write;

use super::script::{Line, LineKind, Script};
use crate::replay::flow::FlowRun;

/// Width of the diagram if the output has none.
const WIDTH: usize = 100;
/// Minimum width of the texts.
const MIN_TEXT_WIDTH: usize = 30;

/// The flow as a legend, and then the lanes with the texts beside them. Wider than the room only if there are very many
/// lanes.
#[must_use]
pub fn terminal(run: &FlowRun, room: Option<usize>) -> String {
    let room = room.unwrap_or(WIDTH);
    let script = Script::of(run);
    let lanes = script.lanes.len();
    let columns = if lanes * 4 + MIN_TEXT_WIDTH <= room {
        4
    } else {
        2
    };
    let text_width = room.saturating_sub(lanes * columns + 2).max(MIN_TEXT_WIDTH);
    let mut text = String::new();
    for (at, name) in script.lanes.iter().enumerate() {
        let _ = writeln!(text, "{}  {}", key(at), cut(name, room.saturating_sub(3)));
    }
    text.push('\n');
    let keys: Vec<String> = (0..lanes)
        .map(|at| format!("{:<columns$}", key(at)))
        .collect();
    let _ = writeln!(text, "{}", keys.concat().trim_end());
    for line in &script.lines {
        let drawn = drawn(line, lanes, columns);
        let _ = writeln!(text, "{drawn}  {}", cut(&line.text, text_width));
    }
    text
}

/// A letter for a lane.
fn key(at: usize) -> char {
    ('A'..='Z').chain('a'..='z').nth(at).unwrap_or('?')
}

fn drawn(line: &Line, lanes: usize, columns: usize) -> String {
    let (left, right) = (line.from.min(line.to), line.from.max(line.to));
    let mut drawn = String::new();
    for at in 0..lanes {
        let within = left < right && (left..=right).contains(&at);
        drawn.push(match line.kind {
            LineKind::Note if at == line.to => '●',
            _ if !within && at != line.to => '│',
            LineKind::Failure if at == line.to => '✗',
            _ if at == line.to && left == right => '●',
            _ if at == line.to && line.from < line.to => '▶',
            _ if at == line.to => '◀',
            _ if at == left => '├',
            _ if at == right => '┤',
            _ => '┼',
        });
        let along = left < right && at >= left && at < right;
        let stroke = match (along, line.kind) {
            (false, _) => ' ',
            (true, LineKind::Failure | LineKind::Event) => '╌',
            (true, LineKind::Message | LineKind::Note) => '─',
        };
        let strokes = if at + 1 < lanes { columns - 1 } else { 0 };
        drawn.extend(std::iter::repeat_n(stroke, strokes));
    }
    drawn
}

fn cut(text: &str, room: usize) -> String {
    crate::terminal::cut(&text.replace(char::is_control, " "), room).into_owned()
}
