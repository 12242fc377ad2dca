//! TLS towards a server: whom we trust, who we are, and what exactly went wrong.

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

/// A file in PEM: its name for messages, and its content, which is not shown.
#[derive(Clone)]
pub struct PemFile {
    /// Name of the file.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PemFile").field(&self.name).finish()
    }
}

/// What TLS is made with.
#[derive(Debug, Clone, Default)]
pub struct TlsParts {
    /// Authorities that are trusted; those of the system where none are given.
    pub ca: Option<PemFile>,
    /// Whether those of the system are trusted in addition.
    pub system_roots: bool,
    /// Our certificate and its key.
    pub identity: Option<(PemFile, PemFile)>,
    /// Name that the server's certificate has to be for, and that is asked for; the host of the address where it is
    /// left out.
    pub server_name: Option<String>,
}

/// TLS that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// No certificate in a file.
    #[error("{file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    NoCertificate {
        /// The file.
        file: String,
    },
    /// No key in a file.
    #[error(
        "{file} holds no private key in PEM that can be read; a key with a password has to be written without it"
    )]
    NoKey {
        /// The file.
        file: String,
    },
    /// Certificate and key do not belong together.
    #[error(
        "the key in {key} is not that of the certificate in {certificate}, or of a kind that is not supported"
    )]
    Pair {
        /// File of the certificate.
        certificate: String,
        /// File of the key.
        key: String,
    },
    /// No name.
    #[error("`server_name`: `{name}` is no host name")]
    ServerName {
        /// The text.
        name: String,
    },
    /// The system trusts nobody.
    #[error(
        "no trusted certificates are found on this system; name those to trust with `ca`, or set SSL_CERT_FILE"
    )]
    NoSystemRoots,
    /// Anything else, in the library's words.
    #[error("TLS cannot be set up: {0}")]
    Other(String),
}

/// TLS that can be used.
#[derive(Clone)]
pub struct Tls {
    config: ClientTlsConfig,
    /// The same, to ask once more what a server has against us.
    asking: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    /// Authority of the requests, where a server name is given.
    origin: Option<Uri>,
    has_identity: bool,
}

impl Tls {
    /// Checks the parts. Nothing is connected to.
    pub fn new(parts: &TlsParts) -> Result<Self, TlsError> {
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
            asking: Arc::new(asking(roots, parts.identity.as_ref())?),
            server_name,
            origin,
            has_identity: parts.identity.is_some(),
        })
    }

    pub(super) fn secure(&self, endpoint: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        let endpoint = endpoint.tls_config(self.config.clone())?;
        Ok(match &self.origin {
            Some(origin) => endpoint.origin(origin.clone()),
            None => endpoint,
        })
    }

    /// What a server that broke a connection has against us. A server looks at our certificate after we believe to be
    /// connected, and what it says of it is lost where we are writing already: so it is asked again, and nothing is sent.
    pub(super) fn objection(&self, authority: &str) -> Option<TlsFailure> {
        let (host, _) = authority.rsplit_once(':')?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok()?,
        };
        let address = authority.to_socket_addrs().ok()?.next()?;
        let stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let session = ClientConnection::new(Arc::clone(&self.asking), name).ok()?;
        match StreamOwned::new(session, stream).read(&mut [0; 1]) {
            Err(error) if error.kind() == ErrorKind::InvalidData => TlsFailure::of(&error, self),
            _ => None,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(1);

fn certificates(file: &PemFile) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file.content).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| TlsError::NoCertificate {
            file: file.name.clone(),
        })
}

fn asking(
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

/// What went wrong between us and a server that we speak TLS to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// Its certificate is no longer valid.
    #[error("its certificate has expired; it has to be renewed there")]
    Expired,
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid yet; is the clock of this machine right?")]
    NotYetValid,
    /// Its certificate is for another host.
    #[error(
        "its certificate is for {presented}, not for {expected}; where that is the right server, say so with \
         `server_name` in `tls`"
    )]
    OtherHost {
        /// Names in the certificate.
        presented: String,
        /// Name that was asked for.
        expected: String,
    },
    /// Nobody we trust vouches for its certificate.
    #[error(
        "its certificate is signed by nobody that is trusted here; name its authority with `ca` in `tls`"
    )]
    UnknownAuthority,
    /// It wants a certificate of ours.
    #[error("it demands a client certificate; name one with `certificate` and `key` in `tls`")]
    ClientCertificateMissing,
    /// It does not want the certificate that it was shown.
    #[error(
        "it refuses the client certificate ({0}); is it the one for this server, and still valid?"
    )]
    ClientCertificateRefused(String),
    /// It speaks no TLS.
    #[error(
        "it speaks no TLS; write the address without https:// and leave `tls` out, or use the port that speaks TLS"
    )]
    NotTls,
    /// It speaks TLS, and we do not.
    #[error("it speaks TLS; write the address with https://, or give the source `tls`")]
    OnlyTls,
    /// TLS, but not HTTP/2 within it.
    #[error(
        "it speaks TLS but offers no HTTP/2 (ALPN h2), which gRPC needs; is it the right port?"
    )]
    NoHttp2,
    /// Anything else, in the library's words.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

impl TlsFailure {
    /// What a failure of the transport has to do with TLS; nothing where it has not.
    pub(super) fn of(error: &(dyn std::error::Error + 'static), tls: &Tls) -> Option<Self> {
        for cause in super::client::causes(error) {
            // An error of input and output does not name what it wraps as its source.
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
            // An alert that comes after our half of the handshake is wrapped in errors that cannot be asked.
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
            // Before TLS 1.3 there is no alert of its own for it.
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

/// Names in a certificate, as `DnsName("a.example")`.
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
