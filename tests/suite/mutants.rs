//! A guard that cannot fail is worthless: every mutant of every answer in the committed cases is noticed, or there is a
//! reason why it is not. The snapshot lists those that are not noticed, each with the comparison and the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use angzarr_replay::internal::harness::{discover, try_mutants};
use angzarr_replay::internal::project::Project;
use insta::assert_snapshot;

/// Why a verdict does not notice a change that a snapshot notices.
fn only_in_snapshots(change: &str) -> Option<&'static str> {
    match change {
        "accepted: a command more" | "accepted: a fact more" => {
            Some("a flow is judged by the hops of aggregates; a message to nobody leads to none")
        }
        "accepted: notification: more" => Some(
            "a flow is judged by the hops of aggregates; sagas have no notifications, which the snapshot shows",
        ),
        "accepted: own events more" => Some(
            "a flow is judged by the hops of aggregates; sagas have no events of their own, which the snapshot shows",
        ),
        change if change.starts_with("accepted: command: ") => Some(
            "a flow is judged by the hops of aggregates; what a saga sent is seen in the snapshot",
        ),
        "rejected: error info: more" => {
            Some("what was observed may come from a log, which has the status without its details")
        }
        _ => None,
    }
}

#[test]
fn every_mutant_is_noticed_or_hidden_by_a_listed_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Arc::new(Project::open(poker::app(), root).unwrap());
    let mut hidden = BTreeSet::new();
    let mut unexplained = Vec::new();
    let mut count = 0;
    let mut guarded = BTreeMap::new();
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
            let rule = tried.reason.map(|reason| reason.to_string());
            let known = only_in_snapshots(&tried.change).map(str::to_owned);
            let by_verdict = rule.clone().or(known);
            for (comparison, noticed, reason) in [
                ("snapshot", Some(tried.by_snapshot), rule),
                ("verdict", tried.by_verdict, by_verdict),
            ] {
                if noticed != Some(false) {
                    continue;
                }
                let mutant = format!("{comparison}: {}", tried.change);
                match reason {
                    Some(reason) => drop(hidden.insert(format!("{mutant} -- {reason}"))),
                    None => unexplained.push(format!("{mutant}   {}", entry.relative)),
                }
            }
        }
    }
    assert!(count > 1000, "{count}");
    // One case alone may be blind in the very place where the next fault is.
    assert_eq!(guarded.len(), 9, "{guarded:?}");
    assert!(guarded.values().all(|cases| *cases >= 2), "{guarded:?}");
    assert!(
        unexplained.is_empty(),
        "{count} mutants; not noticed, for no known reason:\n{}",
        unexplained.join("\n")
    );
    let hidden: Vec<String> = hidden.into_iter().collect();
    assert_snapshot!("hidden_mutants", hidden.join("\n"));
}
