//! Copies the bytes that pass. Never waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::call::Link;
use super::writer::Counters;
use crate::model::{Clock, Timestamp};
use crate::wire::{Dialect, status_size};

/// Chunks with fewer bytes are copied. A reference to one would keep the whole receive buffer in memory, which the budget does
/// not count.
const COPIED_BELOW: usize = 8 * 1024;

/// A call that is not decoded yet.
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

/// Limit for the bytes that all copies together keep in memory.
pub(super) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

/// One call's share of the budget.
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

/// What all taps share, and where the copies go.
pub(super) struct Taps {
    pub(super) budget: Arc<Budget>,
    pub(super) queue: SyncSender<RawCall>,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Clock,
    /// The configured dialect, if several share the package.
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
    /// A tap for a call, if calls of its path are recorded.
    pub(super) fn of(self: &Arc<Self>, path: &str, headers: &HeaderMap) -> Option<FrameTap> {
        let (dialect, method) = Dialect::of_path(path)?;
        Link::of(method)?;
        let (dialect, dialect_assumed) = dialect.or_configured(self.dialect);
        if dialect_assumed {
            self.counters.assume(dialect);
        }
        Some(FrameTap {
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
        })
    }
}

fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("grpc-encoding")?.to_str().ok()?;
    (value != "identity").then(|| value.to_owned())
}

/// The copy of one call, filled from both directions.
pub(super) struct FrameTap {
    taps: Arc<Taps>,
    /// None once it is dropped or handed on.
    call: Mutex<Option<RawCall>>,
}

/// Direction of the bytes.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Request,
    Reply,
}

impl FrameTap {
    fn with(&self, change: impl FnOnce(&mut Option<RawCall>)) {
        change(&mut self.call.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adds bytes to the call's share of the budget and changes the copy. If the budget is used up, the call is lost.
    fn grow(&self, bytes: usize, change: impl FnOnce(&mut RawCall)) {
        self.with(|call| {
            let Some(raw) = call else { return };
            if raw.held.take(bytes) {
                change(raw);
            } else {
                *call = None;
                self.taps.counters.lost.add();
            }
        });
    }

    /// Copies bytes.
    pub(super) fn data(&self, side: Side, data: &Bytes) {
        self.grow(data.len(), |raw| {
            let chunk = if data.len() < COPIED_BELOW {
                Bytes::copy_from_slice(data)
            } else {
                data.clone()
            };
            match side {
                Side::Request => raw.request.push(chunk),
                Side::Reply => raw.reply.push(chunk),
            }
        });
    }

    /// Copies the status from the headers of the reply, in case it has no body.
    pub(super) fn headers(&self, headers: &HeaderMap) {
        let ending = status_of(headers);
        self.grow(status_size(&ending), |raw| {
            raw.reply_encoding = encoding(headers);
            raw.ending = ending;
        });
    }

    /// Copies the status from the trailers of the reply.
    pub(super) fn trailers(&self, side: Side, trailers: &HeaderMap) {
        if let Side::Reply = side {
            let ending = status_of(trailers);
            self.grow(status_size(&ending), |raw| raw.ending = ending);
        }
    }

    /// One direction is complete.
    pub(super) fn ended_of(&self, side: Side) {
        if let Side::Reply = side {
            self.ended();
        }
    }

    /// The reply is complete: the copy goes to the writer, if the queue has room.
    pub(super) fn ended(&self) {
        self.with(|call| {
            let Some(raw) = call.take() else { return };
            let taps = &self.taps;
            match taps.queue.try_send(raw) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    taps.counters.lost.add();
                }
            }
        });
    }

    /// The call was abandoned before its reply was complete.
    pub(super) fn broken(&self) {
        self.with(|call| {
            if call.take().is_some() {
                self.taps.counters.unanswered.add();
            }
        });
    }
}

impl Drop for FrameTap {
    fn drop(&mut self) {
        // Does nothing if the reply was complete.
        self.broken();
    }
}

/// Only the status: other metadata may contain secrets.
fn status_of(headers: &HeaderMap) -> HeaderMap {
    const STATUS: [HeaderName; 3] = [
        HeaderName::from_static("grpc-status"),
        HeaderName::from_static("grpc-message"),
        HeaderName::from_static("grpc-status-details-bin"),
    ];
    let copied = |name: HeaderName| {
        let value = headers.get(&name)?.as_bytes();
        Some((name, HeaderValue::from_bytes(value).ok()?))
    };
    STATUS.into_iter().filter_map(copied).collect()
}
