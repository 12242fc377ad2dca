//! The recorder: a proxy between a client and a coordinator, or a coordinator and its logic, that notes what goes by.
//!
//! Owns the proxy, what is noted and kept of the calls, the recording file, and how a noted call becomes a failure
//! ticket or a case. Knows no configuration, no command line and no source; its clock comes from the mains.
//!
//! - `proxy`, `upstream`: every frame of HTTP/2 is passed on as it came, in any dialect and of any service. Nothing here
//!   waits for a note.
//! - `tap`, `frames`: a copy of what goes by, bounded, and the messages in it.
//! - `note`: one noted call, decoded; `keep`: which are kept; `writer`: the thread that writes them.
//! - `redaction`: a noted call without what is personal or secret, before anything of it is written.
//! - `file`, `line`: the recording file, version 1 (`docs/recording.md`).
//! - `case`: a noted call as a case, or as a ticket.

mod case;
mod file;
mod frames;
mod keep;
mod line;
mod note;
mod proxy;
mod redaction;
mod tap;
mod upstream;
mod writer;

pub use case::{CaseOf, NoCase, case_of, ticket_of};
pub use file::{FileError, RecordingFile, TicketLog};
pub use keep::{Filter, Keep, Kept, Ring};
pub(crate) use line::whole_lines;
pub use line::{LineError, LineErrorKind, Recorded, parse_recording};
pub use note::{Answer, Between, Note, Subject};
pub use proxy::{Recorder, Settings, Watch};
pub use redaction::redacted;
pub use writer::{Counts, NoteStore, Redact, Troubles};

/// What time it is; the mains bring it.
pub type Clock = std::sync::Arc<dyn Fn() -> crate::model::Timestamp + Send + Sync>;
