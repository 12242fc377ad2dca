//! The thread that writes calls. Only this thread waits for the disk. Calls that it cannot take in time are lost, counted
//! and reported.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::call::{Answer, RecordedCall, Subject};
use super::failure_log::FailureLogWriter;
use super::frames::{self, Unreadable};
use super::keep::{KeepMode, KeepRules};
use super::tap::RawCall;
use crate::model::Clock;
use crate::model::{Redactions, Timestamp};
use crate::wire::{Dialect, status_of_trailers, status_size};

/// How often old calls are evicted while no calls arrive.
const TICK: Duration = Duration::from_secs(1);
/// How long a call may wait for others before the writer takes them all.
const GATHER: Duration = Duration::from_millis(5);

/// How much this thread yields to the others.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Destination of kept calls.
pub trait CallStore: Send {
    /// Keeps a call. The store assigns its number.
    fn keep(
        &mut self,
        call: &RecordedCall,
        subject: Option<&Subject>,
        kept: KeepMode,
    ) -> std::io::Result<()>;
    /// Evicts calls that are too old now.
    fn expire(&mut self, now: Timestamp) -> std::io::Result<()>;
    /// Flushes to disk. No calls follow.
    fn finish(&mut self) -> std::io::Result<()>;
    /// How many kept calls were evicted again.
    fn left_out(&self) -> u64 {
        0
    }
}

/// Redacts a call before any of it is written. After an error, the call is not written.
pub type Redact =
    Box<dyn FnMut(RecordedCall) -> Result<RecordedCall, Box<dyn Error + Send + Sync>> + Send>;

/// Why a call is not written.
#[derive(Debug, thiserror::Error)]
enum RefusedCall {
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
    /// How many kept calls were evicted again.
    left_out: AtomicU64,
    last_errors: Mutex<LastErrors>,
    assumed: Mutex<Vec<Dialect>>,
}

/// Why calls were not written: the last error of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastErrors {
    /// Why redaction refused a call.
    pub refused: Option<String>,
    /// Why a call could not be written.
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

/// Counts of the calls so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that were passed on, of any method.
    pub passed: u64,
    /// Calls that were recorded and not evicted since.
    pub kept: u64,
    /// Calls that were dropped because the disk or the writer was too slow.
    pub lost: u64,
    /// Calls that ended without a status: abandoned by the client, or by a broken connection.
    pub unanswered: u64,
    /// Calls whose messages could not be read.
    pub unreadable: u64,
    /// Calls whose status exceeds the limit.
    pub too_large: u64,
    /// Calls that redaction refused.
    pub refused: u64,
    /// Calls that could not be written.
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

    /// Remembers that a dialect was assumed.
    pub(super) fn assume(&self, dialect: Dialect) {
        let mut assumed = self.assumed();
        if !assumed.contains(&dialect) {
            assumed.push(dialect);
        }
    }

    pub(super) fn assumed(&self) -> MutexGuard<'_, Vec<Dialect>> {
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn last_errors(&self) -> MutexGuard<'_, LastErrors> {
        self.last_errors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decodes copies of calls, and writes those that are kept.
pub(super) struct Writer {
    pub(super) queue: Receiver<RawCall>,
    pub(super) stores: Vec<Box<dyn CallStore>>,
    pub(super) tickets: Option<FailureLogWriter>,
    pub(super) keep: KeepRules,
    pub(super) redact: Option<Redact>,
    pub(super) status_limit: usize,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Clock,
}

impl Writer {
    /// Runs until the last sender is dropped. Returns the last I/O error.
    pub(super) fn run(mut self) -> std::io::Result<()> {
        // If there is not enough processor time for everything, passing calls on comes first. Only Linux has a niceness for each
        // thread; elsewhere it is that of the process.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICENESS);
        let mut result = Ok(());
        loop {
            match self.next() {
                Ok(raw) => self.take(raw),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = (self.clock)();
            for store in &mut self.stores {
                // It is tried again next time.
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

    /// The next call that waits. If none does, waits for one, and a little longer for others: waking this thread for each call
    /// would cost the proxy more than passing the call on.
    fn next(&self) -> Result<RawCall, RecvTimeoutError> {
        if let Ok(raw) = self.queue.try_recv() {
            return Ok(raw);
        }
        let raw = self.queue.recv_timeout(TICK)?;
        std::thread::sleep(GATHER);
        Ok(raw)
    }

    fn take(&mut self, raw: RawCall) {
        if status_size(&raw.ending) > self.status_limit {
            return self.counters.too_large.add();
        }
        let Ok(call) = call_from_raw(raw) else {
            return self.counters.unreadable.add();
        };
        let (subject, is_accepted) = call.subject_and_acceptance();
        let subject = subject.ok();
        let Some(kept) = self.keep.of(is_accepted, subject.as_ref()) else {
            return;
        };
        let (call, subject) = match &mut self.redact {
            None => (call, subject),
            Some(redact) => match redacted(redact, call, subject.as_ref()) {
                Ok(redacted) => redacted,
                Err(reason) => {
                    self.counters.last_errors().refused = Some(reason.to_string());
                    return self.counters.refused.add();
                }
            },
        };
        match self.tickets.as_mut().map(|tickets| tickets.add(&call)) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => self.counters.tickets.add(),
            Some(Err(error)) => {
                self.counters.last_errors().unwritten_ticket = Some(error.to_string());
                self.counters.unwritten_tickets.add();
            }
        }
        let mut written = Ok(());
        for store in &mut self.stores {
            let kept = store.keep(&call, subject.as_ref(), kept);
            written = written.and(kept);
        }
        match written {
            Ok(()) => self.counters.kept.add(),
            Err(error) => {
                self.counters.last_errors().unwritten = Some(error.to_string());
                self.counters.unwritten.add();
            }
        }
    }
}

/// Redacts a call, and returns it with its subject. The subject must stay the same, or nobody would find the call. A panic
/// must not end the writer; the call is then refused.
fn redacted(
    redact: &mut Redact,
    call: RecordedCall,
    before: Option<&Subject>,
) -> Result<(RecordedCall, Option<Subject>), RefusedCall> {
    let method = call.method().to_owned();
    let Ok(redacted) = catch_unwind(AssertUnwindSafe(|| redact(call))) else {
        return Err(RefusedCall::Panicked { method });
    };
    let call = redacted?;
    let subject = call.subject().ok();
    let is_same = match (before, &subject) {
        (Some(before), Some(now)) => before.is_about_same(now),
        (before, now) => before.is_none() && now.is_none(),
    };
    if is_same {
        Ok((call, subject))
    } else {
        Err(RefusedCall::OtherSubject { method })
    }
}

fn call_from_raw(raw: RawCall) -> Result<RecordedCall, Unreadable> {
    let request = frames::message(raw.request, raw.request_encoding.as_deref())?;
    let reply = frames::message(raw.reply, raw.reply_encoding.as_deref())?;
    let status = status_of_trailers(&raw.ending).ok_or(Unreadable::Torn)?;
    Ok(RecordedCall {
        number: 0,
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
