//! Probes an address after a broken call. The transport's error does not reliably show that a server lacks HTTP/2, because
//! it depends on timing.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::tls::TlsFailure;

const TIMEOUT: Duration = Duration::from_secs(1);
/// The preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FRAME_HEADER: usize = 9;
const SETTINGS: u8 = 4;

/// Start of the alert that a TLS server sends to a client without TLS: record type, and first byte of the version.
const TLS_ALERT: [u8; 2] = [21, 3];

/// What answers at an address instead of HTTP/2 as expected.
pub(super) enum NotHttp2 {
    /// TLS failed, or TLS is required.
    Tls(TlsFailure),
    /// Something else, as a description.
    Other(String),
}

/// Why a server does not speak HTTP/2; `None` if it does, or is gone. Sends the HTTP/2 preface and no call.
pub(super) fn why_not_http2(address: &str) -> Option<NotHttp2> {
    let address = address.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    let _ = stream.write_all(PREFACE);
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
    let reason = match heard.as_slice() {
        // A port forward hangs up while nothing is behind it, which does not show what the server speaks.
        [] | [_, _, _, SETTINGS, ..] => return None,
        heard if heard.starts_with(&TLS_ALERT) => return Some(NotHttp2::Tls(TlsFailure::OnlyTls)),
        heard if heard.starts_with(b"HTTP/") => "it answers in HTTP/1",
        _ => "it does not speak HTTP/2",
    };
    Some(NotHttp2::Other(reason.to_owned()))
}

fn is_slow(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
