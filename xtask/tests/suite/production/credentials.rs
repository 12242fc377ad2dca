//! Credentials reach the server and nothing else.

use std::sync::{Arc, Mutex};

use angzarr_replay::internal::grpc::{
    Access, ConnectionOptions, PemFile, QueryConnection, QueryPolicy, Secret, Tls, TlsOptions,
};
use tonic::Status;

use crate::production::gate::{Gate, tls_before};
use crate::production::pki::{Authority, Valid, server};
use crate::production::tls::{CAPTURE, production};
use crate::support::{Project, Ran};

const TOKEN: &str = "planted-0123456789";
const KEY: &str = "planted-abcdefghij";

fn header(gate: &Gate, name: &str) -> Vec<String> {
    let of = |headers: &http::HeaderMap| {
        let value = headers.get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    gate.seen().iter().map(|seen| of(&seen.headers)).collect()
}

#[track_caller]
fn hides_secrets(project: &Project, ran: &Ran) {
    for secret in [TOKEN, KEY] {
        assert!(!ran.out.contains(secret), "{}", ran.out);
        assert!(!ran.err.contains(secret), "{}", ran.err);
        for (name, content) in project.files() {
            let is_their_place = name.starts_with("secrets/");
            let text = String::from_utf8_lossy(&content).into_owned();
            assert!(is_their_place || !text.contains(secret), "{name}");
        }
    }
}

#[test]
fn secrets_from_everywhere_go_with_every_query_and_nowhere_else() {
    let behind = production();
    let gate = Gate::open(behind.address());
    let mut project = Project::of_source(
        gate.address,
        "bearer = { environment = \"TOKEN_OF_THE_TEST\" }\n\
         [sources.production.metadata]\n\
         x-api-key = { file = \"secrets/key\" }\n\
         X-Tenant = { command = [\"./secrets/print.sh\", \"blue\"] }\n",
    );
    project.write("secrets/key", &format!("  {KEY}\n\n"));
    project.write(
        "secrets/print.sh",
        "#!/bin/sh\necho ran >> secrets/runs\necho planted-by-command-$1\n",
    );
    executable(&project, "secrets/print.sh");
    let token = [("TOKEN_OF_THE_TEST", TOKEN)];
    for arguments in [&CAPTURE[..], &["roots"], &CAPTURE[..3]] {
        for json in [&[][..], &["--json"]] {
            let ran = project.run_as(&[arguments, json].concat(), "", &token);
            assert_eq!(ran.code, 0, "{}", ran.err);
            hides_secrets(&project, &ran);
            assert!(!ran.out.contains("planted"), "{}", ran.out);
        }
    }
    let (tokens, keys) = (header(&gate, "authorization"), header(&gate, "x-api-key"));
    assert!(tokens.len() > 6);
    assert!(
        tokens.iter().all(|seen| *seen == format!("Bearer {TOKEN}")),
        "{tokens:?}"
    );
    assert!(keys.iter().all(|seen| seen == KEY), "{keys:?}");
    assert!(
        header(&gate, "x-tenant")
            .iter()
            .all(|seen| seen == "planted-by-command-blue")
    );
    // Once a run of the tool, whatever it asks.
    assert_eq!(project.read("secrets/runs").lines().count(), 6);
}

fn executable(project: &Project, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path(name), permissions).unwrap();
}

#[test]
fn a_server_that_repeats_a_secret_is_quoted_without_it() {
    let behind = production();
    let gate = Gate::refusing(behind.address(), |_, seen| {
        let token = seen.headers.get("authorization").unwrap().to_str().unwrap();
        Some(Status::unauthenticated(format!(
            "no such token: {token} ({token:?})"
        )))
    });
    let mut project = Project::of_source(gate.address, "bearer = { environment = \"TOKEN\" }\n");
    let ran = project.run_as(&CAPTURE, "", &[("TOKEN", TOKEN)]);
    assert_eq!(ran.code, 1);
    hides_secrets(&project, &ran);
    assert_eq!(
        ran.err.trim_end(),
        "error: source `production`, domain `player`: 127.0.0.1:PORT answered EventQueryService/GetEventBook with \
         UNAUTHENTICATED: no such token: Bearer [secret] (\"Bearer [secret]\")"
    );
}

/// What a run says whose source has some configuration; nothing is asked of anybody.
fn said(more: &str, code: i32) -> String {
    said_at("127.0.0.1:1", more, code)
}

fn said_at(address: &str, more: &str, code: i32) -> String {
    let mut project = Project::of_source(address, more);
    project.write(
        "secrets/failing.sh",
        &format!("echo {TOKEN}; echo {KEY} >&2; exit 3\n"),
    );
    project.write("secrets/many", &format!("{TOKEN}\n{KEY}\n"));
    let ran = project.run_as(&CAPTURE, "", &[("EMPTY", "")]);
    assert_eq!(ran.code, code, "{}", ran.err);
    hides_secrets_said(&ran);
    let text = ran
        .err
        .trim_end()
        .replace("configuration (PROJECT/replay.toml): ", "");
    text.replace("error: source `production`: ", "")
}

#[track_caller]
fn hides_secrets_said(ran: &Ran) {
    for secret in [TOKEN, KEY] {
        assert!(!ran.err.contains(secret), "{}", ran.err);
    }
}

#[test]
fn secrets_that_cannot_be_had_are_told_without_them() {
    for (more, expected) in [
        (
            "bearer = { environment = \"NOT_SET_HERE\" }",
            "`bearer`: the environment variable NOT_SET_HERE is not set, or is no text",
        ),
        (
            "bearer = { environment = \"EMPTY\" }",
            "`bearer`: the secret is empty",
        ),
        (
            "metadata = { x-key = { file = \"nowhere\" } }",
            "`metadata.x-key`: cannot read nowhere: No such file or directory (os error 2)",
        ),
        (
            "bearer = { command = [\"sh\", \"secrets/failing.sh\"] }",
            "`bearer`: `sh` ended with exit status: 3; what it printed may be secret and is not shown, so run it by \
             hand to see why",
        ),
        (
            "bearer = { command = [\"no-such-program-here\"] }",
            "`bearer`: cannot run `no-such-program-here`: No such file or directory (os error 2)",
        ),
        (
            "deadline = 1\nbearer = { command = [\"sleep\", \"600\"] }",
            "`bearer`: `sleep` did not end within 1 s; it gets no input, so it must not ask for any",
        ),
        (
            "bearer = { command = [\"printf\", '\\377'] }",
            "`bearer`: `printf` printed something that is no text",
        ),
        (
            "bearer = { file = \"secrets/many\" }",
            "the value of the metadata `authorization` cannot be sent: it is empty or contains something other than \
             visible ASCII; it is not shown here",
        ),
    ] {
        assert_eq!(said(more, 1), expected, "{more}");
    }
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_not_repeated() {
    let holds = "`bearer` says where the secret comes from and never holds it: { environment = \"NAME\" }, \
                 { file = \"PATH\" } or { command = [\"PROGRAM\"] } is expected";
    for (more, expected) in [
        (format!("bearer = \"{TOKEN}\""), holds.to_owned()),
        (
            format!("metadata = {{ x-key = \"{TOKEN}\" }}"),
            holds.replace("`bearer`", "`metadata.x-key`"),
        ),
        (
            format!("bearer = {{ token = \"{TOKEN}\" }}"),
            "`bearer`: unknown field `token`, expected `environment`, `file` or `command`".into(),
        ),
        (
            format!("bearer = {{ environment = \"A\", file = \"{TOKEN}\" }}"),
            "`bearer` needs exactly one of `environment`, `file` and `command`".into(),
        ),
        (
            format!("bearer = {{ command = \"{TOKEN}\" }}"),
            "`bearer`: `command` must be a list of texts: a program and its arguments".into(),
        ),
        (
            "bearer = { file = 1 }".into(),
            "`bearer`: `file` must be a text that is not empty".into(),
        ),
        (
            "metadata = { grpc-timeout = { environment = \"A\" } }".into(),
            "`grpc-timeout` is metadata of gRPC itself and cannot be set".into(),
        ),
        (
            "metadata = { key-bin = { environment = \"A\" } }".into(),
            "`key-bin` names binary metadata, which is not supported; use a name that does not end in -bin".into(),
        ),
        (
            "metadata = { \"a key\" = { environment = \"A\" } }".into(),
            "`a key` is not a metadata name: expected letters, digits, `-`, `_` and `.`, as in x-api-key".into(),
        ),
        (
            "bearer = { environment = \"A\" }\nmetadata = { Authorization = { environment = \"A\" } }".into(),
            "`bearer` and `metadata.authorization` are the same metadata".into(),
        ),
    ] {
        assert_eq!(said(&more, 2), expected, "{more}");
    }
}

#[test]
fn credentials_go_to_other_machines_through_tls_only() {
    let bearer = "bearer = { environment = \"TOKEN\" }";
    assert_eq!(
        said_at("ch.example:1310", bearer, 2),
        "credentials would travel to ch.example:1310 without encryption; write https:// or give `tls`, or say \
         `plaintext_credentials = true` where a mesh encrypts them"
    );
    for address in [
        "localhost:1",
        "127.0.0.1:1",
        "[::1]:1",
        "unix:/no/such.sock",
        "https://ch.example",
    ] {
        let not_set = "`bearer`: the environment variable TOKEN is not set, or is no text";
        assert_eq!(said_at(address, bearer, 1), not_set, "{address}");
    }
    let meant = format!("plaintext_credentials = true\n{bearer}");
    assert!(said_at("ch.example:1310", &meant, 1).contains("TOKEN is not set"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The library in a program that logs everything: the one place where what the transport logs is seen.
#[test]
fn no_level_of_logging_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let authority = Authority::new("ours");
    let behind = production();
    let gate = Gate::open(behind.address());
    let pair = authority.sign("127.0.0.1", &Valid::Now);
    let address = tls_before(gate.address, server(&pair, None)).to_string();
    let tls = Tls::new(&TlsOptions {
        ca: Some(PemFile {
            name: "ca.pem".into(),
            content: authority.pem().into_bytes(),
        }),
        ..TlsOptions::default()
    });
    let metadata = [("x-api-key".to_owned(), Secret::new(KEY.into()))];
    let access = Access::new(Some(tls.unwrap()), metadata).unwrap();
    let policy = Arc::new(QueryPolicy::default());
    let connection =
        QueryConnection::new(&address, ConnectionOptions::default(), access, policy).unwrap();
    assert!(connection.detect_dialect().unwrap().is_some());
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("h2::"), "the transport logs");
    assert_eq!(header(&gate, "x-api-key")[0], KEY);
    for line in logged.lines() {
        assert!(!line.contains(KEY), "{line}");
    }
    assert!(!format!("{connection:?}").contains(KEY));
}
