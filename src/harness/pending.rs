//! insta, asked only where something is to be written: comparing needs no assertion.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

thread_local! {
    static IS_ASSERTING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the panics of failing assertions, which are caught, from being printed among the trials.
pub(super) fn silence_assertions() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IS_ASSERTING.get() {
            others(panic);
        }
    }));
}

/// Tells cargo-insta that a snapshot is in use, as its own assertions do. A case that is left out, filtered out or not
/// checked uses its snapshot too.
pub(super) fn reference(snapshot: &Path) {
    let Some(list) = std::env::var_os("INSTA_SNAPSHOT_REFERENCES_FILE") else {
        return;
    };
    let Ok(snapshot) = snapshot.canonicalize() else {
        // A case without a snapshot.
        return;
    };
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(list) {
        // One write a line: trials append at once.
        let _ = file.write_all(format!("{}\n", snapshot.display()).as_bytes());
    }
}

/// Whether every assertion is to be written again, passing or not.
pub(super) fn is_forced() -> bool {
    std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "force")
}

/// Lets insta do with a text what its settings say: write it as pending, accept it, or only fail. True where the
/// text is accepted now.
pub(super) fn assert(fixture: &Path, text: &str) -> bool {
    let folder = fixture.parent().unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = fixture
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(fixture);
    IS_ASSERTING.set(true);
    let passed = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text));
    }))
    .is_ok();
    IS_ASSERTING.set(false);
    passed
}

/// The pending snapshot of a fixture.
pub(super) fn pending_path(snapshot: &Path) -> std::path::PathBuf {
    snapshot.with_extension("snap.new")
}

/// Removes a pending snapshot that is no longer true. Nothing is written or removed in CI.
pub(super) fn discard(snapshot: &Path) {
    if std::env::var_os("CI").is_none() {
        let _ = std::fs::remove_file(pending_path(snapshot));
    }
}
