//! Counters and health of a recorder, over HTTP on a port of their own: `/metrics` as `OpenMetrics` text, `/healthz`.
//!
//! Shows numbers only, nothing of what passes. Requests and connections are bounded, and never hold up a call.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, oneshot};

use super::proxy::RecorderWatch;
use super::writer::Counts;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// Maximum number of connections at a time.
const CONNECTIONS: usize = 16;
/// How long a connection may last.
const LASTS: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 16 << 10;

/// Serves the counters of a recorder until it is dropped.
pub struct MetricsServer {
    address: SocketAddr,
    is_ending: Arc<AtomicBool>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Serves on a listener, in its own thread.
    pub fn start(listener: TcpListener, recorder: RecorderWatch) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let is_ending = Arc::new(AtomicBool::new(false));
        let answers = Answers {
            recorder,
            is_ending: Arc::clone(&is_ending),
        };
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("recorder-metrics".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, answers) => {}
                        _ = ended => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            is_ending,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reports from now on that the recorder ends.
    pub fn note_end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct Answers {
    recorder: RecorderWatch,
    is_ending: Arc<AtomicBool>,
}

async fn serve(listener: TcpListener, answers: Answers) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // For example too many open files: connections will end, and the client tries again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let answers = answers.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answers.to(&request);
                async { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .max_buf_size(LARGEST_HEAD)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LASTS, connection).await;
            drop(permit);
        });
    }
}

impl Answers {
    fn to(&self, request: &Request<Incoming>) -> Response<String> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let (status, kind, text) = match request.uri().path() {
            _ if !is_read => (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "GET it\n".to_owned()),
            "/metrics" => (
                StatusCode::OK,
                OPEN_METRICS,
                open_metrics(&self.recorder.counts()),
            ),
            "/healthz" if self.is_ending.load(Ordering::Relaxed) => (
                StatusCode::SERVICE_UNAVAILABLE,
                PLAIN,
                "ending\n".to_owned(),
            ),
            "/healthz" => (StatusCode::OK, PLAIN, "ok\n".to_owned()),
            _ => (
                StatusCode::NOT_FOUND,
                PLAIN,
                "there are /metrics and /healthz\n".to_owned(),
            ),
        };
        let mut answer = Response::new(text);
        *answer.status_mut() = status;
        let kind = header::HeaderValue::from_static(kind);
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

/// Counts as `OpenMetrics` text.
#[must_use]
pub fn open_metrics(counts: &Counts) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
        for (sample, count) in samples {
            let _ = writeln!(text, "{sample} {count}");
        }
    };
    let total = |name: &str| format!("{name}_total");
    let calls = "angzarr_recorder_calls";
    family(
        calls,
        "counter",
        "Calls that were passed on.",
        &[(total(calls), counts.passed)],
    );
    let kept = "angzarr_recorder_kept_calls";
    family(
        kept,
        "gauge",
        "Calls of this recorder that are in the recording.",
        &[(kept.to_owned(), counts.kept)],
    );
    let missing = "angzarr_recorder_missing_calls";
    let reasons = [
        ("lost", counts.lost),
        ("not_written", counts.unwritten),
        ("refused_by_redaction", counts.refused),
        ("not_readable", counts.unreadable),
        ("status_too_large", counts.too_large),
        ("without_answer", counts.unanswered),
    ];
    family(
        missing,
        "counter",
        "Calls that were passed on and not recorded.",
        &reasons.map(|(reason, count)| (format!("{missing}_total{{reason=\"{reason}\"}}"), count)),
    );
    let tickets = "angzarr_recorder_tickets";
    family(
        tickets,
        "counter",
        "Tickets that were written.",
        &[(total(tickets), counts.tickets)],
    );
    let missing = "angzarr_recorder_missing_tickets";
    family(
        missing,
        "counter",
        "Failed commands without a ticket.",
        &[(total(missing), counts.unwritten_tickets)],
    );
    text.push_str("# EOF\n");
    text
}
