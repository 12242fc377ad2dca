//! Why a call failed: errors of tonic and its transport as errors of ours.

use std::error::Error as _;
use std::io::ErrorKind;

use bytes::Bytes;
use tonic::Status;

use super::access::Access;
use super::address::Address;
use super::probe;
use super::tls::TlsFailure;
use super::{CallError, Connection};
use crate::model::Failure;

/// Messages of the statuses that tonic itself creates, without a source error, for a reply that is not gRPC.
const TONIC_REPLY_ERRORS: [&str; 3] = [
    "Missing response message",
    "Unexpected EOF decoding stream",
    "protocol error:",
];

impl Connection {
    pub(super) fn transport_error(
        &self,
        path: &str,
        error: &(dyn std::error::Error + 'static),
    ) -> CallError {
        self.classify_transport(path, &root_cause(error), error)
    }

    fn classify_transport(
        &self,
        path: &str,
        reason: &str,
        error: &(dyn std::error::Error + 'static),
    ) -> CallError {
        let address = self.address.clone();
        let tls = self.access.as_ref().and_then(Access::tls);
        if let Some(reason) = tls.and_then(|tls| TlsFailure::of(error, tls)) {
            return CallError::Tls { address, reason };
        }
        let method = method_of(path);
        let reason = self.without_secrets(reason.split(" (os error").next().unwrap_or(reason));
        if is_connect_error(error) {
            return CallError::Unreachable {
                address,
                method,
                reason,
            };
        }
        let seen = match (&self.target, tls) {
            (Address::Tcp { authority, .. }, None) => probe::why_not_http2(authority),
            (Address::Tcp { authority, .. }, Some(tls)) => {
                tls.why_broken(authority).map(probe::NotHttp2::Tls)
            }
            (Address::Unix { .. }, _) => None,
        };
        match seen {
            Some(probe::NotHttp2::Tls(reason)) => CallError::Tls { address, reason },
            Some(probe::NotHttp2::Other(reason)) => CallError::NotGrpc { address, reason },
            None => CallError::Broken {
                address,
                method,
                reason,
            },
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        self.access
            .as_ref()
            .map_or_else(|| text.to_owned(), |access| access.hide(text))
    }

    pub(super) fn status_error(&self, path: &str, status: &Status) -> CallError {
        if let Some(source) = status.source() {
            // tonic created this status from a transport error.
            return self.classify_transport(path, &root_cause(source), source);
        }
        if TONIC_REPLY_ERRORS
            .iter()
            .any(|words| status.message().starts_with(words))
        {
            return CallError::Broken {
                address: self.address.clone(),
                method: method_of(path),
                reason: self.without_secrets(&format!(
                    "the reply is not a message ({})",
                    status.message()
                )),
            };
        }
        if status.message().starts_with("grpc-status header missing") {
            let reason = status
                .message()
                .rsplit(", ")
                .next()
                .unwrap_or_default()
                .to_owned();
            return CallError::NotGrpc {
                address: self.address.clone(),
                reason,
            };
        }
        if status
            .message()
            .starts_with(crate::wire::status::OVER_LIMIT)
        {
            return CallError::StatusTooLarge {
                address: self.address.clone(),
                method: method_of(path),
                limit: self.options.status_limit,
            };
        }
        let limit = self.options.reply_limit.filter(|limit| {
            let tonic_words = format!("the limit is: {limit} bytes");
            let message = status.message();
            message.starts_with("Error, decoded message length too large")
                && message.ends_with(&tonic_words)
        });
        if let Some(limit) = limit {
            return self.reply_too_large(path, limit);
        }
        CallError::Status {
            address: self.address.clone(),
            method: method_of(path),
            failure: Failure {
                code: crate::wire::status::code_from_tonic(status.code()),
                message: self.without_secrets(status.message()),
                info: crate::wire::status::error_info(status.details()),
            },
            details: Bytes::copy_from_slice(status.details()),
        }
    }
}

/// Service and method of a path without the package, as in `EventQueryService/GetEventBook`.
pub(super) fn method_of(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let service = parts
        .next()
        .unwrap_or_default()
        .rsplit('.')
        .next()
        .unwrap_or_default();
    format!("{service}/{}", parts.next().unwrap_or_default())
}

pub(super) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

fn is_connect_error(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let text = cause.to_string();
        let is_no_socket = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| NO_SOCKET.contains(&error.kind()));
        is_no_socket
            || text.contains("tcp connect error")
            || text.contains("dns error")
            || text == "deadline has elapsed"
    })
}

/// I/O errors when a Unix socket does not exist or does not accept connections.
const NO_SOCKET: [ErrorKind; 3] = [
    ErrorKind::NotFound,
    ErrorKind::ConnectionRefused,
    ErrorKind::PermissionDenied,
];
