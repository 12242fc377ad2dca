//! What the readers accept, the published JSON Schemas accept too: fixtures, configurations and tickets of this repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use test_support::programs::repository;

/// A published schema, ready to validate.
struct Published {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Published {
    fn of(file: &str) -> Self {
        let text = std::fs::read_to_string(repository().join("schema").join(file)).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let name = format!("https://schemas.test/{file}");
        compiler.add_resource(&name, schema).unwrap();
        let index = compiler.compile(&name, &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn complaint(&self, value: &Value) -> Option<String> {
        let found = self.schemas.validate(value, self.index);
        found.err().map(|error| error.to_string())
    }

    #[track_caller]
    fn accepts(&self, place: &str, value: &Value) {
        assert_eq!(self.complaint(value), None, "{place}");
    }

    #[track_caller]
    fn refuses(&self, value: &Value) {
        assert!(self.complaint(value).is_some(), "{value}");
    }
}

/// Files with an extension below a folder of the repository.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![repository().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Fenced blocks of the documentation that say what they are.
fn blocks(info: &str) -> Vec<(String, String)> {
    let mut pages = files("docs", "md");
    pages.push(repository().join("README.md"));
    let mut found = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let start = format!("```{info}\n");
        for block in text.split(&start).skip(1) {
            let block = block.split("```").next().unwrap();
            found.push((page.display().to_string(), block.to_owned()));
        }
    }
    found
}

fn fixture(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    yaml(&text)
}

fn yaml(text: &str) -> Value {
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    serde_json::to_value(value).unwrap()
}

fn configuration(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}

#[test]
fn every_fixture_is_valid() {
    let schema = Published::of("fixture-1.schema.json");
    let mut paths = files("fixtures", "yaml");
    paths.extend(files("tests/fixtures/format-1", "yaml"));
    assert!(paths.len() > 30, "{}", paths.len());
    for path in &paths {
        schema.accepts(&path.display().to_string(), &fixture(path));
    }
    let documented = blocks("yaml fixture");
    assert!(!documented.is_empty());
    for (page, text) in documented {
        schema.accepts(&page, &yaml(&text));
    }
    let mut misspelt = fixture(&paths[0]);
    misspelt["titel"] = json!("x");
    schema.refuses(&misspelt);
    let mut newer = fixture(&paths[0]);
    newer["fixture"] = json!(2);
    schema.refuses(&newer);
}

#[test]
fn every_configuration_is_valid() {
    let schema = Published::of("replay-toml.schema.json");
    let own = std::fs::read_to_string(repository().join("replay.toml")).unwrap();
    schema.accepts("replay.toml", &configuration(&own));
    let documented = blocks("toml complete");
    assert!(documented.len() > 10, "{}", documented.len());
    for (page, text) in documented {
        schema.accepts(&page, &configuration(&text));
    }
    for mistake in [
        "fixture = 'cases'",
        "probe = 'sometimes'",
        "descriptors = 'proto'",
        "max_status_kibibytes = 0",
        "[sources.a]\nbearer = 'secret'",
        "[sources.a]\nbearer = { environment = 'A', file = 'b' }",
        "[logic.a]\ndialect = 'angzar'",
        "[[rules]]\ntype = 'a'\nfield = 'b'",
        "[[redaction.rules]]\ntype = 'a'\nfield = 'b'\naction = 'erase'\nreason = 'c'",
    ] {
        schema.refuses(&configuration(mistake));
    }
}

/// What the templates of `init` suggest is valid once it is no longer a comment.
#[test]
fn what_init_suggests_is_valid() {
    let schema = Published::of("replay-toml.schema.json");
    let mut text = String::new();
    for file in ["source.toml", "rest.toml"] {
        let template = repository().join("src/setup/templates").join(file);
        let template = std::fs::read_to_string(template).unwrap();
        for line in template.lines() {
            let line = line.strip_prefix("# ").unwrap_or(line);
            let is_toml = line.starts_with('[') || line.contains(" = ") && !line.starts_with(' ');
            if is_toml {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    let value = configuration(&text);
    assert!(value["redaction"].is_object() && value["sources"].is_object());
    schema.accepts("templates of init", &value);
}

#[test]
fn every_ticket_is_valid() {
    let schema = Published::of("ticket-1.schema.json");
    let mut lines: Vec<String> = Vec::new();
    let documented = blocks("json ticket");
    assert!(!documented.is_empty());
    for (_, text) in documented {
        lines.extend(text.lines().map(str::to_owned));
    }
    let recorded = repository().join("examples/poker/recorded/failures.jsonl");
    let recorded = std::fs::read_to_string(recorded).unwrap();
    lines.extend(recorded.lines().map(str::to_owned));
    assert!(lines.len() > 5, "{}", lines.len());
    for line in &lines {
        schema.accepts(line, &serde_json::from_str(line).unwrap());
    }
    let whole: Value = serde_json::from_str(&lines[0]).unwrap();
    for key in whole.as_object().unwrap().keys() {
        let is_required = ![
            "time",
            "head",
            "persisted",
            "answered_by",
            "redacted",
            "redacted_by",
            "dialect_assumed",
        ]
        .contains(&key.as_str());
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(key);
        assert_eq!(schema.complaint(&less).is_some(), is_required, "{key}");
    }
}
