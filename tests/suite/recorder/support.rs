//! Servers and clients of bare HTTP/2, which see every header, byte and reset of a call.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::record::{
    CallStore, Filter, KeepRules, Recorder, RecorderSettings, Ring,
};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Method, Request, Response};
use test_support::coordinators;
pub(crate) use test_support::coordinators::NOW;
use tokio::net::TcpStream;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What one side saw of the other's half of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Half {
    /// Request line or status, as text.
    pub(crate) head: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) reset: Option<Reason>,
}

impl Half {
    pub(crate) fn status(&self) -> Option<&str> {
        let trailers = self.trailers.as_ref().unwrap_or(&self.headers);
        trailers.get("grpc-status")?.to_str().ok()
    }

    /// Blanks are all that is encoded in the messages of these tests.
    pub(crate) fn message(&self) -> String {
        let trailers = self.trailers.as_ref().unwrap_or(&self.headers);
        let message = trailers.get("grpc-message");
        let message = message.map_or("", |value| value.to_str().unwrap());
        message.replace("%20", " ")
    }
}

pub(crate) async fn read_to_end(mut body: RecvStream, half: &mut Half) {
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => {
                let _ = body.flow_control().release_capacity(data.len());
                half.body.extend_from_slice(&data);
            }
            Err(error) => {
                half.reset = Some(error.reason().unwrap_or(Reason::CONNECT_ERROR));
                return;
            }
        }
    }
    match body.trailers().await {
        Ok(trailers) => half.trailers = trailers,
        Err(error) => half.reset = error.reason(),
    }
}

pub(crate) type Handling = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(crate) type Handler =
    Arc<dyn Fn(Request<RecvStream>, SendResponse<Bytes>) -> Handling + Send + Sync>;

/// A server that runs until it is dropped, connections and all.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Upstream {
    pub(crate) fn start(handler: Handler) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), handler)
    }

    pub(crate) fn start_at(address: SocketAddr, handler: Handler) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(stream, Arc::clone(&handler)));
            }
        });
        Self {
            address,
            runtime: Some(runtime),
        }
    }
}

impl Upstream {
    /// Ends it: when this is over, nothing of it is left.
    pub(crate) async fn stop(mut self) {
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(10)))
            .await
            .unwrap();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(stream: TcpStream, handler: Handler) {
    let mut builder = h2::server::Builder::new();
    builder.max_header_list_size(1 << 24);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(handler(request, respond));
    }
}

/// A client with one connection.
pub(crate) struct Client {
    sender: h2::client::SendRequest<Bytes>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut builder = h2::client::Builder::new();
        builder.max_header_list_size(1 << 24);
        let (sender, connection) = builder.handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    pub(crate) async fn open(
        &self,
        request: Request<()>,
        is_whole: bool,
    ) -> (h2::client::ResponseFuture, h2::SendStream<Bytes>) {
        let mut sender = self.sender.clone().ready().await.unwrap();
        sender.send_request(request, is_whole).unwrap()
    }

    /// Sends one message, and gives all that comes back.
    pub(crate) async fn call(&self, request: Request<()>, body: Bytes) -> Half {
        let (response, mut stream) = self.open(request, false).await;
        // An answer that needs no request may be there already.
        let _ = stream.send_data(body, true);
        reply(response).await
    }
}

pub(crate) async fn reply(response: h2::client::ResponseFuture) -> Half {
    let mut half = Half::default();
    match response.await {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            half.head = parts.status.to_string();
            half.headers = parts.headers;
            read_to_end(body, &mut half).await;
        }
        Err(error) => half.reset = Some(error.reason().unwrap_or(Reason::CONNECT_ERROR)),
    }
    half
}

/// A request as gRPC clients send it. The authority is the same wherever it goes, so that halves can be compared.
pub(crate) fn request(path: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri(format!("http://server.test{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

pub(crate) fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap();
    let mut bytes = vec![0];
    bytes.extend(length.to_be_bytes());
    bytes.extend(message);
    bytes.into()
}

pub(crate) fn response() -> http::response::Builder {
    Response::builder().header("content-type", "application/grpc")
}

pub(crate) fn status_trailers(status: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        status.parse().unwrap(),
    )])
}

/// Answers every call with one message and OK.
pub(crate) fn answering(message: &'static [u8]) -> Handler {
    Arc::new(move |request, mut respond| {
        Box::pin(async move {
            read_to_end(request.into_body(), &mut Half::default()).await;
            let response = response().body(()).unwrap();
            let Ok(mut stream) = respond.send_response(response, false) else {
                return;
            };
            let _ = stream.send_data(framed(message), false);
            let _ = stream.send_trailers(status_trailers("0"));
        })
    })
}

/// Fails every call with a status; its message as the header has it.
pub(crate) fn failing(status: &'static str, message: &'static str) -> Handler {
    Arc::new(move |request, mut respond| {
        Box::pin(async move {
            read_to_end(request.into_body(), &mut Half::default()).await;
            let response = response()
                .header("grpc-status", status)
                .header("grpc-message", message);
            let _ = respond.send_response(response.body(()).unwrap(), true);
        })
    })
}

/// A recorder in front of a server, with what is kept going to a store.
pub(crate) fn recorder(upstream: SocketAddr, stores: Vec<Box<dyn CallStore>>) -> Recorder {
    Recorder::start(coordinators::listener(), settings(upstream, stores)).unwrap()
}

pub(crate) fn settings(upstream: SocketAddr, stores: Vec<Box<dyn CallStore>>) -> RecorderSettings {
    RecorderSettings {
        writes_within: std::time::Duration::from_secs(60),
        upstream: upstream.to_string(),
        dialect: None,
        keep: KeepRules {
            filter: Filter::default(),
            ring: ring(1_000),
        },
        stores,
        tickets: None,
        redact: None,
        waiting: 1_024,
        waiting_bytes: 64 * 1024 * 1024,
        status_limit: angzarr_replay::internal::wire::STATUS_LIMIT,
        clock: Arc::new(|| NOW),
    }
}

pub(crate) const fn ring(count: usize) -> Ring {
    Ring { count, age: DAY }
}
