//! gRPC clients and servers of Angzarr's services, in the plain types of `angzarr_replay_wire`.
//!
//! An internal part of `angzarr-replay`: its items change without notice.

mod access;
mod address;
mod client;
mod coordinate;
mod dead_letter;
mod health;
mod inject;
mod logic;
mod probe;
mod query;
mod query_connection;
mod serve;
mod speculate;
mod tls;
mod whole_body;

pub use access::{Access, MetadataError, Secret, check_metadata_name};
pub use address::{accepts_connections, is_readable_on_the_way};
pub use client::{CallError, Connection, ConnectionOptions};
pub use coordinate::{
    AskedBook, AskedDeletion, AskedPages, Coordinator, DeletedEdition, EditionsClient,
    EditionsError, Injected, RawCover, Refused, ReplyBook, SentCommand, SentFacts, StoredEdition,
    serve_coordinator,
};
pub use dead_letter::{DeadLetter, DeadLetterClient, DeadLetterError, Rejected, StoredLetter};
pub use health::{HealthAnswer, ask_health};
pub use inject::{FactClient, FactError, FactRoute, InjectedFacts, encode_fact_request};
pub use logic::{LogicClient, LogicError, serve_component, serve_logic};
pub use query::{PointInTime, QueryClient, QueryError, Selection, detect_dialect};
pub use query_connection::{Bounds, Manners, QueryConnection};
pub use serve::panic_text;
pub use serve::{Methods, Server};
pub use speculate::SpeculativeClient;
pub use tls::{PemFile, Tls, TlsError, TlsFailure, TlsParts};

// Where the moved code finds them.
use angzarr_replay_wire::{model, wire};
