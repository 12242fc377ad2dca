//! The modules use each other as the table in ARCHITECTURE.md says, and no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::markdown::{inline_code, pages};

/// Module to the modules that it may use, from the table.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let pages = pages();
    let page = pages
        .iter()
        .find(|page| page.name == "ARCHITECTURE.md")
        .unwrap();
    let rows: Vec<(String, String)> = page
        .text
        .lines()
        .skip_while(|line| *line != "## Layers")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let uses = |at: usize, cell: &str| match cell {
        "all below" => names[at + 1..].iter().cloned().collect(),
        cell => inline_code(cell).map(str::to_owned).collect(),
    };
    rows.iter()
        .enumerate()
        .map(|(at, (name, cell))| (name.clone(), uses(at, cell)))
        .collect()
}

/// The source of this crate and of those below it.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = std::fs::read_dir(root.join("crates")).unwrap();
    let mut sources: Vec<PathBuf> = crates
        .map(|entry| entry.unwrap().path().join("src"))
        .collect();
    sources.push(root.join("src"));
    sources
}

/// Every module with its folder: a folder of a `src`, or a crate whose files stand in its `src` themselves.
fn folders() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for source in sources() {
        // Beside the folders of the root's modules stands `logic.rs`, which only names what users need.
        let is_root = source.parent() == Some(Path::new(env!("CARGO_MANIFEST_DIR")));
        let mut entries = std::fs::read_dir(&source).unwrap();
        let is_flat = !is_root
            && entries.any(|entry| {
                let name = entry.unwrap().file_name();
                name != "lib.rs" && Path::new(&name).extension().is_some_and(|it| it == "rs")
            });
        if is_flat {
            let name = source.parent().unwrap().file_name().unwrap();
            found.insert(name.to_str().unwrap().to_owned(), source);
            continue;
        }
        let entries = std::fs::read_dir(&source).unwrap().map(Result::unwrap);
        for entry in entries.filter(|entry| entry.path().is_dir()) {
            let name = entry.file_name().to_str().unwrap().to_owned();
            // A main: it calls the library as other packages do.
            if name == "bin" {
                continue;
            }
            assert_eq!(found.insert(name, entry.path()), None, "two of a name");
        }
    }
    found
}

/// The code of a file: without comments, and without tests, which may use what they like.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

fn name_at(text: &str) -> String {
    let letters = text.chars();
    letters
        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
        .collect()
}

/// Names of modules at the beginning of paths: `a` of `crate::a::b`, `a` and `c` of `crate::{a::b, c}`.
fn named_after(prefix: &str, code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in code.split(prefix).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name_at(rest));
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                letter if begins && !letter.is_whitespace() => {
                    names.push(name_at(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// What a file uses of other modules. A `super` that leads out of its module's folder leads to another module.
fn used(module: &Path, file: &Path) -> BTreeSet<String> {
    let code = code(file);
    let mut found = BTreeSet::new();
    let crates = [
        "crate::",
        "angzarr_replay_wire::",
        "angzarr_replay_payload::",
    ];
    for prefix in crates {
        found.extend(named_after(prefix, &code));
    }
    for flat in ["grpc", "processes", "yaml"] {
        if code.contains(&format!("angzarr_replay_{flat}::")) {
            found.insert(flat.to_owned());
        }
    }
    let inside = file.strip_prefix(module).unwrap();
    let is_mod = inside.ends_with("mod.rs");
    let levels = inside.components().count() - usize::from(is_mod);
    let out = "super::".repeat(levels + 1);
    for name in named_after(&out, &code) {
        found.insert(name);
    }
    found
}

#[test]
fn what_a_path_names_is_found() {
    let code =
        "use crate::{model::{Case, Cover}, wire,\n    payload};\nlet x = crate::files::read();";
    assert_eq!(
        named_after("crate::", code),
        ["model", "wire", "payload", "files"]
    );
    assert_eq!(
        named_after("super::super::", "use super::super::{a, b::C};"),
        ["a", "b"]
    );
    assert_eq!(
        named_after(
            "std::",
            "use std::{collections::BTreeMap, fs::{File, read}};"
        ),
        ["collections", "fs"]
    );
}

#[test]
fn modules_use_each_other_as_the_table_says() {
    let (allowed, folders) = (allowed(), folders());
    assert_eq!(
        folders.keys().collect::<Vec<_>>(),
        allowed.keys().collect::<Vec<_>>(),
        "rows and folders"
    );
    let mut uses = 0;
    for (module, may) in &allowed {
        let folder = &folders[module];
        let files = files(folder);
        for file in files
            .iter()
            .filter(|it| it.extension().is_some_and(|it| it == "rs"))
        {
            for name in used(folder, file) {
                let is_other = allowed.contains_key(&name) && name != *module;
                uses += usize::from(is_other);
                assert!(
                    !is_other || may.contains(&name),
                    "{}: `{module}` uses `{name}`, which ARCHITECTURE.md does not allow",
                    file.display()
                );
            }
        }
    }
    assert!(uses > 300, "{uses}: paths are read no more");
}

/// Clocks, files, processes and the environment.
const WORLD: [&str; 6] = [
    "std::fs",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "std::process",
];

/// Modules of the standard library that lead there, also from within braces.
const OUTSIDE: [&str; 3] = ["fs", "env", "process"];

/// What a module must not name: libraries that belong to other layers, and the world outside.
#[test]
fn modules_name_nothing_that_belongs_to_others() {
    let folders = folders();
    let rows: [(&str, &[&str]); 16] = [
        ("model", &["tonic::", "prost", "serde"]),
        ("payload", &["tonic::"]),
        ("fixture", &["tonic::", "prost"]),
        ("replay", &["tonic::", "prost", "serde", "std::process"]),
        (
            "processes",
            &["tonic", "prost", "println", "angzarr_replay_"],
        ),
        ("capture", &["tonic::", "prost"]),
        ("redact", &["tonic::", "prost"]),
        ("snapshot", &["tonic::", "prost"]),
        ("coordinator", &["tonic::", "prost"]),
        ("diagram", &["tonic::", "prost", "serde"]),
        ("project", &["tonic::", "prost"]),
        ("harness", &["tonic::", "prost"]),
        ("capturing", &["tonic::", "prost", "clap", "println"]),
        ("finding", &["tonic::", "prost", "clap", "println"]),
        ("showing", &["tonic::", "prost", "clap", "println"]),
        ("cli", &["tonic::", "prost"]),
    ];
    // They have no clock and no file system: both come in from the mains.
    let pure = [
        "model",
        "ticket",
        "wire",
        "redact",
        "coordination",
        "capture",
        "mutation",
        "diagram",
    ];
    for module in pure {
        for file in files(&folders[module]) {
            let names = named_after("std::", &code(&file));
            let outside = names.iter().find(|name| OUTSIDE.contains(&name.as_str()));
            assert_eq!(outside, None, "{}", file.display());
        }
    }
    let worldly = pure.map(|module| (module, WORLD.as_slice()));
    for (module, names) in rows.into_iter().chain(worldly) {
        for file in files(&folders[module]) {
            let code = code(&file);
            for (line, name) in code
                .lines()
                .flat_map(|line| names.iter().map(move |it| (line, it)))
            {
                assert!(!line.contains(name), "{}: {line}", file.display());
            }
        }
    }
}

/// Capture reads. What writes to a coordinator, or asks one to do something, it is not given even by name.
#[test]
fn capture_names_nothing_that_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/capture");
    let files = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let mut seen = 0;
    for entry in files.filter(|entry| entry.file_type().is_file()) {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for name in [
            "FactClient",
            "SpeculativeClient",
            "EditionsClient",
            "LogicClient",
            "Isolated",
        ] {
            assert!(!text.contains(name), "{}: {name}", entry.path().display());
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn what_captures_holds_no_connection_that_could_write() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for place in [
        "capture",
        "capturing",
        "cli/capture",
        "cli/find",
        "cli/roots.rs",
        "cli/show.rs",
        "finding",
        "listing",
        "showing",
        "project/connector.rs",
        "project/sources.rs",
        "project/stores.rs",
    ] {
        for entry in WalkDir::new(source.join(place))
            .into_iter()
            .map(Result::unwrap)
        {
            if !entry.file_type().is_file() {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let others = [
                "Connection",
                "LogicClient",
                "FactClient",
                "SpeculativeClient",
                "EditionsClient",
            ];
            for word in words {
                assert!(
                    !others.contains(&word),
                    "{}: `{word}`; a source is asked through `QueryConnection` and `QueryClient` only",
                    entry.path().display()
                );
            }
        }
    }
}
