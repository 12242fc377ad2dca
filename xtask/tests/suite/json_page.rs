//! `docs/json.md`: its commands are run in their order, its examples are what they print, and every key is explained.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;
use test_support::programs::repository;

use crate::support::{Project, Ran};

/// Keys with a message or an outcome below them, whose own keys are those of the project's types.
const CONTENT: [&str; 5] = [
    "history[].event",
    "command.payload",
    "state_before",
    "state_after",
    "today",
];

/// Documented keys that no command of the page prints: they are of rarer cases.
const RARE: [(&str, &[&str]); 5] = [
    ("roots", &["error"]),
    (
        "close",
        &[
            "reason",
            "added_rules[].type",
            "added_rules[].field",
            "added_rules[].reason",
        ],
    ),
    ("replay", &["reason", "last_output", "coordinator"]),
    (
        "capture",
        &[
            "bug",
            "reason",
            "redacted[].type",
            "redacted[].field",
            "redacted[].action",
            "looks_personal[].type",
            "looks_personal[].field",
            "looks_personal[].looks_like",
        ],
    ),
    (
        "audit",
        &[
            "findings[].byte",
            "findings[].about",
            "unread[].file",
            "unread[].reason",
        ],
    ),
];

/// A part of the page: what a command prints.
#[derive(Debug)]
struct Section {
    title: String,
    /// Commands in their order, and the example below the last of them.
    steps: Vec<(String, Option<Vec<Value>>)>,
    /// Keys in the first column of tables.
    keys: BTreeSet<String>,
}

fn sections() -> Vec<Section> {
    let page = std::fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let parts = page.split("\n## ").skip(1).map(section);
    parts.filter(|section| !section.steps.is_empty()).collect()
}

fn section(text: &str) -> Section {
    let mut section = Section {
        title: text.lines().next().unwrap().to_owned(),
        steps: Vec::new(),
        keys: BTreeSet::new(),
    };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(row) = line.strip_prefix("| `") {
            let cell = row.split(" |").next().unwrap();
            let keys = cell.split('`').step_by(2).filter(|key| *key != ", ");
            section
                .keys
                .extend(keys.filter(|key| !key.is_empty()).map(str::to_owned));
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info {
            "sh" => section
                .steps
                .extend(block.iter().map(|line| ((*line).to_owned(), None))),
            "json output" => {
                let (_, example) = section.steps.last_mut().expect("a command comes first");
                *example = Some(objects(&block.join("\n")));
            }
            other => panic!("{}: what is a block of `{other}`?", section.title),
        }
    }
    section
}

/// The objects of a text, on any number of lines.
fn objects(text: &str) -> Vec<Value> {
    let objects = serde_json::Deserializer::from_str(text).into_iter();
    objects.map(Result::unwrap).collect()
}

fn git(project: &Project, words: &[&str]) {
    let own = ["-c", "user.name=t", "-c", "user.email=t@t.test"];
    let mut command = Command::new("git");
    let command = command.current_dir(project.path("")).args(own).args(words);
    assert!(command.status().unwrap().success());
}

const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";

/// Does what must have happened before a command for its output to be interesting.
fn prepare(project: &mut Project, command: &str) {
    match command {
        // The accepted outcome is not what the logic answers, and a test found out.
        "review" => {
            git(project, &["init", "--quiet"]);
            git(project, &["add", "."]);
            git(project, &["commit", "--quiet", "--message", "cases"]);
            let snapshot = FIXTURE.replace(".yaml", ".snap");
            let text = project.read(&snapshot).replace("Insufficient", "Too few");
            project.write(&snapshot, &text);
            assert_eq!(project.run(&["test"]).code, 101);
        }
        // One case is new, and another has an issue now.
        "changes" => {
            let text = project.read(FIXTURE);
            project.write("fixtures/player/another.yaml", &text);
            project.write(FIXTURE, &text.replace("title: ", "issue: SHOP-7\ntitle: "));
            git(project, &["add", "."]);
        }
        "audit" => project.write("app.log", "ok\npassword=hunter2-of-the-house\n"),
        "editions" => project.write(
            ".angzarr-replay/editions.jsonl",
            "{\"ledger\":1,\"edition\":\"replay-withdraw-funds-1\",\"coordinator\":\"staging\",\"address\":\"127.0.0.1:1310\",\
             \"dialect\":\"angzarr\",\"domain\":\"player\",\"root\":\"6513270e-269e-4d37-b2a7-4de452e6b438\",\
             \"made_for\":\"withdraw-funds-6513270e-3 by alice\",\"made_at\":\"2026-11-23T00:01:30Z\"}\n",
        ),
        "fmt" => {
            std::fs::remove_file(project.path("fixtures/player/another.yaml")).unwrap();
            let text = project.read(FIXTURE);
            project.write(FIXTURE, &text.replace("kind: command", "kind:   command"));
        }
        _ => {}
    }
}

/// Runs a command of the page and returns what it prints, as far as the page shows it.
fn run(project: &mut Project, command: &str) -> (Ran, Vec<Value>) {
    let (words, head) = command.split_once(" | head -").unwrap_or((command, "1000"));
    let words: Vec<&str> = words.split(' ').skip(2).collect();
    prepare(project, words[0]);
    let ran = project.run(&words);
    let lines = ran.out.lines().map(serde_json::from_str);
    let mut printed: Vec<Value> = lines.map(Result::unwrap).collect();
    assert!(!printed.is_empty(), "{command}: {}", ran.err);
    printed.truncate(head.parse().unwrap());
    (ran, printed)
}

/// The paths of all keys in a value, such as `findings[].line`.
fn paths(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if above.is_empty() {
                    key.clone()
                } else {
                    format!("{above}.{key}")
                };
                if !CONTENT.contains(&path.as_str()) {
                    paths(value, &path, found);
                }
                found.insert(path);
            }
        }
        Value::Array(items) => {
            for item in items {
                paths(item, &format!("{above}[]"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_is_what_its_command_prints_and_every_key_is_explained() {
    let mut project = Project::new(
        "[[rules]]\ntype = \"examples.*\"\nfield = \"*_at\"\nreason = \"the handler's clock\"\n",
    );
    let mut wrong = String::new();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sections = sections();
    for section in &sections {
        let name = section.title.split(' ').next().unwrap();
        for (command, example) in &section.steps {
            let (ran, printed) = run(&mut project, command);
            assert!(ran.code == 0 || ran.code == 1, "{command}: {}", ran.err);
            for object in &printed {
                assert_eq!(object[name], 1, "{command}");
                paths(object, "", seen.entry(name.to_owned()).or_default());
            }
            if example.as_ref().is_some_and(|example| *example != printed) {
                let printed = printed
                    .iter()
                    .map(|it| serde_json::to_string_pretty(it).unwrap());
                let printed: Vec<String> = printed.collect();
                let _ = writeln!(wrong, "$ {command}\n{}", printed.join("\n"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "the page shows something else than:\n{wrong}"
    );
    assert_eq!(sections.len(), 11);
    for section in &sections {
        let name = section.title.split(' ').next().unwrap();
        let rare = RARE.iter().filter(|(command, _)| *command == name);
        let rare = rare.flat_map(|(_, keys)| keys.iter().map(|key| (*key).to_owned()));
        let mut known = seen.remove(name).unwrap();
        known.extend(rare);
        assert_eq!(
            section.keys, known,
            "the keys of {name}, on the page and printed"
        );
    }
}
