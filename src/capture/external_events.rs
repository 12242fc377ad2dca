//! Inlines external events (claim check), so that a fixture stays complete after the stored object is deleted. The
//! caller reads the objects; this module has no access to a file system.
//!
//! A reference has no type, so the object must be the encoded `Any` that it stands for. References in commands are not
//! inlined, because coordinators pass them on unchanged.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::CaptureError;
use crate::files;
use crate::model::{
    Body, Case, EmittedBook, EventBook, History, HopOutcome, Observed, Page, Payload,
    PayloadReference,
};
use crate::wire::any_of_bytes;

/// Reads stored objects.
pub trait StoredObjects {
    /// Reads the object at a URI, at most `limit` bytes. The error describes what is wrong.
    fn read(&self, uri: &str, limit: u64) -> Result<Vec<u8>, String>;
}

/// An external event that cannot be inlined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place} is stored at {uri}, and {kind}; --keep-external leaves such references as they are"
)]
pub struct ExternalError {
    /// The page.
    pub place: String,
    /// Location of the object.
    pub uri: String,
    /// Why.
    pub kind: ExternalErrorKind,
}

/// Why an object cannot be inlined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExternalErrorKind {
    /// It cannot be read.
    #[error("cannot be read there: {0}")]
    Unreadable(String),
    /// It exceeds the size limit.
    #[error(
        "is not read: the external events of a case may have {limit} in total; `max_file_mebibytes` in \
         replay.toml raises the limit"
    )]
    TooLarge {
        /// The size limit for a case, in words.
        limit: String,
    },
    /// Its size differs from the reference.
    #[error("the object there has {there} bytes instead of {expected}: it was altered or replaced")]
    Size {
        /// Size in the reference.
        expected: u64,
        /// Size of the object, or that it exceeds the limit.
        there: String,
    },
    /// Its hash differs from the reference.
    #[error(
        "the object there has the SHA-256 {there} instead of {expected}: it was altered or replaced"
    )]
    Hash {
        /// Hash in the reference.
        expected: String,
        /// Hash of the object.
        there: String,
    },
    /// The reference has no hash to compare with.
    #[error("its reference has no SHA-256 of 32 bytes to compare it with")]
    NoHash,
    /// It is not an event.
    #[error(
        "the object there is not an encoded `google.protobuf.Any` with a type, so its type is unknown"
    )]
    NoAny,
}

/// Inlines the external events of a case, up to `limit` bytes in total, and returns their number. After an error, only
/// the events that were read before are inlined.
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
    if let Some(facts) = case.stimulus.facts_mut() {
        inliner.emitted(facts, "fact")?;
    }
    for book in case.stimulus.books_mut() {
        inliner.book(book)?;
    }
    if let Some(observed) = &mut case.observed {
        inliner.observed(observed)?;
    }
    Ok(inliner.count)
}

struct Inliner<'a> {
    objects: &'a dyn StoredObjects,
    /// Size limit in bytes.
    limit: u64,
    /// Bytes that may still be read.
    left: u64,
    count: usize,
}

impl Inliner<'_> {
    fn history(&mut self, history: &mut History, domain: &str) -> Result<(), ExternalError> {
        let is_external = |page: &Page| matches!(page.body, Body::External(_));
        // A long history is not copied if it stays as it is.
        if !history.pages().iter().any(is_external) {
            return Ok(());
        }
        let mut pages = std::mem::take(history).into_pages();
        let done = self.pages(&mut pages, domain);
        // Restore the history even after an error: the case is needed to redact the error message.
        *history = History::new(pages).expect("their sequences are what they were");
        done
    }

    fn pages(&mut self, pages: &mut [Page], domain: &str) -> Result<(), ExternalError> {
        for page in pages {
            let sequence = page.sequence;
            if self.body(&mut page.body, &|| format!("page {sequence} of {domain}"))? {
                // The page differs from its original encoding now.
                page.original = None;
            }
        }
        Ok(())
    }

    fn book(&mut self, book: &mut EventBook) -> Result<(), ExternalError> {
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
            // Emitted events were not external when they were observed.
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

    /// Returns whether the body was a reference.
    fn body(&mut self, body: &mut Body, place: &dyn Fn() -> String) -> Result<bool, ExternalError> {
        let Body::External(reference) = body else {
            return Ok(false);
        };
        let event = self.read(reference).map_err(|kind| ExternalError {
            place: place(),
            uri: reference.uri.clone(),
            kind,
        })?;
        *body = Body::Event(event);
        self.count += 1;
        Ok(true)
    }

    fn read(&mut self, reference: &PayloadReference) -> Result<Payload, ExternalErrorKind> {
        let hash = &reference.content_hash;
        if hash.len() != 32 {
            return Err(ExternalErrorKind::NoHash);
        }
        // A size of 0 means that the sender omitted it.
        let expected = Some(reference.original_size).filter(|size| *size > 0);
        let too_large = || ExternalErrorKind::TooLarge {
            limit: files::in_units(self.limit),
        };
        if expected.is_some_and(|expected| expected > self.left) {
            return Err(too_large());
        }
        let bytes = self
            .objects
            .read(&reference.uri, expected.unwrap_or(self.left))
            .map_err(ExternalErrorKind::Unreadable)?;
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
            return Err(ExternalErrorKind::Size { expected, there });
        }
        let digest = Sha256::digest(&bytes);
        if digest.as_slice() != hash.as_slice() {
            return Err(ExternalErrorKind::Hash {
                expected: hexadecimal(hash),
                there: hexadecimal(&digest),
            });
        }
        any_of_bytes(&bytes).ok_or(ExternalErrorKind::NoAny)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
