//! Connections to the server behind the recorder: one for each client connection, reopened if it breaks.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::proxy::{HEADERS_LIMIT, Relayed};

/// Time limit for a connection, the same as in gRPC clients.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// A call that got no reply.
#[derive(Debug)]
pub(super) enum NoReply {
    /// The server reset this call; the reset is passed on to the client.
    Reset(hyper::Error),
    /// The server cannot be reached.
    Gone(String),
}

/// A connection to the server.
pub(super) struct Upstream {
    address: Arc<str>,
    sender: Mutex<Option<SendRequest<Relayed>>>,
}

impl Upstream {
    pub(super) fn new(address: Arc<str>) -> Self {
        Self {
            address,
            sender: Mutex::new(None),
        }
    }

    /// Passes a request on, once. If the connection broke before it took the request, a new one is opened.
    pub(super) async fn send(
        &self,
        request: Request<Relayed>,
    ) -> Result<Response<Incoming>, NoReply> {
        let mut sender = self.connected().await?;
        let untaken = match sender.try_send_request(request).await {
            Ok(response) => return Ok(response),
            Err(mut error) => match error.take_message() {
                Some(request) => request,
                None => return Err(self.failed(error.into_error())),
            },
        };
        *self.sender.lock().await = None;
        let mut sender = self.connected().await?;
        let sent = sender.try_send_request(untaken).await;
        sent.map_err(|error| self.failed(error.into_error()))
    }

    async fn connected(&self) -> Result<SendRequest<Relayed>, NoReply> {
        let mut sender = self.sender.lock().await;
        if let Some(sender) = sender.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let connecting = tokio::time::timeout(CONNECT_LIMIT, self.connect());
        let fresh = match connecting.await {
            Ok(connected) => connected?,
            Err(_) => return Err(self.gone("no answer to a connection")),
        };
        *sender = Some(fresh.clone());
        Ok(fresh)
    }

    async fn connect(&self) -> Result<SendRequest<Relayed>, NoReply> {
        let stream = TcpStream::connect(&*self.address)
            .await
            .map_err(|error| self.gone(&error.to_string()))?;
        let _ = stream.set_nodelay(true);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEADERS_LIMIT)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.gone(&words(&error)))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn failed(&self, error: hyper::Error) -> NoReply {
        if is_reset(&error) {
            NoReply::Reset(error)
        } else {
            self.gone(&words(&error))
        }
    }

    fn gone(&self, reason: &str) -> NoReply {
        NoReply::Gone(format!(
            "the recorder cannot reach {}: {reason}",
            self.address
        ))
    }
}

/// Whether only this call was reset, rather than the connection broken.
pub(super) fn is_reset(error: &hyper::Error) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return error.is_reset();
        }
        source = error.source();
    }
    false
}

/// An error with its causes.
pub(super) fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
