//! Statuses as a server may write them, read by replay's client and by the recorder alike.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use angzarr_replay::internal::grpc::{CallError, Connection, ConnectionOptions};
use angzarr_replay::internal::model::{Code, Timestamp};
use angzarr_replay::internal::record::{
    Answer, CallStore, KeepMode, RecordedCall, Recorder, Subject,
};
use angzarr_replay::internal::wire::{FailingStatus, STATUS_LIMIT};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use test_support::coordinators;

use super::support::{
    Half, Handler, Upstream, read_to_end, recorder, response, settings, status_trailers,
};

const SAGA: &str = "/angzarr.SagaService/Handle";

/// Where a server writes a status that ends a call without a reply.
#[derive(Clone, Copy)]
enum Place {
    Headers,
    Trailers,
}

fn ending(place: Place, status: HeaderMap) -> Handler {
    std::sync::Arc::new(move |request, mut respond| {
        let status = status.clone();
        Box::pin(async move {
            read_to_end(request.into_body(), &mut Half::default()).await;
            let mut head = response().body(()).unwrap();
            match place {
                Place::Headers => {
                    head.headers_mut().extend(status);
                    let _ = respond.send_response(head, true);
                }
                Place::Trailers => {
                    let mut stream = respond.send_response(head, false).unwrap();
                    let _ = stream.send_trailers(status);
                }
            }
        })
    })
}

struct Notes(Sender<Answer>);

impl CallStore for Notes {
    fn keep(&mut self, note: &RecordedCall, _: Option<&Subject>, _: KeepMode) -> io::Result<()> {
        let _ = self.0.send(note.answer.clone());
        Ok(())
    }

    fn expire(&mut self, _: Timestamp) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn call(address: &str) -> Result<Bytes, CallError> {
    let connection = Connection::new(address, ConnectionOptions::default()).unwrap();
    connection.call(SAGA, Bytes::new())
}

/// What replay's client reads, which is what it reads through a recorder and what the recorder notes.
fn read(place: Place, message: &[u8], details: &[u8]) -> FailingStatus {
    let mut status = status_trailers("9");
    status.insert("grpc-message", HeaderValue::from_bytes(message).unwrap());
    let details = HeaderValue::from_bytes(details).unwrap();
    status.insert("grpc-status-details-bin", details);
    let upstream = Upstream::start(ending(place, status));
    let (sender, answers): (_, Receiver<Answer>) = channel();
    let proxy = recorder(upstream.address, vec![Box::new(Notes(sender))]);
    let [direct, proxied] =
        [upstream.address, proxy.address()].map(|address| match call(&address.to_string()) {
            Err(CallError::Status {
                failure, details, ..
            }) => FailingStatus { failure, details },
            other => panic!("{other:?}"),
        });
    assert_eq!(direct, proxied);
    let noted = answers.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(noted, Answer::Status(direct.clone()));
    direct
}

#[test]
fn a_long_message_is_whole_wherever_it_stands() {
    for place in [Place::Headers, Place::Trailers] {
        let ascii = "a".repeat(18_000);
        let refusal = read(place, ascii.as_bytes(), b"");
        assert_eq!(refusal.failure.code, Code::FailedPrecondition);
        assert_eq!(refusal.failure.message, ascii);
        let encoded = "%D0%B6".repeat(3_000);
        let refusal = read(place, encoded.as_bytes(), b"");
        assert_eq!(refusal.failure.message, "\u{436}".repeat(3_000));
    }
}

#[test]
fn a_status_over_the_limit_is_an_error_and_no_empty_message() {
    for place in [Place::Headers, Place::Trailers] {
        let mut status = status_trailers("9");
        let message = HeaderValue::from_bytes(&vec![b'a'; STATUS_LIMIT]).unwrap();
        status.insert("grpc-message", message);
        let upstream = Upstream::start(ending(place, status));
        let address = upstream.address.to_string();
        assert_eq!(
            call(&address).unwrap_err().to_string(),
            format!(
                "{address} answered SagaService/Handle with a failing status of more than 1048576 bytes: its message and \
                 details cannot be compared; shorten them in the logic, or raise `max_status_kibibytes` in replay.toml"
            )
        );
    }
}

#[test]
fn another_limit_holds_for_replay_and_recorder() {
    let long = HeaderValue::from_bytes(&vec![b'a'; 20_000]).unwrap();
    let mut status = status_trailers("9");
    status.insert("grpc-message", long);
    let upstream = Upstream::start(ending(Place::Trailers, status));
    let read = |limit: usize| {
        let options = ConnectionOptions {
            status_limit: limit,
            ..ConnectionOptions::default()
        };
        let connection = Connection::new(&upstream.address.to_string(), options).unwrap();
        connection.call(SAGA, Bytes::new()).unwrap_err()
    };
    assert!(matches!(
        read(16 << 10),
        CallError::StatusTooLarge { limit: 16_384, .. }
    ));
    assert_eq!(read(32 << 10).failure().unwrap().message.len(), 20_000);
    let noted = |limit: usize| {
        let (sender, answers): (_, Receiver<Answer>) = channel();
        let mut settings = settings(upstream.address, vec![Box::new(Notes(sender))]);
        settings.status_limit = limit;
        let recorder = Recorder::start(coordinators::listener(), settings).unwrap();
        let passed_on = call(&recorder.address().to_string()).unwrap_err();
        assert_eq!(passed_on.failure().unwrap().message.len(), 20_000);
        let counts = recorder.end().unwrap();
        (answers.try_iter().count(), counts.kept, counts.too_large)
    };
    assert_eq!(noted(16 << 10), (0, 0, 1));
    assert_eq!(noted(32 << 10), (1, 1, 0));
}

#[test]
fn odd_details_and_odd_text_leave_the_code() {
    for place in [Place::Headers, Place::Trailers] {
        for (details, read_as) in [
            (&b"!!!"[..], &b"!!!"[..]),
            (b"-_8", &[0xfb, 0xff]),
            (b"+/8=,AQ==", &[0xfb, 0xff]),
            (b"AQ", &[1]),
            (b"", b""),
        ] {
            let refusal = read(place, b"no", details);
            assert_eq!(refusal.failure.code, Code::FailedPrecondition);
            assert_eq!(refusal.failure.message, "no");
            assert_eq!(refusal.details, read_as);
        }
        for message in [&b"caf%E9"[..], b"caf\xe9"] {
            let refusal = read(place, message, b"");
            assert_eq!(refusal.failure.code, Code::FailedPrecondition);
            assert_eq!(refusal.failure.message, "caf\u{fffd}");
        }
    }
}
