//! A blocking gRPC client that sends bytes to paths chosen at run time.
//!
//! Callers block, each on its own thread; one thread for all of them reads and writes. Calls to one server share a
//! connection, so that those in flight at once share its reads, writes and wake-ups: with several trials waiting that
//! is cheaper than a connection for each (see `benches/README.md`).

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
use super::serve::BytesCodec;
use super::tls::TlsFailure;
use super::whole_body::WholeBody;
use crate::model::{Code, Failure};
use crate::wire::{UnknownFields, unknown_in_details, unknown_in_reply};

/// How calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one call may take; none while a debugger may be attached.
    pub deadline: Option<Duration>,
    /// Most bytes of a status that are read; a larger one is [`CallError::StatusTooLarge`].
    pub status_limit: usize,
    /// Largest reply that is read, or all replies of a stream together; none for sources, which bound all replies together.
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
    /// As it is shown.
    address: String,
    target: Address,
    options: ConnectionOptions,
    access: Option<Access>,
}

/// A call without a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The text is no address.
    #[error(
        "`{address}` is no address: HOST:PORT, http://HOST:PORT or unix:/PATH is expected, or https://HOST of a source"
    )]
    Address {
        /// The text.
        address: String,
    },
    /// TLS where there is none.
    #[error(
        "{address}: TLS is spoken to sources only; give a plain address, for example of a port forward"
    )]
    Scheme {
        /// The address.
        address: String,
    },
    /// Nothing answers there.
    #[error("cannot reach {address} for {method}: {reason}; does it run, and is this its address?")]
    Unreachable {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The transport's words.
        reason: String,
    },
    /// Something answers that is no gRPC server.
    #[error("{address} is no gRPC server ({reason}); is it the right port?")]
    NotGrpc {
        /// The address.
        address: String,
        /// What was seen of it.
        reason: String,
    },
    /// The two do not agree on TLS.
    #[error("{address}: {reason}")]
    Tls {
        /// The address.
        address: String,
        /// What is wrong.
        reason: TlsFailure,
    },
    /// The connection ended before the reply.
    #[error(
        "the connection to {address} broke during {method}: {reason}; does it still run, and is it a gRPC server?"
    )]
    Broken {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The transport's words.
        reason: String,
    },
    /// No reply in time.
    #[error(
        "{address} did not answer {method} within {seconds} s; is it the right port, or busy? `deadline` in \
         replay.toml gives it longer"
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
         compared; let the logic say less, or raise `max_status_kibibytes` in replay.toml"
    )]
    StatusTooLarge {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// Most bytes of a status that are read.
        limit: usize,
    },
    /// The reply is over the limit.
    #[error(
        "{address} answered {method} with more than {} MiB, counting 64 bytes more for each page and each part of one: it is not \
         read; let it answer less, or raise `max_reply_mebibytes` in replay.toml",
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
    /// It was asked as much as it may be asked in all.
    #[error(
        "{address} was asked as much as `{bound}` of its source allows, and has more to tell: it may ignore what it is asked \
         for, or never come to an end; raise the bound where it is right"
    )]
    OverBound {
        /// The address.
        address: String,
        /// The bound that was reached.
        bound: String,
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
    /// The failing status, where the server answered with one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Status { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether the same question may have an answer a moment later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Status { failure, .. } => failure.code == Code::Unavailable,
            _ => false,
        }
    }

    /// Whether a message was larger than one side takes.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.failure().is_some_and(|failure| {
            matches!(failure.code, Code::OutOfRange | Code::ResourceExhausted)
                && (failure.message.contains("message length too large")
                    || failure.message.contains("larger than max")
                    || failure.message.contains("message larger"))
        })
    }

    /// Whether the server has no such method at all: another package, or another kind of server.
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

/// How gRPC libraries say that a server has no such method: tonic says nothing.
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

/// What tonic makes of a reply that is no gRPC, as a status of its own with no cause.
const MADE_HERE: [&str; 3] = [
    "Missing response message",
    "Unexpected EOF decoding stream",
    "protocol error:",
];

/// Where the connections live: a runtime with one thread, and a channel for each address and connect timeout.
struct Hub {
    runtime: tokio::runtime::Runtime,
    channels: Mutex<Channels>,
}

static HUB: LazyLock<Hub> = LazyLock::new(|| Hub {
    runtime: tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("grpc-client")
        .enable_all()
        .build()
        .expect("a thread can be had"),
    channels: Mutex::default(),
});

fn block_on<T>(work: impl Future<Output = T>) -> T {
    HUB.runtime.handle().block_on(work)
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

    /// Checks the address of a server that is spoken to with TLS or credentials. TLS is spoken where `access` has it.
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
                    .map_err(|error| self.transport(path, &error))?;
                let path_and_query = self.path(path)?;
                let reply = client
                    .unary(self.request(request), path_and_query, BytesCodec)
                    .await;
                let reply = reply.map_err(|status| self.failed(path, &status))?;
                let reply = reply.into_inner();
                self.bounded(path, 0, &reply)?;
                Ok(reply)
            };
            self.within_deadline(path, call).await
        })
    }

    /// Calls a method that streams its replies, and collects them.
    pub fn call_stream(&self, path: &str, request: Bytes) -> Result<Vec<Bytes>, CallError> {
        let channel = self.channel()?;
        block_on(async {
            let mut client = grpc(channel, self.options);
            let call = async {
                client
                    .ready()
                    .await
                    .map_err(|error| self.transport(path, &error))?;
                let path_and_query = self.path(path)?;
                let reply = client
                    .server_streaming(self.request(request), path_and_query, BytesCodec)
                    .await;
                let mut stream = reply
                    .map_err(|status| self.failed(path, &status))?
                    .into_inner();
                let mut messages = Vec::new();
                let mut read = 0;
                while let Some(message) = stream
                    .message()
                    .await
                    .map_err(|status| self.failed(path, &status))?
                {
                    read = self.bounded(path, read, &message)?;
                    messages.push(message);
                }
                Ok(messages)
            };
            self.within_deadline(path, call).await
        })
    }

    /// Size of a reply and of those before it, where that is within the limit.
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
        let shared = self.access.as_ref().map_or(&HUB.channels, Access::channels);
        let mut channels = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.address.clone(), self.options.connect_timeout);
        if let Some(channel) = channels.get(&key) {
            return Ok(channel.clone());
        }
        let _inside = HUB.runtime.enter();
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

    fn transport(&self, path: &str, error: &(dyn std::error::Error + 'static)) -> CallError {
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
            (Address::Tcp { authority, .. }, None) => probe::no_http2(authority),
            (Address::Tcp { authority, .. }, Some(tls)) => {
                tls.objection(authority).map(probe::Seen::Tls)
            }
            (Address::Unix { .. }, _) => None,
        };
        match seen {
            Some(probe::Seen::Tls(reason)) => CallError::Tls { address, reason },
            Some(probe::Seen::Other(reason)) => CallError::NotGrpc { address, reason },
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

    fn failed(&self, path: &str, status: &Status) -> CallError {
        if let Some(source) = status.source() {
            // A status made on this side, from a failure of the transport.
            return self.classify_transport(path, &root_cause(source), source);
        }
        if MADE_HERE
            .iter()
            .any(|words| status.message().starts_with(words))
        {
            return CallError::Broken {
                address: self.address.clone(),
                method: method_of(path),
                reason: self
                    .without_secrets(&format!("the reply is no message ({})", status.message())),
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
            let made_here = format!("the limit is: {limit} bytes");
            let message = status.message();
            message.starts_with("Error, decoded message length too large")
                && message.ends_with(&made_here)
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
    // Histories are larger than tonic's default of 4 MiB: of a source, the server's limit is the one that counts.
    Grpc::new(WholeBody {
        channel,
        status_limit,
    })
    .max_decoding_message_size(options.reply_limit.unwrap_or(usize::MAX))
    .max_encoding_message_size(usize::MAX)
}

/// `EventQueryService/GetEventBook` of a path, without the package.
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

/// Why a Unix socket cannot be connected to.
const NO_SOCKET: [ErrorKind; 3] = [
    ErrorKind::NotFound,
    ErrorKind::ConnectionRefused,
    ErrorKind::PermissionDenied,
];

/// Unknown fields of the answer to a call, whichever it is.
pub(crate) fn unknown_in_answer(method: &str, answer: &Result<Bytes, CallError>) -> UnknownFields {
    match answer {
        Ok(reply) => unknown_in_reply(method, reply),
        Err(CallError::Status { details, .. }) => unknown_in_details(details),
        Err(_) => UnknownFields::new(),
    }
}
