//! Objects of S3, as a server of a few lines has them. Built with the feature `claim-check-cloud` only.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use angzarr_replay::internal::capture::StoredObjects;
use angzarr_replay::internal::project::Objects;
use test_support::coordinators;

const OBJECT: &[u8] = b"what is stored";

/// Answers HEAD and GET of one object.
fn bucket() -> SocketAddr {
    let listener = coordinators::listener();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(&stream));
        }
    });
    address
}

fn answer(stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range = headers.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("range: bytes=0-")
            .map(str::to_owned)
    });
    let is_there = first.contains(" /payloads/a/b ");
    let last = range.and_then(|last| last.parse::<usize>().ok());
    let body = last.map_or(OBJECT, |last| &OBJECT[..=last]);
    let (status, body) = match (is_there, last) {
        (false, _) => ("404 Not Found", &b""[..]),
        (true, None) => ("200 OK", body),
        (true, Some(_)) => ("206 Partial Content", body),
    };
    let mut head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nlast-modified: Mon, 23 Nov 2026 00:00:00 GMT\r\netag: \"a\"\r\n\
         connection: close\r\n",
        body.len()
    );
    if let Some(last) = last {
        head += &format!("content-range: bytes 0-{last}/{}\r\n", OBJECT.len());
    }
    let mut out = stream;
    let _ = out.write_all(format!("{head}\r\n").as_bytes());
    if !first.starts_with("HEAD") {
        let _ = out.write_all(body);
    }
}

fn objects() -> Objects {
    let options = [
        ("AWS_ENDPOINT", format!("http://{}", bucket())),
        ("AWS_ALLOW_HTTP", "true".into()),
        ("AWS_REGION", "here".into()),
        ("AWS_ACCESS_KEY_ID", "planted-key".into()),
        ("AWS_SECRET_ACCESS_KEY", "planted-secret".into()),
        ("HOME", "not for a cloud".into()),
    ];
    Objects::with_options(options.map(|(name, value)| (name.to_owned(), value)))
}

#[test]
fn an_object_is_read_and_no_more_of_a_longer_one_than_tells_that_it_is() {
    let objects = objects();
    assert_eq!(objects.read("s3://payloads/a/b", 14).unwrap(), OBJECT);
    assert_eq!(objects.read("s3://payloads/a/b", 4).unwrap(), &OBJECT[..5]);
}

#[test]
fn an_object_that_is_not_there_is_told_without_secrets() {
    let error = objects().read("s3://payloads/elsewhere", 14).unwrap_err();
    assert!(
        error.contains("elsewhere") && error.contains("not found"),
        "{error}"
    );
    assert!(!error.contains("planted"), "{error}");
}
