//! A copy of what goes by. Taking it costs a reference to each chunk and never waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;

use super::Clock;
use super::note::Between;
use super::writer::Counters;
use crate::model::Timestamp;
use crate::wire::Dialect;

/// A call as it went by: nothing of it is read yet.
pub(super) struct RawCall {
    pub(super) path: String,
    pub(super) dialect: Dialect,
    pub(super) dialect_assumed: bool,
    pub(super) time: Timestamp,
    pub(super) request: Vec<Bytes>,
    pub(super) request_encoding: Option<String>,
    pub(super) reply: Vec<Bytes>,
    pub(super) reply_encoding: Option<String>,
    pub(super) ending: HeaderMap,
    held: Held,
}

/// Bytes that copies hold in memory, all calls together.
pub(super) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

/// One call's part of the budget.
struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    fn take(&mut self, bytes: usize) -> bool {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before + bytes <= self.budget.limit
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Where copies go.
pub(super) struct Taps {
    pub(super) budget: Arc<Budget>,
    pub(super) queue: SyncSender<RawCall>,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Clock,
    /// Which of the dialects that share a package is spoken.
    pub(super) dialect: Option<Dialect>,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            limit,
        })
    }
}

impl Taps {
    /// A tap for a call, where calls of its path are noted.
    pub(super) fn of(self: &Arc<Self>, path: &str, headers: &HeaderMap) -> Option<FrameTap> {
        let (dialect, method) = Dialect::of_path(path)?;
        Between::of(method)?;
        let (dialect, dialect_assumed) = dialect.or_configured(self.dialect);
        if dialect_assumed {
            self.counters.assume(dialect);
        }
        Some(FrameTap(Arc::new(Shared {
            taps: Arc::clone(self),
            call: Mutex::new(Some(RawCall {
                path: path.to_owned(),
                dialect,
                dialect_assumed,
                time: (self.clock)(),
                request: Vec::new(),
                request_encoding: encoding(headers),
                reply: Vec::new(),
                reply_encoding: None,
                ending: HeaderMap::new(),
                held: Held {
                    budget: Arc::clone(&self.budget),
                    bytes: 0,
                },
            })),
        })))
    }
}

fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("grpc-encoding")?.to_str().ok()?;
    (value != "identity").then(|| value.to_owned())
}

struct Shared {
    taps: Arc<Taps>,
    /// None once it is lost or handed on.
    call: Mutex<Option<RawCall>>,
}

/// The copy of one call, filled from both sides.
#[derive(Clone)]
pub(super) struct FrameTap(Arc<Shared>);

/// Which way bytes go.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Request,
    Reply,
}

impl FrameTap {
    fn with(&self, change: impl FnOnce(&mut Option<RawCall>)) {
        change(&mut self.0.call.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Bytes went by.
    pub(super) fn data(&self, side: Side, data: &Bytes) {
        self.with(|call| {
            let Some(raw) = call else { return };
            if raw.held.take(data.len()) {
                match side {
                    Side::Request => raw.request.push(data.clone()),
                    Side::Reply => raw.reply.push(data.clone()),
                }
            } else {
                *call = None;
                self.0.taps.counters.lost.add();
            }
        });
    }

    /// The headers of the reply went by, which say how it ended where it has no body.
    pub(super) fn headers(&self, headers: &HeaderMap) {
        self.with(|call| {
            if let Some(raw) = call {
                raw.reply_encoding = encoding(headers);
                raw.ending = status_of(headers);
            }
        });
    }

    /// The trailers went by.
    pub(super) fn trailers(&self, trailers: &HeaderMap) {
        self.with(|call| {
            if let Some(raw) = call {
                raw.ending = status_of(trailers);
            }
        });
    }

    /// The reply is over: the copy goes to the writer, if that has a place for it.
    pub(super) fn ended(&self) {
        self.with(|call| {
            let Some(raw) = call.take() else { return };
            let taps = &self.0.taps;
            match taps.queue.try_send(raw) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    taps.counters.lost.add();
                }
            }
        });
    }

    /// The call was given up before its reply was over.
    pub(super) fn broken(&self) {
        self.with(|call| {
            if call.take().is_some() {
                self.0.taps.counters.unanswered.add();
            }
        });
    }
}

/// The status alone: other metadata may hold what nobody wants in a file.
fn status_of(headers: &HeaderMap) -> HeaderMap {
    ["grpc-status", "grpc-message", "grpc-status-details-bin"]
        .into_iter()
        .filter_map(|name| {
            let name = http::HeaderName::from_static(name);
            let value = headers.get(&name)?.clone();
            Some((name, value))
        })
        .collect()
}
