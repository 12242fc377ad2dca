//! Redaction that a ticket or a recording had already received before it was captured.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;

use super::redactor::RedactError;
use super::visit::{self, Visitor};
use crate::model::{
    Case, CaseStimulus, CommandBook, Fingerprints, HeadKnowledge, Payload, Redactions, Root,
};

/// Payloads that arrived already redacted, and the fingerprint of the redactor that did it. Their pseudonyms are kept,
/// because a pseudonym of a pseudonym matches nothing else. Payloads are compared by value, so an external event that
/// is inlined later does not count as redacted. The pseudonyms are kept only if the current redactor would have
/// produced the same ones: its rules may cover fields that the earlier rules left alone.
#[derive(Debug, Clone, Default)]
pub struct PriorRedaction {
    fingerprints: Fingerprints,
    payloads: HashSet<Payload>,
    /// Types of the messages that capture wrapped around the redacted payloads.
    wrapper_types: BTreeSet<String>,
}

impl PriorRedaction {
    /// Prior redaction of a captured case that lists redacted fields: every payload if the case was recorded, otherwise
    /// the payloads of the ticket's command.
    #[must_use]
    pub fn of_case(case: &Case, by: &Fingerprints) -> Self {
        let payloads = match (&case.source.head, case.stimulus.command()) {
            _ if case.redacted.is_empty() => HashSet::new(),
            (HeadKnowledge::Recorded, _) => {
                visited_payloads(|visitor| visit::case(&mut case.clone(), visitor))
            }
            (_, Some(book)) => of_book(book),
            // The triggering event is the notification that carries the rejected command.
            (_, None) if matches!(case.stimulus, CaseStimulus::ProcessCompensation(_)) => {
                let pages = case.history.pages().iter();
                pages
                    .filter_map(|page| page.body.event().cloned())
                    .collect()
            }
            (_, None) => HashSet::new(),
        };
        Self {
            wrapper_types: notifications(case, &payloads),
            fingerprints: by.clone(),
            payloads,
        }
    }

    /// Prior redaction of a command.
    #[must_use]
    pub fn of_command(book: &CommandBook, redactions: &Redactions) -> Self {
        if redactions.fields.is_empty() {
            return Self::default();
        }
        Self {
            fingerprints: redactions.by.clone(),
            payloads: of_book(book),
            wrapper_types: BTreeSet::new(),
        }
    }

    pub(super) fn holds(&self, payload: &Payload) -> bool {
        self.payloads.contains(payload)
    }

    /// Whether messages of this type were added by capture around the redacted payloads.
    pub(super) fn is_wrapper(&self, type_name: &str) -> bool {
        self.wrapper_types.contains(type_name)
    }

    /// Fingerprint of the redactor that redacted payloads of this type.
    pub(super) fn by(&self, type_name: &str) -> Option<&str> {
        self.fingerprints.get(type_name).map(String::as_str)
    }
}

/// Types of the notification messages that capture builds around a ticket's command in a compensation case.
fn notifications(case: &Case, payloads: &HashSet<Payload>) -> BTreeSet<String> {
    let is_made = case.source.head != HeadKnowledge::Recorded
        && matches!(
            case.stimulus,
            CaseStimulus::Compensation(_) | CaseStimulus::ProcessCompensation(_)
        );
    let names = payloads.iter().filter(|_| is_made).map(Payload::type_name);
    let both = names.filter_map(|name| {
        let package = name.strip_suffix(".Notification")?;
        Some([name.to_owned(), format!("{package}.RejectionNotification")])
    });
    both.flatten().collect()
}

fn of_book(book: &CommandBook) -> HashSet<Payload> {
    visited_payloads(|visitor| visit::command_book(&mut book.clone(), "", visitor))
}

fn visited_payloads(
    walk: impl FnOnce(&mut dyn Visitor) -> Result<(), RedactError>,
) -> HashSet<Payload> {
    let mut met = PayloadCollector::default();
    walk(&mut met).expect("nothing is read here");
    met.0
}

/// Collects every payload it visits.
#[derive(Default)]
struct PayloadCollector(HashSet<Payload>);

impl Visitor for PayloadCollector {
    fn payload(&mut self, payload: &mut Payload, _: &dyn Display) -> Result<(), RedactError> {
        self.0.insert(payload.clone());
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}

    fn only_reads_events(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Payload, _: &dyn Display) -> Result<(), RedactError> {
        self.0.insert(event.clone());
        Ok(())
    }
}
