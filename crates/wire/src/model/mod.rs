//! Angzarr's domain model in plain Rust, independent of the wire and of file formats.
//!
//! Nothing here knows protobuf, gRPC, YAML or enum numbers. Each type's only constructor checks its invariants.

mod book;
mod case;
mod command;
mod component;
mod counted;
mod ids;
mod logic;
mod outcome;
mod pages;
mod pattern;
mod process_root;
mod reaction;
mod similar;
mod trace;
mod word;

pub use book::{
    Body, Cover, EmittedBook, EmittedPage, EventBook, History, Page, PageOrderError, Snapshot,
};
pub use case::{
    Case, CaseStimulus, Fingerprints, FlowCase, FlowStart, HeadKnowledge, HopOutcome, Observed,
    ObservedEvent, ObservedHop, Probe, ProcessCase, Provenance, Redaction, RedactionAction,
    Redactions, ReportedFailure, Rule, Status, Trigger, is_revision,
};
pub use command::{
    CascadeErrorMode, CommandBook, CommandPage, Header, MergeStrategy, Modes, SyncMode,
};
pub use component::{Component, ComponentKind, ProcessManager, Projector, Saga, Upcaster};
pub use counted::counted;
pub use ids::{
    Divergence, Domain, Edition, EditionName, IdError, MAX_CORRELATION_ID_LENGTH, Payload,
    PayloadReference, Retention, Root, Storage, Timestamp, is_correlation_id, short_name,
};
pub use logic::{Answer, Logic, Reply, Stimulus};
pub use outcome::{
    AnsweredBy, Code, ErrorInfo, Failure, FailureClass, Notification, Outcome, Revocation,
};
pub use pages::{Pages, TypeUrls};
pub use pattern::matches_pattern;
pub use process_root::ProcessRoot;
pub use reaction::{Destinations, EmittedCommand, Projection, Reaction};
pub use similar::{did_you_mean, nearest};
pub use trace::trace_id;
pub use word::{UnknownWord, Worded, value_of, word_of};

/// Tells the time. Only the mains read the machine's clock; everything else gets one of these.
pub type Clock = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;
