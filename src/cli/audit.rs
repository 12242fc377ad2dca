//! `audit`: what is committed and looks like a secret or personal data.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::audit::{Audited, Finding, Spot, look_over};
use crate::model::matches_pattern;
use crate::project::{AuditAllowance, Project};

/// Look over fixtures, snapshots, failure logs and descriptor sets for secrets and personal data.
///
/// Says file, line and column, and never what was found. Ends with 1 where something was found that replay.toml does
/// not allow.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// Files and folders; the folder of fixtures and the failure logs of the sources when left out.
    paths: Vec<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &AuditArguments) -> Done {
    let config = project.config();
    let mut audited = Vec::new();
    for path in paths(project, arguments) {
        audited.extend(look_over(&path).map_err(|error| {
            let file = Project::shown(&error.file);
            Stop::Failed(format!(
                "cannot look over {file}: {}",
                super::words(&error.reason)
            ))
        })?);
    }
    if audited.is_empty() {
        return Err(Stop::Failed(
            "there is nothing to look over: name files or folders, or set `fixtures` in replay.toml".into(),
        ));
    }
    let files = audited.len();
    for one in &mut audited {
        let name = below(&one.file, &config.root);
        one.findings.retain(|finding| {
            !config
                .audit_allow
                .iter()
                .any(|allowance| allows(allowance, finding, &name))
        });
    }
    audited.retain(|one| !one.findings.is_empty());
    let count: usize = audited.iter().map(|one| one.findings.len()).sum();
    if arguments.json {
        say(as_json(files, &audited));
        return if count == 0 {
            Ok(())
        } else {
            Err(Stop::Differs)
        };
    }
    for one in &audited {
        for finding in &one.findings {
            let place = match finding.spot {
                Spot::Line(line, column) => format!("{line}:{column}"),
                Spot::Byte(byte) => format!("byte {byte}"),
            };
            say(format_args!(
                "{}:{place}: {}",
                Project::shown(&one.file),
                finding.what
            ));
        }
    }
    if count == 0 {
        say(format_args!("looked over {files} files: nothing found"));
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "{count} findings in {} of {files} files; capture these cases again with redaction rules \
         (docs/redaction.md), or allow what is no secret: [[audit.allow]] in replay.toml",
        audited.len()
    )))
}

/// What was asked for, else all that the tool has written or was given.
fn paths(project: &Project, arguments: &AuditArguments) -> Vec<PathBuf> {
    if !arguments.paths.is_empty() {
        return arguments.paths.clone();
    }
    let config = project.config();
    let logs = config.sources.values().flat_map(|source| &source.tickets);
    std::iter::once(&config.fixtures)
        .chain(logs)
        .filter(|path| path.exists())
        .cloned()
        .collect()
}

fn allows(allowance: &AuditAllowance, finding: &Finding, file: &str) -> bool {
    let is_kind = allowance
        .finding
        .as_deref()
        .is_none_or(|what| what == finding.what);
    let is_there = allowance
        .files
        .as_deref()
        .is_none_or(|files| matches_pattern(files, file));
    is_kind && is_there && matches_pattern(&allowance.text, finding.text())
}

fn below(file: &Path, root: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let file = file.strip_prefix(root).unwrap_or(&file);
    file.display().to_string()
}

fn as_json(files: usize, audited: &[Audited]) -> serde_json::Value {
    let findings = audited.iter().flat_map(|one| {
        one.findings.iter().map(|finding| {
            let file = Project::shown(&one.file);
            match finding.spot {
                Spot::Line(line, column) => {
                    json!({"file": file, "line": line, "column": column, "finding": finding.what})
                }
                Spot::Byte(byte) => json!({"file": file, "byte": byte, "finding": finding.what}),
            }
        })
    });
    json!({"files": files, "findings": findings.collect::<Vec<_>>()})
}
