//! Whole cases and command books: first the roots, then payloads, then the texts in which both are looked for.

use std::collections::BTreeSet;

use super::before::Before;
use super::parts::{self, Parts};
use super::redactor::{RedactError, Redactor, Report};
use super::session::{Is, Session};
use crate::model::{Case, CommandBook, Failure, Payload, Root};

/// A case that may be written.
#[derive(Debug, Clone)]
pub struct RedactedCase {
    /// The case; it lists the fields that were touched.
    pub case: Case,
    /// What was done.
    pub report: Report,
    /// Kept encodings of pages, snapshots and commands that went: they hold what was taken out, and may hold what
    /// nobody has looked at.
    pub encodings: usize,
}

impl Redactor {
    /// Redacts a case: snapshots, histories, what the logic is asked, what production did, and the texts beside them.
    pub fn redact_case(&self, case: &Case) -> Result<RedactedCase, RedactError> {
        self.redact_case_after(case, &Before::default())
    }

    /// The same where parts of the case came redacted.
    pub fn redact_case_after(
        &self,
        case: &Case,
        before: &Before,
    ) -> Result<RedactedCase, RedactError> {
        let mut session = self.session().where_done(before);
        let mut new = case.clone();
        let encodings = session.walk(|parts| parts::case(&mut new, parts))?;
        let report = session.finish();
        let all: BTreeSet<_> = report.touched.iter().chain(&case.redacted).collect();
        new.redacted = all.into_iter().cloned().collect();
        Ok(RedactedCase {
            encodings,
            case: new,
            report,
        })
    }
}

impl Session<'_> {
    /// Redacts a command book with its texts; its own encoding goes.
    pub fn book(&mut self, book: &CommandBook) -> Result<CommandBook, RedactError> {
        let mut new = book.clone();
        self.walk(|parts| parts::command_book(&mut new, "the command", parts))?;
        Ok(new)
    }

    /// Redacts a failure's message and metadata. What it is about comes first.
    pub fn failure(&mut self, failure: &Failure) -> Failure {
        let mut new = failure.clone();
        parts::failure(&mut new, &mut Texts(self));
        new
    }

    /// Walks four times: a payload may repeat in a text what only a later one declares, so all of them are gone through
    /// before the first is changed. Gives the number of encodings that went.
    fn walk(
        &mut self,
        mut walk: impl FnMut(&mut dyn Parts) -> Result<(), RedactError>,
    ) -> Result<usize, RedactError> {
        walk(&mut Roots(self))?;
        walk(&mut Look(self))?;
        let mut payloads = Payloads {
            session: self,
            encodings: 0,
        };
        walk(&mut payloads)?;
        let encodings = payloads.encodings;
        walk(&mut Texts(self))?;
        Ok(encodings)
    }
}

/// Roots alone: they have to be known before payloads that repeat them.
struct Roots<'s, 'a>(&'s mut Session<'a>);

impl Parts for Roots<'_, '_> {
    fn payload(&mut self, _: &mut Payload, _: &str) -> Result<(), RedactError> {
        Ok(())
    }

    fn root(&mut self, root: &mut Root) {
        *root = self.0.root(*root);
    }

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}

/// Payloads, which stay as they are: what is taken out of them is known then.
struct Look<'s, 'a>(&'s mut Session<'a>);

impl Parts for Look<'_, '_> {
    fn payload(&mut self, payload: &mut Payload, place: &str) -> Result<(), RedactError> {
        self.0.look(payload, Is::Payload, place)
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}

/// Payloads, and the encodings that hold them.
struct Payloads<'s, 'a> {
    session: &'s mut Session<'a>,
    encodings: usize,
}

impl Parts for Payloads<'_, '_> {
    fn payload(&mut self, payload: &mut Payload, place: &str) -> Result<(), RedactError> {
        *payload = self.session.write(payload, Is::Payload, place)?;
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, encoding: &mut Option<Vec<u8>>) {
        self.encodings += usize::from(encoding.take().is_some());
    }
}

/// Texts, when all that was taken out is known.
struct Texts<'s, 'a>(&'s mut Session<'a>);

impl Parts for Texts<'_, '_> {
    fn payload(&mut self, _: &mut Payload, _: &str) -> Result<(), RedactError> {
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, text: &mut String) {
        *text = self.0.text(text);
    }

    fn title(&mut self, title: &mut String) {
        *title = self.0.title(title);
    }

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}
}
