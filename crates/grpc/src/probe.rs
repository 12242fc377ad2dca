//! What answers at an address where a call broke: the transport's words for "no HTTP/2" depend on who is quicker.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::tls::TlsFailure;

const PATIENCE: Duration = Duration::from_secs(1);
/// The preface of HTTP/2 and an empty SETTINGS frame.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FRAME_HEADER: usize = 9;
const SETTINGS: u8 = 4;

/// The record in which a TLS server says that it was not greeted in TLS, and the first byte of its version.
const TLS_ALERT: [u8; 2] = [21, 3];

/// What answers instead of HTTP/2.
pub(super) enum Seen {
    /// TLS, or another one than ours.
    Tls(TlsFailure),
    /// Something else, in words.
    Other(String),
}

/// In which way a server speaks no HTTP/2; none where it does, or is gone. Says hello and calls nothing.
pub(super) fn no_http2(address: &str) -> Option<Seen> {
    let address = address.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let _ = stream.write_all(HELLO);
    let mut heard = Vec::new();
    while heard.len() < FRAME_HEADER {
        let mut bytes = [0; FRAME_HEADER];
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => heard.extend(&bytes[..count]),
            Err(error) if is_slow(error.kind()) => return None,
            Err(_) => break,
        }
    }
    let says = match heard.as_slice() {
        // A port forward hangs up as long as nothing is behind it: that is no answer.
        [] | [_, _, _, SETTINGS, ..] => return None,
        heard if heard.starts_with(&TLS_ALERT) => return Some(Seen::Tls(TlsFailure::OnlyTls)),
        heard if heard.starts_with(b"HTTP/") => "it answers in HTTP/1",
        _ => "it speaks no HTTP/2",
    };
    Some(Seen::Other(says.to_owned()))
}

fn is_slow(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
