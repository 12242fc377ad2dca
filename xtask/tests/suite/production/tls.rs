//! Real TLS servers, one for each thing that can be wrong with one, and what the tool says of it.

use std::net::SocketAddr;

use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, Server};
use angzarr_replay::internal::wire::Dialect;

use crate::production::gate::{Gate, socket_before, tls_before};
use crate::production::pki::{Authority, Pair, Valid, server, server_offering};
use crate::support::{Project, ROOT, coordinator, cover, seed, small_pages};

pub(crate) const CAPTURE: [&str; 4] = ["capture", ROOT, "--unredacted", "--dry-run"];

pub(crate) fn production() -> Server {
    coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..2))])
}

/// A project whose source is at an address, with files of an authority and a pair beside it.
fn project(address: &str, more: &str, authority: &Authority, pair: Option<&Pair>) -> Project {
    let project = Project::of_source(address, &format!("dialect = \"angzarr\"\n{more}"));
    project.write("ca.pem", &authority.pem());
    if let Some(pair) = pair {
        project.write("client.pem", &pair.certificate);
        project.write("client-key.pem", &pair.key);
    }
    project
}

const TRUSTING: &str = "tls = { ca = \"ca.pem\" }\n";
const WITH_CERTIFICATE: &str =
    "tls = { ca = \"ca.pem\", certificate = \"client.pem\", key = \"client-key.pem\" }\n";

/// The one line that a failing capture says.
fn refused(project: &mut Project) -> String {
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let said = ran.err.trim_end().to_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    let start = "error: source `production`, domain `player`: 127.0.0.1:PORT: ";
    said.strip_prefix(start)
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

fn captured(project: &mut Project) {
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("from production"), "{}", ran.out);
}

fn front(behind: &Server, pair: &Pair) -> SocketAddr {
    tls_before(behind.address(), server(pair, None))
}

#[test]
fn a_server_with_a_good_certificate_is_captured_from() {
    let (authority, behind) = (Authority::new("ours"), production());
    let address = front(&behind, &authority.sign("127.0.0.1", &Valid::Now));
    for spelled in [format!("https://{address}"), address.to_string()] {
        captured(&mut project(&spelled, TRUSTING, &authority, None));
    }
}

#[test]
fn authorities_of_the_system_are_trusted_without_a_word() {
    let (authority, behind) = (Authority::new("ours"), production());
    let address = front(&behind, &authority.sign("127.0.0.1", &Valid::Now));
    let mut project = project(&format!("https://{address}"), "", &authority, None);
    let roots = project.path("ca.pem").display().to_string();
    let ran = project.run_as(&CAPTURE, "", &[("SSL_CERT_FILE", &roots)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn certificates_out_of_their_time_are_told() {
    let (authority, behind) = (Authority::new("ours"), production());
    for (valid, said) in [
        (
            Valid::NoLonger,
            "its certificate has expired; renew it on the server",
        ),
        (
            Valid::NotYet,
            "its certificate is not valid yet; is the clock of this machine right?",
        ),
    ] {
        let address = front(&behind, &authority.sign("127.0.0.1", &valid));
        let mut project = project(&address.to_string(), TRUSTING, &authority, None);
        assert_eq!(refused(&mut project), said);
    }
}

#[test]
fn a_certificate_of_another_host_is_told_and_accepted_by_name() {
    let (authority, behind) = (Authority::new("ours"), production());
    let gate = Gate::open(behind.address());
    let pair = authority.sign("coordinator.example", &Valid::Now);
    let address = tls_before(gate.address, server(&pair, None)).to_string();
    let mut unnamed = project(&address, TRUSTING, &authority, None);
    assert_eq!(
        refused(&mut unnamed),
        "its certificate is for coordinator.example, not for 127.0.0.1; if that is the right server, set \
         `server_name` in `tls`"
    );
    assert!(gate.seen().is_empty());
    let named = "tls = { ca = \"ca.pem\", server_name = \"coordinator.example\" }\n";
    captured(&mut project(&address, named, &authority, None));
    // A gateway that looks at the name finds the right one.
    assert_eq!(gate.seen()[0].authority, "coordinator.example");
}

#[test]
fn an_unknown_authority_is_told() {
    let (ours, theirs, behind) = (
        Authority::new("ours"),
        Authority::new("theirs"),
        production(),
    );
    let address = front(&behind, &theirs.sign("127.0.0.1", &Valid::Now));
    let mut project = project(&address.to_string(), TRUSTING, &ours, None);
    assert_eq!(
        refused(&mut project),
        "its certificate is not signed by a trusted authority; name the authority with `ca` in `tls`"
    );
}

#[test]
fn a_client_certificate_is_shown_where_it_is_demanded() {
    let (authority, other, behind) = (
        Authority::new("ours"),
        Authority::new("other"),
        production(),
    );
    let pair = authority.sign("127.0.0.1", &Valid::Now);
    let address = tls_before(behind.address(), server(&pair, Some(&authority))).to_string();
    let mut without = project(&address, TRUSTING, &authority, None);
    assert_eq!(
        refused(&mut without),
        "it demands a client certificate; name one with `certificate` and `key` in `tls`"
    );
    let wrong = other.sign("developer", &Valid::Now);
    let mut refusing = project(&address, WITH_CERTIFICATE, &authority, Some(&wrong));
    let said = refused(&mut refusing);
    assert!(
        said.starts_with("it refuses the client certificate ("),
        "{said}"
    );
    let right = authority.sign("developer", &Valid::Now);
    captured(&mut project(
        &address,
        WITH_CERTIFICATE,
        &authority,
        Some(&right),
    ));
}

#[test]
fn a_plain_port_where_tls_is_wanted_is_told() {
    let (authority, behind) = (Authority::new("ours"), production());
    let mut project = project(&behind.address().to_string(), TRUSTING, &authority, None);
    assert_eq!(
        refused(&mut project),
        "it does not speak TLS; write the address without https:// and leave `tls` out, or use the port that speaks TLS"
    );
}

#[test]
fn a_tls_port_where_none_is_wanted_is_told() {
    let (authority, behind) = (Authority::new("ours"), production());
    let address = front(&behind, &authority.sign("127.0.0.1", &Valid::Now));
    let mut project = project(&address.to_string(), "", &authority, None);
    assert_eq!(
        refused(&mut project),
        "it speaks TLS; write the address with https://, or give the source `tls`"
    );
}

#[test]
fn tls_without_http2_is_told() {
    let (authority, behind) = (Authority::new("ours"), production());
    let pair = authority.sign("127.0.0.1", &Valid::Now);
    let config = server_offering(&pair, None, &[]);
    let address = tls_before(behind.address(), config).to_string();
    assert_eq!(
        refused(&mut project(&address, TRUSTING, &authority, None)),
        "it speaks TLS but offers no HTTP/2 (ALPN h2), which gRPC needs; is it the right port?"
    );
}

#[test]
fn files_that_are_no_certificates_and_keys_are_told() {
    let authority = Authority::new("ours");
    let pair = authority.sign("developer", &Valid::Now);
    let said = |change: &dyn Fn(&Project)| {
        let mut project = project("127.0.0.1:1", WITH_CERTIFICATE, &authority, Some(&pair));
        change(&project);
        let ran = project.run(&CAPTURE);
        assert_eq!(ran.code, 1);
        ran.err
            .trim_end()
            .replace("error: source `production`: ", "")
    };
    assert_eq!(
        said(&|project| project.write("ca.pem", "no PEM")),
        "`tls`: ca.pem contains no PEM certificate (-----BEGIN CERTIFICATE-----)"
    );
    assert_eq!(
        said(&|project| std::fs::remove_file(project.path("ca.pem")).unwrap()),
        "`tls.ca`: cannot read ca.pem: No such file or directory (os error 2)"
    );
    assert_eq!(
        said(&|project| project.write("client-key.pem", &pair.certificate)),
        "`tls`: client-key.pem contains no readable PEM private key; a key with a password has to be saved without the \
         password"
    );
    let other = authority.sign("developer", &Valid::Now);
    assert_eq!(
        said(&|project| project.write("client-key.pem", &other.key)),
        "`tls`: the key in client-key.pem does not belong to the certificate in client.pem, or its type is \
         not supported"
    );
}

#[test]
fn a_unix_socket_is_captured_from_and_a_missing_one_is_told() {
    let behind = production();
    let mut project = Project::of_source("unix:player.sock", "dialect = \"angzarr\"\n");
    let ran = project.run(&CAPTURE);
    assert_eq!(
        ran.err.trim_end(),
        "error: source `production`, domain `player`: cannot reach unix:PROJECT/player.sock for \
         EventQueryService/GetEventBook: No such file or directory; is it running, and is this its address?"
    );
    socket_before(behind.address(), &project.path("player.sock"));
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn tls_is_for_sources_only() {
    let refused = Connection::new("https://logic:50051", ConnectionOptions::default());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "https://logic:50051: TLS is supported for sources only; give a plain address, for example of a port forward"
    );
}

#[test]
fn tls_and_an_address_that_has_none_are_refused() {
    for address in ["http://localhost:1", "unix:/run/player.sock"] {
        let mut project = Project::of_source(address, TRUSTING);
        let ran = project.run(&CAPTURE);
        assert_eq!(ran.code, 2);
        assert_eq!(
            ran.err.trim_end(),
            format!(
                "error: configuration (PROJECT/replay.toml): source `production`: `tls` goes with HOST:PORT or \
                 https://HOST:PORT, and {address} is neither"
            )
        );
    }
}

#[test]
fn half_an_identity_is_refused() {
    let mut project = Project::of_source("127.0.0.1:1", "tls = { key = \"client.key\" }\n");
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("`tls`: `certificate` and `key` go together"),
        "{}",
        ran.err
    );
}

#[test]
fn a_server_name_that_is_none_is_told() {
    let mut project = Project::of_source("127.0.0.1:1", "tls = { server_name = \"no name\" }\n");
    let ran = project.run(&CAPTURE);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err.trim_end(),
        "error: source `production`: `tls`: `server_name`: `no name` is no host name"
    );
}

#[test]
fn a_system_that_trusts_nobody_is_told() {
    let mut project = Project::of_source("https://127.0.0.1:1", "");
    project.write("none.pem", "");
    let none = project.path("none.pem").display().to_string();
    let nowhere = project.path("nowhere").display().to_string();
    let environment = [("SSL_CERT_FILE", none.as_str()), ("SSL_CERT_DIR", &nowhere)];
    let ran = project.run_as(&CAPTURE, "", &environment);
    assert_eq!(
        ran.err.trim_end(),
        "error: source `production`: `tls`: no trusted certificates were found on this system; name the ones to trust with \
         `ca`, or set SSL_CERT_FILE"
    );
}
