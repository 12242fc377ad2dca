//! Free ports on 127.0.0.1.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

use crate::output::LastOutput;

/// The ports that this process chose lately. Servers that are started at once must not get the same one, before the first
/// of them binds it.
static CHOSEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nobody listens on. It is below the range that the system assigns by itself: a port of that range could go
/// to another process before the server binds it, and we would take that process for the server.
pub fn free_port() -> std::io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let mut chosen = CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
    if chosen.len() > usize::from(COUNT / 2) {
        chosen.clear();
    }
    let random = RandomState::new();
    let candidates = (0..50_u8).map(|attempt| {
        let offset = random.hash_one(attempt) % u64::from(COUNT);
        FIRST + u16::try_from(offset).expect("it is less than COUNT")
    });
    for port in candidates {
        if !chosen.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            chosen.insert(port);
            return Ok(port);
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

/// Fills the port in for `{port}`.
pub(crate) fn with_port(text: &str, port: u16) -> String {
    text.replace("{port}", &port.to_string())
}

/// Whether a process printed that another one has its port.
pub(crate) fn says_port_is_taken(output: &LastOutput) -> bool {
    let text = output.0.to_lowercase();
    [
        "address already in use",
        "eaddrinuse",
        "failed to bind",
        "bind: ",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
