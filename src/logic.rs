//! Business logic in Rust, for replay in process: the traits to implement, and the types that they take and return.
//!
//! Plain types and synchronous calls: nothing generated, no gRPC. Register an implementation with [`App`](crate::App).
//!
//! The structs and enums mirror Angzarr's protocol and gain fields and variants when it does. So build a struct with its
//! constructor, and add `..` or `_` to a pattern that need not be complete:
//!
//! ```
//! use angzarr_replay::logic::{EmittedBook, EmittedPage, Header, Payload, Reply, Snapshot};
//!
//! let opened = Payload::new("house.DoorOpened", Vec::new());
//! let page = EmittedPage::event(opened).with_header(Header::Sequence(7));
//! let state = Snapshot::new(7, Payload::new("house.Door", Vec::new()));
//! let reply = Reply::Events(EmittedBook::new(vec![page]).with_snapshot(state));
//! # drop(reply);
//! ```

#[doc(inline)]
pub use crate::model::{
    Answer, Body, CascadeErrorMode, Code, CommandBook, CommandPage, Cover, Destinations, Domain,
    Edition, EditionName, EmittedBook, EmittedCommand, EmittedPage, ErrorInfo, EventBook, Failure,
    Header, History, IdError, Logic, MergeStrategy, Modes, Notification, Page, PageOrderError,
    Payload, PayloadReference, ProcessManager, Projection, Projector, Reaction, Reply, Revocation,
    Root, Saga, Snapshot, SyncMode, Timestamp, Upcaster,
};
