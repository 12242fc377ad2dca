//! What came redacted, and by what.

use std::collections::{BTreeSet, HashSet};

use super::parts::{self, Parts};
use super::redactor::{RedactError, Report};
use crate::fixture::{Case, CaseStimulus, HeadKnowledge, Redaction, RedactionAction};
use crate::model::{CommandBook, Payload, Root};

/// What is said beside a ticket or a noted call that was redacted before it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redactions {
    /// The fields that were touched, sorted.
    pub fields: Vec<Redaction>,
    /// The fingerprint of the rules and the key ([`Redactor::fingerprint`](super::Redactor::fingerprint)), where all of it
    /// could be read. Without it nobody knows what the list leaves out.
    pub by: Option<String>,
}

/// What came redacted, from a ticket or a recording: its stand-ins stay, since one for a stand-in would be equal to
/// nothing. It goes by the very payloads, so that one which joins them later, such as an event that was stored elsewhere,
/// is not taken for one of them. And it counts for the redactor alone that did it: other rules would have to do what these
/// did not.
#[derive(Debug, Clone, Default)]
pub struct Before {
    fields: BTreeSet<Redaction>,
    by: Option<String>,
    payloads: HashSet<Payload>,
}

impl Before {
    /// What a case lists as redacted, and by what: of a recording all that is in it now, of a ticket the command.
    #[must_use]
    pub fn of_case(case: &Case, by: Option<&str>) -> Self {
        let redactions = Redactions {
            fields: case.redacted.clone(),
            by: by.map(str::to_owned),
        };
        match (&case.source.head, case.stimulus.command()) {
            _ if case.redacted.is_empty() => Self::default(),
            (HeadKnowledge::Recorded, _) => {
                Self::collected(&redactions, |parts| parts::case(&mut case.clone(), parts))
            }
            (_, Some(book)) => Self::of_command(book, &redactions),
            // Its trigger is the notification of the command.
            (_, None) if matches!(case.stimulus, CaseStimulus::ProcessCompensation(_)) => {
                let pages = case.history.pages().iter();
                let events = pages.filter_map(|page| page.body.event().cloned());
                Self::of_payloads(&redactions, events.collect())
            }
            (_, None) => Self::default(),
        }
    }

    /// What was done to a command.
    #[must_use]
    pub fn of_command(book: &CommandBook, redactions: &Redactions) -> Self {
        Self::collected(redactions, |parts| {
            parts::command_book(&mut book.clone(), "", parts)
        })
    }

    fn collected(
        redactions: &Redactions,
        walk: impl FnOnce(&mut dyn Parts) -> Result<(), RedactError>,
    ) -> Self {
        let mut met = Met::default();
        walk(&mut met).expect("nothing is read here");
        Self::of_payloads(redactions, met.0)
    }

    fn of_payloads(redactions: &Redactions, payloads: HashSet<Payload>) -> Self {
        Self {
            fields: redactions.fields.iter().cloned().collect(),
            by: redactions.by.clone(),
            payloads,
        }
    }

    /// What of it a redactor may take for done.
    pub(super) fn done_by(&self, fingerprint: Option<&str>) -> Self {
        if fingerprint.is_some() && self.by.as_deref() == fingerprint {
            self.clone()
        } else {
            Self::default()
        }
    }

    pub(super) fn holds(&self, payload: &Payload) -> bool {
        self.payloads.contains(payload)
    }

    pub(super) fn lists(&self, field: &Redaction) -> bool {
        self.fields.contains(field)
    }

    /// Whether stand-ins of it got stand-ins, as a report tells: other rules or another key did it.
    #[must_use]
    pub fn is_replaced_in(&self, report: &Report, fingerprint: Option<&str>) -> bool {
        let is_other = self.by.as_deref() != fingerprint || self.by.is_none();
        let mut fields = self.fields.iter();
        is_other
            && fields.any(|field| {
                field.action == RedactionAction::Pseudonym && report.touched.contains(field)
            })
    }
}

/// The payloads that a walk meets.
#[derive(Default)]
struct Met(HashSet<Payload>);

impl Parts for Met {
    fn payload(&mut self, payload: &mut Payload, _: &str) -> Result<(), RedactError> {
        self.0.insert(payload.clone());
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}
