//! A blocking gRPC client that sends encoded messages to paths chosen at run time.
//!
//! Callers block on their own threads, and one thread does the I/O for all of them. Calls to one server share a connection,
//! so that concurrent calls share its reads, writes and wake-ups. With several trials in flight that is cheaper than a
//! connection for each (see `benches/README.md`).

use std::error::Error as _;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::access::{Access, Channels};
use super::address::Address;
use super::probe;
use super::query_connection::ReachedBound;
use super::serve::BytesCodec;
use super::tls::TlsFailure;
use super::whole_body::WholeBody;
use crate::model::{Code, Failure};
use crate::wire::{UnknownFields, unknown_in_details, unknown_in_reply};

/// Time and size limits of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// Time limit for connecting.
    pub connect_timeout: Duration,
    /// Time limit of one call; `None` while a debugger may be attached.
    pub deadline: Option<Duration>,
    /// Size limit of a status in bytes; a larger one is [`CallError::StatusTooLarge`].
    pub status_limit: usize,
    /// Size limit of a reply, or of all replies of a stream together; `None` for sources, which have a bound on all their
    /// replies together.
    pub reply_limit: Option<usize>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            deadline: Some(Duration::from_secs(30)),
            status_limit: crate::wire::status::STATUS_LIMIT,
            reply_limit: None,
        }
    }
}

/// A server's address, connected to on first use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Text for messages.
    address: String,
    target: Address,
    options: ConnectionOptions,
    access: Option<Access>,
}

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

/// Messages of the statuses that tonic itself creates, without a source error, for a reply that is not gRPC.
const TONIC_REPLY_ERRORS: [&str; 3] = [
    "Missing response message",
    "Unexpected EOF decoding stream",
    "protocol error:",
];

/// Owner of the connections: a runtime with one thread, and a channel for each address and connect timeout.
struct ClientRuntime {
    runtime: tokio::runtime::Runtime,
    channels: Mutex<Channels>,
}

static CLIENT_RUNTIME: LazyLock<ClientRuntime> = LazyLock::new(|| ClientRuntime {
    runtime: tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("grpc-client")
        .enable_all()
        .build()
        .expect("a thread can be started"),
    channels: Mutex::default(),
});

fn block_on<T>(work: impl Future<Output = T>) -> T {
    CLIENT_RUNTIME.runtime.handle().block_on(work)
}

impl Connection {
    /// Checks a plain address: `HOST:PORT`, with or without `http://`, or `unix:/PATH`. Nothing is sent.
    pub fn new(address: &str, options: ConnectionOptions) -> Result<Self, CallError> {
        let target = Address::parse(address)?;
        if matches!(target, Address::Tcp { is_tls: true, .. }) {
            return Err(CallError::Scheme {
                address: address.to_owned(),
            });
        }
        Ok(Self {
            address: target.shown(),
            target,
            options,
            access: None,
        })
    }

    /// Checks the address of a server that needs TLS or credentials. TLS is used if `access` has it.
    pub fn with_access(
        address: &str,
        options: ConnectionOptions,
        access: Access,
    ) -> Result<Self, CallError> {
        let target = Address::parse(address)?;
        if matches!(target, Address::Tcp { is_tls: true, .. }) && access.tls().is_none() {
            return Err(CallError::Scheme {
                address: address.to_owned(),
            });
        }
        Ok(Self {
            address: target.shown(),
            target,
            options,
            access: Some(access),
        })
    }

    /// `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same server with other options.
    #[must_use]
    pub fn with_options(&self, options: ConnectionOptions) -> Self {
        Self {
            options,
            ..self.clone()
        }
    }

    /// Calls a unary method.
    pub fn call(&self, path: &str, request: Bytes) -> Result<Bytes, CallError> {
        let channel = self.channel()?;
        block_on(async {
            let mut client = grpc(channel, self.options);
            let call = async {
                client
                    .ready()
                    .await
                    .map_err(|error| self.transport_error(path, &error))?;
                let path_and_query = self.path(path)?;
                let reply = client
                    .unary(self.request(request), path_and_query, BytesCodec)
                    .await;
                let reply = reply.map_err(|status| self.status_error(path, &status))?;
                let reply = reply.into_inner();
                self.bounded(path, 0, &reply)?;
                Ok(reply)
            };
            self.within_deadline(path, call).await
        })
    }

    /// Calls a server-streaming method and collects the replies.
    pub fn call_stream(&self, path: &str, request: Bytes) -> Result<Vec<Bytes>, CallError> {
        let channel = self.channel()?;
        block_on(async {
            let mut client = grpc(channel, self.options);
            let call = async {
                client
                    .ready()
                    .await
                    .map_err(|error| self.transport_error(path, &error))?;
                let path_and_query = self.path(path)?;
                let reply = client
                    .server_streaming(self.request(request), path_and_query, BytesCodec)
                    .await;
                let mut stream = reply
                    .map_err(|status| self.status_error(path, &status))?
                    .into_inner();
                let mut messages = Vec::new();
                let mut read = 0;
                while let Some(message) = stream
                    .message()
                    .await
                    .map_err(|status| self.status_error(path, &status))?
                {
                    read = self.bounded(path, read, &message)?;
                    messages.push(message);
                }
                Ok(messages)
            };
            self.within_deadline(path, call).await
        })
    }

    /// Total size of a reply and the replies before it, checked against the limit.
    fn bounded(&self, path: &str, before: usize, reply: &Bytes) -> Result<usize, CallError> {
        let Some(limit) = self.options.reply_limit else {
            return Ok(before);
        };
        let size = before.saturating_add(crate::wire::reply_size(reply));
        if size > limit {
            return Err(self.reply_too_large(path, limit));
        }
        Ok(size)
    }

    fn reply_too_large(&self, path: &str, limit: usize) -> CallError {
        CallError::ReplyTooLarge {
            address: self.address.clone(),
            method: method_of(path),
            limit,
        }
    }

    fn path(&self, path: &str) -> Result<PathAndQuery, CallError> {
        PathAndQuery::try_from(path).map_err(|_| CallError::Address {
            address: self.address.clone(),
        })
    }

    fn request(&self, message: Bytes) -> Request<Bytes> {
        let mut request = Request::new(message);
        if let Some(access) = &self.access {
            *request.metadata_mut() = access.metadata().clone();
        }
        request
    }

    fn channel(&self) -> Result<Channel, CallError> {
        let shared = self
            .access
            .as_ref()
            .map_or(&CLIENT_RUNTIME.channels, Access::channels);
        let mut channels = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.address.clone(), self.options.connect_timeout);
        if let Some(channel) = channels.get(&key) {
            return Ok(channel.clone());
        }
        let _inside = CLIENT_RUNTIME.runtime.enter();
        let channel = self.endpoint()?.connect_lazy();
        channels.insert(key, channel.clone());
        Ok(channel)
    }

    fn endpoint(&self) -> Result<Endpoint, CallError> {
        let tls = self.access.as_ref().and_then(Access::tls);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let uri = match &self.target {
            Address::Tcp { authority, .. } => format!("{scheme}://{authority}"),
            Address::Unix { .. } => self.address.clone(),
        };
        let refused = |_| CallError::Address {
            address: self.address.clone(),
        };
        let endpoint = Endpoint::from_shared(uri).map_err(refused)?;
        let endpoint = match (tls, &self.target) {
            (Some(tls), Address::Tcp { .. }) => tls.secure(endpoint).map_err(refused)?,
            _ => endpoint,
        };
        Ok(endpoint
            .connect_timeout(self.options.connect_timeout)
            .http2_max_header_list_size(crate::wire::status::HEADERS_LIMIT)
            .tcp_nodelay(true))
    }

    async fn within_deadline<T>(
        &self,
        path: &str,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let Some(deadline) = self.options.deadline else {
            return call.await;
        };
        tokio::time::timeout(deadline, call)
            .await
            .unwrap_or_else(|_| {
                Err(CallError::Deadline {
                    address: self.address.clone(),
                    method: method_of(path),
                    seconds: deadline.as_secs(),
                })
            })
    }

    fn transport_error(&self, path: &str, error: &(dyn std::error::Error + 'static)) -> CallError {
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

    fn status_error(&self, path: &str, status: &Status) -> CallError {
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

fn grpc(channel: Channel, options: ConnectionOptions) -> Grpc<WholeBody> {
    let status_limit = options.status_limit;
    // Histories can exceed tonic's default of 4 MiB; for a source, only the server's limit applies.
    Grpc::new(WholeBody {
        channel,
        status_limit,
    })
    .max_decoding_message_size(options.reply_limit.unwrap_or(usize::MAX))
    .max_encoding_message_size(usize::MAX)
}

/// Service and method of a path without the package, as in `EventQueryService/GetEventBook`.
fn method_of(path: &str) -> String {
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

/// Unknown fields in the reply or failing status of a call.
pub(crate) fn unknown_in_answer(method: &str, answer: &Result<Bytes, CallError>) -> UnknownFields {
    match answer {
        Ok(reply) => unknown_in_reply(method, reply),
        Err(CallError::Status { details, .. }) => unknown_in_details(details),
        Err(_) => UnknownFields::new(),
    }
}
