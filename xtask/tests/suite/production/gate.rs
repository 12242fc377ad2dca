//! A gateway before a coordinator: it sees every call, may refuse some, and passes on the rest. TLS and Unix sockets
//! stand before it, as they do before a mesh.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll};

use test_support::coordinators;
use tokio::io::copy_bidirectional;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint};

/// Gates end with the test process.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Serves on a free port until the test process ends. The service is made within the runtime, which a channel needs.
pub(crate) fn serve<S>(service: impl FnOnce() -> S) -> SocketAddr
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
            Future: Send,
        > + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
{
    let listener = coordinators::listener();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let _within = RUNTIME.enter();
    let service = service();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    RUNTIME.spawn(async move {
        let _ = tonic::transport::Server::builder()
            .serve_with_incoming(service, incoming)
            .await;
    });
    address
}

/// What a gate saw of a call.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) authority: String,
}

/// Answers a call instead of the coordinator.
type Refuse = dyn Fn(usize, &Seen) -> Option<Status> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Gate {
    /// Passes everything on.
    pub(crate) fn open(behind: SocketAddr) -> Self {
        Self::refusing(behind, |_, _| None)
    }

    /// Asks `refuse` first, with the number of the call.
    pub(crate) fn refusing(
        behind: SocketAddr,
        refuse: impl Fn(usize, &Seen) -> Option<Status> + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::default();
        let address = serve(|| Passing {
            seen: Arc::clone(&seen),
            refuse: Arc::new(refuse),
            behind: Endpoint::from_shared(format!("http://{behind}"))
                .unwrap()
                .connect_lazy(),
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Passing {
    seen: Arc<Mutex<Vec<Seen>>>,
    refuse: Arc<Refuse>,
    behind: Channel,
}

impl NamedService for Passing {
    const NAME: &'static str = "";
}

pub(crate) type Reply =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl tower_service::Service<http::Request<Body>> for Passing {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        let seen = Seen {
            path: request.uri().path().to_owned(),
            headers: request.headers().clone(),
            authority: request
                .uri()
                .authority()
                .map_or_else(String::new, ToString::to_string),
        };
        let number = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        if let Some(status) = (self.refuse)(number, &seen) {
            return Box::pin(async move { Ok(status.into_http()) });
        }
        let mut behind = self.behind.clone();
        Box::pin(async move {
            let passed = async {
                std::future::poll_fn(|context| behind.poll_ready(context)).await?;
                behind.call(request).await
            };
            Ok(passed
                .await
                .unwrap_or_else(|error| Status::internal(error.to_string()).into_http()))
        })
    }
}

/// TLS before an address.
pub(crate) fn tls_before(behind: SocketAddr, config: ServerConfig) -> SocketAddr {
    let listener = coordinators::listener();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    RUNTIME.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut from) = acceptor.accept(stream).await else {
                    return;
                };
                let Ok(mut to) = tokio::net::TcpStream::connect(behind).await else {
                    return;
                };
                let _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    address
}

/// A Unix socket before an address.
pub(crate) fn socket_before(behind: SocketAddr, path: &Path) {
    let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
    listener.set_nonblocking(true).unwrap();
    RUNTIME.spawn(async move {
        let listener = tokio::net::UnixListener::from_std(listener).unwrap();
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut to) = tokio::net::TcpStream::connect(behind).await else {
                    return;
                };
                let _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
}
