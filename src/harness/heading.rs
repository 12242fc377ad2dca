//! The heading of a failing trial's message, which tells the reader what the case is about.

use std::fmt::Write;

use crate::model::{Case, counted, short_name};
use crate::terminal::one_line;

/// Title, issue and request, one line each.
pub(crate) fn heading(case: &Case) -> String {
    let issue = case.issue.as_ref().map(|issue| ("issue", issue.clone()));
    let asked = (case.stimulus.word(), asked(case));
    let lines: Vec<_> = [("title", case.title.clone())]
        .into_iter()
        .chain(issue)
        .chain([asked])
        .collect();
    let width = lines.iter().map(|(label, _)| label.len()).max();
    let width = width.unwrap_or_default() + 1;
    lines
        .iter()
        .fold(String::new(), |mut text, (label, value)| {
            let label = format!("{label}:");
            let _ = writeln!(text, "{label:width$} {}", one_line(value));
            text
        })
}

/// The request, as in `WithdrawFunds for player 6513270e, at sequence 3`.
fn asked(case: &Case) -> String {
    let aggregate = format!("{} {}", case.cover.domain, case.cover.root.short());
    let Some(about) = case.stimulus.about(&case.history) else {
        let events = case.history.pages().len();
        return format!("{aggregate}, {}", counted(events, "event"));
    };
    let name = short_name(about);
    let command = case.stimulus.command();
    let new = case.stimulus.trigger().map(|trigger| trigger.from);
    let sequence = new.or_else(|| command?.expected_sequence());
    let sequence = sequence.map(|sequence| format!(", at sequence {sequence}"));
    let link = if new.is_some() { "of" } else { "for" };
    format!("{name} {link} {aggregate}{}", sequence.unwrap_or_default())
}
