//! Addresses of servers as users write them.

use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::CallError;

/// A checked address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// `HOST:PORT`, with or without TLS.
    Tcp {
        /// Host and port.
        authority: String,
        /// Whether `https://` was written.
        is_tls: bool,
    },
    /// `unix:/path`.
    Unix {
        /// Path of the socket.
        path: String,
    },
}

const HTTPS_PORT: u16 = 443;

impl Address {
    /// Parses `HOST:PORT`, `http://HOST:PORT`, `https://HOST[:PORT]` and `unix:/path`.
    pub(super) fn parse(text: &str) -> Result<Self, CallError> {
        let refused = || CallError::Address {
            address: text.to_owned(),
        };
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.starts_with('/') || path.ends_with('/') {
                return Err(refused());
            }
            return Ok(Self::Unix {
                path: path.to_owned(),
            });
        }
        let (rest, is_tls) = match text.strip_prefix("https://") {
            Some(rest) => (rest, true),
            None => (text.strip_prefix("http://").unwrap_or(text), false),
        };
        let plain = rest.trim_end_matches('/');
        let has_port = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
        let is_host = !plain.is_empty() && !plain.contains([':', ']']);
        if plain.contains(['/', '@', ' ', '?']) {
            return Err(refused());
        }
        let authority = if plain.rsplit_once(':').is_some_and(has_port) {
            plain.to_owned()
        } else if is_tls && is_host {
            format!("{plain}:{HTTPS_PORT}")
        } else {
            return Err(refused());
        };
        Ok(Self::Tcp { authority, is_tls })
    }

    /// Text for messages: `HOST:PORT` or `unix:/path`.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Tcp { authority, .. } => authority.clone(),
            Self::Unix { path } => format!("unix:{path}"),
        }
    }
}

/// Whether requests to an address cross the network unencrypted: it has no TLS and is not on this machine.
#[must_use]
pub fn is_sent_unencrypted(address: &str, has_tls: bool) -> bool {
    let is_local = |authority: &str| {
        let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    match Address::parse(address) {
        Ok(Address::Tcp { authority, is_tls }) => !is_tls && !has_tls && !is_local(&authority),
        Ok(Address::Unix { .. }) | Err(_) => false,
    }
}

/// Time limit of a trial connection.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether a server accepts connections at an address. Nothing is sent.
#[must_use]
pub fn accepts_connections(address: &str) -> bool {
    match Address::parse(address) {
        Ok(Address::Tcp { authority, .. }) => authority
            .to_socket_addrs()
            .into_iter()
            .flatten()
            .any(|address| TcpStream::connect_timeout(&address, TRIAL_TIMEOUT).is_ok()),
        #[cfg(unix)]
        Ok(Address::Unix { path }) => std::os::unix::net::UnixStream::connect(path).is_ok(),
        _ => false,
    }
}
