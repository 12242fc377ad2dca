//! Calls that failed, and the questions that callers ask about them.

use bytes::Bytes;

use super::query_connection::ReachedBound;
use super::tls::TlsFailure;
use crate::model::{Code, Failure};
use crate::wire::{UnknownFields, unknown_in_details, unknown_in_reply};

/// A call without a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The text is not an address.
    #[error(
        "`{address}` is not an address: expected HOST:PORT, http://HOST:PORT or unix:/PATH, or https://HOST for a source"
    )]
    Address {
        /// The text.
        address: String,
    },
    /// An https:// address where TLS is not supported.
    #[error(
        "{address}: TLS is supported for sources only; give a plain address, for example of a port forward"
    )]
    Scheme {
        /// The address.
        address: String,
    },
    /// No server answers at the address.
    #[error(
        "cannot reach {address} for {method}: {reason}; is it running, and is this its address?"
    )]
    Unreachable {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// Error message of the transport.
        reason: String,
    },
    /// Something other than a gRPC server answers.
    #[error("{address} is not a gRPC server ({reason}); is it the right port?")]
    NotGrpc {
        /// The address.
        address: String,
        /// What was observed.
        reason: String,
    },
    /// TLS failed.
    #[error("{address}: {reason}")]
    Tls {
        /// The address.
        address: String,
        /// What is wrong.
        reason: TlsFailure,
    },
    /// The connection ended before the reply.
    #[error(
        "the connection to {address} broke during {method}: {reason}; is it still running, and is it a gRPC server?"
    )]
    Broken {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// Error message of the transport.
        reason: String,
    },
    /// No reply in time.
    #[error(
        "{address} did not answer {method} within {seconds} s; is it the right port, and is the server busy? \
         Raise `deadline` in replay.toml to wait longer"
    )]
    Deadline {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The deadline in seconds.
        seconds: u64,
    },
    /// The status that ended the call is over the limit.
    #[error(
        "{address} answered {method} with a failing status of more than {limit} bytes: its message and details cannot be \
         compared; shorten them in the logic, or raise `max_status_kibibytes` in replay.toml"
    )]
    StatusTooLarge {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The reply is over the limit.
    #[error(
        "{address} answered {method} with more than {} MiB, counting 64 bytes more for each page and each part of one: it is not \
         read; make the reply smaller, or raise `max_reply_mebibytes` in replay.toml",
        limit >> 20
    )]
    ReplyTooLarge {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A bound on all queries to the source was reached.
    #[error(
        "{address} has more to send, but the bound `{bound}` of its source is reached: it may ignore the requested range, or send \
         without end; raise the bound if the amount is right"
    )]
    OverBound {
        /// The address.
        address: String,
        /// The bound that was reached.
        bound: ReachedBound,
    },
    /// The way to the server has ended, and could not be opened again.
    #[error("{reason}")]
    WayEnded {
        /// What ended it.
        reason: String,
    },
    /// The server answered with a failing status.
    #[error("{address} answered {method} with {code}: {message}", code = failure.code, message = failure.message)]
    Status {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The status.
        failure: Failure,
        /// Its binary details.
        details: Bytes,
    },
}

impl CallError {
    /// The failing status, if the server returned one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Status { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether the error may be temporary, so that a retry may succeed.
    #[must_use]
    pub fn may_be_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Status { failure, .. } => failure.code == Code::Unavailable,
            _ => false,
        }
    }

    /// Whether a message exceeded the size limit of one side.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.failure().is_some_and(|failure| {
            matches!(failure.code, Code::OutOfRange | Code::ResourceExhausted)
                && (failure.message.contains("message length too large")
                    || failure.message.contains("larger than max")
                    || failure.message.contains("message larger"))
        })
    }

    /// Whether the server has no such method: it serves another package, or is another kind of server.
    #[must_use]
    pub fn is_unknown_method(&self) -> bool {
        self.failure().is_some_and(|failure| {
            failure.code == Code::Unimplemented
                && (failure.message.is_empty()
                    || NO_SUCH_METHOD
                        .iter()
                        .any(|words| failure.message.starts_with(words)))
        })
    }
}

/// Messages of gRPC libraries for an unknown method. tonic's is empty.
const NO_SUCH_METHOD: [&str; 6] = [
    // Python.
    "Method not found!",
    // Java.
    "Method not found:",
    // Go.
    "unknown service",
    "unknown method",
    // JavaScript.
    "The server does not implement the method",
    // .NET.
    "Service is unimplemented",
];

/// Unknown fields in the reply or failing status of a call.
pub(crate) fn unknown_in_answer(method: &str, answer: &Result<Bytes, CallError>) -> UnknownFields {
    match answer {
        Ok(reply) => unknown_in_reply(method, reply),
        Err(CallError::Status { details, .. }) => unknown_in_details(details),
        Err(_) => UnknownFields::new(),
    }
}
