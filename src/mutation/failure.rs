//! Mutants of a failing status.

use super::change::Change;
use crate::model::{Code, ErrorInfo, Failure};

/// More than the default header limit of gRPC libraries.
const LONG: usize = 16 * 1024;

pub(super) fn changes(failure: &Failure) -> Vec<Change<Failure>> {
    let mut found = Vec::new();
    for code in Code::all().filter(|code| *code != failure.code) {
        let other = Failure {
            code,
            ..failure.clone()
        };
        found.push(Change::new("another code", other));
    }
    for message in reworded(&failure.message) {
        let other = Failure {
            message,
            ..failure.clone()
        };
        found.push(Change::new("another message", other));
    }
    let infos = match &failure.info {
        None => vec![Change::new(
            "more",
            Some(ErrorInfo {
                reason: "MUTANT".into(),
                domain: String::new(),
                metadata: Vec::new(),
            }),
        )],
        Some(info) => infos(info),
    };
    found.extend(infos.into_iter().map(|change| {
        let change = change.of("error info");
        change.map(|info| Failure {
            info,
            ..failure.clone()
        })
    }));
    found
}

/// Two long messages that only differ at the end.
pub(super) fn long_messages(message: &str) -> [String; 2] {
    ["?", "!"].map(|end| format!("{message}{}{end}", " and so on".repeat(LONG / 8)))
}

/// Variations of a message, some of them hard to see.
pub(super) fn reworded(message: &str) -> Vec<String> {
    let mut found = vec![
        format!("{message} "),
        format!("{message}\n"),
        format!(" {message}"),
        format!("{message}."),
        format!("Mutant {message}"),
    ];
    if !message.is_empty() {
        found.push(String::new());
    }
    found.extend([message.to_uppercase(), message.to_lowercase()]);
    found.retain(|other| other != message);
    found
}

fn infos(info: &ErrorInfo) -> Vec<Change<Option<ErrorInfo>>> {
    let mut found = vec![Change::new("left out", None)];
    let mut push = |what, edit: &dyn Fn(&mut ErrorInfo)| {
        let mut info = info.clone();
        edit(&mut info);
        found.push(Change::new(what, Some(info)));
    };
    push("another reason", &|info| info.reason.push('X'));
    push("another domain", &|info| info.domain.push('X'));
    push("metadata more", &|info| {
        info.metadata.push(("zz-mutant".into(), String::new()));
    });
    for at in 0..info.metadata.len() {
        push("metadata left out", &|info| {
            info.metadata.remove(at);
        });
        push("metadata another value", &|info| {
            info.metadata[at].1.push('X');
        });
    }
    found
}
