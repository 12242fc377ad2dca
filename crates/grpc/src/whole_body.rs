//! A channel that sends requests in one piece and makes the status of replies readable for tonic.
//!
//! tonic streams even a single message: headers, message and end of stream are sent separately, and each wakes the server.
//! Here the message is complete before anything is sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower_service::Service;

use crate::wire::status::sanitize_status;

/// A channel that sends complete requests. Only for requests of one message: in a stream, the first message would wait for
/// the last.
#[derive(Clone)]
pub(super) struct WholeBody {
    pub(super) channel: Channel,
    /// Size limit of a status, in bytes.
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
        // `poll_ready` was called on the current channel, not on its clone.
        let fresh = self.channel.clone();
        let mut channel = std::mem::replace(&mut self.channel, fresh);
        let limit = self.status_limit;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match body.collect().await {
                Ok(whole) => {
                    let body = Body::new(Full::new(whole.to_bytes()));
                    let reply = channel.call(http::Request::from_parts(parts, body)).await?;
                    Ok(with_readable_status(reply, limit))
                }
                // The message could not be framed.
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

/// Sanitizes the status of a reply, in headers and trailers, so that tonic does not panic on it or lose its code.
fn with_readable_status(reply: http::Response<Body>, limit: usize) -> http::Response<Body> {
    let (mut parts, body) = reply.into_parts();
    sanitize_status(&mut parts.headers, limit);
    let body = body.map_frame(move |frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            sanitize_status(&mut trailers, limit);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    });
    http::Response::from_parts(parts, Body::new(body))
}
