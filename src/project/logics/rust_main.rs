//! Where the main is that registers a project's Rust logic, for the program that has none.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::files;
use crate::terminal::one_line;

/// Maximum number of packages to look at.
const MOST: usize = 200;
const LIBRARY: &str = "angzarr-replay";

/// What to run instead, or what to write.
pub(super) fn advice(root: &Path) -> String {
    match packages(root).into_iter().find_map(|it| with_main(&it)) {
        Some(package) => {
            let package = one_line(&package).into_owned();
            let alias = alias(root, &package).map_or_else(String::new, |alias| {
                format!(", or `cargo {}` for the other commands", one_line(&alias))
            });
            format!("the package `{package}` has such a main: use `cargo test`{alias}")
        }
        None => "write such a main (`angzarr-replay init` beside a Cargo.toml does), or give `command` or `address` instead"
            .to_owned(),
    }
}

/// The manifest beside `replay.toml`, and those in the folders beside it.
fn packages(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten();
    let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).take(MOST).collect();
    folders.sort();
    let manifests = std::iter::once(root.to_owned()).chain(folders);
    manifests.map(|folder| folder.join("Cargo.toml")).collect()
}

fn read(file: &Path) -> Option<Table> {
    let text = files::read_to_string(file, files::WRITTEN).ok()?;
    text.parse().ok()
}

/// The name of a package that uses our library and has a program or a test called `replay`.
fn with_main(manifest: &Path) -> Option<String> {
    let table = read(manifest)?;
    let uses = ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|key| table.get(*key)?.as_table())
        .any(|dependencies| dependencies.contains_key(LIBRARY));
    let folder = manifest.parent()?;
    let has_main = ["src/main.rs", "tests/replay.rs"]
        .iter()
        .any(|file| folder.join(file).is_file());
    let name = table.get("package")?.get("name")?.as_str()?;
    (uses && has_main).then(|| name.to_owned())
}

/// The cargo alias that runs a package.
fn alias(root: &Path, package: &str) -> Option<String> {
    let config = read(&root.join(".cargo/config.toml"))?;
    let aliases = config.get("alias")?.as_table()?;
    let runs = |value: &Value| {
        let words: Vec<&str> = match value {
            Value::String(text) => text.split_whitespace().collect(),
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        words.first() == Some(&"run") && words.contains(&package)
    };
    let mut found = aliases.iter().filter(|(_, value)| runs(value));
    found.next().map(|(name, _)| name.clone())
}
