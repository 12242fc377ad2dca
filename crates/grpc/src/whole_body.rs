//! Requests in one piece, and replies whose status tonic can read.
//!
//! tonic streams even a single message: headers, message and end go out one by one, and each wakes the server. Here the
//! message is complete before anything is sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower_service::Service;

use crate::wire::status::make_legible;

/// A channel whose requests are whole. For requests of one message: of a stream, the first would wait for the last.
#[derive(Clone)]
pub(super) struct WholeBody {
    pub(super) channel: Channel,
    /// Most bytes of a status that are read.
    pub(super) status_limit: usize,
}

impl Service<http::Request<Body>> for WholeBody {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // The clone that is made here is not ready; the one that was asked is.
        let fresh = self.channel.clone();
        let mut channel = std::mem::replace(&mut self.channel, fresh);
        let limit = self.status_limit;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match body.collect().await {
                Ok(whole) => {
                    let body = Body::new(Full::new(whole.to_bytes()));
                    let reply = channel.call(http::Request::from_parts(parts, body)).await?;
                    Ok(legible(reply, limit))
                }
                // A message that cannot be framed is answered here.
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

/// A reply whose status cannot make tonic panic or give up its code, wherever it stands.
fn legible(reply: http::Response<Body>, limit: usize) -> http::Response<Body> {
    let (mut parts, body) = reply.into_parts();
    make_legible(&mut parts.headers, limit);
    let body = body.map_frame(move |frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            make_legible(&mut trailers, limit);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    });
    http::Response::from_parts(parts, Body::new(body))
}
