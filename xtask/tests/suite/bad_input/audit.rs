//! What an audit finds, in which places and encodings, and what it says of what it could not read.
//!
//! Secrets are assembled here, so that no scanner takes this file for a leak.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::Project;

/// Letters and digits as chance has them, always the same ones.
fn letters(count: usize) -> String {
    const ALL: &[u8] = b"aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fG";
    let all = ALL.iter().cycle().map(|it| char::from(*it));
    all.take(count).collect()
}

fn hex(count: usize) -> String {
    "8f14e45fceea167a5a36dedd4bea2543"
        .chars()
        .cycle()
        .take(count)
        .collect()
}

/// What is found, and what it is found as.
#[expect(clippy::too_many_lines, reason = "a table")]
fn secrets() -> Vec<(&'static str, String, &'static str)> {
    let part = |it: &serde_json::Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let jwt = [
        part(&json!({"alg": "HS256"})),
        part(&json!({"sub": "1234567890"})),
        letters(43),
    ]
    .join(".");
    let basic = STANDARD.encode(["alice", ":", "S3cretPw99"].concat());
    let pem = |kind: &str| {
        let line = STANDARD.encode(letters(48));
        format!("-----BEGIN {kind}PRIVATE KEY-----\n{line}\n-----END {kind}PRIVATE KEY-----")
    };
    vec![
        ("jwt", jwt.clone(), "JWT"),
        (
            "aws-id",
            ["AK", "IA", "QYLPMN5HHHFPZAM2"].concat(),
            "AWS Access Key ID",
        ),
        (
            "aws-temporary",
            ["AS", "IA", "QYLPMN5HHHFPZAM2"].concat(),
            "AWS Access Key ID",
        ),
        (
            "aws-secret",
            ["aws_secret", "_access_key = ", &letters(40)].concat(),
            "AWS Secret Access Key",
        ),
        ("pem", pem(""), "private key"),
        ("pem-rsa", pem("RSA "), "private key"),
        ("pem-encrypted", pem("ENCRYPTED "), "private key"),
        ("pem-ssh", pem("OPENSSH "), "private key"),
        (
            "github",
            ["gh", "p_", &letters(36)].concat(),
            "GitHub token",
        ),
        (
            "github-app",
            ["gh", "s_", &letters(36)].concat(),
            "GitHub token",
        ),
        (
            "github-refresh",
            ["gh", "r_", &letters(76)].concat(),
            "GitHub token",
        ),
        (
            "github-fine",
            ["github", "_pat_", &letters(22), "_", &letters(59)].concat(),
            "GitHub token",
        ),
        (
            "gitlab",
            ["gl", "pat-", &letters(20)].concat(),
            "GitLab token",
        ),
        (
            "gitlab-runner",
            ["gl", "rt-", &letters(20)].concat(),
            "GitLab token",
        ),
        (
            "slack-bot",
            ["xo", "xb-", "1234567890-1234567890123-", &letters(24)].concat(),
            "Slack token",
        ),
        (
            "slack-app",
            ["xa", "pp-1-", "A012ABCDEFG-1234567890-", &hex(64)].concat(),
            "Slack token",
        ),
        (
            "slack-webhook",
            [
                "https://hooks.",
                "slack.com/services/",
                "T01234567/B01234567/",
                &letters(24),
            ]
            .concat(),
            "Slack webhook",
        ),
        (
            "stripe",
            ["sk_", "live_", &letters(24)].concat(),
            "Stripe key",
        ),
        (
            "stripe-restricted",
            ["rk_", "test_", &letters(99)].concat(),
            "Stripe key",
        ),
        (
            "stripe-webhook",
            ["wh", "sec_", &letters(32)].concat(),
            "Stripe key",
        ),
        (
            "google",
            ["AI", "za", &letters(35)].concat(),
            "Google Cloud API Key",
        ),
        (
            "google-oauth",
            ["ya", "29.", &letters(60)].concat(),
            "Google OAuth token",
        ),
        (
            "google-account",
            ["\"private", "_key_id\": \"", &hex(40), "\""].concat(),
            "Google service account",
        ),
        (
            "npm",
            ["np", "m_", &letters(36)].concat(),
            "npm Access Token",
        ),
        ("twilio", ["S", "K", &hex(32)].concat(), "Twilio API Key"),
        (
            "shopify",
            ["sh", "pat_", &hex(32)].concat(),
            "Shopify token",
        ),
        (
            "digitalocean",
            ["do", "p_v1_", &hex(64)].concat(),
            "DigitalOcean token",
        ),
        (
            "azure",
            [
                "DefaultEndpointsProtocol=https;Account",
                "Key=",
                &letters(86),
                "==",
            ]
            .concat(),
            "Azure key",
        ),
        (
            "azure-client",
            ["abc", "8Q~", &letters(34)].concat(),
            "Azure key",
        ),
        (
            "basic",
            ["Authorization: Ba", "sic ", &basic].concat(),
            "basic credentials",
        ),
        (
            "bearer",
            ["authorization: bear", "er ", &letters(24)].concat(),
            "bearer token",
        ),
        (
            "sendgrid",
            ["S", "G.", &letters(22), ".", &letters(43)].concat(),
            "SendGrid API Key",
        ),
        ("email", "jörg@corp.io".into(), "email"),
        ("iban", "BE71-0961-2345-6769".into(), "IBAN"),
        ("card", "3056 930902 5904".into(), "card number"),
        (
            "by-name",
            "secret_key=hunter22".into(),
            "secret by its name",
        ),
        (
            "in-url",
            "redis://:S3cretPw99@cache".into(),
            "password in a URL",
        ),
    ]
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(u8::try_from(number % 128).unwrap() | 0x80);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// Field 15 and after it field 8, whose tags are letters, in a message within field 15 of another.
fn message(text: &str) -> Vec<u8> {
    let field = |tag: u8, value: &[u8]| [&[tag][..], &varint(value.len()), value].concat();
    let inner = [field(b'z', text.as_bytes()), field(b'B', b"Berlin")].concat();
    [field(b'z', &inner), field(b'2', b"0")].concat()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(project: &Project, name: &str, bytes: impl AsRef<[u8]>) {
    let path = project.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Names of the findings in each file, and of the files that were not read in full.
struct Told {
    code: i32,
    all: Value,
}

impl Told {
    fn findings(&self, file: &str) -> Vec<&str> {
        let all = self.all["findings"].as_array().unwrap();
        let own = all.iter().filter(|it| it["file"] == file);
        own.map(|it| it["finding"].as_str().unwrap()).collect()
    }

    fn unread(&self, file: &str) -> Vec<&str> {
        let all = self.all["unread"].as_array().unwrap();
        let own = all.iter().filter(|it| it["file"] == file);
        own.map(|it| it["reason"].as_str().unwrap()).collect()
    }
}

fn audit(project: &mut Project) -> Told {
    let ran = project.run(&["audit", "--json", "files"]);
    Told {
        code: ran.code,
        all: serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err)),
    }
}

#[test]
fn each_secret_is_found_in_each_place() {
    let mut project = Project::new("");
    let indented = |text: &str| text.replace('\n', "\n    ");
    for (name, secret, _) in secrets() {
        let quoted = json!({"log": json!({"note": json!({"it": secret}).to_string()}).to_string()});
        for (place, bytes) in [
            (
                "plain.txt",
                format!("it said {secret} and ended").into_bytes(),
            ),
            (
                "yaml.yaml",
                format!("event:\n  note: |\n    {}\n", indented(&secret)).into_bytes(),
            ),
            ("json.jsonl", format!("{quoted}\n").into_bytes()),
            (
                "base64.yaml",
                format!("bytes: {}\n", STANDARD.encode(&secret)).into_bytes(),
            ),
            ("message.binpb", message(&secret)),
            (
                "packed.jsonl.gz",
                gzip(
                    format!("{{\"bytes\":\"{}\"}}\n", STANDARD.encode(message(&secret))).as_bytes(),
                ),
            ),
        ] {
            write(&project, &format!("files/{name}/{place}"), bytes);
        }
    }
    let told = audit(&mut project);
    assert_eq!(told.code, 1);
    let mut missed = Vec::new();
    for (name, secret, what) in secrets() {
        for place in [
            "plain.txt",
            "yaml.yaml",
            "json.jsonl",
            "base64.yaml",
            "message.binpb",
            "packed.jsonl.gz",
        ] {
            let file = format!("files/{name}/{place}");
            let found = told.findings(&file);
            // Of a value that its name tells, too, the first is told.
            let is_named = name == "aws-secret" && found == ["secret by its name"];
            if !found.contains(&what) && !is_named {
                missed.push(format!("{file}: {found:?}"));
            }
            assert_eq!(told.unread(&file), Vec::<&str>::new());
        }
        assert!(!told.all.to_string().contains(&secret), "{name} is shown");
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn names_tell_secrets_in_each_place() {
    let mut project = Project::new("");
    let named = [
        "password: hunter22",
        "db-password: hunter22",
        "pwd: hunter22",
        "secret_key: hunter22",
        "client-secret: hunter22",
        "token: hunter22",
        "access-token: hunter22",
        "password: |\n  hunter22",
        "password: >-\n  hunter22",
        "- name: PASSWORD\n  value: hunter22",
        "{\"api_key\": \"hunter22\"}",
        "{\"clientSecret\":\"hunter22\"}",
        "<password>hunter22</password>",
    ];
    for (at, text) in named.iter().enumerate() {
        let quoted = json!({"log": json!({"body": text}).to_string()}).to_string();
        for (place, bytes) in [
            ("plain", text.as_bytes().to_vec()),
            ("json", quoted.into_bytes()),
            ("base64", STANDARD.encode(text).into_bytes()),
            ("base64-url", URL_SAFE_NO_PAD.encode(text).into_bytes()),
            ("message", message(text)),
            (
                "percent",
                text.replace(' ', "%20")
                    .replace('\n', "%0A")
                    .replace('"', "%22")
                    .into_bytes(),
            ),
        ] {
            write(&project, &format!("files/{at}/{place}"), bytes);
        }
    }
    let told = audit(&mut project);
    for (at, text) in named.iter().enumerate() {
        for place in [
            "plain",
            "json",
            "base64",
            "base64-url",
            "message",
            "percent",
        ] {
            let found = told.findings(&format!("files/{at}/{place}"));
            assert_eq!(found, ["secret by its name"], "{place}: {text}");
        }
    }
}

#[test]
fn every_encoding_of_letters_is_read() {
    let mut project = Project::new("");
    let text = "first: line\nmail: jörg@corp.io\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|it| it.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|it| it.to_be_bytes()).collect();
    let wide: Vec<u8> = text
        .chars()
        .flat_map(|it| u32::from(it).to_le_bytes())
        .collect();
    let latin: Vec<u8> = text.chars().map(|it| u8::try_from(it).unwrap()).collect();
    let files = [
        ("utf8", text.as_bytes().to_vec()),
        ("utf8-marked", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("utf16-le", [&b"\xff\xfe"[..], &little].concat()),
        ("utf16-be", [&b"\xfe\xff"[..], &big].concat()),
        ("utf16-le-unmarked", little.clone()),
        ("utf16-be-unmarked", big.clone()),
        ("utf16-cut", [&b"\xff\xfe"[..], &little, b"x"].concat()),
        (
            "utf16-half-a-letter",
            [&b"\xff\xfe\x00\xd8"[..], &little].concat(),
        ),
        ("utf32", [&b"\xff\xfe\x00\x00"[..], &wide].concat()),
        ("latin1", latin),
        ("packed.gz", gzip(&[&b"\xff\xfe"[..], &little].concat())),
    ];
    for (name, bytes) in &files {
        write(&project, &format!("files/{name}"), bytes);
    }
    let told = audit(&mut project);
    for (name, _) in &files {
        let file = format!("files/{name}");
        assert_eq!(told.findings(&file), ["email"], "{name}");
        assert_eq!(told.unread(&file), Vec::<&str>::new(), "{name}");
        let all = told.all["findings"].as_array().unwrap();
        let found = all.iter().find(|it| it["file"] == file.as_str()).unwrap();
        assert_eq!(
            (&found["line"], &found["column"]),
            (&json!(2), &json!(7)),
            "{name}"
        );
    }
}

/// A byte that is no letter must not switch off names, base64 and quotations in the rest of the file.
#[test]
fn one_odd_byte_hides_nothing_of_the_rest() {
    let mut project = Project::new("");
    let encoded = STANDARD.encode("mail mina@corp.io");
    let text = format!(
        "password: hunter22\nbytes: {encoded}\nlog: \"{{\\\"token\\\": \\\"hunter22\\\"}}\"\nphone: +49 170 1234567\n"
    );
    for (name, odd) in [("first", 0), ("amid", 25), ("last", text.len())] {
        for byte in [0xff, 0x00, 0x80, 0x01] {
            let mut bytes = text.clone().into_bytes();
            bytes.insert(odd, byte);
            write(&project, &format!("files/{name}-{byte}"), bytes);
        }
    }
    let told = audit(&mut project);
    for name in ["first", "amid", "last"] {
        for byte in [0xff, 0x00, 0x80, 0x01] {
            let found = told.findings(&format!("files/{name}-{byte}"));
            let named = found
                .iter()
                .filter(|it| **it == "secret by its name")
                .count();
            assert!(
                found.contains(&"phone number") && named == 2,
                "{name} {byte}: {found:?}"
            );
            assert!(
                found.contains(&"email") || name == "amid",
                "{name} {byte}: {found:?}"
            );
        }
    }
}

#[test]
fn every_member_of_a_packed_file_is_read() {
    let mut project = Project::new("");
    let (one, two) = (gzip(b"first: line\n"), gzip(b"mail: mina@corp.io\n"));
    write(&project, "files/two.gz", [&one[..], &two].concat());
    write(
        &project,
        "files/empty-first.gz",
        [&gzip(b"")[..], &one, &two].concat(),
    );
    write(&project, "files/padded.gz", [&two[..], &[0; 512]].concat());
    write(&project, "files/not-named-so.jsonl", &two);
    write(&project, "files/twice.gz", gzip(&two));
    write(
        &project,
        "files/in-base64.yaml",
        STANDARD.encode([&one[..], &two].concat()),
    );
    let told = audit(&mut project);
    for name in [
        "two.gz",
        "empty-first.gz",
        "padded.gz",
        "not-named-so.jsonl",
        "twice.gz",
        "in-base64.yaml",
    ] {
        let file = format!("files/{name}");
        assert_eq!(told.findings(&file), ["email"], "{name}");
        assert_eq!(told.unread(&file), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn what_could_not_be_read_is_said_and_is_no_success() {
    let mut project = Project::new("");
    let packed = gzip(b"mail: mina@corp.io\n");
    let long = gzip(letters(100_000).as_bytes());
    let files: [(&str, Vec<u8>); 9] = [
        ("cut.gz", long[..long.len() - 20].to_vec()),
        ("damaged.gz", [&packed[..], &long[..20], b"????"].concat()),
        ("trailing.gz", [&packed[..], b"and more"].concat()),
        ("no.gz", b"nothing packed".to_vec()),
        ("zip.zip", b"PK\x03\x04\x14\x00".to_vec()),
        ("zstd.zst", b"\x28\xb5\x2f\xfd\x04\x00".to_vec()),
        ("zstd.zst.gz", gzip(b"\x28\xb5\x2f\xfd\x04\x00")),
        ("compress.Z", b"\x1f\x9d\x90mail".to_vec()),
        (
            "lfs.yaml",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n".to_vec(),
        ),
    ];
    for (name, bytes) in &files {
        write(&project, &format!("files/{name}"), bytes);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", project.path("files/link")).unwrap();
    let told = audit(&mut project);
    assert_eq!(told.code, 1);
    for (name, _) in &files {
        let unread = told.unread(&format!("files/{name}"));
        assert_eq!(unread.len(), 1, "{name}: {unread:?}");
    }
    #[cfg(unix)]
    assert_eq!(told.unread("files/link"), ["no such file or directory"]);
    // What came before the flaw is found.
    for name in ["damaged.gz", "trailing.gz"] {
        assert_eq!(told.findings(&format!("files/{name}")), ["email"], "{name}");
    }
    let ran = project.run(&["audit", "files/zip.zip"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert_eq!(
        ran.out,
        "files/zip.zip: not read: it is a zip archive, which is not supported\n"
    );
    // Only who says that it may stay unread lets it pass.
    let allowed = |finding: &str| {
        format!(
            "[[audit.allow]]\n{finding}text = \"*\"\nfiles = \"files/zip.zip\"\nreason = \"made up\"\n"
        )
    };
    project.write("replay.toml", &allowed(""));
    assert_eq!(project.run(&["audit", "files/zip.zip"]).code, 1);
    project.write("replay.toml", &allowed("finding = \"not read\"\n"));
    assert_eq!(project.run(&["audit", "files/zip.zip"]).code, 0);
}
