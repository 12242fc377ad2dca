//! The books of a case as tables.

use std::fmt::Write;

use super::text::{Text, instant, short};
use crate::model::{Body, CaseStimulus, Cover, History, Page, Snapshot};

/// One book to be shown.
struct Shown<'a> {
    title: String,
    snapshot: Option<&'a Snapshot>,
    history: &'a History,
    /// First page that is new to the component that is asked.
    new_from: Option<u32>,
}

impl Text<'_> {
    /// The case's own book, and the other books in the case.
    pub(super) fn books(&self, text: &mut String) {
        let case = &self.report.fixture.case;
        let trigger = case.stimulus.trigger();
        self.book(
            text,
            &Shown {
                title: "history".to_owned(),
                snapshot: case.snapshot.as_ref(),
                history: &case.history,
                new_from: trigger.map(|trigger| trigger.from),
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
            let _ = writeln!(text, "\ndestinations\n  {}", heads.join(", "));
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
                },
            );
        }
    }

    fn book(&self, text: &mut String, book: &Shown<'_>) {
        let _ = writeln!(text, "\n{}", book.title);
        if let Some(snapshot) = book.snapshot {
            let state = snapshot.state.as_ref();
            let state = state.map_or_else(String::new, |state| {
                format!("{} {}", short(state), self.line(state))
            });
            let _ = writeln!(
                text,
                "  snapshot after sequence {}: {state}",
                snapshot.sequence
            );
        }
        let pages = book.history.pages();
        if pages.is_empty() {
            text.push_str("  no events\n");
        }
        let width = pages.iter().map(|page| name(page).len()).max().unwrap_or(0);
        for page in pages {
            let is_new = book.new_from.is_some_and(|from| page.sequence >= from);
            let _ = writeln!(text, "{}", self.row(page, width, is_new));
        }
    }

    fn row(&self, page: &Page, width: usize, is_new: bool) -> String {
        let time = page
            .created_at
            .map(instant)
            .map(|time| format!("  {time}"))
            .unwrap_or_default();
        let content = page
            .body
            .event()
            .map(|payload| self.line(payload))
            .unwrap_or_default();
        let mark = if page.provisional {
            "  (provisional)"
        } else {
            ""
        };
        let new = if is_new { ">" } else { " " };
        let line = format!(
            "  {new}{:>3}{time}  {:<width$}  {content}{mark}",
            page.sequence,
            name(page)
        );
        line.trim_end().to_owned()
    }
}

fn name(page: &Page) -> String {
    match &page.body {
        Body::Event(payload) => short(payload),
        Body::External(reference) => format!("stored at {}", reference.uri),
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
