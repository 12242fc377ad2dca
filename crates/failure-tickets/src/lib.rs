//! A tower layer for a client's channel that records every command an Angzarr coordinator refuses.
//!
//! A coordinator does not store refused commands, so only the client that sent one can keep it. [`TicketOptions`] creates a
//! [`TicketLayer`] for a tonic channel, which writes failure tickets (one JSON object per line) that `angzarr-replay` turns
//! into regression tests.
//!
//! The feature `redaction` adds [`TicketOptions`]`::redact_with`, which applies redaction rules to tickets before they are
//! written.
//!
//! Owns the observation of calls, and the writing of tickets: a bounded queue to a writer thread. It never delays a call or
//! makes it fail; tickets that do not fit in the queue are counted and dropped. Knows nothing of generated clients: it
//! recognises `HandleCommand` of every dialect by its path and ignores all other calls.

/// The example in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "redaction")]
pub mod redaction;
mod service;
mod writer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use angzarr_replay_wire::model::{Clock, is_revision};
use tower_layer::Layer;

#[doc(inline)]
pub use angzarr_replay_wire::model::Timestamp;
#[doc(inline)]
pub use angzarr_replay_wire::ticket::{Ticket, TicketError};
#[doc(inline)]
pub use angzarr_replay_wire::wire::{Dialect, UnknownDialect};
pub use service::{Answer, TicketBody, TicketService};
use writer::{Queue, Sink};

/// A hook that changes a ticket before it is written, or withholds it by returning `None`.
type Redact = Arc<dyn Fn(Ticket) -> Option<Ticket> + Send + Sync>;

/// Which tickets are written, and how many may wait.
#[derive(Clone)]
pub struct TicketOptions {
    is_every: bool,
    dialect: Option<Dialect>,
    service_version: Option<String>,
    hooks: Vec<Redact>,
    /// Redaction rules, applied after the hooks.
    rules: Vec<Redact>,
    clock: Clock,
    waiting: usize,
    largest: usize,
}

impl Default for TicketOptions {
    fn default() -> Self {
        Self {
            is_every: false,
            dialect: None,
            service_version: None,
            hooks: Vec::new(),
            rules: Vec::new(),
            clock: Arc::new(system_clock),
            waiting: 256,
            largest: 1 << 20,
        }
    }
}

fn system_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or(0),
    }
}

impl TicketOptions {
    /// Records failing commands only; at most 256 tickets of up to 1 MiB may wait.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records accepted commands too, with the code `OK` and, if the reply shows it, the number of events stored.
    #[must_use]
    pub fn every_command(mut self) -> Self {
        self.is_every = true;
        self
    }

    /// Sets the dialect, which is needed if several share the package of the calls. Otherwise the newest is assumed, and the
    /// tickets say so.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Sets the version of the service that answers the commands, like the `service.version` of OpenTelemetry: a version, a
    /// tag or a commit. A case then says which build production ran. A text that is empty, has control characters, or is
    /// longer than 200 characters is ignored.
    #[must_use]
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.service_version = Some(version.into()).filter(|it| is_revision(it));
        self
    }

    /// Adds a hook that changes each ticket before it is written, or withholds it by returning `None`. It runs on the writer
    /// thread; if it panics, the ticket is withheld. Several hooks run in order, each on the result of the previous one.
    #[must_use]
    pub fn redact(
        mut self,
        redact: impl Fn(Ticket) -> Option<Ticket> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Arc::new(redact));
        self
    }

    /// Applies redaction rules to each ticket before it is written, after all hooks. If the redactor is strict, a ticket that
    /// it cannot read is withheld. Roots are kept, because capture needs them to find the history. Descriptors of Angzarr's own
    /// messages, which compensations contain, are added to the redactor.
    #[must_use]
    #[cfg(feature = "redaction")]
    pub fn redact_with(mut self, redactor: redaction::Redactor) -> Self {
        self.rules
            .push(Arc::new(move |ticket| redactor.ticket(&ticket)));
        self
    }

    /// Sets the clock for the time of tickets; the default is the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how many tickets may wait to be written; at least one.
    #[must_use]
    pub fn waiting(mut self, tickets: usize) -> Self {
        self.waiting = tickets.max(1);
        self
    }

    /// Sets the maximum size of a recorded command, in bytes.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Appends tickets to a file, one per line. If the file is missing, it is created with access for its owner only.
    ///
    /// # Errors
    /// If the file cannot be opened or the writer thread cannot be started.
    pub fn to_file(self, path: impl AsRef<Path>) -> std::io::Result<TicketLayer> {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        self.to_writer(options.open(path)?)
    }

    /// Writes tickets to a writer, one per line, and flushes after each.
    ///
    /// # Errors
    /// If the writer thread cannot be started.
    pub fn to_writer(self, writer: impl Write + Send + 'static) -> std::io::Result<TicketLayer> {
        self.start(Sink::writer(writer))
    }

    /// Emits tickets as `tracing` events with the target `angzarr_failure_tickets` and the ticket in the field `ticket`. The
    /// level is WARN for a failure and INFO for an accepted command. They go to the current subscriber of the calling thread,
    /// or else to the global one.
    ///
    /// # Errors
    /// If the writer thread cannot be started.
    pub fn to_tracing(self) -> std::io::Result<TicketLayer> {
        self.start(Sink::tracing())
    }

    fn start(self, sink: Sink) -> std::io::Result<TicketLayer> {
        let queue = Queue::start(&self, sink)?;
        Ok(TicketLayer {
            options: Arc::new(self),
            queue: Arc::new(queue),
        })
    }
}

/// Counts of recorded commands by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TicketCounts {
    /// Tickets written.
    pub written: u64,
    /// Dropped because too many were waiting.
    pub dropped: u64,
    /// Not written because the command was too large, had an unknown compression, or did not decode.
    pub unreadable: u64,
    /// Not written because a hook withheld them or panicked, or the redactor could not read them.
    pub withheld: u64,
    /// Not written because of an I/O error.
    pub failed: u64,
}

/// A layer for a tonic channel that writes a ticket for every command that fails.
///
/// ```no_run
/// use angzarr_failure_tickets::TicketOptions;
/// use tonic::transport::Channel;
/// use tower_layer::Layer as _;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tickets = TicketOptions::new().to_file("failures.jsonl")?;
/// let channel = Channel::from_static("http://127.0.0.1:1310").connect_lazy();
/// // A generated client accepts the layered channel like a plain one.
/// let layered = tickets.layer(channel);
/// # drop(layered);
/// # Ok(())
/// # }
/// ```
///
/// There is no ticket for a call that its caller cancels, or that never starts because there is no connection.
#[derive(Clone)]
pub struct TicketLayer {
    options: Arc<TicketOptions>,
    queue: Arc<Queue>,
}

impl TicketLayer {
    /// Counts so far.
    #[must_use]
    pub fn counts(&self) -> TicketCounts {
        self.queue.counts()
    }

    /// Waits up to `at_most` until all tickets that are waiting now are written, and returns whether they are. Call it at the
    /// end of a program; otherwise waiting tickets are lost.
    #[must_use]
    pub fn flush(&self, at_most: Duration) -> bool {
        self.queue.flush(at_most)
    }
}

impl<S> Layer<S> for TicketLayer {
    type Service = TicketService<S>;

    fn layer(&self, inner: S) -> TicketService<S> {
        TicketService::new(inner, Arc::clone(&self.options), Arc::clone(&self.queue))
    }
}
