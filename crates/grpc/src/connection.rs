//! A blocking gRPC client that sends encoded messages to paths chosen at run time.
//!
//! Callers block on their own threads, and one thread does the I/O for all of them. Calls to one server share a connection,
//! so that concurrent calls share its reads, writes and wake-ups. With several trials in flight that is cheaper than a
//! connection for each (see `benches/README.md`).

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::{Request, Response, Status};

use super::CallError;
use super::access::Access;
use super::address::Address;
use super::channel::{block_on, on_io_thread};
use super::failed_call::method_of;
use super::serve::BytesCodec;

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
    pub(super) address: String,
    pub(super) target: Address,
    pub(super) options: ConnectionOptions,
    pub(super) access: Option<Access>,
}

/// Why a call has no reply.
enum NoReply {
    Transport(tonic::transport::Error),
    Status(Status),
}

impl Connection {
    /// Checks a plain address: `HOST:PORT`, with or without `http://`, or `unix:/PATH`. Nothing is sent.
    pub fn new(address: &str, options: ConnectionOptions) -> Result<Self, CallError> {
        Self::checked(address, options, None)
    }

    /// Checks the address of a server that needs TLS or credentials. TLS is used if `access` has it.
    pub fn with_access(
        address: &str,
        options: ConnectionOptions,
        access: Access,
    ) -> Result<Self, CallError> {
        Self::checked(address, options, Some(access))
    }

    fn checked(
        address: &str,
        options: ConnectionOptions,
        access: Option<Access>,
    ) -> Result<Self, CallError> {
        let target = Address::parse(address)?;
        let has_tls = access.as_ref().and_then(Access::tls).is_some();
        if matches!(target, Address::Tcp { is_tls: true, .. }) && !has_tls {
            return Err(CallError::Scheme {
                address: address.to_owned(),
            });
        }
        Ok(Self {
            address: target.shown(),
            target,
            options,
            access,
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
        let mut client = self.client()?;
        let path_and_query = self.path(path)?;
        let request = self.request(request);
        // The thread that does the I/O sees the call through to its end, so that the caller is woken once.
        let call = on_io_thread(async move {
            if let Err(error) = client.ready().await {
                return Err(NoReply::Transport(error));
            }
            let reply = client.unary(request, path_and_query, BytesCodec).await;
            reply.map(Response::into_inner).map_err(NoReply::Status)
        });
        let call = async {
            call.await.map_err(|no_reply| match no_reply {
                NoReply::Transport(error) => self.transport_error(path, &error),
                NoReply::Status(status) => self.status_error(path, &status),
            })
        };
        let reply = block_on(self.within_deadline(path, call))?;
        self.bounded(path, 0, &reply)?;
        Ok(reply)
    }

    /// Calls a server-streaming method and collects the replies.
    pub fn call_stream(&self, path: &str, request: Bytes) -> Result<Vec<Bytes>, CallError> {
        let mut messages = Vec::new();
        self.call_each(path, request, &mut |message| {
            messages.push(message);
            Ok(())
        })?;
        Ok(messages)
    }

    /// Calls a server-streaming method. `received` gets each reply when it arrives; its error ends the call.
    pub fn call_each(
        &self,
        path: &str,
        request: Bytes,
        received: &mut dyn FnMut(Bytes) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let failed = |status: Status| self.status_error(path, &status);
        let mut client = self.client()?;
        let path_and_query = self.path(path)?;
        let request = self.request(request);
        let call = async {
            let ready = client.ready().await;
            ready.map_err(|error| self.transport_error(path, &error))?;
            let reply = client.server_streaming(request, path_and_query, BytesCodec);
            let mut stream = reply.await.map_err(failed)?.into_inner();
            let mut read = 0;
            while let Some(message) = stream.message().await.map_err(failed)? {
                read = self.bounded(path, read, &message)?;
                received(message)?;
            }
            Ok(())
        };
        block_on(self.within_deadline(path, call))
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

    pub(super) fn reply_too_large(&self, path: &str, limit: usize) -> CallError {
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
}
