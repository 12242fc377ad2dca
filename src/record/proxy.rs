//! The proxy: HTTP/2 frames in, the same frames out.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::failure_log::FailureLogWriter;
use super::keep::KeepRules;
use super::tap::{Budget, FrameTap, Side, Taps};
use super::upstream::{NoReply, Upstream, is_reset, words};
use super::writer::{CallStore, Counters, Counts, LastErrors, Redact, Writer};
use crate::model::Clock;
use crate::wire::Dialect;

/// Limit for headers, far above what is ever sent: the details of a status may contain a whole event book.
pub(super) const HEADERS_LIMIT: u32 = 16 * 1024 * 1024;
/// How long calls in flight may take when the recorder ends.
const LAST_CALLS: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

type Failed = Box<dyn Error + Send + Sync>;

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
        let _ = stream.set_nodelay(true);
        let upstream = Arc::new(Upstream::new(Arc::clone(&self.upstream)));
        let taps = Arc::clone(&self.taps);
        let service =
            service_fn(move |request| pass(Arc::clone(&upstream), Arc::clone(&taps), request));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEADERS_LIMIT)
            .max_concurrent_streams(None)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = self.ended.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// Passes one call on.
async fn pass(
    upstream: Arc<Upstream>,
    taps: Arc<Taps>,
    request: Request<Incoming>,
) -> Result<Response<Relayed>, Failed> {
    taps.counters.passed.add();
    let tap = taps.of(request.uri().path(), request.headers());
    let (mut parts, body) = request.into_parts();
    parts.uri = with_scheme(parts.uri);
    let body = Relayed::new(body, Side::Request, tap.clone());
    match upstream.send(Request::from_parts(parts, body)).await {
        Ok(response) => {
            if let Some(tap) = &tap {
                tap.headers(response.headers());
            }
            Ok(response.map(|body| Relayed::new(body, Side::Reply, tap)))
        }
        Err(no_reply) => {
            if let Some(tap) = &tap {
                tap.broken();
            }
            match no_reply {
                NoReply::Reset(error) => Err(error.into()),
                NoReply::Gone(words) => Ok(tonic::Status::unavailable(words).into_http()),
            }
        }
    }
}

/// An HTTP/2 request needs an authority; some clients only send the header `host`.
fn with_scheme(uri: Uri) -> Uri {
    if uri.scheme().is_some() && uri.authority().is_some() {
        return uri;
    }
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    if parts.authority.is_none() {
        parts.authority = Some(http::uri::Authority::from_static("recorder"));
    }
    Uri::from_parts(parts).unwrap_or(uri)
}

/// One direction of a call as it passes.
pub(super) struct Relayed {
    source: RelayedFrames,
    side: Side,
    tap: Option<FrameTap>,
}

enum RelayedFrames {
    Frames(Incoming),
    Nothing,
}

/// A reply without a body, for statuses that the recorder sends itself.
impl Default for Relayed {
    fn default() -> Self {
        Self {
            source: RelayedFrames::Nothing,
            side: Side::Reply,
            tap: None,
        }
    }
}

impl Relayed {
    fn new(frames: Incoming, side: Side, tap: Option<FrameTap>) -> Self {
        let relayed = Self {
            source: RelayedFrames::Frames(frames),
            side,
            tap,
        };
        if relayed.is_end_stream() {
            relayed.ended();
        }
        relayed
    }

    fn ended(&self) {
        if let (Side::Reply, Some(tap)) = (self.side, &self.tap) {
            tap.ended();
        }
    }

    /// Copies a frame, and checks whether it was the last one.
    fn observe(&self, frame: &Frame<Bytes>) {
        let Some(tap) = &self.tap else { return };
        if let Some(data) = frame.data_ref() {
            tap.data(self.side, data);
        }
        if let (Side::Reply, Some(trailers)) = (self.side, frame.trailers_ref()) {
            tap.trailers(trailers);
        }
        if self.is_end_stream() {
            self.ended();
        }
    }

    /// The connection to the server broke during its reply. The client gets the status that it would have got without a recorder.
    fn lost(&mut self, error: &hyper::Error) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        self.source = RelayedFrames::Nothing;
        let status =
            tonic::Status::unavailable(format!("the recorder lost the server: {}", words(error)));
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).ok()?;
        Some(Ok(Frame::trailers(trailers)))
    }
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let RelayedFrames::Frames(frames) = &mut this.source else {
            return Poll::Ready(None);
        };
        Poll::Ready(match ready!(Pin::new(frames).poll_frame(context)) {
            Some(Ok(frame)) => {
                this.observe(&frame);
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                if let Some(tap) = &this.tap {
                    tap.broken();
                }
                match this.side {
                    Side::Reply if !is_reset(&error) => this.lost(&error),
                    _ => Some(Err(error)),
                }
            }
            None => {
                this.ended();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            RelayedFrames::Frames(frames) => frames.is_end_stream(),
            RelayedFrames::Nothing => true,
        }
    }

    /// Unknown, because a size would add a header that nobody sent.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        if let (Side::Reply, Some(tap)) = (self.side, &self.tap) {
            // Does nothing if the reply was complete.
            tap.broken();
        }
    }
}
