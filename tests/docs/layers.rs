//! The modules use each other as the table in ARCHITECTURE.md says, and no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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

/// Modules of this crate that a folder of the source names, with a file where it does.
fn used(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in WalkDir::new(folder).into_iter().map(Result::unwrap) {
        if entry.path().extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for rest in code.flat_map(|line| line.split("crate::").skip(1)) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            found
                .entry(name)
                .or_insert_with(|| entry.path().display().to_string());
        }
    }
    found
}

#[test]
fn modules_use_each_other_as_the_table_says() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed();
    let folders: BTreeSet<String> = std::fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        folders,
        allowed.keys().cloned().collect(),
        "rows and folders"
    );
    for (module, may) in &allowed {
        for (name, file) in used(&source.join(module)) {
            let is_module = allowed.contains_key(&name);
            assert!(
                !is_module || name == *module || may.contains(&name),
                "{file}: `{module}` uses `{name}`, which ARCHITECTURE.md does not allow"
            );
        }
    }
}

#[test]
fn the_lower_layers_know_none_of_the_libraries_above_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, libraries) in [
        ("model", ["tonic::", "prost", "serde"].as_slice()),
        ("payload", &["tonic::"]),
        ("fixture", &["tonic::", "prost"]),
        ("replay", &["tonic::", "prost", "serde"]),
        ("capture", &["tonic::", "prost"]),
        ("redact", &["tonic::", "prost"]),
        ("snapshot", &["tonic::", "prost"]),
        ("coordinator", &["tonic::", "prost"]),
        ("diagram", &["tonic::", "prost", "serde"]),
        ("project", &["tonic::", "prost"]),
        ("harness", &["tonic::", "prost"]),
        ("cli", &["tonic::", "prost"]),
    ] {
        for entry in WalkDir::new(source.join(module))
            .into_iter()
            .map(Result::unwrap)
        {
            if !entry.file_type().is_file() {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for (line, library) in code.flat_map(|line| libraries.iter().map(move |it| (line, it)))
            {
                assert!(
                    !line.contains(library),
                    "{}: {line}",
                    entry.path().display()
                );
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
        "cli/capture",
        "cli/roots.rs",
        "project/entrance.rs",
        "project/sources.rs",
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
