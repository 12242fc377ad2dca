//! What Angzarr says on the wire: dialects and messages.
//!
//! The only place that knows generated types, field quirks and enum numbers. Above it there are words.
//! One superset of all dialects' messages serves them all (field numbers do not collide, see `proto/wire.proto`);
//! a [`Dialect`] is data.

mod compensation;
#[doc(hidden)]
pub mod decode;
mod dialect;
#[doc(hidden)]
pub mod encode;
mod exchange;
#[doc(hidden)]
pub mod framework;
#[doc(hidden)]
pub mod messages;
mod reply_size;
mod retold;
mod rules;
#[doc(hidden)]
pub mod status;
#[doc(hidden)]
pub mod stimulus;
#[doc(hidden)]
pub mod understand;
#[doc(hidden)]
pub mod unknown;

pub use compensation::rejection_notification;
pub use decode::{
    DecodeError, StoredBook, any_of_bytes, command_book, command_book_in, command_book_of_request,
    event_book, event_book_of_response, page, snapshot,
};
pub use dialect::{Dialect, SpokenDialect, UnknownDialect};
pub use encode::{
    encode_command_book, encode_command_request, encode_emitted_page, encode_event_book,
    encode_page, encode_snapshot, placeholder,
};
pub use exchange::{FirstMessage, command_dialect, stored_by};
pub use framework::{all_call_descriptors, call_descriptors, framework_descriptors};
pub use reply_size::{AnswerSize, REPLY_LIMIT, size as reply_size};
pub use retold::{page_in, payload_in};
pub use rules::{EventStream, Rules, SequenceCheck};
#[doc(hidden)]
pub use status::make_legible;
pub use status::{Refusal, STATUS_LIMIT, size as status_size, status_of_trailers};
#[doc(hidden)]
pub use stimulus::reply as reply_of_outcome;
pub use stimulus::{outcome_of_reply, stimulus_of_request};
pub use understand::{Direction, Understood, understand};
pub use unknown::{
    UnknownField, UnknownFields, UnknownSeen, unknown_in_command, unknown_in_details,
    unknown_in_page, unknown_in_reply, unknown_in_request, unknown_in_snapshot, unknown_in_words,
};
