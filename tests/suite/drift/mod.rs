//! How message types change between two registries: by the rules of `buf breaking`, and never where nothing changed.

mod buf;
mod property;
mod table;

use angzarr_replay::internal::payload::Registry;

/// A change of `changes.txt`: the file before and after it.
struct Change {
    name: &'static str,
    before: String,
    after: String,
}

/// The changes of `changes.txt`, in its order.
fn table() -> Vec<Change> {
    let text = include_str!("changes.txt");
    let entries = text.split("\n== ").skip(1).map(|entry| {
        let (name, files) = entry.split_once('\n').unwrap();
        let (before, after) = files.split_once("-- after\n").unwrap();
        Change {
            name,
            before: whole(before),
            after: whole(after),
        }
    });
    let entries: Vec<Change> = entries.collect();
    assert!(entries.len() > 50, "{}", entries.len());
    entries
}

fn whole(text: &str) -> String {
    if text.contains("syntax") {
        text.to_owned()
    } else {
        format!("syntax = \"proto3\"; package shop;\n{text}")
    }
}

/// A registry of one file.
fn registry(text: &str) -> Registry {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.proto"), text).unwrap();
    Registry::from_paths(&[folder.path().to_owned()]).unwrap()
}
