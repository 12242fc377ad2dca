//! Business logic in Rust, for replay in process: the traits to implement, and the types that they take and return.
//!
//! Plain types and synchronous calls: nothing generated, no gRPC. Register an implementation with [`App`](crate::App).

#[doc(inline)]
pub use crate::model::{
    Answer, Body, CascadeErrorMode, Code, CommandBook, CommandPage, Cover, Destinations, Domain,
    Edition, EditionName, EmittedBook, EmittedCommand, EmittedPage, ErrorInfo, EventBook, Failure,
    Header, History, IdError, Logic, MergeStrategy, Modes, Notification, Page, PageOrderError,
    Payload, PayloadReference, ProcessManager, Projection, Projector, Reaction, Reply, Revocation,
    Root, Saga, Snapshot, SyncMode, Timestamp, Upcaster,
};
