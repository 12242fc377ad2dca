//! Passes one call on: what each side sends goes to the other, as it comes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response, Uri};

use super::tap::{FrameTap, Side, Taps};
use super::upstream::Upstream;

/// Passes a call on until both sides have ended it, or one side gives up.
pub(super) async fn relay(
    upstream: Arc<Upstream>,
    taps: Arc<Taps>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    taps.counters.passed.add();
    let tap = taps.of(request.uri().path(), request.headers());
    let tap = tap.as_ref();
    let (mut parts, body) = request.into_parts();
    parts.uri = with_scheme(parts.uri);
    let is_whole = body.is_end_stream();
    let opening = upstream.open(Request::from_parts(parts, ()), is_whole);
    let opened = unless_reset(opening, |context| respond.poll_reset(context)).await;
    let (response, mut stream) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(gone)) => {
            broken(tap);
            return unavailable(&mut respond, gone);
        }
        Err(_) => return broken(tap),
    };
    let given_up = {
        let mut sending = pin!(send_request(body, &mut stream, tap));
        let mut replying = pin!(send_reply(response, &mut respond, &upstream, tap));
        tokio::select! {
            biased;
            () = &mut sending, if !is_whole => replying.await,
            replied = &mut replying => {
                // The server answered before the request was complete, and may still read the rest.
                if replied.is_ok() && !is_whole {
                    sending.await;
                }
                replied
            }
        }
    };
    if let Err(reason) = given_up {
        stream.send_reset(reason);
    }
}

/// Passes a request on to the server. If the server needs no more of it, its reply says why.
async fn send_request(
    mut body: RecvStream,
    server: &mut SendStream<Bytes>,
    tap: Option<&FrameTap>,
) {
    if let Err(Broken::Sender(error)) = pump(&mut body, server, Side::Request, tap).await {
        server.send_reset(error.reason().unwrap_or(Reason::CANCEL));
    }
}

/// Passes a reply on to the client. Fails if the client gave the call up.
async fn send_reply(
    response: ResponseFuture,
    respond: &mut SendResponse<Bytes>,
    upstream: &Upstream,
    tap: Option<&FrameTap>,
) -> Result<(), Reason> {
    let replied = unless_reset(response, |context| respond.poll_reset(context)).await;
    let response = match replied.inspect_err(|_| broken(tap))? {
        Ok(response) => response,
        Err(error) => {
            broken(tap);
            match error.reason().filter(|_| error.is_reset()) {
                Some(reason) => respond.send_reset(reason),
                None => unavailable(respond, upstream.gone(&error.to_string())),
            }
            return Ok(());
        }
    };
    let (parts, mut body) = response.into_parts();
    let is_whole = body.is_end_stream();
    if let Some(tap) = tap {
        tap.headers(&parts.headers);
        if is_whole {
            tap.ended();
        }
    }
    let Ok(mut client) = respond.send_response(Response::from_parts(parts, ()), is_whole) else {
        broken(tap);
        return Err(Reason::CANCEL);
    };
    if is_whole {
        return Ok(());
    }
    match pump(&mut body, &mut client, Side::Reply, tap).await {
        Ok(()) => Ok(()),
        Err(Broken::Receiver(reason)) => {
            broken(tap);
            Err(reason)
        }
        Err(Broken::Sender(error)) => {
            broken(tap);
            match error.reason().filter(|_| error.is_reset()) {
                Some(reason) => client.send_reset(reason),
                None => lost(&mut client, &error),
            }
            Ok(())
        }
    }
}

/// Why not everything was passed on.
enum Broken {
    /// The sender reset the call, or its connection broke.
    Sender(h2::Error),
    /// The receiver takes no more.
    Receiver(Reason),
}

/// Passes data and trailers on. Data is only taken from the sender when the receiver accepts more.
async fn pump(
    from: &mut RecvStream,
    to: &mut SendStream<Bytes>,
    side: Side,
    tap: Option<&FrameTap>,
) -> Result<(), Broken> {
    let stopped = |error: h2::Error| Broken::Receiver(error.reason().unwrap_or(Reason::CANCEL));
    loop {
        let next = unless_reset(from.data(), |context| to.poll_reset(context)).await;
        let Some(data) = next.map_err(Broken::Receiver)? else {
            break;
        };
        let data = data.map_err(Broken::Sender)?;
        let _ = from.flow_control().release_capacity(data.len());
        let is_last = from.is_end_stream();
        if let Some(tap) = tap {
            tap.data(side, &data);
            if is_last {
                tap.ended_of(side);
            }
        }
        if !data.is_empty() {
            room(to).await?;
        }
        to.send_data(data, is_last).map_err(stopped)?;
        if is_last {
            return Ok(());
        }
    }
    let trailers = from.trailers().await.map_err(Broken::Sender)?;
    if let Some(tap) = tap {
        if let Some(trailers) = &trailers {
            tap.trailers(side, trailers);
        }
        tap.ended_of(side);
    }
    match trailers {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    }
    .map_err(stopped)
}

/// Waits until the receiver accepts data, so that no more than one frame waits here.
async fn room(to: &mut SendStream<Bytes>) -> Result<(), Broken> {
    // A reservation of the whole frame would hold back the other calls of the connection.
    to.reserve_capacity(1);
    while to.capacity() == 0 {
        let more = std::future::poll_fn(|context| match to.poll_reset(context) {
            Poll::Ready(reason) => Poll::Ready(Err(reason.unwrap_or(Reason::CANCEL))),
            Poll::Pending => to.poll_capacity(context).map(Ok),
        });
        match more.await.map_err(Broken::Receiver)? {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Broken::Receiver(Reason::CANCEL)),
        }
    }
    Ok(())
}

/// Waits for something, unless the call is reset first.
async fn unless_reset<T>(
    wanted: impl Future<Output = T>,
    mut reset: impl FnMut(&mut Context<'_>) -> Poll<Result<Reason, h2::Error>>,
) -> Result<T, Reason> {
    let mut wanted = pin!(wanted);
    std::future::poll_fn(|context| match wanted.as_mut().poll(context) {
        Poll::Ready(ready) => Poll::Ready(Ok(ready)),
        Poll::Pending => reset(context).map(|reason| Err(reason.unwrap_or(Reason::CANCEL))),
    })
    .await
}

fn broken(tap: Option<&FrameTap>) {
    if let Some(tap) = tap {
        tap.broken();
    }
}

/// Answers that the server cannot be reached.
fn unavailable(respond: &mut SendResponse<Bytes>, reason: String) {
    let response = tonic::Status::unavailable(reason).into_http();
    // The client may have given up.
    let _ = respond.send_response(response, true);
}

/// The connection to the server broke during its reply. The client gets the status that it would have got without a recorder.
fn lost(client: &mut SendStream<Bytes>, error: &h2::Error) {
    let status = tonic::Status::unavailable(format!("the recorder lost the server: {error}"));
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_ok() {
        let _ = client.send_trailers(trailers);
    }
}

/// An HTTP/2 request needs an authority; some clients only send the header `host`.
fn with_scheme(uri: Uri) -> Uri {
    if uri.scheme().is_some() && uri.authority().is_some() {
        return uri;
    }
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    if parts.authority.is_none() {
        parts.authority = Some(http::uri::Authority::from_static("recorder"));
    }
    Uri::from_parts(parts).unwrap_or(uri)
}
