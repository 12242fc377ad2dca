//! `audit`: parses the arguments and prints the findings.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::audit::{Audited, Spot, UNREAD};
use crate::auditing::{AuditRequest, ProjectAudit, audit};
use crate::documentation::Page;
use crate::model::counted;
use crate::project::Project;

/// Search fixtures, snapshots, failure logs and descriptor sets for secrets and personal data.
///
/// Prints file, line and column of each finding, never the value. Also finds values that today's redaction rules would
/// remove. Ends with 1 if something was found or could not be read that replay.toml does not allow.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// Files, folders, or cases as for `replay`, each with all its files; by default the folder of fixtures and the
    /// failure logs of the sources.
    paths: Vec<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &AuditArguments) -> Done {
    let request = AuditRequest {
        paths: arguments.paths.clone(),
    };
    let found = audit(project, &request)?;
    if arguments.json {
        say(as_json(&found));
        return if found.is_clean() {
            Ok(())
        } else {
            Err(Stop::Differs)
        };
    }
    for one in &found.unclean {
        say_findings(one);
    }
    if found.is_clean() {
        say(format_args!(
            "looked over {} files: nothing found",
            found.files
        ));
        return Ok(());
    }
    Err(Stop::Failed(summary(&found)))
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

/// The findings and the unread files, in a sentence each.
fn summary(found: &ProjectAudit) -> String {
    let files = found.files;
    let findings = found.count_findings();
    let mut parts = Vec::new();
    if findings > 0 {
        parts.push(format!(
            "{} in {} of {files} files; capture these cases again with redaction rules ({}), or allow what is no secret: \
             [[audit.allow]] in replay.toml",
            counted(findings, "finding"),
            found.count_files_with_findings(),
            Page::Redaction
        ));
    }
    let unread = found.count_unread_files();
    if unread > 0 {
        parts.push(format!(
            "{unread} of {files} files could not be read in full, so nobody knows what is in them; mend or remove them, or \
             allow it: [[audit.allow]] with `finding = \"{UNREAD}\"`"
        ));
    }
    parts.join("\n")
}

fn as_json(found: &ProjectAudit) -> serde_json::Value {
    let findings = found.unclean.iter().flat_map(|one| {
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
    let unread = found.unclean.iter().flat_map(|one| {
        let file = Project::shown(&one.file);
        let reasons = one.unread.iter();
        reasons.map(move |reason| json!({"file": file, "reason": reason}))
    });
    json!({
        "audit": 1,
        "files": found.files,
        "findings": findings.collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
    })
}
