//! Tables. On a terminal they fit its width; elsewhere every cell is shown in full.

use super::text::{Role, Text};
use super::width::{ELLIPSIS, fitting, width, wrapped};

/// Blanks between two columns.
const GAP: &str = "  ";

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    fit: Fit,
    is_right: bool,
    /// Minimum width, for rows that are printed one by one and align.
    at_least: usize,
}

/// What happens to cells without enough room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// They are shown in full.
    Whole,
    /// They are cut, down to this width.
    Cut(usize),
    /// They are wrapped between words, down to this width. The last column then moves below its row.
    Wrap(usize),
}

impl Column {
    /// A column whose cells are never cut.
    pub(crate) const fn whole(title: &'static str) -> Self {
        Self {
            title,
            fit: Fit::Whole,
            is_right: false,
            at_least: 0,
        }
    }

    /// A column whose cells are cut, down to a width.
    pub(crate) const fn cut(title: &'static str, least: usize) -> Self {
        Self {
            fit: Fit::Cut(least),
            ..Self::whole(title)
        }
    }

    /// A column whose cells are wrapped between words.
    pub(crate) const fn wrapped(title: &'static str) -> Self {
        Self {
            fit: Fit::Wrap(24),
            ..Self::whole(title)
        }
    }

    /// Aligned to the right, as numbers are.
    pub(crate) const fn right(self) -> Self {
        Self {
            is_right: true,
            ..self
        }
    }

    /// With a minimum width.
    pub(crate) const fn at_least(self, at_least: usize) -> Self {
        Self { at_least, ..self }
    }
}

/// A table. A cell may have several lines.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    indent: usize,
}

#[derive(Debug, Clone)]
enum Row {
    Cells(Vec<Text>),
    /// Text across all columns.
    Line(Text),
}

/// The widths of a table's columns in a given room.
struct Layout {
    widths: Vec<usize>,
    /// Room of the last column if it moved below the rows.
    below: Option<usize>,
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
            indent: 0,
        }
    }

    /// Blanks before each line.
    #[must_use]
    pub(crate) fn indented(self, indent: usize) -> Self {
        Self { indent, ..self }
    }

    /// Adds a row. Missing cells at its end are empty.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<Text>>) {
        self.rows.push(Row::Cells(cells.into()));
    }

    /// Adds a line across all columns.
    pub(crate) fn line(&mut self, line: Text) {
        self.rows.push(Row::Line(line));
    }

    /// The table with this much room; in full if there is no limit. Every line has an ending.
    pub(crate) fn text(&self, room: Option<usize>) -> Text {
        let layout = self.layout(room);
        let mut text = Text::new();
        if self.columns.iter().any(|column| !column.title.is_empty()) {
            let titles = self.columns.iter().map(|column| {
                let is_below = layout.below.is_some() && !column.fits_beside();
                let title = if is_below { "" } else { column.title };
                Text::of(Role::Heading, title)
            });
            self.push_row(&mut text, &titles.collect::<Vec<_>>(), &layout);
        }
        for row in &self.rows {
            match row {
                Row::Cells(cells) => self.push_row(&mut text, cells, &layout),
                Row::Line(line) => {
                    text.push(Role::Plain, " ".repeat(self.indent));
                    text.append(line);
                    text.push(Role::Plain, "\n");
                }
            }
        }
        text
    }

    fn layout(&self, room: Option<usize>) -> Layout {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|at| self.natural_width(at))
            .collect();
        let Some(room) = room else {
            return Layout {
                widths,
                below: None,
            };
        };
        // A cell may be many times wider than the room.
        for (column, width) in self.columns.iter().zip(&mut widths) {
            if column.fit != Fit::Whole {
                *width = (*width).min(room);
            }
        }
        self.shrink(&mut widths, room, |fit| match fit {
            Fit::Wrap(least) => Some(least),
            Fit::Whole | Fit::Cut(_) => None,
        });
        let is_too_wide = self.total(&widths) > room;
        let last_column = self.columns.last().filter(|column| !column.fits_beside());
        let below = last_column
            .filter(|_| is_too_wide && widths.len() > 1)
            .map(|_| {
                widths.pop();
                room.saturating_sub(self.hanging(&widths)).max(1)
            });
        self.shrink(&mut widths, room, |fit| match fit {
            Fit::Cut(least) => Some(least),
            Fit::Whole | Fit::Wrap(_) => None,
        });
        Layout { widths, below }
    }

    /// Width of a column with all its cells in full.
    fn natural_width(&self, at: usize) -> usize {
        let column = &self.columns[at];
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => cells.get(at),
            Row::Line(_) => None,
        });
        let lines = cells.flat_map(|cell| cell.as_str().lines().map(width));
        let widest = lines.max().unwrap_or(0);
        widest.max(width(column.title)).max(column.at_least)
    }

    /// Columns without content take no room.
    fn total(&self, widths: &[usize]) -> usize {
        let columns = widths.iter().filter(|width| **width > 0).count();
        let gaps = GAP.len() * columns.saturating_sub(1);
        self.indent + widths.iter().sum::<usize>() + gaps
    }

    /// Where the text below a row begins.
    fn hanging(&self, widths: &[usize]) -> usize {
        self.indent + widths.first().map_or(0, |first| (*first).min(6)) + GAP.len()
    }

    /// Takes columns away from the widest of some columns until the table fits, or none of them can be narrower.
    fn shrink(&self, widths: &mut [usize], room: usize, least: impl Fn(Fit) -> Option<usize>) {
        while self.total(widths) > room {
            let candidates = (0..widths.len()).filter(|at| {
                let least = least(self.columns[*at].fit);
                least.is_some_and(|least| widths[*at] > least)
            });
            let Some(widest) = candidates.max_by_key(|at| widths[*at]) else {
                return;
            };
            widths[widest] -= 1;
        }
    }

    fn push_row(&self, text: &mut Text, row: &[Text], layout: &Layout) {
        let beside = row.iter().take(layout.widths.len());
        let cells: Vec<Vec<Text>> = beside
            .zip(&self.columns)
            .zip(&layout.widths)
            .map(|((cell, column), width)| column.lines(cell, *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for at in 0..height {
            let mut line = Text::plain(" ".repeat(self.indent));
            for ((cell, column), room) in cells.iter().zip(&self.columns).zip(&layout.widths) {
                if *room == 0 {
                    continue;
                }
                let cell = cell.get(at).cloned().unwrap_or_default();
                let blanks = " ".repeat(room.saturating_sub(width(cell.as_str())));
                let (before, after) = if column.is_right {
                    (blanks.as_str(), "")
                } else {
                    ("", blanks.as_str())
                };
                line.push(Role::Plain, before);
                line.append(&cell);
                line.push(Role::Plain, after);
                line.push(Role::Plain, GAP);
            }
            text.append(&line.trim_end());
            text.push(Role::Plain, "\n");
        }
        let below = layout.below.zip(row.get(layout.widths.len()));
        let Some((room, cell)) = below.filter(|(_, cell)| !cell.is_empty()) else {
            return;
        };
        let hanging = " ".repeat(self.hanging(&layout.widths));
        for line in wrap(cell, room) {
            text.push(Role::Plain, &hanging);
            text.append(&line);
            text.push(Role::Plain, "\n");
        }
    }
}

impl Column {
    /// Whether the cells stay beside those of other columns, however narrow the terminal is.
    const fn fits_beside(self) -> bool {
        !matches!(self.fit, Fit::Wrap(_))
    }

    fn lines(self, cell: &Text, room: usize) -> Vec<Text> {
        match self.fit {
            Fit::Wrap(_) => wrap(cell, room),
            Fit::Whole | Fit::Cut(_) => cell.lines().map(|line| cut(&line, room)).collect(),
        }
    }
}

/// A line with an ending, broken between words if it does not fit. Its further lines have an indent.
pub(crate) fn paragraph(line: &Text, room: Option<usize>, indent: usize) -> Text {
    let whole = || line.clone().with(Role::Plain, "\n");
    let Some(room) = room else { return whole() };
    let first = wrapped(line.as_str(), room).into_iter().next();
    let Some(first) = first.filter(|first| first.end < line.as_str().len()) else {
        return whole();
    };
    let mut text = line.slice(first.clone());
    text.push(Role::Plain, "\n");
    let rest = &line.as_str()[first.end..];
    let start = line.as_str().len() - rest.trim_start_matches(' ').len();
    let blanks = " ".repeat(indent);
    for part in wrap(
        &line.slice(start..line.as_str().len()),
        room.saturating_sub(indent).max(1),
    ) {
        text.push(Role::Plain, &blanks);
        text.append(&part);
        text.push(Role::Plain, "\n");
    }
    text
}

/// Breaks each line of a text between words.
pub(crate) fn wrap(text: &Text, room: usize) -> Vec<Text> {
    let lines = text.lines().flat_map(|line| {
        let ranges = wrapped(line.as_str(), room).into_iter();
        ranges.map(|range| line.slice(range)).collect::<Vec<_>>()
    });
    lines.collect()
}

/// A line with an ellipsis at its end if it does not fit.
fn cut(line: &Text, room: usize) -> Text {
    if fitting(line.as_str(), room) == line.as_str().len() {
        return line.clone();
    }
    let end = fitting(line.as_str(), room.saturating_sub(1));
    line.slice(0..end).with(Role::Plain, ELLIPSIS)
}
