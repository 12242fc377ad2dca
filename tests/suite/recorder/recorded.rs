//! The recorded session through the recorder: what arrives on both sides is what arrives without it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::record::{Answer, RecordingFile, parse_recording};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::support::{
    Client, Half, Handler, Upstream, framed, read_to_end, recorder, request, response, ring,
};

const CALLS: &str = include_str!("../../../examples/poker/recorded/calls.jsonl");

pub(super) fn calls() -> Vec<Value> {
    let calls = CALLS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    calls.collect()
}

pub(super) fn bytes(base64: &Value) -> Bytes {
    STANDARD.decode(base64.as_str().unwrap()).unwrap().into()
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'%';
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn replies(call: &Value) -> Vec<Bytes> {
    let unary = call.get("response").into_iter();
    let streamed = call.get("responses").and_then(Value::as_array);
    unary
        .chain(streamed.into_iter().flatten())
        .filter(|reply| !reply.is_null())
        .map(bytes)
        .collect()
}

fn ending(call: &Value) -> HeaderMap {
    let numbers = [
        ("OK", "0"),
        ("CANCELLED", "1"),
        ("UNKNOWN", "2"),
        ("INVALID_ARGUMENT", "3"),
        ("DEADLINE_EXCEEDED", "4"),
        ("NOT_FOUND", "5"),
        ("ALREADY_EXISTS", "6"),
        ("PERMISSION_DENIED", "7"),
        ("RESOURCE_EXHAUSTED", "8"),
        ("FAILED_PRECONDITION", "9"),
        ("ABORTED", "10"),
        ("OUT_OF_RANGE", "11"),
        ("UNIMPLEMENTED", "12"),
        ("INTERNAL", "13"),
        ("UNAVAILABLE", "14"),
    ];
    let number = numbers
        .iter()
        .find(|(name, _)| call["code"] == *name)
        .unwrap()
        .1;
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", number.parse().unwrap());
    if let Some(message) = call["message"].as_str() {
        headers.insert("grpc-message", percent(message).parse().unwrap());
    }
    for (name, value) in call["trailers"].as_object().into_iter().flatten() {
        let name: http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    headers
}

/// Answers the call that a header names as it was answered, and keeps what it was sent.
fn player(received: Arc<Mutex<BTreeMap<usize, Vec<Half>>>>) -> Handler {
    let calls = Arc::new(calls());
    Arc::new(move |request, mut respond| {
        let (calls, received) = (Arc::clone(&calls), Arc::clone(&received));
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut half = Half {
                head: format!("{} {} {:?}", parts.method, parts.uri, parts.version),
                headers: parts.headers,
                ..Half::default()
            };
            read_to_end(body, &mut half).await;
            let at: usize = half.headers["x-call"].to_str().unwrap().parse().unwrap();
            received.lock().unwrap().entry(at).or_default().push(half);
            let call = &calls[at];
            let mut response = response().header("x-server", "recorded").body(()).unwrap();
            let ending = ending(call);
            let replies = replies(call);
            if replies.is_empty() && call["code"] != "OK" {
                // As servers answer a failing unary call: all in the headers.
                response.headers_mut().extend(ending);
                respond.send_response(response, true).unwrap();
                return;
            }
            let mut stream = respond.send_response(response, false).unwrap();
            for reply in replies {
                stream.send_data(framed(&reply), false).unwrap();
            }
            stream.send_trailers(ending).unwrap();
        })
    })
}

async fn play(client: &Client) -> Vec<Half> {
    let mut halves = Vec::new();
    for (at, call) in calls().iter().enumerate() {
        let request = request(call["path"].as_str().unwrap())
            .header("x-call", at.to_string())
            .header("user-agent", "a client of its own/1.0")
            .body(())
            .unwrap();
        let message = framed(&bytes(&call["request"]));
        halves.push(client.call(request, message).await);
    }
    halves
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_session_passes_byte_for_byte_and_its_noted_calls_are_in_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let received = Arc::new(Mutex::new(BTreeMap::new()));
    let upstream = Upstream::start(player(Arc::clone(&received)));
    let store = RecordingFile::open(&file, ring(1_000)).unwrap();
    let recorder = recorder(upstream.address, vec![Box::new(store)]);

    let direct = play(&Client::connect(upstream.address).await).await;
    let through = play(&Client::connect(recorder.address()).await).await;

    assert_eq!(direct.len(), 118);
    for (at, (direct, through)) in direct.iter().zip(&through).enumerate() {
        assert_eq!(direct, through, "reply of call {}", at + 1);
    }
    for (at, halves) in received.lock().unwrap().iter() {
        assert_eq!(halves.len(), 2, "call {}", at + 1);
        assert_eq!(halves[0], halves[1], "request of call {}", at + 1);
    }
    // And both are what was recorded.
    for (call, half) in calls().iter().zip(&through) {
        let body: Vec<u8> = replies(call).iter().flat_map(|it| framed(it)).collect();
        assert_eq!(half.body, body, "call {}", call["n"]);
        let trailers = half.trailers.as_ref().unwrap_or(&half.headers);
        for (name, value) in &ending(call) {
            assert_eq!(trailers.get(name), Some(value), "call {}", call["n"]);
        }
    }
    assert_in_recording(&recorder.end().unwrap(), &file);
}

/// Commands, and whatever logic was asked, are noted with the bytes and statuses of the session.
fn assert_in_recording(counts: &angzarr_replay::internal::record::Counts, file: &std::path::Path) {
    let text = std::fs::read_to_string(file).unwrap();
    let noted = parse_recording(&text).unwrap();
    let expected: Vec<Value> = calls()
        .into_iter()
        .filter(|call| {
            let path = call["path"].as_str().unwrap();
            let services = [
                "CoordinatorService/HandleCommand",
                "CommandHandlerService/Handle",
                "SagaService/Handle",
                "ProcessManagerService/",
                "ProjectorService/",
                "UpcasterService/",
            ];
            services.iter().any(|service| path.contains(service)) && !path.ends_with("/Replay")
        })
        .collect();
    assert!(expected.len() > 60, "{}", expected.len());
    assert_eq!(counts.passed, 118);
    assert_eq!(counts.kept, noted.len() as u64);
    assert_eq!(noted.len(), expected.len());
    for (number, (recorded, call)) in (1..).zip(noted.iter().zip(&expected)) {
        let note = &recorded.call;
        assert_eq!(note.number, number);
        assert_eq!(note.path, call["path"].as_str().unwrap());
        assert_eq!(note.request, bytes(&call["request"]), "call {}", call["n"]);
        match &note.answer {
            Answer::Reply(reply) => {
                assert_eq!(call["code"], "OK");
                assert_eq!(*reply, bytes(&call["response"]), "call {}", call["n"]);
            }
            Answer::Status(refusal) => {
                assert_eq!(call["code"], refusal.failure.code.name());
                let message = call["message"].as_str().unwrap_or_default();
                assert_eq!(refusal.failure.message, message, "call {}", call["n"]);
            }
        }
    }
}
