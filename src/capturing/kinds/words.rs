//! Spans, rules and books in the words of the report.

use crate::capture::{CutBook, CutRule, Span, TriggerRule};
use crate::model::{Edition, counted};

pub(super) fn span_in_words(span: Span) -> String {
    if span.first == span.last {
        format!("sequence {}", span.first)
    } else {
        format!("sequence {} to {}", span.first, span.last)
    }
}

pub(super) const fn rule_in_words(rule: TriggerRule) -> &'static str {
    match rule {
        TriggerRule::Given => "as given",
        TriggerRule::Subscribed => {
            "the newest that the component is subscribed to (--at names another)"
        }
        TriggerRule::Newest => {
            "the newest: no subscription says what the component is sent (--at names another)"
        }
    }
}

/// A book as it was cut, in words.
pub(super) fn book_in_words(cut: &CutBook) -> String {
    let cover = &cut.book.cover;
    let edition = match &cover.edition {
        Edition::Main => String::new(),
        Edition::Named { name, .. } => format!(" ({name})"),
    };
    let events = counted(cut.book.history.pages().len(), "event");
    let rule = match cut.rule {
        CutRule::Given => "cut as given",
        CutRule::CorrelationId => "cut at its first event with the correlation id",
        CutRule::Time => "cut at its first event that is not older than the workflow",
        CutRule::Whole => "whole: nothing says where the workflow came to it",
    };
    format!("{}/{}{edition}: {events}, {rule}", cover.domain, cover.root)
}
