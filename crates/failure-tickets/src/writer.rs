//! Writes tickets: a bounded queue, a writer thread and a sink.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Redact, TicketCounts, TicketOptions};
use angzarr_replay_wire::model::{AnsweredBy, Code, Failure, Redactions, Timestamp};
use angzarr_replay_wire::ticket::Ticket;
use angzarr_replay_wire::wire::{self, Dialect, FirstMessage};

/// Maximum number of bytes that may wait to be written, in addition to the maximum number of tickets.
const MAX_WAITING_BYTES: u64 = 32 << 20;

/// A recorded command and its answer.
pub(crate) struct RecordedCommand {
    pub(crate) dialect: Dialect,
    pub(crate) dialect_assumed: bool,
    pub(crate) request: FirstMessage,
    /// The reply to an accepted command.
    pub(crate) answer: Option<FirstMessage>,
    pub(crate) failure: Option<Failure>,
    pub(crate) time: Timestamp,
    pub(crate) service_version: Option<String>,
    pub(crate) trace_id: Option<String>,
}

impl RecordedCommand {
    fn size(&self) -> u64 {
        let answer = self.answer.as_ref().map_or(0, FirstMessage::size);
        u64::try_from(self.request.size() + answer).unwrap_or(u64::MAX)
    }

    /// The ticket; `None` if the command does not decode.
    fn into_ticket(self) -> Option<Ticket> {
        let request = self.request.message().ok()?;
        let book = wire::command_book_of_request(request).ok()?;
        let command = wire::command_book(&book, self.dialect).ok()?;
        let answer = self.answer.and_then(|answer| answer.message().ok());
        let persisted = answer.and_then(|answer| wire::stored_event_count(&command, answer));
        let accepted = || Failure {
            code: Code::Ok,
            message: String::new(),
            info: None,
        };
        Some(Ticket {
            // The stored events start at the expected sequence, so that was the head.
            head: persisted
                .filter(|count| *count > 0)
                .and_then(|_| command.expected_sequence()),
            command,
            failure: self.failure.unwrap_or_else(accepted),
            dialect: self.dialect,
            dialect_assumed: self.dialect_assumed,
            time: Some(self.time),
            persisted,
            answered_by: AnsweredBy::NotKnown,
            service_version: self.service_version,
            trace_id: self.trace_id,
            redacted: Redactions::default(),
        })
    }
}

#[derive(Default)]
struct Tally {
    written: AtomicU64,
    dropped: AtomicU64,
    unreadable: AtomicU64,
    withheld: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    /// Number of commands queued, and number of those finished.
    progress: Mutex<(u64, u64)>,
    done: Condvar,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The queue. After it is dropped, the thread writes the waiting tickets and ends.
pub(crate) struct Queue {
    sender: SyncSender<RecordedCommand>,
    tally: Arc<Tally>,
}

impl Queue {
    pub(crate) fn start(options: &TicketOptions, sink: Sink) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(options.waiting);
        let tally = Arc::new(Tally::default());
        let mut writer = Writer {
            sink,
            hooks: options.hooks.clone(),
            rules: options.rules.clone(),
            tally: Arc::clone(&tally),
        };
        std::thread::Builder::new()
            .name("ticket-writer".into())
            .spawn(move || writer.run(&receiver))?;
        Ok(Self { sender, tally })
    }

    /// Queues a command if there is room. Never waits.
    pub(crate) fn offer(&self, recorded: RecordedCommand) {
        let size = recorded.size();
        let tally = &self.tally;
        if tally.bytes.fetch_add(size, Ordering::Relaxed) + size > MAX_WAITING_BYTES {
            tally.bytes.fetch_sub(size, Ordering::Relaxed);
            return count(&tally.dropped);
        }
        // Counted before the writer thread can finish it.
        tally.progress().0 += 1;
        if self.sender.try_send(recorded).is_err() {
            tally.progress().0 -= 1;
            tally.done.notify_all();
            tally.bytes.fetch_sub(size, Ordering::Relaxed);
            count(&tally.dropped);
        }
    }

    pub(crate) fn counts(&self) -> TicketCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TicketCounts {
            written: read(&self.tally.written),
            dropped: read(&self.tally.dropped),
            unreadable: read(&self.tally.unreadable),
            withheld: read(&self.tally.withheld),
            failed: read(&self.tally.failed),
        }
    }

    pub(crate) fn flush(&self, at_most: Duration) -> bool {
        let end = Instant::now().checked_add(at_most);
        let mut progress = self.tally.progress();
        let wanted = progress.0;
        while progress.1 < wanted.min(progress.0) {
            let left = match end {
                Some(end) => end.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            if left.is_zero() {
                return false;
            }
            let woken = self.tally.done.wait_timeout(progress, left);
            progress = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Tally {
    fn progress(&self) -> std::sync::MutexGuard<'_, (u64, u64)> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    sink: Sink,
    hooks: Vec<Redact>,
    rules: Vec<Redact>,
    tally: Arc<Tally>,
}

impl Writer {
    fn run(&mut self, receiver: &Receiver<RecordedCommand>) {
        while let Ok(recorded) = receiver.recv() {
            let size = recorded.size();
            self.write(recorded);
            self.tally.bytes.fetch_sub(size, Ordering::Relaxed);
            self.tally.progress().1 += 1;
            self.tally.done.notify_all();
        }
    }

    fn write(&mut self, recorded: RecordedCommand) {
        let Some(ticket) = recorded.into_ticket() else {
            return count(&self.tally.unreadable);
        };
        let Some(ticket) = self.redacted(ticket) else {
            return count(&self.tally.withheld);
        };
        // A panic in the sink must not end the thread: later tickets would wait for ever.
        let sink = AssertUnwindSafe(&mut self.sink);
        match catch_unwind(|| { sink }.write(&ticket)) {
            Ok(Ok(())) => count(&self.tally.written),
            Ok(Err(_)) | Err(_) => count(&self.tally.failed),
        }
    }

    /// Applies hooks and redaction rules. If a hook panics, the ticket is withheld, because it may not be redacted yet.
    fn redacted(&self, ticket: Ticket) -> Option<Ticket> {
        let all = || {
            let hooked = self.hooks.iter().try_fold(ticket, |ticket, hook| {
                let before = ticket.command.clone();
                let mut ticket = hook(ticket)?;
                if ticket.command != before {
                    // The original bytes still contain what the hook removed.
                    ticket.command.original = None;
                }
                Some(ticket)
            })?;
            // The rules come last, so that they also apply to what a hook adds.
            let mut rules = self.rules.iter();
            rules.try_fold(hooked, |ticket, redact| redact(ticket))
        };
        catch_unwind(AssertUnwindSafe(all)).ok()?
    }
}

/// Destination of tickets.
pub(crate) enum Sink {
    Writer {
        writer: Box<dyn Write + Send>,
        /// Whether the last line is incomplete.
        is_torn: bool,
    },
    Tracing(tracing::Dispatch),
}

impl Sink {
    pub(crate) fn writer(writer: impl Write + Send + 'static) -> Self {
        Self::Writer {
            writer: Box::new(writer),
            is_torn: false,
        }
    }

    pub(crate) fn tracing() -> Self {
        Self::Tracing(tracing::dispatcher::get_default(Clone::clone))
    }

    fn write(&mut self, ticket: &Ticket) -> std::io::Result<()> {
        match self {
            Self::Writer { writer, is_torn } => {
                let start = if *is_torn { "\n" } else { "" };
                let line = format!("{start}{}\n", ticket.to_line());
                *is_torn = true;
                writer.write_all(line.as_bytes())?;
                *is_torn = false;
                writer.flush()
            }
            Self::Tracing(subscriber) => {
                if subscriber.is::<tracing::subscriber::NoSubscriber>() {
                    event(ticket);
                } else {
                    tracing::dispatcher::with_default(subscriber, || event(ticket));
                }
                Ok(())
            }
        }
    }
}

fn event(ticket: &Ticket) {
    const TARGET: &str = "angzarr_failure_tickets";
    let line = ticket.to_line();
    if ticket.is_accepted() {
        tracing::info!(target: TARGET, ticket = line, "command accepted");
    } else {
        tracing::warn!(target: TARGET, ticket = line, "command failed");
    }
}
