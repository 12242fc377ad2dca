//! The thread that writes notes. Only it waits for the disk. A note that does not fit in its queue is lost; lost notes are
//! counted and reported.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::Clock;
use super::file::TicketLog;
use super::frames::{self, Unreadable};
use super::keep::{Keep, Kept};
use super::note::{Answer, Note, Subject};
use super::tap::RawCall;
use crate::model::{Redactions, Timestamp};
use crate::wire::{Dialect, status_of_trailers, status_size};

/// How often old notes are evicted while no call arrives.
const TICK: Duration = Duration::from_secs(1);

/// Where kept notes go.
pub trait NoteStore: Send {
    /// Keeps a note, and gives it a number.
    fn keep(&mut self, note: &Note, subject: Option<&Subject>, kept: Kept) -> std::io::Result<()>;
    /// Evicts notes that are too old.
    fn expire(&mut self, now: Timestamp) -> std::io::Result<()>;
    /// Syncs everything to the disk. No note is added afterwards.
    fn finish(&mut self) -> std::io::Result<()>;
    /// Number of notes that were evicted.
    fn left_out(&self) -> u64 {
        0
    }
}

/// Redacts each note before anything of it is written. After an error, the note is not written.
pub type Redact = Box<dyn FnMut(Note) -> Result<Note, Box<dyn Error + Send + Sync>> + Send>;

/// Why a note is not written.
#[derive(Debug, thiserror::Error)]
enum RefusedNote {
    #[error("{0}")]
    Redact(#[from] Box<dyn Error + Send + Sync>),
    #[error("redaction of a call of {method} panicked")]
    Panicked { method: String },
    #[error("redaction left a call of {method} that is about something else")]
    OtherSubject { method: String },
}

/// Counters that the proxy and the writer share.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) passed: Counter,
    pub(super) kept: Counter,
    pub(super) lost: Counter,
    pub(super) unanswered: Counter,
    pub(super) unreadable: Counter,
    pub(super) too_large: Counter,
    pub(super) refused: Counter,
    pub(super) unwritten: Counter,
    pub(super) tickets: Counter,
    pub(super) unwritten_tickets: Counter,
    /// Number of notes that were evicted.
    left_out: AtomicU64,
    troubles: Mutex<Troubles>,
    assumed: Mutex<Vec<Dialect>>,
}

/// The last reason, of each kind, why a note was not written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Troubles {
    /// Why redaction refused a note.
    pub refused: Option<String>,
    /// Why a note could not be written.
    pub unwritten: Option<String>,
    /// Why a ticket could not be written.
    pub unwritten_ticket: Option<String>,
}

/// A count that only rises.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of calls so far, by what happened to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that were passed on, of any method.
    pub passed: u64,
    /// Calls that were recorded and not evicted since.
    pub kept: u64,
    /// Calls whose note was lost because the disk or the writer was too slow.
    pub lost: u64,
    /// Calls that ended without a status: cancelled by the client, or cut off by a lost connection.
    pub unanswered: u64,
    /// Calls whose messages could not be read.
    pub unreadable: u64,
    /// Calls whose status is over the limit.
    pub too_large: u64,
    /// Calls whose note redaction refused.
    pub refused: u64,
    /// Calls whose note could not be written.
    pub unwritten: u64,
    /// Failed commands that were written to the failure log.
    pub tickets: u64,
    /// Failed commands that could not be written to it.
    pub unwritten_tickets: u64,
}

impl Counters {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            passed: self.passed.now(),
            kept: self
                .kept
                .now()
                .saturating_sub(self.left_out.load(Ordering::Relaxed)),
            lost: self.lost.now(),
            unanswered: self.unanswered.now(),
            unreadable: self.unreadable.now(),
            too_large: self.too_large.now(),
            refused: self.refused.now(),
            unwritten: self.unwritten.now(),
            tickets: self.tickets.now(),
            unwritten_tickets: self.unwritten_tickets.now(),
        }
    }

    /// Notes that a dialect had to be assumed.
    pub(super) fn assume(&self, dialect: Dialect) {
        let mut assumed = self.assumed();
        if !assumed.contains(&dialect) {
            assumed.push(dialect);
        }
    }

    pub(super) fn assumed(&self) -> MutexGuard<'_, Vec<Dialect>> {
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns copies of calls into notes and stores them.
pub(super) struct Writer {
    pub(super) queue: Receiver<RawCall>,
    pub(super) stores: Vec<Box<dyn NoteStore>>,
    pub(super) tickets: Option<TicketLog>,
    pub(super) keep: Keep,
    pub(super) redact: Option<Redact>,
    pub(super) status_limit: usize,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Clock,
}

impl Writer {
    /// Runs until all senders are gone. Returns the last I/O error.
    pub(super) fn run(mut self) -> std::io::Result<()> {
        let mut result = Ok(());
        loop {
            match self.queue.recv_timeout(TICK) {
                Ok(raw) => self.take(raw),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = (self.clock)();
            for store in &mut self.stores {
                // It is tried again in the next round.
                let _ = store.expire(now);
            }
            let left_out = self.stores.iter().map(|store| store.left_out()).max();
            let left_out = left_out.unwrap_or_default();
            self.counters.left_out.store(left_out, Ordering::Relaxed);
        }
        if let Some(tickets) = &mut self.tickets {
            tickets.finish();
        }
        for store in &mut self.stores {
            result = store.finish().and(result);
        }
        result
    }

    fn take(&mut self, raw: RawCall) {
        if status_size(&raw.ending) > self.status_limit {
            return self.counters.too_large.add();
        }
        let Ok(note) = note_of(raw) else {
            return self.counters.unreadable.add();
        };
        let subject = note.subject().ok();
        let Some(kept) = self.keep.of(&note, subject.as_ref()) else {
            return;
        };
        let (note, subject) = match &mut self.redact {
            None => (note, subject),
            Some(redact) => match redacted(redact, note, subject.as_ref()) {
                Ok(redacted) => redacted,
                Err(reason) => {
                    self.counters.troubles().refused = Some(reason.to_string());
                    return self.counters.refused.add();
                }
            },
        };
        match self.tickets.as_mut().map(|tickets| tickets.add(&note)) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => self.counters.tickets.add(),
            Some(Err(error)) => {
                self.counters.troubles().unwritten_ticket = Some(error.to_string());
                self.counters.unwritten_tickets.add();
            }
        }
        let mut written = Ok(());
        for store in &mut self.stores {
            let kept = store.keep(&note, subject.as_ref(), kept);
            written = written.and(kept);
        }
        match written {
            Ok(()) => self.counters.kept.add(),
            Err(error) => {
                self.counters.troubles().unwritten = Some(error.to_string());
                self.counters.unwritten.add();
            }
        }
    }
}

/// The redacted note and its subject. The subject must stay the same, because capture finds the call by it. A panic must
/// not end the writer; the note is then not written.
fn redacted(
    redact: &mut Redact,
    note: Note,
    before: Option<&Subject>,
) -> Result<(Note, Option<Subject>), RefusedNote> {
    let method = note.method().to_owned();
    let Ok(redacted) = catch_unwind(AssertUnwindSafe(|| redact(note))) else {
        return Err(RefusedNote::Panicked { method });
    };
    let note = redacted?;
    let subject = note.subject().ok();
    let is_same = match (before, &subject) {
        (Some(before), Some(now)) => before.is_about_same(now),
        (before, now) => before.is_none() && now.is_none(),
    };
    if is_same {
        Ok((note, subject))
    } else {
        Err(RefusedNote::OtherSubject { method })
    }
}

fn note_of(raw: RawCall) -> Result<Note, Unreadable> {
    let request = frames::message(raw.request, raw.request_encoding.as_deref())?;
    let reply = frames::message(raw.reply, raw.reply_encoding.as_deref())?;
    let status = status_of_trailers(&raw.ending).ok_or(Unreadable::Torn)?;
    Ok(Note {
        call: 0,
        time: raw.time,
        path: raw.path,
        dialect: raw.dialect,
        dialect_assumed: raw.dialect_assumed,
        request: request.unwrap_or_else(Bytes::new),
        answer: match status {
            Ok(()) => Answer::Reply(reply.unwrap_or_else(Bytes::new)),
            Err(refusal) => Answer::Status(refusal),
        },
        redacted: Redactions::default(),
    })
}
