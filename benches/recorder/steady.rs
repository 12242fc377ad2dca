//! Calls at a steady rate, no matter how long each of them takes.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use test_support::raw_codec::Raw;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use crate::floor::METHOD;

/// Sends a request `per_second` times a second for so many seconds, over one connection. Returns how long it took until the
/// last reply; if that is longer, the machine is too slow for the rate.
pub(crate) fn send(
    address: &str,
    request: &Bytes,
    per_second: u32,
    seconds: u32,
) -> Result<Duration, Box<dyn Error>> {
    const TICKS: u32 = 1_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{address}"))?
            .tcp_nodelay(true)
            .connect()
            .await?;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / TICKS);
        let began = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..seconds * TICKS {
            ticks.tick().await;
            for _ in 0..per_second / TICKS {
                let mut client = Grpc::new(channel.clone());
                let request = Request::new(request.clone());
                calls.spawn(async move {
                    client
                        .ready()
                        .await
                        .map_err(|error| Status::unavailable(error.to_string()))?;
                    let path = PathAndQuery::from_static(METHOD);
                    client.unary(request, path, Raw).await.map(drop)
                });
            }
            while let Some(ended) = calls.try_join_next() {
                ended??;
            }
        }
        while let Some(ended) = calls.join_next().await {
            ended??;
        }
        Ok(began.elapsed())
    })
}
