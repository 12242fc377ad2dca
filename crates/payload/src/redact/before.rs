//! What came redacted, and by what.

use std::collections::{BTreeSet, HashSet};

use super::parts::{self, Parts};
use super::redactor::RedactError;
use crate::model::{
    Case, CaseStimulus, CommandBook, Fingerprints, HeadKnowledge, Payload, Redactions, Root,
};

/// What came redacted, from a ticket or a recording: its stand-ins stay, since one for a stand-in would be equal to
/// nothing. It goes by the very payloads, so that one which joins them later, such as an event that was stored elsewhere,
/// is not taken for one of them. And it counts only where the redactor at hand would have done the same: other rules may
/// take out what these left.
#[derive(Debug, Clone, Default)]
pub struct Before {
    by: Fingerprints,
    payloads: HashSet<Payload>,
    /// Types that capture put around what came.
    around: BTreeSet<String>,
}

impl Before {
    /// What of a case that lists redacted fields came so, and by what: of a recording all that is in it now, of a ticket
    /// the command.
    #[must_use]
    pub fn of_case(case: &Case, by: &Fingerprints) -> Self {
        let payloads = match (&case.source.head, case.stimulus.command()) {
            _ if case.redacted.is_empty() => HashSet::new(),
            (HeadKnowledge::Recorded, _) => met(|parts| parts::case(&mut case.clone(), parts)),
            (_, Some(book)) => of_book(book),
            // Its trigger is the notification of the command.
            (_, None) if matches!(case.stimulus, CaseStimulus::ProcessCompensation(_)) => {
                let pages = case.history.pages().iter();
                pages
                    .filter_map(|page| page.body.event().cloned())
                    .collect()
            }
            (_, None) => HashSet::new(),
        };
        Self {
            around: notifications(case, &payloads),
            by: by.clone(),
            payloads,
        }
    }

    /// What was done to a command.
    #[must_use]
    pub fn of_command(book: &CommandBook, redactions: &Redactions) -> Self {
        if redactions.fields.is_empty() {
            return Self::default();
        }
        Self {
            by: redactions.by.clone(),
            payloads: of_book(book),
            around: BTreeSet::new(),
        }
    }

    pub(super) fn holds(&self, payload: &Payload) -> bool {
        self.payloads.contains(payload)
    }

    /// Whether messages of a type are no part of what came, but around it.
    pub(super) fn is_around(&self, type_name: &str) -> bool {
        self.around.contains(type_name)
    }

    /// The fingerprint of what redacted payloads of a type.
    pub(super) fn by(&self, type_name: &str) -> Option<&str> {
        self.by.get(type_name).map(String::as_str)
    }
}

/// Of a compensation the notification, which capture makes of the command of a ticket.
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
    met(|parts| parts::command_book(&mut book.clone(), "", parts))
}

fn met(walk: impl FnOnce(&mut dyn Parts) -> Result<(), RedactError>) -> HashSet<Payload> {
    let mut met = Met::default();
    walk(&mut met).expect("nothing is read here");
    met.0
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
