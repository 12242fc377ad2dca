//! The channels of all connections, and the thread that does their I/O.

use std::future::Future;
use std::sync::{LazyLock, Mutex, PoisonError};

use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use super::access::{Access, Channels};
use super::address::Address;
use super::whole_body::WholeBody;
use super::{CallError, Connection};

/// Owner of the channels: a runtime with one thread, and a channel for each address and connect timeout.
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

/// Blocks the calling thread until the work is done.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    CLIENT_RUNTIME.runtime.handle().block_on(work)
}

/// Runs the work on the thread that does the I/O. It ends early if the result is not awaited to its end.
pub(super) async fn on_io_thread<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    let mut tasks = JoinSet::new();
    tasks.spawn_on(work, CLIENT_RUNTIME.runtime.handle());
    match tasks.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        None => unreachable!("one task was started"),
    }
}

impl Connection {
    /// A client on the channel to this server, which all calls with the same address and connect timeout share.
    pub(super) fn client(&self) -> Result<Grpc<WholeBody>, CallError> {
        // Histories can exceed tonic's default of 4 MiB; for a source, only the server's limit applies.
        let client = Grpc::new(WholeBody {
            channel: self.channel()?,
            status_limit: self.options.status_limit,
        });
        Ok(client
            .max_decoding_message_size(self.options.reply_limit.unwrap_or(usize::MAX))
            .max_encoding_message_size(usize::MAX))
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
}
