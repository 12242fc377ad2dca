//! A guard that cannot fail is worthless: every mutant of every answer in the committed cases is noticed, or a rule that
//! `tests/fixtures/hidden_mutants.txt` names hides it.

use std::path::Path;
use std::sync::Arc;

use angzarr_replay::harness::{discover, try_mutants};
use angzarr_replay::project::Project;

#[test]
fn every_mutant_is_noticed_or_hidden_by_a_listed_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Arc::new(Project::open(poker::app(), root).unwrap());
    let list = std::fs::read_to_string(root.join("tests/fixtures/hidden_mutants.txt")).unwrap();
    let listed: Vec<&str> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut hidden = std::collections::BTreeMap::<String, Vec<String>>::new();
    let mut other_reasons = Vec::new();
    let mut count = 0;
    let mut guarded = std::collections::BTreeMap::new();
    for entry in discover(&project).unwrap() {
        if entry.twin.is_some() {
            continue;
        }
        let mutants =
            try_mutants(&project, &entry).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let case = project.folder().read(&entry.path).unwrap().case;
        let guarded = guarded.entry(case.stimulus.word()).or_insert(0);
        *guarded += u32::from(entry.path.with_extension("snap").exists() && !mutants.is_empty());
        for tried in mutants {
            count += 1;
            if !tried.by_snapshot {
                let reason = tried.reason.map(|it| it.to_string());
                let line = format!(
                    "snapshot: {} -- {}",
                    tried.change,
                    reason.unwrap_or_default()
                );
                if !listed.contains(&line.as_str()) {
                    other_reasons.push(line);
                }
            }
            for (by, noticed) in [
                ("snapshot", Some(tried.by_snapshot)),
                ("verdict", tried.by_verdict),
            ] {
                if noticed == Some(false) {
                    let cases = hidden.entry(format!("{by}: {}", tried.change)).or_default();
                    if !cases.contains(&entry.relative) {
                        cases.push(entry.relative.clone());
                    }
                }
            }
        }
    }
    let named = |line: &str| line.split(" -- ").next().unwrap_or_default().to_owned();
    let unlisted: Vec<String> = hidden
        .iter()
        .filter(|(mutant, _)| !listed.iter().any(|line| named(line) == **mutant))
        .map(|(mutant, cases)| format!("{mutant}   {cases:?}"))
        .collect();
    let idle: Vec<&&str> = listed
        .iter()
        .filter(|line| !hidden.contains_key(&named(line)))
        .collect();
    assert!(count > 1000, "{count}");
    // One case alone may be blind in the very place where the next fault is.
    assert_eq!(guarded.len(), 9, "{guarded:?}");
    assert!(guarded.values().all(|cases| *cases >= 2), "{guarded:?}");
    assert!(
        unlisted.is_empty() && idle.is_empty(),
        "{count} mutants; not noticed:\n{}\n\nlisted, and hide nothing any more:\n{idle:#?}",
        unlisted.join("\n")
    );
    assert!(
        other_reasons.is_empty(),
        "listed with another reason than the report of `mutate` gives:\n{}",
        other_reasons.join("\n")
    );
}
