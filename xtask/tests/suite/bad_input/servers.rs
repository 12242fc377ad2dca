//! Servers that are not there, not what they should be, or misbehave.

use insta::assert_snapshot;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Methods, Server};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use bytes::Bytes;

use crate::support::{Project, ROOT, coordinator, cover, listener, page, seed, small_pages};

fn capture(project: &mut Project) -> i32 {
    project.run(&["capture", ROOT, "--unredacted"]).code
}

/// Answers each connection on a thread of its own; the threads end with the process.
fn answering(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener: TcpListener = listener();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

#[test]
fn an_unreachable_server_is_told() {
    let address = listener().local_addr().unwrap();
    let mut project = Project::of_source(address, "");
    assert_eq!(capture(&mut project), 1);
    assert_eq!(project.run(&["roots"]).code, 1);
    assert_snapshot!("unreachable", project.transcript());
}

#[test]
fn a_host_without_a_name_is_told() {
    let mut project = Project::of_source("no-such-host.invalid:1310", "");
    let ran = project.run(&["capture", ROOT, "--unredacted"]);
    assert_eq!(ran.code, 1);
    // The rest is the resolver's words.
    let expected = "error: source `production`, domain `player`: cannot reach no-such-host.invalid:1310 for \
                    EventQueryService/GetEventBook: ";
    assert!(ran.err.starts_with(expected), "{}", ran.err);
}

#[test]
fn an_http_server_is_no_grpc_server() {
    let address = answering(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let mut project = Project::of_source(address, "");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("http_server", project.transcript());
}

#[test]
fn a_server_that_hangs_up_is_told() {
    let address = answering(drop);
    let mut project = Project::of_source(address, "");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("hangs_up", project.transcript());
}

#[test]
fn a_server_that_never_answers_meets_the_deadline() {
    let address = answering(|mut stream| {
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
    });
    let mut project = Project::of_source(address, "deadline = 1\n");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("never_answers", project.transcript());
}

struct Foreign;

impl Methods for Foreign {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        None
    }
}

#[test]
fn a_grpc_server_of_another_kind_is_told() {
    let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Foreign), None).unwrap();
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("no_angzarr", project.transcript());
}

#[test]
fn a_wrong_dialect_is_told_with_the_right_one() {
    let books = [seed(cover(), small_pages(0..2))];
    let server = coordinator(Dialect::IO_ANGZARR_V1, &books);
    let mut project = Project::of_source(server.address(), "dialect = \"angzarr\"\n");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("wrong_dialect", project.transcript());
}

#[test]
fn an_assumed_dialect_is_told() {
    let books = [seed(cover(), small_pages(0..2))];
    let server = coordinator(Dialect::IO_ANGZARR_V1, &books);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(capture(&mut project), 0);
    assert_snapshot!("assumed_dialect", project.transcript());
}

#[test]
fn a_connection_that_breaks_within_a_reply_is_told() {
    let books = [seed(cover(), vec![page(0, vec![b'x'; 200_000])])];
    let server = coordinator(Dialect::ANGZARR, &books);
    let behind = server.address();
    // A way to the server that ends after some bytes of the reply.
    let address = answering(move |from| {
        let Ok(to) = TcpStream::connect(behind) else {
            return;
        };
        let (mut up_from, mut up_to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut up_from, &mut up_to));
        let _ = std::io::copy(&mut (&to).take(20_000), &mut (&from));
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut project = Project::of_source(address, "");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("breaks_within_a_reply", project.transcript());
}

struct Garbage;

impl Methods for Garbage {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        Some(Ok(vec![Bytes::from_static(b"\xff\xffsecret\xff")]))
    }
}

#[test]
fn a_reply_of_garbage_is_told_without_its_bytes() {
    let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Garbage), None).unwrap();
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(capture(&mut project), 1);
    let prefix = ["capture", "player/07", "--unredacted"];
    assert_eq!(project.run(&prefix).code, 1);
    assert_eq!(project.run(&["roots"]).code, 1);
    assert_snapshot!("garbage_reply", project.transcript());
}

#[test]
fn an_address_that_is_none_is_told() {
    let mut project = Project::of_source("somewhere", "");
    assert_eq!(capture(&mut project), 1);
    assert_snapshot!("no_address", project.transcript());
}
