//! Events that are stored elsewhere (claim check) become events of the case: a fixture is whole when the object is
//! long gone. How an object is read is the caller's: there is no file system in here.
//!
//! The object is taken for the encoded `Any` that its reference stands for, since a reference has no type. References in
//! commands stay as they are: coordinators pass them on untouched.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::CaptureError;
use crate::files;
use crate::model::{
    Body, Book, Case, CaseStimulus, EmittedBook, FlowStart, History, HopOutcome, Observed, Page,
    Payload, PayloadReference,
};
use crate::wire::any_of_bytes;

/// Where objects are read.
pub trait StoredObjects {
    /// The object at a URI, of which no more than `limit` bytes are wanted. The error says what is wrong, in words.
    fn read(&self, uri: &str, limit: u64) -> Result<Vec<u8>, String>;
}

/// An event that is stored elsewhere and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place} is stored at {uri}, and {problem}; --keep-external leaves such references as they are"
)]
pub struct ExternalError {
    /// Which page.
    pub place: String,
    /// Where it should be.
    pub uri: String,
    /// What is wrong.
    pub problem: ExternalProblem,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExternalProblem {
    /// It cannot be read.
    #[error("cannot be read there: {0}")]
    Unreadable(String),
    /// It is larger than may be read.
    #[error(
        "is not read: the events of a case that are stored elsewhere may have {limit} together; `max_file_mebibytes` in \
         replay.toml raises the limit"
    )]
    TooLarge {
        /// Most that is read for a case, in words.
        limit: String,
    },
    /// It has another size than the reference says.
    #[error("what is there has {there} bytes instead of {expected}: it was altered, or is another")]
    Size {
        /// Size in the reference.
        expected: u64,
        /// Size of the object, or more than was wanted.
        there: String,
    },
    /// It has another hash than the reference says.
    #[error(
        "what is there has the SHA-256 {there} instead of {expected}: it was altered, or is another"
    )]
    Hash {
        /// Hash in the reference.
        expected: String,
        /// Hash of the object.
        there: String,
    },
    /// The reference has no hash to hold it against.
    #[error("its reference has no SHA-256 of 32 bytes to hold it against")]
    NoHash,
    /// It is no event.
    #[error(
        "what is there is no encoded `google.protobuf.Any` with a type, so its type is not known"
    )]
    NoAny,
}

/// Puts the events of a case that are stored elsewhere into it, `limit` bytes at most of all of them together, and says how
/// many there were. After an error the case is as it was, but for those that were read already.
pub fn inline_external(
    case: &mut Case,
    objects: &dyn StoredObjects,
    limit: u64,
) -> Result<usize, CaptureError> {
    let mut inliner = Inliner {
        objects,
        limit,
        left: limit,
        count: 0,
    };
    let domain = case.cover.domain.to_string();
    inliner.history(&mut case.history, &domain)?;
    match &mut case.stimulus {
        CaseStimulus::ProcessManager(process) | CaseStimulus::ProcessCompensation(process) => {
            inliner.book(&mut process.state)?;
        }
        CaseStimulus::Fact(facts) => inliner.emitted(facts, "fact")?,
        CaseStimulus::Flow(flow) => {
            if let FlowStart::Facts(facts) = &mut flow.start {
                inliner.emitted(facts, "fact")?;
            }
            for book in &mut flow.books {
                inliner.book(book)?;
            }
        }
        CaseStimulus::Command(_)
        | CaseStimulus::History
        | CaseStimulus::Saga { .. }
        | CaseStimulus::Projector { .. }
        | CaseStimulus::Upcaster
        | CaseStimulus::Compensation(_) => {}
    }
    if let Some(observed) = &mut case.observed {
        inliner.observed(observed)?;
    }
    Ok(inliner.count)
}

struct Inliner<'a> {
    objects: &'a dyn StoredObjects,
    /// Most bytes that are read.
    limit: u64,
    /// How many of them may still be.
    left: u64,
    count: usize,
}

impl Inliner<'_> {
    fn history(&mut self, history: &mut History, domain: &str) -> Result<(), ExternalError> {
        let mut pages = std::mem::take(history).into_pages();
        let done = self.pages(&mut pages, domain);
        // Also where one cannot be had: an error is told without what the others hold.
        *history = History::new(pages).expect("their sequences are what they were");
        done
    }

    fn pages(&mut self, pages: &mut [Page], domain: &str) -> Result<(), ExternalError> {
        for page in pages {
            let sequence = page.sequence;
            if self.body(&mut page.body, &|| format!("page {sequence} of {domain}"))? {
                // It is another page now than the one that was encoded so.
                page.original = None;
            }
        }
        Ok(())
    }

    fn book(&mut self, book: &mut Book) -> Result<(), ExternalError> {
        let domain = book.cover.domain.to_string();
        self.history(&mut book.history, &domain)
    }

    fn emitted(&mut self, book: &mut EmittedBook, what: &str) -> Result<(), ExternalError> {
        for (number, page) in (1..).zip(&mut book.pages) {
            self.body(&mut page.body, &|| format!("{what} {number}"))?;
        }
        Ok(())
    }

    fn bodies<'b>(
        &mut self,
        bodies: impl IntoIterator<Item = &'b mut Body>,
        whose: &str,
    ) -> Result<(), ExternalError> {
        for (number, body) in (1..).zip(bodies) {
            self.body(body, &|| format!("event {number} that {whose} stored"))?;
        }
        Ok(())
    }

    fn observed(&mut self, observed: &mut Observed) -> Result<(), ExternalError> {
        match observed {
            Observed::Accepted(events) => {
                let bodies = events.iter_mut().map(|event| &mut event.body);
                self.bodies(bodies, "production")
            }
            Observed::Upcast(pages) => self.pages(pages, "the upcast history"),
            Observed::Flow(hops) => hops.iter_mut().try_for_each(|hop| match &mut hop.outcome {
                HopOutcome::Events(bodies) => self.bodies(bodies, hop.domain.as_str()),
                HopOutcome::Failed(_) => Ok(()),
            }),
            // What components emitted was not stored when it was seen.
            Observed::Reacted(_)
            | Observed::Rejected(_)
            | Observed::Revoked(_)
            | Observed::Notified
            | Observed::Crashed(_)
            | Observed::Unimplemented(_)
            | Observed::Refused(_)
            | Observed::Projected(_) => Ok(()),
        }
    }

    /// Whether there was a reference.
    fn body(&mut self, body: &mut Body, place: &dyn Fn() -> String) -> Result<bool, ExternalError> {
        let Body::External(reference) = body else {
            return Ok(false);
        };
        let event = self.read(reference).map_err(|problem| ExternalError {
            place: place(),
            uri: reference.uri.clone(),
            problem,
        })?;
        *body = Body::Event(event);
        self.count += 1;
        Ok(true)
    }

    fn read(&mut self, reference: &PayloadReference) -> Result<Payload, ExternalProblem> {
        let hash = &reference.content_hash;
        if hash.len() != 32 {
            return Err(ExternalProblem::NoHash);
        }
        // Nobody writes the size of nothing: 0 is a size that was left out.
        let expected = Some(reference.original_size).filter(|size| *size > 0);
        let too_large = || ExternalProblem::TooLarge {
            limit: files::in_units(self.limit),
        };
        if expected.is_some_and(|expected| expected > self.left) {
            return Err(too_large());
        }
        let bytes = self
            .objects
            .read(&reference.uri, expected.unwrap_or(self.left))
            .map_err(ExternalProblem::Unreadable)?;
        let there = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if expected.is_none() && there > self.left {
            return Err(too_large());
        }
        self.left = self.left.saturating_sub(there);
        if let Some(expected) = expected.filter(|expected| *expected != there) {
            let there = if there > expected {
                format!("more than {expected}")
            } else {
                there.to_string()
            };
            return Err(ExternalProblem::Size { expected, there });
        }
        let digest = Sha256::digest(&bytes);
        if digest.as_slice() != hash.as_slice() {
            return Err(ExternalProblem::Hash {
                expected: hexadecimal(hash),
                there: hexadecimal(&digest),
            });
        }
        any_of_bytes(&bytes).ok_or(ExternalProblem::NoAny)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
