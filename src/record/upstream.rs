//! Connections to the server behind the recorder: one for each client connection, reopened if it breaks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::Request;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::proxy::HEADERS_LIMIT;
use super::socket::Socket;

/// Time limit for a connection, the same as in gRPC clients.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);
/// What a server may send before the client takes it, in bytes, for each call and for the connection.
const CALL_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 5 * 1024 * 1024;
/// What may wait to be sent for a call, in bytes.
const SEND_BUFFER: usize = 1024 * 1024;
/// Calls in flight before the server has said how many it accepts.
const FIRST_CALLS: usize = 100;

/// A connection to the server.
pub(super) struct Upstream {
    address: Arc<str>,
    sender: Mutex<Option<SendRequest<Bytes>>>,
}

impl Upstream {
    pub(super) fn new(address: Arc<str>) -> Self {
        Self {
            address,
            sender: Mutex::new(None),
        }
    }

    /// Begins a call with the headers of its request. Fails with the reason why the server cannot be reached.
    pub(super) async fn open(
        &self,
        request: Request<()>,
        is_whole: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), String> {
        let mut sender = self.connected().await?;
        let opened = sender.send_request(request, is_whole);
        opened.map_err(|error| self.gone(&error.to_string()))
    }

    /// The open connection, or a new one if there is none or it broke.
    async fn connected(&self) -> Result<SendRequest<Bytes>, String> {
        let mut sender = self.sender.lock().await;
        if let Some(open) = sender.take()
            && let Ok(open) = open.ready().await
        {
            *sender = Some(open.clone());
            return Ok(open);
        }
        let connecting = tokio::time::timeout(CONNECT_LIMIT, self.connect());
        let fresh = match connecting.await {
            Ok(connected) => connected?,
            Err(_) => return Err(self.gone("no answer to a connection")),
        };
        *sender = Some(fresh.clone());
        Ok(fresh)
    }

    async fn connect(&self) -> Result<SendRequest<Bytes>, String> {
        let stream = TcpStream::connect(&*self.address)
            .await
            .map_err(|error| self.gone(&error.to_string()))?;
        let (sender, connection) = Builder::new()
            .initial_window_size(CALL_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(FIRST_CALLS)
            .max_header_list_size(HEADERS_LIMIT)
            .max_send_buffer_size(SEND_BUFFER)
            .enable_push(false)
            .handshake(Socket::new(stream))
            .await
            .map_err(|error| self.gone(&error.to_string()))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// What the client is told if the server cannot be reached.
    pub(super) fn gone(&self, reason: &str) -> String {
        format!("the recorder cannot reach {}: {reason}", self.address)
    }
}
