//! The books of a case as tables.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::elision::{Part, left_out, parts};
use super::text::{TextReport, heading, instant, short};
use crate::model::{Body, CaseStimulus, Cover, History, Page, Snapshot};
use crate::terminal::{Column, Role, Table, Text, one_line, paragraph};

/// One book to be shown.
struct Shown<'a> {
    title: String,
    snapshot: Option<&'a Snapshot>,
    history: &'a History,
    /// First page that is new to the component that is asked.
    new_from: Option<u32>,
    /// Sequences of pages that today's code turns into something else.
    differing: BTreeSet<u32>,
}

impl TextReport<'_> {
    /// The case's own book, and the other books in the case.
    pub(super) fn books(&self, text: &mut Text) {
        let case = &self.report.fixture.case;
        let trigger = case.stimulus.trigger();
        self.book(
            text,
            &Shown {
                title: "history".to_owned(),
                snapshot: case.snapshot.as_ref(),
                history: &case.history,
                new_from: trigger.map(|trigger| trigger.from),
                differing: self.differing_sequences(),
            },
        );
        if let Some(trigger) = trigger {
            let shown = if matches!(case.stimulus, CaseStimulus::Flow(_)) {
                "the flow begins with them"
            } else if trigger.with_history {
                "all of it is shown to the component"
            } else {
                "only they are shown to the component"
            };
            let _ = writeln!(text, "     > new: {shown}");
        }
        let destinations = case.stimulus.destinations();
        if let Some(destinations) = destinations.filter(|heads| !heads.is_empty()) {
            let heads = destinations.iter();
            let heads: Vec<String> = heads
                .map(|(domain, sequence)| format!("{domain} at {sequence}"))
                .collect();
            heading(text, "destinations");
            let _ = writeln!(text, "  {}", heads.join(", "));
        }
        let what = if case.stimulus.process().is_some() {
            "the process manager's own stream"
        } else {
            "before the flow"
        };
        for book in case.stimulus.books() {
            self.book(
                text,
                &Shown {
                    title: format!("{}: {what}", named(&book.cover)),
                    snapshot: book.snapshot.as_ref(),
                    history: &book.history,
                    new_from: None,
                    differing: BTreeSet::new(),
                },
            );
        }
    }

    fn book(&self, text: &mut Text, book: &Shown<'_>) {
        heading(text, &book.title);
        if let Some(snapshot) = book.snapshot {
            let state = snapshot.state.as_ref();
            let state = state.map_or_else(String::new, |state| {
                format!("{} {}", short(state), self.line(state))
            });
            let sequence = snapshot.sequence;
            let line = Text::plain(format_args!(
                "  snapshot after sequence {sequence}: {state}"
            ));
            text.append(&paragraph(&line, self.layout.room, 4));
        }
        let pages = book.history.pages();
        if pages.is_empty() {
            let _ = writeln!(text, "  no events");
        }
        let matters = |at: usize| {
            let page = &pages[at];
            let is_after_gap = at > 0 && page.sequence != pages[at - 1].sequence + 1;
            page.provisional
                || is_after_gap
                || book.new_from == Some(page.sequence)
                || book.differing.contains(&page.sequence)
        };
        let mut table = Table::new([
            Column::whole("").right(),
            Column::whole(""),
            Column::cut("", 16),
            Column::cut("", 12),
        ]);
        for part in parts(pages.len(), self.layout.shows_all, matters) {
            match part {
                Part::Shown(at) => table.row(self.row(&pages[at], book.new_from)),
                Part::LeftOut(count) => table.line(left_out(count, "events")),
            }
        }
        text.append(&table.indented(2).text(self.layout.room));
    }

    fn row(&self, page: &Page, new_from: Option<u32>) -> [Text; 4] {
        let is_new = new_from.is_some_and(|from| page.sequence >= from);
        let new = if is_new { ">" } else { " " };
        let time = page.created_at.map(instant).unwrap_or_default();
        let mut content = Text::new();
        if page.provisional {
            content.push(Role::Caution, "(provisional) ");
        }
        if let Some(payload) = page.body.event() {
            content.push(Role::Plain, one_line(&self.line(payload)));
        }
        [
            Text::plain(format_args!("{new}{:>3}", page.sequence)),
            Text::of(Role::Faint, time),
            Text::plain(name(page)),
            content,
        ]
    }
}

fn name(page: &Page) -> String {
    match &page.body {
        Body::Event(payload) => short(payload),
        Body::External(reference) => format!("stored at {}", one_line(&reference.uri)),
        Body::Empty => "nothing".to_owned(),
    }
}

/// An aggregate in a few words.
fn named(cover: &Cover) -> String {
    let edition = if cover.edition.is_main() {
        String::new()
    } else {
        format!(", edition {}", cover.edition.label())
    };
    format!("{} {}{edition}", cover.domain, cover.root)
}
