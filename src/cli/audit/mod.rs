//! `audit`: what is committed and looks like a secret or personal data.

mod left;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say, selected};
use crate::audit::{Audited, Spot, UNREAD, audit_path};
use crate::project::Project;

/// Look over fixtures, snapshots, failure logs and descriptor sets for secrets and personal data.
///
/// Says file, line and column, and never what was found; also what the redaction rules of today would have taken out. Ends with 1 where something was found, or could not be read, that
/// replay.toml does not allow.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// Files and folders, or cases as `replay` takes them, each with all its files; the folder of fixtures and the failure
    /// logs of the sources when left out.
    paths: Vec<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &AuditArguments) -> Done {
    let config = project.config();
    let mut audited = Vec::new();
    for path in paths(project, arguments)? {
        audited.extend(audit_path(&path, super::words).map_err(|error| {
            let file = Project::shown(&error.file);
            Stop::Failed(format!(
                "cannot audit {file}: {}",
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
    if let Some(rules) = project.leftover_rules()? {
        for one in &mut audited {
            left::add(project, &rules, one);
            one.findings.sort_by_key(|finding| finding.spot);
        }
    }
    for one in &mut audited {
        one.remove_allowed(&config.audit_allow, &below(&one.file, &config.root));
    }
    let is_clean = |one: &Audited| one.findings.is_empty() && one.unread.is_empty();
    audited.retain(|one| !is_clean(one));
    if arguments.json {
        say(as_json(files, &audited));
        return if audited.is_empty() {
            Ok(())
        } else {
            Err(Stop::Differs)
        };
    }
    for one in &audited {
        say_findings(one);
    }
    match summary(files, &audited) {
        None => {
            say(format_args!("looked over {files} files: nothing found"));
            Ok(())
        }
        Some(summary) => Err(Stop::Failed(summary)),
    }
}

fn say_findings(one: &Audited) {
    let file = Project::shown(&one.file);
    for finding in &one.findings {
        let place = match finding.spot {
            Spot::Line(line, column) => format!(":{line}:{column}"),
            Spot::Byte(byte) => format!(":byte {byte}"),
            Spot::File => String::new(),
        };
        let about = finding.about.as_ref();
        let about = about.map_or(String::new(), |about| format!(": {about}"));
        say(format_args!("{file}{place}: {}{about}", finding.what));
    }
    for reason in &one.unread {
        say(format_args!("{file}: {UNREAD}: {reason}"));
    }
}

/// What was found and what was not read, in a sentence; none where that is nothing.
fn summary(files: usize, audited: &[Audited]) -> Option<String> {
    let count = |of: fn(&Audited) -> usize| -> (usize, usize) {
        let counts = audited.iter().map(of).filter(|count| *count > 0);
        counts.fold((0, 0), |(all, files), count| (all + count, files + 1))
    };
    let (found, in_files) = count(|one| one.findings.len());
    let (_, unread) = count(|one| one.unread.len());
    let mut parts = Vec::new();
    if found > 0 {
        parts.push(format!(
            "{found} finding{} in {in_files} of {files} files; capture these cases again with redaction rules \
             (docs/redaction.md), or allow what is no secret: [[audit.allow]] in replay.toml",
            if found == 1 { "" } else { "s" }
        ));
    }
    if unread > 0 {
        parts.push(format!(
            "{unread} of {files} files could not be read in full, so nobody knows what is in them; mend or remove them, or \
             allow it: [[audit.allow]] with `finding = \"{UNREAD}\"`"
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// What was asked for, else all that the tool has written or was given.
fn paths(project: &Project, arguments: &AuditArguments) -> Result<Vec<PathBuf>, Stop> {
    if !arguments.paths.is_empty() {
        let (there, cases): (Vec<PathBuf>, Vec<PathBuf>) = arguments
            .paths
            .iter()
            .cloned()
            .partition(|path| path.symlink_metadata().is_ok());
        let mut paths = there;
        for entry in selected(project, &cases)? {
            paths.extend(project.files_of(&entry.path)?);
        }
        // Two cases may share a descriptor set.
        let mut known = HashSet::new();
        paths.retain(|path| known.insert(path.clone()));
        return Ok(paths);
    }
    let config = project.config();
    let logs = config.sources.values().flat_map(|source| &source.tickets);
    let paths = std::iter::once(&config.fixtures)
        .chain(logs)
        .filter(|path| path.exists())
        .cloned();
    Ok(paths.collect())
}

fn below(file: &Path, root: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let file = file.strip_prefix(root).unwrap_or(&file);
    file.display().to_string()
}

fn as_json(files: usize, audited: &[Audited]) -> serde_json::Value {
    let findings = audited.iter().flat_map(|one| {
        one.findings.iter().map(|finding| {
            let mut object = json!({"file": Project::shown(&one.file), "finding": finding.what});
            match finding.spot {
                Spot::Line(line, column) => {
                    object["line"] = line.into();
                    object["column"] = column.into();
                }
                Spot::Byte(byte) => object["byte"] = byte.into(),
                Spot::File => {}
            }
            if let Some(about) = &finding.about {
                object["about"] = about.as_str().into();
            }
            object
        })
    });
    let unread = audited.iter().flat_map(|one| {
        let file = Project::shown(&one.file);
        let reasons = one.unread.iter();
        reasons.map(move |reason| json!({"file": file, "reason": reason}))
    });
    json!({
        "files": files,
        "findings": findings.collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
    })
}
