//! A gRPC server that dispatches methods by name at run time, in the package of one dialect.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, StreamingService};
use tonic::transport::server::{Connected, TcpIncoming};
use tonic::{Request, Response, Status, Streaming};

use crate::model::Failure;
use crate::wire::Dialect;
use crate::wire::status::{FailingStatus, to_status};

/// Package of this project's own services. No dialect uses it.
pub(super) const OWN_PACKAGE: &str = "angzarr_replay.local.v1";

/// Methods of a server, by name without the package of its dialect. Methods of our own package keep the package.
pub trait Methods: Send + Sync + 'static {
    /// Answers one request message of `Service/Method`: one reply for a unary method, any number for a streaming one; `None`
    /// if there is no such method. A stream of requests is answered message by message.
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>>;
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    threads: ServerThreads,
}

/// The threads of a running server. Dropping this stops the server.
#[derive(Debug)]
pub struct ServerThreads {
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves on a bound listener, on its own threads.
    ///
    /// Messages larger than `limit` bytes are refused as the real coordinator does; `None` means no limit.
    pub fn start(
        listener: std::net::TcpListener,
        dialect: Dialect,
        methods: Arc<dyn Methods>,
        limit: Option<usize>,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let dispatch = Dispatch {
            dialect,
            methods,
            limit,
        };
        let threads = ServerThreads::start(dispatch, || {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            Ok(TcpIncoming::from(listener).with_nodelay(Some(true)))
        })?;
        Ok(Self { address, threads })
    }

    /// Listening address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub fn wait(self) {
        self.threads.wait();
    }
}

impl ServerThreads {
    /// Like [`Server::start`] without a limit, on a bound Unix socket.
    #[cfg(unix)]
    pub fn start_on_unix_socket(
        listener: std::os::unix::net::UnixListener,
        dialect: Dialect,
        methods: Arc<dyn Methods>,
    ) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let dispatch = Dispatch {
            dialect,
            methods,
            limit: None,
        };
        Self::start(dispatch, || {
            let listener = tokio::net::UnixListener::from_std(listener)?;
            Ok(tokio_stream::wrappers::UnixListenerStream::new(listener))
        })
    }

    /// `listen` is called on the server's runtime.
    fn start<S, C>(
        dispatch: Dispatch,
        listen: impl FnOnce() -> std::io::Result<S> + Send + 'static,
    ) -> std::io::Result<Self>
    where
        S: Stream<Item = std::io::Result<C>> + Send + 'static,
        C: AsyncRead
            + AsyncWrite
            + Connected<ConnectInfo: Clone + Send + Sync>
            + Unpin
            + Send
            + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (shutdown, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("grpc-server".into())
            .spawn(move || {
                runtime.block_on(async {
                    let Ok(connections) = listen() else {
                        return;
                    };
                    let (health, health_service) = tonic_health::server::health_reporter();
                    health
                        .set_service_status("", tonic_health::ServingStatus::Serving)
                        .await;
                    let service = WithHealth {
                        dispatch,
                        health: health_service,
                    };
                    // Not a graceful shutdown: a client with an open connection must not keep the server running.
                    tokio::select! {
                        _ = tonic::transport::Server::builder().serve_with_incoming(service, connections) => {}
                        _ = ended => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(Self {
            shutdown: Some(shutdown),
            thread: Some(thread),
        })
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for ServerThreads {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Reply = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

#[derive(Clone)]
struct Dispatch {
    dialect: Dialect,
    methods: Arc<dyn Methods>,
    limit: Option<usize>,
}

/// The health service, and the dispatched methods.
#[derive(Clone)]
struct WithHealth<H> {
    dispatch: Dispatch,
    health: H,
}

impl<H> tonic::server::NamedService for WithHealth<H> {
    const NAME: &'static str = "";
}

impl<H> tower_service::Service<http::Request<Body>> for WithHealth<H>
where
    H: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
        >,
    H::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        if request.uri().path().starts_with("/grpc.health.v1.Health/") {
            return Box::pin(self.health.call(request));
        }
        self.dispatch.call(request)
    }
}

impl Dispatch {
    fn call(&self, request: http::Request<Body>) -> Reply {
        let prefix = format!("/{}.", self.dialect.package());
        let path = request.uri().path();
        let own = || {
            let path = path.strip_prefix('/')?;
            path.starts_with(OWN_PACKAGE).then_some(path)
        };
        let Some(method) = path.strip_prefix(&prefix).or_else(own).map(str::to_owned) else {
            return Box::pin(async { Ok(Status::unimplemented("").into_http()) });
        };
        let limit = self.limit;
        let handler = Handler {
            method: method.into(),
            methods: Arc::clone(&self.methods),
        };
        Box::pin(async move {
            let limit = limit.unwrap_or(usize::MAX);
            let mut grpc = Grpc::new(BytesCodec)
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit);
            Ok(grpc.streaming(handler, request).await)
        })
    }
}

struct Handler {
    method: Arc<str>,
    methods: Arc<dyn Methods>,
}

impl StreamingService<Bytes> for Handler {
    type Response = Bytes;
    type ResponseStream = ReceiverStream<Result<Bytes, Status>>;
    type Future =
        Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let (method, methods) = (Arc::clone(&self.method), Arc::clone(&self.methods));
        Box::pin(async move {
            let mut requests = request.into_inner();
            // A unary method needs a failing status instead of a stream, so the first request is answered here.
            let first = requests.message().await;
            let first = first.map_err(|status| oversize_explained(&method, status))?;
            let first = first.unwrap_or_default();
            let replies = answer(&method, &methods, first).await?;
            let (sender, receiver) = mpsc::channel(replies.len().max(1));
            for reply in replies {
                let _ = sender.try_send(Ok(reply));
            }
            tokio::spawn(async move {
                while let Ok(Some(message)) = requests.message().await {
                    let replies = match answer(&method, &methods, message).await {
                        Ok(replies) => replies.into_iter().map(Ok).collect(),
                        Err(status) => vec![Err(status)],
                    };
                    for reply in replies {
                        if sender.send(reply).await.is_err() {
                            return;
                        }
                    }
                }
            });
            Ok(Response::new(ReceiverStream::new(receiver)))
        })
    }
}

/// Coordinators answer `OUT_OF_RANGE` to a request that is too large. Our own services say what to do instead.
fn oversize_explained(method: &str, status: Status) -> Status {
    if status.code() != tonic::Code::OutOfRange || !method.starts_with(OWN_PACKAGE) {
        return status;
    }
    Status::invalid_argument(format!(
        "the request is too large ({}): capture a long history as a fixture, and use `replay`",
        status.message()
    ))
}

async fn answer(
    method: &Arc<str>,
    methods: &Arc<dyn Methods>,
    request: Bytes,
) -> Result<Vec<Bytes>, Status> {
    let (method, methods) = (Arc::clone(method), Arc::clone(methods));
    let work = tokio::task::spawn_blocking(move || {
        catch_unwind(AssertUnwindSafe(|| methods.call(&method, request))).unwrap_or_else(|panic| {
            Some(Err(Failure::crashed(format!(
                "the handler panicked: {}",
                panic_text(panic.as_ref())
            ))
            .into()))
        })
    });
    match work.await {
        Ok(Some(Ok(replies))) => Ok(replies),
        Ok(Some(Err(refusal))) => Err(to_status(&refusal)),
        Ok(None) => Err(Status::unimplemented("")),
        Err(_) => Err(Status::internal("the handler was cancelled")),
    }
}

/// Message of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}

/// A codec that passes messages through as bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = source.remaining();
        Ok(Some(source.copy_to_bytes(length)))
    }
}
