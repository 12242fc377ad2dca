//! Events that are stored elsewhere: read, held against their reference, written into the case.

use angzarr_replay::internal::model::{Body, Page, PayloadReference, Storage};
use angzarr_replay::internal::wire::Dialect;
use sha2::{Digest, Sha256};

use crate::production::hex;
use crate::support::{Project, ROOT, coordinator, cover, page, seed};

const CAPTURE: [&str; 3] = ["capture", ROOT, "--unredacted"];

/// An encoded `Any`, made by hand.
fn any(type_url: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x0a, u8::try_from(type_url.len()).unwrap()];
    bytes.extend(type_url.as_bytes());
    bytes.extend([0x12, u8::try_from(value.len()).unwrap()]);
    bytes.extend(value);
    bytes
}

fn event() -> Vec<u8> {
    any("type.googleapis.com/test.Added", b"stored elsewhere")
}

fn reference(uri: &str, object: &[u8]) -> PayloadReference {
    PayloadReference {
        storage: Storage::Filesystem,
        uri: uri.to_owned(),
        content_hash: Sha256::digest(object).to_vec(),
        original_size: object.len() as u64,
        stored_at: None,
    }
}

fn stored_at(reference: PayloadReference) -> Page {
    Page {
        body: Body::External(Box::new(reference)),
        ..page(1, Vec::new())
    }
}

/// A run in a project whose production has two ordinary pages and one that is stored elsewhere.
fn captured(
    project: &mut Project,
    reference: PayloadReference,
    more: &[&str],
) -> crate::support::Ran {
    let pages = vec![
        page(0, b"here".to_vec()),
        stored_at(reference),
        page(2, b"here".to_vec()),
    ];
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let local = format!(
        "[sources.production]\naddresses = {{ player = \"{}\" }}\ndialect = \"angzarr\"\n",
        server.address()
    );
    project.write("replay.local.toml", &local);
    project.run(&[&CAPTURE, more].concat())
}

fn project(more: &str) -> Project {
    Project::of_source("127.0.0.1:1", more)
}

fn in_project(project: &Project, name: &str) -> String {
    format!("file://{}", project.path(name).display())
}

fn fixture(project: &Project) -> String {
    project.read("fixtures/player/history-07070707-3.yaml")
}

#[test]
fn an_event_that_is_stored_elsewhere_is_written_as_if_it_had_been_here() {
    let mut project = project("");
    project.write("objects/a b", &String::from_utf8(event()).unwrap());
    let mut stored = reference(&in_project(&project, "objects/a%20b"), &event());
    let ran = captured(&mut project, stored.clone(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told =
        "  external     1 event read from where they are stored, and held against hash and size\n";
    assert!(ran.out.contains(told), "{}", ran.out);
    let written = fixture(&project);
    assert!(!written.contains("external"), "{written}");
    // The same as of a production that has it in the page.
    let pages = vec![
        page(0, b"here".to_vec()),
        page(1, b"stored elsewhere".to_vec()),
        page(2, b"here".to_vec()),
    ];
    let whole = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let mut other = Project::of_source(whole.address(), "dialect = \"angzarr\"\n");
    assert_eq!(other.run(&CAPTURE).code, 0);
    let untimed = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("captured_at"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(untimed(&written), untimed(&fixture(&other)));
    // Again, and by a reference that does not say the size.
    stored.original_size = 0;
    let ran = captured(&mut project, stored, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("unchanged"), "{}", ran.out);
}

#[test]
fn references_are_left_where_that_is_asked_for() {
    let nowhere = || reference("file:///no/such/object", &event());
    for (more, flags) in [
        ("", &["--keep-external"][..]),
        ("keep_external = true\n", &[]),
    ] {
        let mut project = project(more);
        let ran = captured(&mut project, nowhere(), flags);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            fixture(&project).contains("uri: file:///no/such/object"),
            "{}",
            fixture(&project)
        );
        assert_eq!(
            project
                .run(&["replay", "fixtures/player/history-07070707-3.yaml"])
                .code,
            1
        );
    }
}

#[test]
fn an_object_that_cannot_be_had_is_told_with_page_and_uri_and_nothing_is_written() {
    let right = event();
    let hash = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let mut altered = event();
    *altered.last_mut().unwrap() ^= 1;
    let text = b"no event at all".to_vec();
    let cases: Vec<(&str, Vec<u8>, Vec<u8>, String)> = vec![
        (
            "altered",
            altered.clone(),
            right.clone(),
            format!(
                "the object there has the SHA-256 {} instead of {}: it was altered or replaced",
                hash(&altered),
                hash(&right)
            ),
        ),
        (
            "short",
            right[..10].to_vec(),
            right.clone(),
            format!("the object there has 10 bytes instead of {}: it was altered or replaced", right.len()),
        ),
        (
            "long",
            [right.clone(), b"!".to_vec()].concat(),
            right.clone(),
            format!(
                "the object there has more than {0} bytes instead of {0}: it was altered or replaced",
                right.len()
            ),
        ),
        (
            "text",
            text.clone(),
            text,
            "the object there is not an encoded `google.protobuf.Any` with a type, so its type is unknown".into(),
        ),
    ];
    for (name, there, expected, said) in cases {
        let mut project = project("");
        std::fs::write(project.path(name), there).unwrap();
        let uri = in_project(&project, name);
        let ran = captured(&mut project, reference(&uri, &expected), &[]);
        assert_eq!(ran.code, 1);
        assert_eq!(
            ran.err.trim_end(),
            refusal(&format!("file://PROJECT/{name}"), &said)
        );
        assert!(!project.path("fixtures").exists());
    }
    for (uri, said) in [
        (
            "file:///no/such/object",
            "cannot be read there: No such file or directory (os error 2)",
        ),
        (
            "file:///dev/zero",
            "cannot be read there: it is not a regular file",
        ),
        (
            "file://fileserver/a",
            "cannot be read there: it is a file of the machine `fileserver`",
        ),
        ("file://nothing", "cannot be read there: it names no file"),
        ("file:///%ff", "cannot be read there: its path is no text"),
        (
            "ftp://host/a",
            "cannot be read there: only file://, s3:// and gs:// are read",
        ),
    ] {
        let ran = captured(&mut project(""), reference(uri, &right), &[]);
        assert_eq!(ran.err.trim_end(), refusal(uri, said));
    }
    let mut unhashed = reference("file:///a", &right);
    unhashed.content_hash.clear();
    let ran = captured(&mut project(""), unhashed, &[]);
    let said = "its reference has no SHA-256 of 32 bytes to compare it with";
    assert_eq!(ran.err.trim_end(), refusal("file:///a", said));
}

#[cfg(unix)]
#[test]
fn a_link_to_something_without_an_end_is_refused_and_not_waited_for() {
    let mut project = project("");
    std::os::unix::fs::symlink("/dev/zero", project.path("zero")).unwrap();
    let pipe = project.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink(&pipe, project.path("to-pipe")).unwrap();
    for (name, said) in [
        ("zero", "it is not a regular file"),
        ("pipe", "it is not a regular file"),
        ("to-pipe", "it is not a regular file"),
        ("", "it is a folder"),
    ] {
        let uri = in_project(&project, name);
        let mut stored = reference(&uri, &event());
        stored.original_size = 0;
        let ran = captured(&mut project, stored, &[]);
        let said = format!("cannot be read there: {said}");
        assert_eq!(
            ran.err.trim_end(),
            refusal(&format!("file://PROJECT/{name}"), &said)
        );
    }
}

#[test]
fn no_more_is_read_than_a_file_may_have() {
    let too_large = "is not read: the external events of a case may have 1 MiB in total; \
                     `max_file_mebibytes` in replay.toml raises the limit";
    let toml = |project: &mut Project| {
        let toml = project.read("replay.toml");
        project.write("replay.toml", &format!("max_file_mebibytes = 1\n{toml}"));
    };
    // By the size that the reference says nothing is read, so the object need not even be there.
    let mut project = project("");
    toml(&mut project);
    let mut stored = reference("file:///no/such/object", &event());
    stored.original_size = (1 << 20) + 1;
    let ran = captured(&mut project, stored, &[]);
    assert_eq!(
        ran.err.trim_end(),
        refusal("file:///no/such/object", too_large)
    );
    // One that does not say its size, and has no end that anybody would wait for.
    let sparse = std::fs::File::create(project.path("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let mut stored = reference(&in_project(&project, "sparse"), &event());
    stored.original_size = 0;
    let ran = captured(&mut project, stored, &[]);
    assert_eq!(
        ran.err.trim_end(),
        refusal("file://PROJECT/sparse", too_large)
    );
    // What is read for one event is not left for the next.
    let mut large = any("type.googleapis.com/test.Added", b"");
    large.truncate(large.len() - 2);
    large.extend([0x12, 0x80, 0x80, 0x28]);
    large.extend(vec![b'x'; 0xa_0000]);
    std::fs::write(project.path("large"), &large).unwrap();
    let stored = reference(&in_project(&project, "large"), &large);
    let pages = vec![
        Page {
            sequence: 0,
            ..stored_at(stored.clone())
        },
        stored_at(stored),
    ];
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let local = format!(
        "[sources.production]\naddresses = {{ player = \"{}\" }}\ndialect = \"angzarr\"\n",
        server.address()
    );
    project.write("replay.local.toml", &local);
    let ran = project.run(&CAPTURE);
    assert_eq!(
        ran.err.trim_end(),
        refusal("file://PROJECT/large", too_large)
    );
    assert!(!project.path("fixtures").exists());
}

fn refusal(uri: &str, said: &str) -> String {
    format!(
        "error: page 1 of player is stored at {uri}, and {said}; --keep-external leaves such references as they are"
    )
}
