//! The table compared with `buf breaking` itself: `cargo xtask check --only drift` installs it and runs this.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use angzarr_replay::internal::payload::{Breaks, Rule, changes};

use super::{registry, table};

/// The rules of a category that each file breaks, by buf.
fn broken(buf: &str, folder: &Path, category: &str) -> BTreeMap<String, BTreeSet<String>> {
    let config = format!("{{\"version\": \"v2\", \"breaking\": {{\"use\": [\"{category}\"]}}}}");
    let output = Command::new(buf)
        // buf takes the working directory for a module, which would contain both.
        .current_dir(folder.join("elsewhere"))
        .arg("breaking")
        .arg(folder.join("after"))
        .arg("--against")
        .arg(folder.join("before"))
        .args(["--error-format", "json", "--config", &config])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = line["path"].as_str().unwrap();
        let file = file.rsplit('/').next().unwrap().to_owned();
        let rules = found.entry(file).or_default();
        rules.insert(line["type"].as_str().unwrap().to_owned());
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

/// Rules that are ours: buf has them in no category that is about bytes or JSON.
fn is_ours(rule: Rule) -> bool {
    rule == Rule::MessageNoDelete
}

#[test]
#[ignore = "needs buf, in the variable BUF"]
fn buf_finds_the_same_rules() {
    let buf = std::env::var("BUF").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for side in ["before", "after", "elsewhere"] {
        std::fs::create_dir(folder.path().join(side)).unwrap();
    }
    let table = table();
    let file = |number: usize| format!("change{number}.proto");
    for (number, entry) in table.iter().enumerate() {
        // Every change has a package of its own, so that one run compares them all.
        let own = |text: &str| text.replace("package ", &format!("package change{number}."));
        for (side, text) in [("before", &entry.before), ("after", &entry.after)] {
            std::fs::write(folder.path().join(side).join(file(number)), own(text)).unwrap();
        }
    }
    let (wire, json) = (
        broken(&buf, folder.path(), "WIRE"),
        broken(&buf, folder.path(), "WIRE_JSON"),
    );
    let mut differing = Vec::new();
    for (number, entry) in table.iter().enumerate() {
        let found = changes(&registry(&entry.before), &registry(&entry.after));
        let rules = found.iter().flat_map(|change| &change.rules);
        let rules: BTreeSet<Rule> = rules.copied().filter(|rule| !is_ours(*rule)).collect();
        let buf_of = |rules: &BTreeMap<String, BTreeSet<String>>| {
            rules.get(&file(number)).cloned().unwrap_or_default()
        };
        let of_wire = rules.iter().filter(|rule| rule.breaks() == Breaks::Wire);
        let of_wire: BTreeSet<String> = of_wire.map(|rule| rule.name().to_owned()).collect();
        let all: BTreeSet<String> = rules.iter().map(|rule| rule.name().to_owned()).collect();
        let by_buf: BTreeSet<String> = buf_of(&wire).union(&buf_of(&json)).cloned().collect();
        if of_wire != buf_of(&wire) || all != by_buf {
            differing.push(format!("{}: ours {all:?}, buf {by_buf:?}", entry.name));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
