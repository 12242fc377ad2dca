//! Angzarr's wire protocol: dialects and messages.
//!
//! The only module that knows generated types, field quirks and enum numbers; the modules above it use model types.
//! One superset of messages serves all dialects, since their field numbers do not collide (see `proto/wire.proto`).
//! A [`Dialect`] is data.

mod compensation;
#[doc(hidden)]
pub mod decode;
mod dialect;
mod dialect_translation;
#[doc(hidden)]
pub mod encode;
#[doc(hidden)]
pub mod framework;
#[doc(hidden)]
pub mod inspect;
#[doc(hidden)]
pub mod messages;
mod reply_size;
mod rules;
#[doc(hidden)]
pub mod status;
#[doc(hidden)]
pub mod stimulus;
mod stored_page;
mod unary_call;
#[doc(hidden)]
pub mod unknown;

pub use compensation::rejection_notification;
pub use decode::{
    DecodeError, StoredBook, any_of_bytes, command_book, command_book_in, command_book_of_request,
    event_book, event_book_of_response, page, snapshot,
};
pub use dialect::{Dialect, SpokenDialect, UnknownDialect};
pub use dialect_translation::{page_in, payload_in};
pub use encode::{
    encode_command_book, encode_command_request, encode_emitted_page, encode_event_book,
    encode_page, encode_snapshot, placeholder,
};
pub use framework::{
    all_call_descriptors, call_descriptors, framework_descriptors, framework_origin,
};
pub use inspect::{Direction, MessageSummary, inspect};
pub use reply_size::{AnswerSize, REPLY_LIMIT, is_surely_within, size as reply_size};
pub use rules::{EventStream, Rules, SequenceCheck};
#[doc(hidden)]
pub use status::sanitize_status;
pub use status::{FailingStatus, STATUS_LIMIT, size as status_size, status_of_trailers};
#[doc(hidden)]
pub use stimulus::reply as reply_of_outcome;
pub use stimulus::{outcome_of_reply, stimulus_of_request};
pub use unary_call::{FirstMessage, command_dialect, stored_event_count};
pub use unknown::{
    UnknownField, UnknownFields, UnreportedFields, list_unknown_fields, unknown_in_command,
    unknown_in_details, unknown_in_page, unknown_in_reply, unknown_in_request, unknown_in_snapshot,
};
