//! Files that are published for others and made by code: insta cannot own them, since they have no header, but its variable
//! rewrites them too.

use std::path::Path;

use crate::programs::repository;

/// Whether `INSTA_UPDATE` says that what is found today is what is expected.
#[must_use]
pub fn is_rewritten() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always" || update == "force")
}

/// Compares a file of this repository with what it should be.
#[track_caller]
pub fn assert_published(path: impl AsRef<Path>, wanted: &str) {
    let file = repository().join(path.as_ref());
    if is_rewritten() {
        std::fs::write(&file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let same = found.lines().zip(wanted.lines());
    let line = same.take_while(|(found, wanted)| found == wanted).count() + 1;
    assert!(
        found == wanted,
        "{}:{line} is out of date: INSTA_UPDATE=always cargo test writes it anew",
        path.as_ref().display()
    );
}
