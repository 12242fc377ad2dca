//! The proxy: accepts connections of clients, and starts a relay for each call.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::failure_log::FailureLogWriter;
use super::keep::KeepRules;
use super::relay::relay;
use super::socket::Socket;
use super::tap::{Budget, Taps};
use super::upstream::Upstream;
use super::writer::{CallStore, Counters, Counts, LastErrors, Redact, Writer};
use crate::model::Clock;
use crate::wire::Dialect;

/// Limit for headers, far above what is ever sent: the details of a status may contain a whole event book.
pub(super) const HEADERS_LIMIT: u32 = 16 * 1024 * 1024;
/// What a client may send before the server takes it, in bytes, for each call and for the connection.
const WINDOW: u32 = 1024 * 1024;
/// What may wait to be sent for a call, in bytes.
const SEND_BUFFER: usize = 400 * 1024;
/// How long calls in flight may take when the recorder ends.
const LAST_CALLS: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// How a recorder works.
pub struct RecorderSettings {
    /// Server that calls are passed on to, `HOST:PORT`.
    pub upstream: String,
    /// Dialect of recorded calls if several share the package; otherwise the newest is assumed.
    pub dialect: Option<Dialect>,
    /// Which calls are kept.
    pub keep: KeepRules,
    /// Where they are kept.
    pub stores: Vec<Box<dyn CallStore>>,
    /// Where failed commands are written as tickets.
    pub tickets: Option<FailureLogWriter>,
    /// Redacts a call before it is written.
    pub redact: Option<Redact>,
    /// Largest status that is recorded, in bytes of its headers.
    pub status_limit: usize,
    /// How many calls may wait for the writer.
    pub waiting: usize,
    /// How many bytes may wait, including those of calls in flight.
    pub waiting_bytes: usize,
    /// Tells the time.
    pub clock: Clock,
    /// How long writing may take when the recorder ends.
    pub writes_within: Duration,
}

/// A running recorder.
pub struct Recorder {
    address: SocketAddr,
    counters: Arc<Counters>,
    end: watch::Sender<bool>,
    proxy: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<io::Result<()>>>,
    writes_within: Duration,
}

impl Recorder {
    /// Records the calls that arrive at a listener, on its own threads.
    pub fn start(listener: TcpListener, settings: RecorderSettings) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        // One thread, so that frames which arrive together are written together, and no frame has to wake another thread.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let counters = Arc::new(Counters::default());
        let (queue, queued) = mpsc::sync_channel(settings.waiting);
        let writer = Writer {
            queue: queued,
            stores: settings.stores,
            tickets: settings.tickets,
            keep: settings.keep,
            redact: settings.redact,
            status_limit: settings.status_limit,
            counters: Arc::clone(&counters),
            clock: Arc::clone(&settings.clock),
        };
        let writer = std::thread::Builder::new()
            .name("recorder-writer".into())
            .spawn(|| writer.run())?;
        let (end, ended) = watch::channel(false);
        let proxy = Proxy {
            upstream: settings.upstream.into(),
            taps: Arc::new(Taps {
                budget: Budget::new(settings.waiting_bytes),
                queue,
                counters: Arc::clone(&counters),
                clock: settings.clock,
                dialect: settings.dialect,
            }),
            ended,
        };
        let proxy = std::thread::Builder::new()
            .name("recorder-proxy".into())
            .spawn(move || {
                runtime.block_on(proxy.serve(listener));
                // This drops the last sender of the queue, so the writer ends.
                runtime.shutdown_timeout(Duration::from_secs(1));
            })?;
        Ok(Self {
            address,
            counters,
            end,
            proxy: Some(proxy),
            writer: Some(writer),
            writes_within: settings.writes_within,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts of the calls so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Why calls were not written.
    #[must_use]
    pub fn last_errors(&self) -> LastErrors {
        self.watch().last_errors()
    }

    /// A handle that can be used after the end.
    #[must_use]
    pub fn watch(&self) -> RecorderWatch {
        RecorderWatch(Arc::clone(&self.counters))
    }

    /// Ends it: calls in flight may finish, and recorded calls are written. Returns the last I/O error.
    pub fn end(mut self) -> io::Result<Counts> {
        let _ = self.end.send(true);
        if let Some(proxy) = self.proxy.take() {
            let _ = proxy.join();
        }
        let began = Instant::now();
        let is_writing = |writer: &JoinHandle<_>| !writer.is_finished();
        while self.writer.as_ref().is_some_and(is_writing) {
            // Nobody may read the pipe that it writes to. The thread ends with the process.
            if began.elapsed() > self.writes_within {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!(
                        "what was waiting could not be written within {} s",
                        self.writes_within.as_secs()
                    ),
                ));
            }
            std::thread::sleep(POLL);
        }
        let written = match self.writer.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(io::Error::other("the writer panicked")),
            None => Ok(()),
        };
        written.map(|()| self.counts())
    }
}

/// Shows the counts and errors of a recorder, also after its end.
#[derive(Clone)]
pub struct RecorderWatch(Arc<Counters>);

impl RecorderWatch {
    /// Counts of the calls so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counts()
    }

    /// Why calls were not written.
    #[must_use]
    pub fn last_errors(&self) -> LastErrors {
        self.0.last_errors().clone()
    }

    /// Dialects that were assumed because others share their package.
    #[must_use]
    pub fn assumed_dialects(&self) -> Vec<Dialect> {
        self.0.assumed().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.end.send(true);
    }
}

#[derive(Clone)]
struct Proxy {
    upstream: Arc<str>,
    taps: Arc<Taps>,
    ended: watch::Receiver<bool>,
}

impl Proxy {
    async fn serve(mut self, listener: TcpListener) {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().connection(stream));
                    }
                    // For example too many open files: connections will end, and the client tries again.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = connections.join_next() => {}
                _ = self.ended.changed() => break,
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_CALLS, all).await;
    }

    async fn connection(mut self, stream: TcpStream) {
        let handshake = h2::server::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(HEADERS_LIMIT)
            .max_send_buffer_size(SEND_BUFFER)
            .handshake(Socket::new(stream));
        let Ok(mut connection) = handshake.await else {
            return;
        };
        let upstream = Arc::new(Upstream::new(self.upstream));
        let mut ended = pin!(self.ended.changed());
        let mut is_ending = false;
        loop {
            tokio::select! {
                accepted = connection.accept() => {
                    let Some(Ok((request, respond))) = accepted else { return };
                    let (upstream, taps) = (Arc::clone(&upstream), Arc::clone(&self.taps));
                    tokio::spawn(relay(upstream, taps, request, respond));
                }
                _ = &mut ended, if !is_ending => {
                    is_ending = true;
                    connection.graceful_shutdown();
                }
            }
        }
    }
}
