//! A recorder that runs until it is stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::redaction::redaction;
use super::{RecordLosses, RecordProgress, RecordRequest, RecordWatcher};
use crate::project::{OperationError, Project, system_clock};
use crate::record::{
    CallStore, Counts, FailureLogWriter, KeepRules, MetricsServer, Recorder, RecorderSettings,
    RecorderWatch, RecordingFile, RecordingStream,
};
use crate::terminal::words;

/// Maximum number and total size of calls that wait to be written. The number is that of three seconds at 5,000 calls per
/// second, so that a slow disk or a trimmed file loses none.
const WAITING: usize = 16_384;
const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// How often to check for losses and assumed dialects.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long writing may take at the end, after the calls in flight. A cluster kills a process 30 seconds after it asked it to
/// end, unless it is told otherwise.
const WRITES_WITHIN: Duration = Duration::from_secs(20);

/// A recorder that runs.
pub struct RunningRecording {
    recorder: Recorder,
    metrics: Option<MetricsServer>,
    upstream: String,
    /// Name of the recording.
    file: String,
    signals: Receiver<Signal>,
    stop: StopHandle,
}

/// Stops a recording from another thread.
#[derive(Clone)]
pub struct StopHandle(Sender<Signal>);

/// A recording that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordResult {
    /// Counts of the calls.
    pub counts: Counts,
    /// What is missing from the recording.
    pub losses: RecordLosses,
}

/// Messages to the thread that waits for the end.
pub(super) enum Signal {
    Stop,
    Progress(RecordProgress),
}

impl StopHandle {
    /// Stops the recording. Calls in flight may finish.
    pub fn stop(&self) {
        // Fails if the recording has ended already.
        let _ = self.0.send(Signal::Stop);
    }
}

impl RunningRecording {
    /// Starts to listen and to record.
    ///
    /// # Errors
    /// If redaction is not configured and the request does not opt out, the address is taken, or a file cannot be written.
    pub fn start(
        project: &Project,
        request: &RecordRequest,
        watch: &mut RecordWatcher<'_>,
    ) -> Result<Self, OperationError> {
        let (sender, signals) = channel();
        let redact = redaction(project, request, sender.clone(), watch)?;
        let upstream = upstream(&request.upstream)?;
        let listener = listener(&request.listen)?;
        let metrics = request.metrics.as_deref().map(self::listener).transpose()?;
        let settings = RecorderSettings {
            upstream: upstream.clone(),
            dialect: request.dialect,
            keep: KeepRules {
                filter: request.keep.clone(),
                ring: request.ring,
            },
            stores: vec![recording(request, watch)?],
            tickets: ticket_log(request, watch)?,
            redact,
            status_limit: project.config().status_limit,
            waiting: WAITING,
            waiting_bytes: WAITING_BYTES,
            clock: system_clock(),
            writes_within: WRITES_WITHIN,
        };
        let recorder = Recorder::start(listener, settings)
            .map_err(|error| OperationError::Failed(words(&error)))?;
        let metrics = metrics.map(|listener| MetricsServer::start(listener, recorder.watch()));
        let metrics = metrics
            .transpose()
            .map_err(|error| OperationError::Failed(words(&error)))?;
        Ok(Self {
            recorder,
            metrics,
            upstream,
            file: if request.is_to_output() {
                "standard output".to_owned()
            } else {
                Project::shown(&request.file)
            },
            signals,
            stop: StopHandle(sender),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.recorder.address()
    }

    /// Where counters and health are shown.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// Name of the recording.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The server that calls are passed on to.
    #[must_use]
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// A handle that stops it.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Waits until it is stopped, then writes the remaining calls. `watch` receives progress meanwhile.
    ///
    /// # Errors
    /// If the recording could not be completed.
    pub fn wait(self, watch: &mut RecordWatcher<'_>) -> Result<RecordResult, OperationError> {
        let mut reports = Reports {
            recorder: self.recorder.watch(),
            dialects: 0,
            losses: RecordLosses::default(),
        };
        loop {
            match self.signals.recv_timeout(INTERVAL) {
                Ok(Signal::Progress(progress)) => watch(progress),
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    reports.report_dialects(watch);
                    reports.report_losses(watch);
                }
            }
        }
        if let Some(metrics) = &self.metrics {
            metrics.note_end();
        }
        let counts = self.recorder.end().map_err(|error| {
            OperationError::Failed(format!(
                "{}: the end of the recording could not be written: {}",
                self.file,
                words(&error)
            ))
        })?;
        for signal in self.signals.try_iter() {
            if let Signal::Progress(progress) = signal {
                watch(progress);
            }
        }
        reports.report_dialects(watch);
        Ok(RecordResult {
            counts,
            losses: RecordLosses::of(&counts, reports.recorder.last_errors()),
        })
    }
}

/// What has been reported about a recorder.
struct Reports {
    recorder: RecorderWatch,
    dialects: usize,
    losses: RecordLosses,
}

impl Reports {
    /// Reports dialects that had to be assumed, each once.
    fn report_dialects(&mut self, watch: &mut RecordWatcher<'_>) {
        let assumed = self.recorder.assumed_dialects();
        for dialect in &assumed[self.dialects..] {
            watch(RecordProgress::DialectAssumed(*dialect));
        }
        self.dialects = assumed.len();
    }

    /// Reports losses when they have changed.
    fn report_losses(&mut self, watch: &mut RecordWatcher<'_>) {
        let losses = RecordLosses::of(&self.recorder.counts(), self.recorder.last_errors());
        if losses != self.losses {
            self.losses = losses.clone();
            watch(RecordProgress::Lost(losses));
        }
    }
}

/// The address of the server, which is reached without TLS.
fn upstream(text: &str) -> Result<String, OperationError> {
    let plain = text.strip_prefix("http://").unwrap_or(text);
    let plain = plain.trim_end_matches('/');
    let is_address = plain
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_address && !plain.contains(['/', '@', ' ', '?']) {
        return Ok(plain.to_owned());
    }
    Err(OperationError::Usage(format!(
        "--upstream {text}: HOST:PORT is expected; the recorder speaks neither TLS nor over Unix sockets"
    )))
}

fn listener(address: &str) -> Result<TcpListener, OperationError> {
    TcpListener::bind(address).map_err(|error| {
        OperationError::Failed(format!("cannot listen on {address}: {}", words(&error)))
    })
}

fn recording(
    request: &RecordRequest,
    watch: &mut RecordWatcher<'_>,
) -> Result<Box<dyn CallStore>, OperationError> {
    if request.is_to_output() {
        return Ok(Box::new(RecordingStream::new(std::io::stdout())));
    }
    let file = RecordingFile::open(&request.file, request.ring)
        .map_err(|error| OperationError::Failed(error.to_string()))?;
    if let Some(line) = file.cut_off() {
        watch(RecordProgress::UnfinishedLine {
            file: Project::shown(&request.file),
            line,
        });
    }
    Ok(Box::new(file.with_limits(request.limits)))
}

fn ticket_log(
    request: &RecordRequest,
    watch: &mut RecordWatcher<'_>,
) -> Result<Option<FailureLogWriter>, OperationError> {
    let Some(path) = &request.tickets else {
        return Ok(None);
    };
    let log =
        FailureLogWriter::open(path).map_err(|error| OperationError::Failed(error.to_string()))?;
    if log.is_torn() {
        watch(RecordProgress::UnfinishedTicket {
            file: Project::shown(path),
        });
    }
    Ok(Some(log.with_limits(request.limits)))
}
