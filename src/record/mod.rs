//! The recorder: a proxy between a client and a coordinator, or between a coordinator and its logic, that records calls.
//!
//! Owns the proxy, which calls are recorded and kept, the recording file, and how a recorded call becomes a failure ticket
//! or a case. Knows no configuration, no command line and no source; its clock comes from the mains.
//!
//! - `proxy`, `upstream`, `socket`: the connections of clients, and for each of them one to the server.
//! - `relay`: passes on headers, data, trailers and resets of a call unchanged, in any dialect and of any service. It never
//!   waits for the recording.
//! - `tap`, `frames`: a bounded copy of the bytes that pass, and the messages in it.
//! - `call`: a recorded call, decoded. `keep`: which calls are kept. `writer`: the thread that writes them.
//! - `redaction`: removes personal data and secrets from a call before it is written.
//! - `file`, `line`: the recording file, version 1 (`docs/recording.md`). `stream`: the same lines on standard output.
//!   `failure_log`: tickets of failed commands.
//! - `metrics`: counters and health over HTTP.
//! - `case`: turns a recorded call into a case or a ticket.

mod call;
mod case;
mod failure_log;
mod file;
mod frames;
mod keep;
mod line;
mod metrics;
mod proxy;
mod redaction;
mod relay;
mod socket;
mod stream;
mod tap;
mod upstream;
mod writer;

pub use call::{Answer, Link, RecordedCall, Subject};
pub use case::{CaseError, CaseMetadata, case_of, ticket_of};
pub use failure_log::FailureLogWriter;
pub use file::{FileError, RecordingFile};
pub use keep::{Filter, KeepLimits, KeepMode, KeepRules, Ring};
pub(crate) use line::whole_lines;
pub use line::{LineErrorKind, RecordedLine, RecordingLineError, parse_recording};
pub use metrics::{MetricsServer, open_metrics};
pub use proxy::{Recorder, RecorderSettings, RecorderWatch};
pub use redaction::redacted;
pub use stream::RecordingStream;
pub use writer::{CallStore, Counts, LastErrors, Redact};
