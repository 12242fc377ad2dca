//! What Angzarr says on the wire: dialects, messages, gRPC clients and servers.
//!
//! The only place that knows generated types, field quirks and enum numbers. Above it there are words.
//! One superset of all dialects' messages serves them all (field numbers do not collide, see `proto/wire.proto`);
//! a [`Dialect`] is data.

mod access;
mod address;
mod client;
mod compensation;
mod coordinate;
mod dead_letter;
mod decode;
mod dialect;
mod encode;
mod exchange;
mod framework;
mod health;
mod inject;
mod logic;
mod messages;
mod probe;
mod query;
mod query_connection;
mod reply_size;
mod retold;
mod rules;
mod serve;
mod speculate;
mod status;
mod stimulus;
mod tls;
mod understand;
mod unknown;
mod whole_body;

pub use access::{Access, MetadataError, Secret, check_metadata_name};
pub use address::{accepts_connections, is_readable_on_the_way};
pub use client::{CallError, Connection, ConnectionOptions};
pub use compensation::rejection_notification;
pub use coordinate::{
    AskedBook, AskedDeletion, AskedPages, Coordinator, DeletedEdition, EditionsClient,
    EditionsError, Injected, RawCover, Refused, ReplyBook, SentCommand, SentFacts, StoredEdition,
    event_book_of_response, serve_coordinator,
};
pub use dead_letter::{DeadLetter, DeadLetterClient, DeadLetterError, Rejected, StoredLetter};
pub use decode::{
    DecodeError, StoredBook, any_of_bytes, command_book, command_book_in, command_book_of_request,
    event_book, page, snapshot,
};
pub use dialect::{Dialect, UnknownDialect};
pub use encode::{
    encode_command_book, encode_command_request, encode_emitted_page, encode_event_book,
    encode_page, encode_snapshot, placeholder,
};
pub(crate) use exchange::{FirstMessage, command_dialect, stored_by};
pub use framework::{all_call_descriptors, call_descriptors, framework_descriptors};
pub use health::{HealthAnswer, ask_health};
pub use inject::{FactClient, FactError, FactRoute, InjectedFacts, encode_fact_request};
pub use logic::{LogicClient, LogicError, serve_component, serve_logic};
pub use query::{PointInTime, QueryClient, QueryError, Selection, detect_dialect};
pub use query_connection::{Bounds, Manners, QueryConnection};
pub use reply_size::{AnswerSize, REPLY_LIMIT};
pub use retold::{page_in, payload_in};
pub use rules::{EventStream, Rules, SequenceCheck};
pub(crate) use serve::panic_text;
pub use serve::{Methods, Server};
pub use speculate::SpeculativeClient;
#[doc(hidden)]
pub use status::make_legible;
pub use status::{Refusal, STATUS_LIMIT, size as status_size, status_of_trailers};
#[doc(hidden)]
pub use stimulus::reply as reply_of_outcome;
pub use stimulus::{outcome_of_reply, stimulus_of_request};
pub use tls::{PemFile, Tls, TlsError, TlsFailure, TlsParts};
pub use understand::{Direction, Understood, understand};
pub use unknown::{
    UnknownField, UnknownFields, UnknownSeen, unknown_in_command, unknown_in_details,
    unknown_in_page, unknown_in_reply, unknown_in_request, unknown_in_snapshot, unknown_in_words,
};
