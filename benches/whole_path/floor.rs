//! The floor: a bare tonic client that sends requests that are already encoded. It uses none of our code.

use test_support::raw_codec;

use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use raw_codec::Raw;
use tonic::Request;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};

pub(crate) const METHOD: &str = "/angzarr.CommandHandlerService/Handle";

/// Sends all requests from `workers` threads, each with its own runtime and channel, with `at_once` calls in flight. The
/// connections are open before the measurement starts.
pub(crate) fn send_all(
    address: &str,
    requests: &Arc<Vec<Bytes>>,
    workers: usize,
    at_once: usize,
) -> Duration {
    let next = Arc::new(AtomicUsize::new(0));
    let ready = Barrier::new(workers + 1);
    let started = std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| worker(address, requests, &next, at_once, &ready));
        }
        ready.wait();
        Instant::now()
    });
    started.elapsed()
}

fn worker(
    address: &str,
    requests: &Arc<Vec<Bytes>>,
    next: &Arc<AtomicUsize>,
    at_once: usize,
    ready: &Barrier,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let uri = match address.strip_prefix("unix:") {
            Some(_) => address.to_owned(),
            None => format!("http://{address}"),
        };
        let channel = Endpoint::from_shared(uri)
            .expect("an address")
            .tcp_nodelay(true)
            .connect()
            .await
            .expect("the logic serves");
        ready.wait();
        let mut tasks = Vec::with_capacity(at_once);
        for _ in 0..at_once {
            let (requests, next) = (Arc::clone(requests), Arc::clone(next));
            tasks.push(tokio::spawn(one_after_another(
                channel.clone(),
                requests,
                next,
            )));
        }
        for task in tasks {
            task.await.expect("no call panics");
        }
    });
}

async fn one_after_another(channel: Channel, requests: Arc<Vec<Bytes>>, next: Arc<AtomicUsize>) {
    let mut client = Grpc::new(channel);
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        client.ready().await.expect("the connection stays");
        let path = PathAndQuery::from_static(METHOD);
        let reply = client.unary(Request::new(request.clone()), path, Raw).await;
        if let Err(status) = reply {
            // A rejection is an answer too.
            assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status}");
        }
    }
}
