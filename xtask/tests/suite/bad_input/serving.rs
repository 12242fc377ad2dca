//! `serve`, and wrong usage of everything.

use insta::assert_snapshot;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Project, listener, tool};

#[test]
fn serving_needs_a_free_port_and_a_store() {
    let mut project = Project::new("");
    let taken = listener();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = project.run(&["serve", "--port", &port]);
    assert_eq!(ran.code, 1);
    let message = ran.err.replace(&port, "PORT");
    assert_eq!(
        message,
        "error: cannot listen on 127.0.0.1:PORT: address already in use; choose another with --port\n"
    );
    let mut project = Project::new("");
    project.write(
        "notes.txt",
        "these are notes, not a store, and longer than a header of SQLite is",
    );
    for arguments in [
        &["serve", "--port", "0", "--store", "notes.txt"][..],
        &["serve", "--port", "0", "--store", "notes.txt/below"],
        &["serve", "--port", "0", "--fixtures", "nowhere"],
        &[
            "serve", "--port", "0", "--logic", "nobody", "--store", "new.db",
        ],
        &["serve", "--port", "0", "--logic", "player=nowhere"],
        &["serve", "--port", "0", "--component", "nobody"],
        &["serve", "--port", "0", "--component", "saga=nowhere"],
    ] {
        assert_eq!(project.run(arguments).code, 1, "{arguments:?}");
    }
    for arguments in [
        &["serve", "--port", "0", "--logic", "a b=127.0.0.1:1"][..],
        &["serve", "--port", "0", "--component", "player"],
        &["serve", "--port", "0", "--component", "waltz=127.0.0.1:1"],
        &["serve", "--port", "0", "--dialect", "klingon"],
        &["serve", "--port", "99999"],
        &["serve", "--store", "a", "--fixtures", "b"],
    ] {
        assert_eq!(project.run(arguments).code, 2, "{arguments:?}");
    }
    assert_snapshot!("serve", project.transcript());
}

#[test]
fn a_served_store_is_captured_from() {
    let folder = Project::new("");
    let mut child = tool(&folder.path(""))
        .args(["serve", "--port", "0", "--logic", "player"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let serving = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("serving"))
        .unwrap();
    let address = serving
        .split(' ')
        .find(|word| word.starts_with("127.0.0.1:"))
        .unwrap()
        .trim_end_matches(',');
    let mut project = Project::of_source(address, "");
    let ran = project.run(&[
        "capture",
        crate::support::ALICE,
        "--unredacted",
        "--dry-run",
        "--json",
    ]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn wrong_usage_is_told() {
    let mut project = Project::new("");
    for arguments in [
        &[][..],
        &["catpure", "6513270e"],
        &["capture"],
        &["capture", "6513270e", "--fixture", "x"],
        &["capture", "6513270e", "--probe", "twice"],
        &["replay"],
        &["close"],
        &["roots", "extra"],
    ] {
        assert_eq!(project.run(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(project.run(&["--help"]).code, 0);
    assert_snapshot!("usage", project.transcript());
}
