//! TLS to a server: trusted authorities, our identity, and the exact reason of a failure.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto,
};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Uri};

/// A PEM file: its name for messages, and its content, which is never shown.
#[derive(Clone)]
pub struct PemFile {
    /// Name of the file.
    pub name: String,
    /// Content.
    pub content: Vec<u8>,
}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PemFile").field(&self.name).finish()
    }
}

/// TLS options.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Trusted authorities; `None` means those of the system.
    pub ca: Option<PemFile>,
    /// Whether to trust the system's authorities in addition.
    pub system_roots: bool,
    /// Our certificate and its key.
    pub identity: Option<(PemFile, PemFile)>,
    /// Host name to request and to expect in the server's certificate; `None` means the host of the address.
    pub server_name: Option<String>,
}

/// Invalid TLS options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file contains no certificate.
    #[error("{file} contains no PEM certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate {
        /// The file.
        file: String,
    },
    /// A file contains no readable key.
    #[error(
        "{file} contains no readable PEM private key; a key with a password has to be saved without the password"
    )]
    NoKey {
        /// The file.
        file: String,
    },
    /// The key does not match the certificate.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}, or its type is not supported"
    )]
    Pair {
        /// File of the certificate.
        certificate: String,
        /// File of the key.
        key: String,
    },
    /// The server name is invalid.
    #[error("`server_name`: `{name}` is no host name")]
    ServerName {
        /// The text.
        name: String,
    },
    /// The system has no trusted authorities.
    #[error(
        "no trusted certificates were found on this system; name the ones to trust with `ca`, or set SSL_CERT_FILE"
    )]
    NoSystemRoots,
    /// Any other error; the message is the library's.
    #[error("TLS cannot be set up: {0}")]
    Other(String),
}

/// Checked TLS options.
#[derive(Clone)]
pub struct Tls {
    config: ClientTlsConfig,
    /// The same configuration for a probe that finds out why a server broke a connection.
    probe_config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    /// Origin of the requests, if a server name is given.
    origin: Option<Uri>,
    has_identity: bool,
}

impl Tls {
    /// Checks the options. No connection is made.
    pub fn new(parts: &TlsOptions) -> Result<Self, TlsError> {
        let mut config = ClientTlsConfig::new();
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &parts.ca {
            roots.add_parsable_certificates(certificates(ca)?);
            config = config.ca_certificate(Certificate::from_pem(&ca.content));
        }
        if parts.ca.is_none() || parts.system_roots {
            let found = rustls_native_certs::load_native_certs().certs;
            if found.is_empty() {
                return Err(TlsError::NoSystemRoots);
            }
            roots.add_parsable_certificates(found);
            config = config.with_native_roots();
        }
        let (mut server_name, mut origin) = (None, None);
        if let Some(name) = &parts.server_name {
            let refused = || TlsError::ServerName { name: name.clone() };
            server_name = Some(ServerName::try_from(name.clone()).map_err(|_| refused())?);
            origin = Some(format!("https://{name}").parse().map_err(|_| refused())?);
            config = config.domain_name(name);
        }
        if let Some((certificate, key)) = &parts.identity {
            config = config.identity(Identity::from_pem(&certificate.content, &key.content));
        }
        Ok(Self {
            config,
            probe_config: Arc::new(probe_config(roots, parts.identity.as_ref())?),
            server_name,
            origin,
            has_identity: parts.identity.is_some(),
        })
    }

    /// The configuration for a protocol other than HTTP/2.
    #[must_use]
    pub fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::clone(&self.probe_config);
        config.alpn_protocols.clear();
        config
    }

    /// The name that the certificate of a host must have.
    pub fn name_of(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        if let Some(name) = &self.server_name {
            return Ok(name.clone());
        }
        let refused = |_| TlsError::ServerName {
            name: host.to_owned(),
        };
        ServerName::try_from(host.to_owned()).map_err(refused)
    }

    pub(super) fn secure(&self, endpoint: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        let endpoint = endpoint.tls_config(self.config.clone())?;
        Ok(match &self.origin {
            Some(origin) => endpoint.origin(origin.clone()),
            None => endpoint,
        })
    }

    /// Why a server broke a connection. A server checks our certificate after the handshake has ended for us, and its alert is
    /// lost if we are already writing. This connects again and sends nothing, so that the alert arrives.
    pub(super) fn why_broken(&self, authority: &str) -> Option<TlsFailure> {
        let (host, _) = authority.rsplit_once(':')?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok()?,
        };
        let address = authority.to_socket_addrs().ok()?.next()?;
        let stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
        stream.set_read_timeout(Some(TIMEOUT)).ok()?;
        let session = ClientConnection::new(Arc::clone(&self.probe_config), name).ok()?;
        match StreamOwned::new(session, stream).read(&mut [0; 1]) {
            Err(error) if error.kind() == ErrorKind::InvalidData => TlsFailure::of(&error, self),
            _ => None,
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(1);

fn certificates(file: &PemFile) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file.content).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| TlsError::NoCertificate {
            file: file.name.clone(),
        })
}

fn probe_config(
    roots: RootCertStore,
    identity: Option<&(PemFile, PemFile)>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Other(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let private =
                PrivateKeyDer::from_pem_slice(&key.content).map_err(|_| TlsError::NoKey {
                    file: key.name.clone(),
                })?;
            builder
                .with_client_auth_cert(chain, private)
                .map_err(|_| TlsError::Pair {
                    certificate: certificate.name.clone(),
                    key: key.name.clone(),
                })?
        }
    };
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(config)
}

/// Why TLS to a server failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// Its certificate has expired.
    #[error("its certificate has expired; renew it on the server")]
    Expired,
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid yet; is the clock of this machine right?")]
    NotYetValid,
    /// Its certificate is for another host.
    #[error(
        "its certificate is for {presented}, not for {expected}; if that is the right server, set \
         `server_name` in `tls`"
    )]
    OtherHost {
        /// Names in the certificate.
        presented: String,
        /// Name that was asked for.
        expected: String,
    },
    /// Its certificate is not signed by a trusted authority.
    #[error(
        "its certificate is not signed by a trusted authority; name the authority with `ca` in `tls`"
    )]
    UnknownAuthority,
    /// It requires a client certificate.
    #[error("it demands a client certificate; name one with `certificate` and `key` in `tls`")]
    ClientCertificateMissing,
    /// It refuses our client certificate.
    #[error(
        "it refuses the client certificate ({0}); is it the one for this server, and still valid?"
    )]
    ClientCertificateRefused(String),
    /// It does not speak TLS.
    #[error(
        "it does not speak TLS; write the address without https:// and leave `tls` out, or use the port that speaks TLS"
    )]
    NotTls,
    /// It requires TLS, which we did not use.
    #[error("it speaks TLS; write the address with https://, or give the source `tls`")]
    OnlyTls,
    /// It speaks TLS, but not HTTP/2.
    #[error(
        "it speaks TLS but offers no HTTP/2 (ALPN h2), which gRPC needs; is it the right port?"
    )]
    NoHttp2,
    /// Any other error; the message is the library's.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

impl TlsFailure {
    /// TLS failure behind a transport error; `None` if it is not about TLS.
    pub fn of(error: &(dyn std::error::Error + 'static), tls: &Tls) -> Option<Self> {
        for cause in super::failed_call::causes(error) {
            // `io::Error::source` skips the wrapped error itself.
            let inner = cause.downcast_ref::<std::io::Error>().and_then(|error| {
                let inner: &(dyn std::error::Error + 'static) = error.get_ref()?;
                inner.downcast_ref::<rustls::Error>()
            });
            if let Some(error) = cause.downcast_ref::<rustls::Error>().or(inner) {
                return Some(Self::of_rustls(error, tls));
            }
            let words = cause.to_string();
            if words.contains("HTTP/2 was not negotiated") {
                return Some(Self::NoHttp2);
            }
            if words.contains("tls handshake eof") {
                return Some(Self::NotTls);
            }
            // An alert after our side of the handshake is wrapped in errors that cannot be downcast.
            if let Some((_, alert)) = words.split_once("received fatal alert: ") {
                let alert: String = alert
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                return Some(Self::of_alert(&alert, tls));
            }
        }
        None
    }

    fn of_rustls(error: &rustls::Error, tls: &Tls) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::of_alert(&format!("{alert:?}"), tls),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            other => Self::Other(other.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::OtherHost {
                presented: names(presented),
                expected: expected.to_str().into_owned(),
            },
            CertificateError::NotValidForName => Self::OtherHost {
                presented: names(&[]),
                expected: "the one that was asked for".into(),
            },
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            other => Self::Other(other.to_string()),
        }
    }

    fn of_alert(alert: &str, tls: &Tls) -> Self {
        match alert {
            "CertificateRequired" => Self::ClientCertificateMissing,
            // Before TLS 1.3 there is no specific alert for it.
            "HandshakeFailure" if !tls.has_identity => Self::ClientCertificateMissing,
            "BadCertificate"
            | "UnsupportedCertificate"
            | "CertificateRevoked"
            | "CertificateExpired"
            | "CertificateUnknown"
            | "UnknownCA"
            | "AccessDenied"
            | "DecryptError"
                if tls.has_identity =>
            {
                Self::ClientCertificateRefused(alert.to_owned())
            }
            other => Self::Other(format!("the server says {other}")),
        }
    }
}

/// Names in a certificate, which rustls gives as `DnsName("a.example")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        name.split_once('"')
            .and_then(|(_, rest)| rest.split_once('"'))
            .map_or_else(|| name.clone(), |(name, _)| name.to_owned())
    };
    if presented.is_empty() {
        return "another host".into();
    }
    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
}
