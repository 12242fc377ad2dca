//! gRPC clients and servers of Angzarr's services, in the plain types of `angzarr_replay_wire`.
//!
//! An internal part of `angzarr-replay`: its API may change without notice.

mod access;
mod address;
mod call_error;
mod channel;
mod connection;
mod coordinate;
mod dead_letter;
mod failed_call;
mod health;
mod inject;
mod logic;
mod probe;
mod query;
mod query_connection;
mod serve;
mod speculate;
mod tls;
mod way;
mod whole_body;

pub use access::{Access, MetadataError, Secret, check_metadata_name};
pub use address::{accepts_connections, is_sent_unencrypted};
pub use call_error::CallError;
pub use connection::{Connection, ConnectionOptions};
pub use coordinate::{
    AggregateSpeculation, Coordinator, DeletedEdition, DeletionRequest, EditionsClient,
    EditionsError, FactInjection, RawCover, ReactionSpeculation, ReceivedCommand, ReceivedFacts,
    ReceivedQuery, RefusedCall, ReplyBook, RequestedPages, Speculated, StoredEdition,
    serve_coordinator,
};
pub use dead_letter::{DeadLetter, DeadLetterClient, DeadLetterError, Rejected, StoredLetter};
pub use health::{HealthAnswer, check_health};
pub use inject::{FactClient, FactError, FactRoute, InjectedFacts, encode_fact_request};
#[cfg(unix)]
pub use logic::serve_logic_on_unix_socket;
pub use logic::{LogicClient, LogicError, serve_component, serve_logic};
pub use query::{PointInTime, QueryClient, QueryError, Selection, detect_dialect};
pub use query_connection::{Bounds, QueryConnection, QueryPolicy, ReachedBound, pauses};
pub use serve::panic_text;
pub use serve::{Methods, Server, ServerThreads};
pub use speculate::SpeculativeClient;
pub use tls::{PemFile, Tls, TlsError, TlsFailure, TlsOptions};
pub use way::Way;

// Short paths for the modules of this crate.
use angzarr_replay_wire::{model, wire};
