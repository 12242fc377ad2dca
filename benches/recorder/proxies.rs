//! Floors for the recorder: proxies that record nothing, each in a thread of its own, as the recorder's is.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, client, server, service};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Copies bytes, and knows nothing of HTTP: what any process costs that stands between client and server.
pub(crate) fn copying(upstream: &str) -> Outcome<SocketAddr> {
    let upstream: Arc<str> = upstream.into();
    start("copying-proxy", move |mut client| {
        let upstream = Arc::clone(&upstream);
        async move {
            let mut server = TcpStream::connect(&*upstream).await?;
            server.set_nodelay(true)?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await?;
            Ok(())
        }
    })
}

/// Passes HTTP/2 requests and replies on with hyper: what such a proxy usually costs.
pub(crate) fn hyper(upstream: &str) -> Outcome<SocketAddr> {
    let upstream: Arc<str> = upstream.into();
    start("hyper-proxy", move |client| {
        let upstream = Arc::clone(&upstream);
        async move {
            let server = TcpStream::connect(&*upstream).await?;
            server.set_nodelay(true)?;
            let (sender, connection) = client::conn::http2::Builder::new(TokioExecutor::new())
                .handshake::<_, Incoming>(TokioIo::new(server))
                .await?;
            tokio::spawn(connection);
            let pass = service::service_fn(move |request: Request<Incoming>| {
                let mut sender = sender.clone();
                async move { sender.send_request(request).await }
            });
            server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(client), pass)
                .await?;
            Ok(())
        }
    })
}

fn start<F>(name: &str, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Outcome<SocketAddr>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let accept = move || -> Outcome<Infallible> {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (client, _) = listener.accept().await?;
                client.set_nodelay(true)?;
                tokio::spawn(serve(client));
            }
        })
    };
    std::thread::Builder::new()
        .name(name.into())
        .spawn(accept)?;
    Ok(address)
}
