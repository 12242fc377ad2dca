//! Bundles: a case that is captured where production is, and replayed where the logic is.

use std::io::Read as _;

use angzarr_replay::internal::coordinator::SeedBook;
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::wire::Dialect;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_snapshot;

use crate::production::read_only::demo;
use crate::support::{
    ALICE, Project, ROOT, Ran, coordinator, cover, player, recorded_failures, seed, small_pages,
};

const RULES: &str = "[redaction]\nkey_env = \"REDACTION_KEY\"\n[[redaction.rules]]\ntype = \"examples.PlayerRegistered\"\n\
                     field = \"email\"\naction = \"pseudonym\"\nform = \"email\"\nreason = \"theirs\"\n";
const KEY: [(&str, &str); 1] = [("REDACTION_KEY", "a key of more than sixteen bytes")];

/// A project that reaches production and knows its failures.
fn cluster(server: &Server, more: &str) -> Project {
    let address = server.address();
    let project = Project::of_source(address, &format!("tickets = [\"failures.jsonl\"]\n{more}"));
    project.write("failures.jsonl", &recorded_failures());
    project
}

/// A project that has descriptors and logic, and no source.
fn laptop() -> Project {
    Project::new("")
}

/// Every fixture and the files beside it, without the times of capture.
fn fixtures(project: &Project) -> Vec<(String, Vec<u8>)> {
    let files = project.files().into_iter();
    let files = files.filter(|(name, _)| name.starts_with("fixtures/"));
    files
        .map(|(name, bytes)| {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.starts_with(b"  captured_at:"));
            (name, lines.collect::<Vec<_>>().concat())
        })
        .collect()
}

/// Runs a command that must succeed.
#[track_caller]
fn run(project: &mut Project, arguments: &[&str]) -> Ran {
    let ran = project.run_as(arguments, "", &KEY);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran
}

/// Captures directly, and by way of a bundle on standard output; both must give the same files. Returns the bundle.
#[track_caller]
fn carried(
    cluster: &mut Project,
    arguments: &[&str],
    laptop: &mut Project,
    more: &[&str],
) -> String {
    let direct = [&["capture"][..], arguments].concat();
    let bundle = run(cluster, &[&direct[..], &["--bundle", "-"]].concat());
    assert!(fixtures(cluster).is_empty());
    assert_eq!(bundle.out.lines().count(), 1, "{}", bundle.out);
    assert!(!bundle.err.contains("replayed on") && !bundle.err.contains("verdict"));
    run(cluster, &direct);
    laptop.write("bundle.jsonl", &bundle.out);
    run(
        laptop,
        &[&["capture", "--from-bundle", "bundle.jsonl"][..], more].concat(),
    );
    let (direct, carried) = (fixtures(cluster), fixtures(laptop));
    assert!(!direct.is_empty());
    assert_eq!(direct, carried);
    bundle.out
}

/// The transcript without bundles and the times when they were made.
fn steady(project: &Project) -> String {
    let lines = project.transcript().lines();
    let lines = lines.map(|line| match line.split_once("made at ") {
        _ if line.starts_with("{\"bundle\":1,") => "(a bundle)".to_owned(),
        Some((start, rest)) => {
            let (_, end) = rest.split_once(' ').unwrap();
            format!("{start}made at TIME {end}")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is in a bundle, as text.
fn content(bundle: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(bundle).unwrap();
    let packed = STANDARD.decode(line["content"].as_str().unwrap()).unwrap();
    let mut content = String::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader.read_to_string(&mut content).unwrap();
    content
}

#[test]
fn a_bundle_becomes_the_case_that_a_direct_capture_makes() {
    let server = demo();
    let mut cluster = cluster(&server, "");
    let mut laptop = laptop();
    carried(
        &mut cluster,
        &[ALICE, "--unredacted"],
        &mut laptop,
        &["--unredacted"],
    );
    assert_snapshot!("bundle", steady(&cluster));
    assert_snapshot!("from_bundle", steady(&laptop));
}

#[test]
fn a_long_history_is_carried_with_its_file() {
    let books: [SeedBook; 1] = [seed(cover(), small_pages(0..700))];
    let server = coordinator(Dialect::ANGZARR, &books);
    let (mut cluster, mut laptop) = (cluster(&server, ""), laptop());
    let arguments = [ROOT, "--history", "--unredacted"];
    carried(&mut cluster, &arguments, &mut laptop, &["--unredacted"]);
    let names: Vec<String> = fixtures(&laptop)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name.starts_with("fixtures/histories/")),
        "{names:?} of {}",
        player()
    );
}

#[test]
fn a_whole_workflow_is_carried_too() {
    let arguments = ["6513270e", "--correlation", "wf-seat"];
    carried(&mut Project::bare(), &arguments, &mut Project::bare(), &[]);
}

#[test]
fn a_bundle_is_redacted_like_any_capture_and_not_redacted_twice() {
    let server = demo();
    let (mut cluster, mut laptop) = (cluster(&server, RULES), laptop());
    let bundle = carried(&mut cluster, &[ALICE], &mut laptop, &[]);
    assert!(!content(&bundle).contains("alice@example.com"));
    // With the team's rules, too.
    let mut with_rules = Project::new(RULES);
    with_rules.write("bundle.jsonl", &bundle);
    run(
        &mut with_rules,
        &["capture", "--from-bundle", "bundle.jsonl"],
    );
    assert_eq!(fixtures(&with_rules), fixtures(&cluster));
    // Without rules there is no bundle.
    let mut without = self::cluster(&server, "");
    let ran = without.run(&["capture", ALICE, "--bundle", "-"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("say --unredacted"), "{}", ran.err);
}

#[test]
fn a_bundle_that_is_not_redacted_is_redacted_where_it_is_read() {
    let server = demo();
    let mut cluster = cluster(&server, RULES);
    let bundle = run(
        &mut cluster,
        &["capture", ALICE, "--unredacted", "--bundle", "-"],
    )
    .out;
    assert!(content(&bundle).contains("alice@example.com"));
    run(&mut cluster, &["capture", ALICE]);
    let mut laptop = Project::new(RULES);
    laptop.write("bundle.jsonl", &bundle);
    run(&mut laptop, &["capture", "--from-bundle", "bundle.jsonl"]);
    assert_eq!(fixtures(&laptop), fixtures(&cluster));
    let mut without = self::laptop();
    without.write("bundle.jsonl", &bundle);
    let ran = without.run(&["capture", "--from-bundle", "bundle.jsonl"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.starts_with(
            "error: the bundle bundle.jsonl is not redacted, and replay.toml has no [redaction]"
        ),
        "{}",
        ran.err
    );
}

#[test]
fn names_and_labels_are_given_where_the_bundle_is_read() {
    let mut cluster = Project::bare();
    let bundle = run(&mut cluster, &["capture", ALICE, "--bundle", "-"]).out;
    let mut laptop = Project::bare();
    let arguments = [
        "capture",
        "--from-bundle",
        "-",
        "--title",
        "The chips stay",
        "--issue",
        "https://issues.example/7",
        "--name",
        "player/mine",
        "--accept",
    ];
    let ran = laptop.run_as(&arguments, &bundle, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let fixture = laptop.read("fixtures/player/mine.yaml");
    for line in [
        "status: closed",
        "title: The chips stay",
        "issue: https://issues.example/7",
    ] {
        assert!(fixture.contains(line), "{fixture}");
    }
    assert!(laptop.path("fixtures/player/mine.snap").exists());
}

#[test]
fn a_bundle_is_found_in_the_log_of_a_job() {
    let mut cluster = Project::bare();
    let bundle = run(&mut cluster, &["capture", ALICE, "--bundle", "-"]);
    let mut laptop = Project::bare();
    for log in [
        format!("{}{}done\n", bundle.err, bundle.out),
        format!("2026-11-23T00:01:30.123456789Z {}", bundle.out),
        format!("\u{feff}{}", bundle.out.replace('\n', "\r\n")),
    ] {
        laptop.write("job.log", &log);
        run(&mut laptop, &["capture", "--from-bundle", "job.log"]);
    }
}

#[test]
fn a_bundle_that_was_cut_or_changed_is_refused() {
    let mut cluster = Project::bare();
    let bundle = run(&mut cluster, &["capture", ALICE, "--bundle", "-"]).out;
    let line: serde_json::Value = serde_json::from_str(&bundle).unwrap();
    let repacked = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut line = line.clone();
        change(&mut line);
        line.to_string()
    };
    let mut laptop = Project::bare();
    for (name, text) in [
        ("empty", String::new()),
        ("none", "a log\nwithout one\n".to_owned()),
        ("cut", bundle[..bundle.len() / 2].to_owned()),
        ("twice", bundle.repeat(2)),
        (
            "hash",
            repacked(&|line| line["sha256"] = "0".repeat(64).into()),
        ),
        (
            "content",
            repacked(&|line| line["content"] = "H4sIAAAA".into()),
        ),
        ("base64", repacked(&|line| line["content"] = "?".into())),
        ("version", bundle.replace("\"bundle\":1", "\"bundle\":2")),
        (
            "key",
            bundle.replace("\"bundle\":1", "\"bundle\":1,\"more\":1"),
        ),
    ] {
        let file = format!("{name}.jsonl");
        laptop.write(&file, &text);
        let ran = laptop.run(&["capture", "--from-bundle", &file]);
        assert_eq!(ran.code, 1, "{name}");
    }
    let ran = laptop.run(&["capture", "--from-bundle", "missing.jsonl"]);
    assert_eq!(ran.code, 1);
    assert!(fixtures(&laptop).is_empty());
    assert_snapshot!("bundles_refused", laptop.transcript());
}

#[test]
fn a_bundle_that_is_too_large_is_not_read() {
    let mut cluster = Project::bare();
    let bundle = run(&mut cluster, &["capture", ALICE, "--bundle", "-"]).out;
    let mut laptop = Project::new("max_file_mebibytes = 1\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &vec![b' '; 2 << 20]).unwrap();
    let packed = STANDARD.encode(packed.finish().unwrap());
    let bomb = format!("{{\"bundle\":1,\"sha256\":\"\",\"content\":\"{packed}\"}}\n");
    let long = format!("{}{bundle}", " ".repeat(1 << 20));
    for (text, said) in [
        (bomb, "unpacked, it is larger than 1 MiB, and is not read"),
        (long, "it is larger than 1 MiB, and is not read"),
    ] {
        laptop.write("bundle.jsonl", &text);
        let ran = laptop.run(&["capture", "--from-bundle", "bundle.jsonl"]);
        assert_eq!(
            ran.err.trim_end(),
            format!(
                "error: the bundle bundle.jsonl: {said}; `max_file_mebibytes` in replay.toml raises the limit"
            )
        );
    }
}

#[test]
fn what_a_bundle_has_decided_is_refused() {
    let mut project = Project::bare();
    let bundle = run(&mut project, &["capture", ALICE, "--bundle", "-"]).out;
    project.write("bundle.jsonl", &bundle);
    project.forget();
    for more in [
        &[ALICE][..],
        &["--domain", "player"],
        &["--source", "embedded"],
        &["--edition", "main"],
        &["--to-sequence", "1"],
        &["--keep-external"],
        &["--saga", "player-table"],
        &["--persisted", "1"],
        &["--history"],
        &["--bundle", "other"],
    ] {
        let arguments = [&["capture", "--from-bundle", "bundle.jsonl"][..], more].concat();
        assert_eq!(project.run(&arguments).code, 2, "{more:?}");
    }
    for more in ["--accept", "--intended", "--dry-run", "--each-distinct"] {
        assert_eq!(
            project.run(&["capture", ALICE, "--bundle", "-", more]).code,
            2
        );
    }
    assert_snapshot!("bundle_usage", project.transcript());
}

#[test]
fn the_file_of_a_bundle_is_private_and_replaces_nothing() {
    let mut project = Project::bare();
    let arguments = ["capture", ALICE, "--bundle", "alice.jsonl"];
    run(&mut project, &arguments);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(project.path("alice.jsonl"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    project.write("alice.jsonl", "mine");
    let ran = project.run(&arguments);
    assert_eq!(
        (ran.code, ran.err.trim_end()),
        (
            1,
            "error: alice.jsonl exists; name another file, or replace it with --force"
        )
    );
    assert_eq!(project.read("alice.jsonl"), "mine");
    run(&mut project, &[&arguments[..], &["--force"]].concat());
    run(&mut project, &["capture", "--from-bundle", "alice.jsonl"]);
    assert_snapshot!("bundle_to_a_file", steady(&project));
}
