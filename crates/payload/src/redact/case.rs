//! Redaction of whole cases and command books: roots first, then payloads, then the texts that may repeat either.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::thread;

use super::prior::PriorRedaction;
use super::redactor::{RedactError, Redactor, Report, Suspect};
use super::session::{MessageRole, Session};
use super::visit::{self, Visitor};
use crate::model::{Case, CommandBook, Failure, Payload, Root};

/// Fewest events of a history that are worth a thread of their own.
const SCANNED_TOGETHER: usize = 4_096;

/// Where these events are, for errors.
const HISTORY: &str = "of the history";

/// A redacted case, safe to write to disk.
#[derive(Debug, Clone)]
pub struct RedactedCase {
    /// The case, with the redacted fields listed in it.
    pub case: Case,
    /// What was redacted.
    pub report: Report,
    /// Number of original encodings of pages, snapshots and commands that were dropped, because they contain the
    /// unredacted values.
    pub encodings: usize,
}

impl Redactor {
    /// Redacts a case: snapshots, histories, the stimulus, the observed outcome, and the texts in them.
    pub fn redact_case(&self, case: &Case) -> Result<RedactedCase, RedactError> {
        self.redact_case_after(case, &PriorRedaction::default())
    }

    /// Redacts a case, parts of which were redacted before.
    pub fn redact_case_after(
        &self,
        case: &Case,
        prior: &PriorRedaction,
    ) -> Result<RedactedCase, RedactError> {
        let mut session = self.session().with_prior(prior);
        let mut new = case.clone();
        let encodings = session.walk(|visitor| visit::case(&mut new, visitor))?;
        let report = session.finish();
        let all: BTreeSet<_> = report.touched.iter().chain(&case.redacted).collect();
        new.redacted = all.into_iter().cloned().collect();
        Ok(RedactedCase {
            encodings,
            case: new,
            report,
        })
    }

    /// Fields of a case that look personal or secret, for a redactor that replaces nothing: scanning finds the same fields
    /// as redaction then.
    pub fn suspects_in(&self, case: &Case) -> Result<BTreeSet<Suspect>, RedactError> {
        let mut rest = case.clone();
        let history = std::mem::take(&mut rest.history);
        let mut suspects = self.suspects(|visitor| visit::case(&mut rest, visitor))?;
        // Nothing that is found in one event matters for another one, and a long history has many.
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let pages = history.pages();
        let part = pages.len().div_ceil(threads).max(SCANNED_TOGETHER);
        thread::scope(|scope| {
            let scan = |pages| self.suspects(|visitor| visit::events(pages, HISTORY, visitor));
            let scans = pages.chunks(part);
            let scans: Vec<_> = scans.map(|part| scope.spawn(move || scan(part))).collect();
            for scan in scans {
                suspects.append(&mut scan.join().expect("a scan does not panic")?);
            }
            Ok(suspects)
        })
    }

    fn suspects(
        &self,
        walk: impl FnOnce(&mut dyn Visitor) -> Result<(), RedactError>,
    ) -> Result<BTreeSet<Suspect>, RedactError> {
        let mut session = self.session();
        session.only_scans = true;
        walk(&mut ScanPass(&mut session))?;
        Ok(session.finish().suspects)
    }
}

impl Session<'_> {
    /// Redacts a command book and its texts, and drops its original encoding.
    pub fn book(&mut self, book: &CommandBook) -> Result<CommandBook, RedactError> {
        let mut new = book.clone();
        self.walk(|visitor| visit::command_book(&mut new, "the command", visitor))?;
        Ok(new)
    }

    /// Redacts the message and metadata of a failure. Call it after the payloads of the same session.
    pub fn failure(&mut self, failure: &Failure) -> Failure {
        let mut new = failure.clone();
        visit::failure(&mut new, &mut TextPass(self));
        new
    }

    /// Makes four passes. All payloads are scanned before the first is rewritten, because a text in one payload may
    /// repeat a value that only a later payload marks as secret. Returns the number of original encodings that were
    /// dropped.
    fn walk(
        &mut self,
        mut walk: impl FnMut(&mut dyn Visitor) -> Result<(), RedactError>,
    ) -> Result<usize, RedactError> {
        walk(&mut RootPass(self))?;
        walk(&mut ScanPass(self))?;
        let mut payloads = PayloadPass {
            session: self,
            encodings: 0,
        };
        walk(&mut payloads)?;
        let encodings = payloads.encodings;
        walk(&mut TextPass(self))?;
        Ok(encodings)
    }
}

/// Replaces roots. Runs first, because payloads may repeat them.
struct RootPass<'s, 'a>(&'s mut Session<'a>);

impl Visitor for RootPass<'_, '_> {
    fn payload(&mut self, _: &mut Payload, _: &dyn Display) -> Result<(), RedactError> {
        Ok(())
    }

    fn root(&mut self, root: &mut Root) {
        *root = self.0.root(*root);
    }

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}

    fn only_reads_events(&self) -> bool {
        true
    }
}

/// Scans payloads without changing them, to learn which values will be redacted.
struct ScanPass<'s, 'a>(&'s mut Session<'a>);

impl Visitor for ScanPass<'_, '_> {
    fn payload(&mut self, payload: &mut Payload, place: &dyn Display) -> Result<(), RedactError> {
        self.0.scan(payload, MessageRole::Payload, place)
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, _: &mut Option<Vec<u8>>) {}

    fn only_reads_events(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Payload, place: &dyn Display) -> Result<(), RedactError> {
        self.0.scan(event, MessageRole::Payload, place)
    }
}

/// Rewrites payloads and drops the original encodings that contain them.
struct PayloadPass<'s, 'a> {
    session: &'s mut Session<'a>,
    encodings: usize,
}

impl Visitor for PayloadPass<'_, '_> {
    fn payload(&mut self, payload: &mut Payload, place: &dyn Display) -> Result<(), RedactError> {
        *payload = self.session.write(payload, MessageRole::Payload, place)?;
        Ok(())
    }

    fn root(&mut self, _: &mut Root) {}

    fn text(&mut self, _: &mut String) {}

    fn encoding(&mut self, encoding: &mut Option<Vec<u8>>) {
        self.encodings += usize::from(encoding.take().is_some());
    }
}

/// Redacts texts. Runs last, when all redacted values are known.
struct TextPass<'s, 'a>(&'s mut Session<'a>);

impl Visitor for TextPass<'_, '_> {
    fn payload(&mut self, _: &mut Payload, _: &dyn Display) -> Result<(), RedactError> {
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
