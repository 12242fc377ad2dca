//! Writes down every command that an Angzarr coordinator refuses: a tower layer for the channel of a client.
//!
//! A coordinator does not store refused commands, so the client that sent one is the only place where it can be kept.
//! [`TicketOptions`] makes a [`TicketLayer`] for a tonic channel, which writes a failure ticket (one JSON object per
//! line) that `angzarr-replay` turns into a regression test.
//!
//! The feature `redaction` adds [`TicketOptions`]`::redact_with`, which redacts tickets by rules before they are
//! written.
//!
//! Owns what the layer sees of a call, and the way of a ticket out of the program: a bounded queue to a thread of its
//! own. A call is never delayed and never fails because of it; what the queue has no room for is counted and left out.
//! Redacts tickets where it is given rules. Knows nothing of generated clients: it recognises `HandleCommand` of every
//! dialect by its path and passes everything else by.

#[cfg(feature = "redaction")]
pub mod redaction;
mod service;
mod writer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_layer::Layer;

#[doc(inline)]
pub use angzarr_replay_wire::model::Timestamp;
#[doc(inline)]
pub use angzarr_replay_wire::ticket::Ticket;
#[doc(inline)]
pub use angzarr_replay_wire::wire::Dialect;
pub use service::{Answer, TicketBody, TicketService};
use writer::{Queue, Sink};

/// A hook that changes a ticket before it is written, or withholds it.
type Redact = Arc<dyn Fn(Ticket) -> Option<Ticket> + Send + Sync>;
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Which tickets are written, and how much may wait to be.
#[derive(Clone)]
pub struct TicketOptions {
    is_every: bool,
    dialect: Option<Dialect>,
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
    /// Failing commands only, at most 256 tickets of up to 1 MiB waiting.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes accepted commands too, with the code `OK` and, where the answer tells, how many events they stored.
    #[must_use]
    pub fn every_command(mut self) -> Self {
        self.is_every = true;
        self
    }

    /// Settles the dialect where several share the package that is spoken; otherwise the newest is assumed, and the
    /// tickets say so.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Changes each ticket before it is written, or withholds it by giving none. It runs on the writing thread; where it
    /// panics the ticket is withheld. Of several each is given what the one before left.
    #[must_use]
    pub fn redact(
        mut self,
        redact: impl Fn(Ticket) -> Option<Ticket> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Arc::new(redact));
        self
    }

    /// Redacts each ticket by rules before it is written, after all hooks; where the redactor is strict, one that it
    /// cannot read is withheld. Roots stay, since capture finds the history by them. Descriptors of Angzarr's own messages,
    /// which a compensation holds, are added to the redactor's.
    #[must_use]
    #[cfg(feature = "redaction")]
    pub fn redact_with(mut self, redactor: redaction::Redactor) -> Self {
        self.rules
            .push(Arc::new(move |ticket| redactor.ticket(&ticket)));
        self
    }

    /// Takes the time of tickets from another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many tickets may wait to be written; at least one.
    #[must_use]
    pub fn waiting(mut self, tickets: usize) -> Self {
        self.waiting = tickets.max(1);
        self
    }

    /// Largest command of which a ticket is made, in bytes.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Writes tickets to the end of a file, a line each. The file is made where it is missing, for its owner alone.
    ///
    /// # Errors
    /// Where the file cannot be opened, or the writing thread cannot be had.
    pub fn to_file(self, path: impl AsRef<Path>) -> std::io::Result<TicketLayer> {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        self.to_writer(options.open(path)?)
    }

    /// Writes tickets to a writer, a line each, flushed after each.
    ///
    /// # Errors
    /// Where the writing thread cannot be had.
    pub fn to_writer(self, writer: impl Write + Send + 'static) -> std::io::Result<TicketLayer> {
        self.start(Sink::writer(writer))
    }

    /// Writes tickets as events of `tracing`, with the ticket in the field `ticket` and the target
    /// `angzarr_failure_tickets`: a warning for a failure, information for an accepted command. They go to the
    /// subscriber of the thread that calls this, else to the global one.
    ///
    /// # Errors
    /// Where the writing thread cannot be had.
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

/// What became of the commands that the layer saw fail, or of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TicketCounts {
    /// Tickets that were written.
    pub written: u64,
    /// Left out: too many were waiting.
    pub dropped: u64,
    /// Left out: the command was too large, compressed in an unknown way, or not understood.
    pub unreadable: u64,
    /// Left out: a hook withheld them or panicked, or rules could not read them.
    pub withheld: u64,
    /// Left out: they could not be written.
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
/// // A generated client takes the layered channel as it takes a plain one.
/// let layered = tickets.layer(channel);
/// # drop(layered);
/// # Ok(())
/// # }
/// ```
///
/// A call that its caller gives up before it is answered leaves no ticket, nor does one that never began because there is
/// no connection.
#[derive(Clone)]
pub struct TicketLayer {
    options: Arc<TicketOptions>,
    queue: Arc<Queue>,
}

impl TicketLayer {
    /// What became of the commands so far.
    #[must_use]
    pub fn counts(&self) -> TicketCounts {
        self.queue.counts()
    }

    /// Waits until all that is waiting now is written, for as long as that may take; tells whether it is. For the end of
    /// a program, which would otherwise leave behind what is waiting.
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
