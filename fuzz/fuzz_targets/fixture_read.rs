//! Any text as a fixture: no panic, both readers read the same, and writing and reading a valid case gives the same case.
//!
//! `cargo +nightly fuzz run fixture_read fuzz/corpus/fixture_read tests/fixtures/format-1`
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use angzarr_replay::internal::fixture::{Folder, render, set_status};
use angzarr_replay::internal::model::Status;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<Folder> = LazyLock::new(|| {
    Folder::open(PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/format-1"
    )))
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let name = Path::new("case.yaml");
    let _ = set_status(text, Status::Closed, name);
    let read = match FOLDER.read_text(text, name) {
        Ok(read) => read,
        Err(error) => {
            let _ = error.report();
            return;
        }
    };
    // The fast reader leaves a text with a comment to the general one.
    let commented = format!("# comment\n{}", text.trim_start_matches('\u{feff}'));
    let general = FOLDER.read_text(&commented, name).map(|it| it.case);
    assert_eq!(general.expect("both readers accept it"), read.case);
    let rendered =
        render(&read.case, &read.descriptors).expect("a case that was read can be written");
    // Without descriptor sets and history files, which belong to the folder; and a long history does not fit into one text.
    let own_set =
        rendered.descriptors.as_ref().map(|set| &set.hash) == read.descriptors_hash.as_ref();
    if own_set && rendered.sidecars.is_empty() {
        let again = FOLDER
            .read_text(&rendered.text, name)
            .expect("a written fixture is valid");
        assert_eq!(again.case, read.case);
    }
});
