//! Streams, unknown services, odd headers, resets, and servers that go and come back.

use std::sync::Arc;

use bytes::Bytes;
use h2::Reason;
use http::HeaderValue;

use super::support::{
    Client, Half, Handler, Upstream, answering, framed, read_to_end, recorder, reply, request,
    response, status_trailers,
};

/// Sends each piece back as it comes, and ends when the client does.
fn echo() -> Handler {
    Arc::new(|request, mut respond| {
        Box::pin(async move {
            let mut body = request.into_body();
            let mut stream = respond
                .send_response(response().body(()).unwrap(), false)
                .unwrap();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
                stream.send_data(data, false).unwrap();
            }
            stream.send_trailers(status_trailers("0")).unwrap();
        })
    })
}

/// Resets every call.
fn resetting(reason: Reason) -> Handler {
    Arc::new(move |_, mut respond| Box::pin(async move { respond.send_reset(reason) }))
}

/// A request to a saga, without its message.
fn to_saga() -> http::Request<()> {
    request("/angzarr.SagaService/Handle").body(()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_an_unknown_service_is_passed_on_piece_by_piece() {
    let upstream = Upstream::start(echo());
    let recorder = recorder(upstream.address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    let request = request("/some.other.v7.Service/Talk").body(()).unwrap();
    let (response, mut stream) = client.open(request, false).await;
    // The headers come before anything was said, each piece before the next one is sent.
    let mut body = response.await.unwrap().into_body();
    for piece in ["one", "two", "three"] {
        stream.send_data(Bytes::from(piece), false).unwrap();
        let mut heard = Vec::new();
        while heard.len() < piece.len() {
            let data = body.data().await.unwrap().unwrap();
            let _ = body.flow_control().release_capacity(data.len());
            heard.extend_from_slice(&data);
        }
        assert_eq!(heard, piece.as_bytes());
    }
    stream.send_data(Bytes::new(), true).unwrap();
    let mut rest = Half::default();
    read_to_end(body, &mut rest).await;
    assert_eq!(rest.body, b"");
    assert_eq!(rest.status(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_and_headers_pass_in_both_directions() {
    let large = "x".repeat(40_000);
    let answer = large.clone();
    let upstream = Upstream::start(Arc::new(move |request, mut respond| {
        let answer = answer.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut half = Half::default();
            read_to_end(body, &mut half).await;
            let mut trailers = status_trailers("9");
            let value = HeaderValue::from_str(&answer).unwrap();
            trailers.insert("grpc-status-details-bin", value);
            trailers.insert("x-seen", parts.headers["x-large"].clone());
            let mut stream = respond
                .send_response(response().body(()).unwrap(), false)
                .unwrap();
            stream.send_data(half.body.into(), false).unwrap();
            stream.send_trailers(trailers).unwrap();
        })
    }));
    let recorder = recorder(upstream.address, Vec::new());
    let mut halves = Vec::new();
    for address in [upstream.address, recorder.address()] {
        let client = Client::connect(address).await;
        let request = request("/angzarr.EventQueryService/GetEventBook")
            .header("x-large", &large)
            .body(())
            .unwrap();
        let (response, mut stream) = client.open(request, false).await;
        let message = Bytes::from(vec![7; 3_000_000]);
        stream.send_data(message, true).unwrap();
        halves.push(reply(response).await);
    }
    assert_eq!(halves[0].body.len(), 3_000_000);
    assert_eq!(halves[0].trailers.as_ref().unwrap()["x-seen"], large);
    assert_eq!(halves[0], halves[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_of_the_server_is_the_reset_that_the_client_sees() {
    for reason in [Reason::REFUSED_STREAM, Reason::ENHANCE_YOUR_CALM] {
        let upstream = Upstream::start(resetting(reason));
        let recorder = recorder(upstream.address, Vec::new());
        for address in [upstream.address, recorder.address()] {
            let client = Client::connect(address).await;
            let half = client.call(to_saga(), framed(b"")).await;
            assert_eq!(half.reset, Some(reason), "{address}");
        }
        let counts = recorder.end().unwrap();
        assert_eq!((counts.passed, counts.kept, counts.unanswered), (1, 0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_is_known_to_the_server() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(Arc::new(move |_, mut respond| {
        let told = told.clone();
        Box::pin(async move {
            told.send(None).unwrap();
            let reason = std::future::poll_fn(|context| respond.poll_reset(context)).await;
            told.send(Some(reason.unwrap())).unwrap();
        })
    }));
    let recorder = recorder(upstream.address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR] {
        for is_whole in [true, false] {
            let (_response, mut stream) = client.open(to_saga(), false).await;
            stream.send_data(framed(b""), is_whole).unwrap();
            assert_eq!(heard.recv().await, Some(None));
            stream.send_reset(reason);
            assert_eq!(heard.recv().await, Some(Some(reason)));
        }
    }
    drop(client);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.passed, counts.kept, counts.unanswered), (4, 0, 4));
}

/// As a server ends a call whose deadline is over while it replies.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_amid_a_reply_is_the_reset_that_the_client_sees() {
    for reason in [Reason::CANCEL, Reason::NO_ERROR] {
        let upstream = Upstream::start(Arc::new(move |request, mut respond| {
            Box::pin(async move {
                let response = response().body(()).unwrap();
                let mut stream = respond.send_response(response, false).unwrap();
                stream.send_data(framed(b"half"), false).unwrap();
                // The client ends its request when it has seen this half of the reply.
                read_to_end(request.into_body(), &mut Half::default()).await;
                stream.send_reset(reason);
            })
        }));
        let recorder = recorder(upstream.address, Vec::new());
        for address in [upstream.address, recorder.address()] {
            let client = Client::connect(address).await;
            let (response, mut stream) = client.open(to_saga(), false).await;
            let mut body = response.await.unwrap().into_body();
            let mut half = Half {
                body: body.data().await.unwrap().unwrap().to_vec(),
                ..Half::default()
            };
            stream.send_data(framed(b""), true).unwrap();
            read_to_end(body, &mut half).await;
            assert_eq!(half.body, framed(b"half"), "{address}");
            assert_eq!(half.reset, Some(reason), "{address}");
        }
        let counts = recorder.end().unwrap();
        assert_eq!((counts.passed, counts.kept, counts.unanswered), (1, 0, 1));
    }
}

/// A server may answer before it has read the request, and go on reading.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_passed_on_to_its_end_although_its_reply_is_complete() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(Arc::new(move |request, mut respond| {
        let told = told.clone();
        Box::pin(async move {
            let mut response = response().body(()).unwrap();
            response.headers_mut().extend(status_trailers("0"));
            respond.send_response(response, true).unwrap();
            let mut half = Half::default();
            read_to_end(request.into_body(), &mut half).await;
            told.send(half).unwrap();
        })
    }));
    let recorder = recorder(upstream.address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    let (response, mut stream) = client.open(to_saga(), false).await;
    assert_eq!(reply(response).await.status(), Some("0"));
    stream.send_data(framed(b"late"), true).unwrap();
    let half = heard.recv().await.unwrap();
    assert_eq!((half.body, half.reset), (framed(b"late").to_vec(), None));
}

/// Its client reads nothing until the server has sent as much as it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_the_server_back() {
    const MESSAGE: usize = 64 * 1024;
    const MESSAGES: usize = 400;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(Arc::new(move |_, mut respond| {
        let told = told.clone();
        Box::pin(async move {
            let response = response().body(()).unwrap();
            let mut stream = respond.send_response(response, false).unwrap();
            for _ in 0..MESSAGES {
                stream.reserve_capacity(MESSAGE);
                while stream.capacity() < MESSAGE {
                    let more = std::future::poll_fn(|context| stream.poll_capacity(context));
                    let waiting = std::time::Duration::from_millis(300);
                    if tokio::time::timeout(waiting, more).await.is_err() {
                        let _ = told.send("held back");
                    }
                }
                stream.send_data(vec![7; MESSAGE].into(), false).unwrap();
            }
            stream.send_trailers(status_trailers("0")).unwrap();
            let _ = told.send("all is sent");
        })
    }));
    let recorder = recorder(upstream.address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    let request = request("/angzarr.EventQueryService/GetEvents")
        .body(())
        .unwrap();
    let (response, mut stream) = client.open(request, false).await;
    stream.send_data(framed(b""), true).unwrap();
    let body = response.await.unwrap().into_body();
    // The server cannot send all of it: far less fits into the windows on the way.
    assert_eq!(heard.recv().await, Some("held back"));
    let mut half = Half::default();
    read_to_end(body, &mut half).await;
    assert_eq!(half.body.len(), MESSAGES * MESSAGE);
    assert_eq!(half.status(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_unavailable_and_found_again_when_it_is_back() {
    let upstream = Upstream::start(answering(b"first"));
    let address = upstream.address;
    let recorder = recorder(address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    let ask = || client.call(to_saga(), framed(b""));
    assert_eq!(ask().await.body, framed(b"first"));
    upstream.stop().await;
    let gone = ask().await;
    assert_eq!((gone.head.as_str(), gone.status()), ("200 OK", Some("14")));
    assert!(
        gone.message()
            .starts_with(&format!("the recorder cannot reach {address}: ")),
        "{}",
        gone.message()
    );
    // The client keeps its connection.
    let _back = Upstream::start_at(address, answering(b"second"));
    assert_eq!(ask().await.body, framed(b"second"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_amid_its_reply_is_unavailable() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(Arc::new(move |_, mut respond| {
        let told = told.clone();
        Box::pin(async move {
            let response = response().body(()).unwrap();
            let mut stream = respond.send_response(response, false).unwrap();
            stream.send_data(framed(b"half"), false).unwrap();
            told.send(()).unwrap();
            std::future::pending::<()>().await;
        })
    }));
    let recorder = recorder(upstream.address, Vec::new());
    let client = Client::connect(recorder.address()).await;
    let request = request("/angzarr.EventQueryService/GetEvents")
        .body(())
        .unwrap();
    let (response, mut stream) = client.open(request, false).await;
    stream.send_data(framed(b""), true).unwrap();
    let mut half = Half::default();
    let mut body = response.await.unwrap().into_body();
    half.body = body.data().await.unwrap().unwrap().to_vec();
    heard.recv().await.unwrap();
    upstream.stop().await;
    read_to_end(body, &mut half).await;
    assert_eq!(half.body, framed(b"half"));
    assert_eq!(half.status(), Some("14"));
    assert!(
        half.message().starts_with("the recorder lost the server: "),
        "{}",
        half.message()
    );
}
