//! What became of a capture.

use std::path::Path;

use serde_json::json;

use super::Finished;
use crate::cli::say;
use crate::fixture::Fixture;
use crate::model::{Case, Code, CommandBook, HeadKnowledge, Observed, Payload, Status};
use crate::project::{CaseRun, OpenSource, Project};
use crate::snapshot::{Verdict, listed};
use crate::wire::UnknownFields;

/// A capture that is done.
pub(super) struct Report<'a> {
    path: &'a Path,
    pub(super) case: &'a Case,
    saved: &'static str,
    verdict: String,
    first: Option<&'a CaseRun>,
    /// What to commit; nothing where nothing is written.
    files: Vec<String>,
}

impl<'a> Report<'a> {
    /// Of a case that was captured before.
    pub(super) fn unchanged(project: &Project, path: &'a Path, existing: &'a Fixture) -> Self {
        let verdict = "captured before".to_owned();
        Self {
            path,
            case: &existing.case,
            saved: "unchanged",
            verdict,
            first: None,
            files: project.files_to_commit(path),
        }
    }

    /// Of a case that was replayed, as far as that was possible.
    pub(super) fn of(
        project: &Project,
        path: &'a Path,
        case: &'a Case,
        saved: &'static str,
        first: &'a Result<CaseRun, String>,
    ) -> Self {
        let verdict = match first {
            Ok(run) if run.view.is_none() => {
                "not checked: the logic offers neither Replay nor an upcaster".to_owned()
            }
            Ok(run) => run.verdict.to_string(),
            Err(reason) => format!("not checked: {reason}"),
        };
        Self {
            path,
            case,
            saved,
            verdict,
            first: first.as_ref().ok(),
            files: match saved {
                "dry-run" => Vec::new(),
                _ => project.files_to_commit(path),
            },
        }
    }

    pub(super) fn print(&self, text: &str) {
        let fixture = Project::shown(self.path);
        if self.saved != "unchanged" {
            say(format_args!("  {:<13}{}", "verdict", self.verdict));
        }
        if let Some(Verdict::NotReproduced { differences, .. }) = self.first.map(|run| &run.verdict)
        {
            for line in listed(differences) {
                say(format_args!("  {:<13}{line}", ""));
            }
        }
        match self.saved {
            "dry-run" => {
                return say(format_args!(
                    "\nwould write {fixture}:\n\n{}",
                    text.trim_end()
                ));
            }
            saved => say(format_args!(
                "\n{saved} {fixture} ({})",
                self.case.status.word()
            )),
        }
        say(format_args!("commit: {}", self.files.join(" ")));
        say(format_args!("next: {}", self.next_step(&fixture)));
    }

    fn next_step(&self, fixture: &str) -> String {
        let replay = format!("cargo xtask replay {fixture}");
        // Without an outcome there is nothing to accept.
        let judged = self.first.filter(|run| run.view.is_some());
        let verdict = judged.map(|run| &run.verdict);
        match (self.case.status, verdict) {
            (Status::Closed, _) => "cargo test".to_owned(),
            (Status::Open, Some(Verdict::Reproduced)) => {
                format!("{replay}    # then fix the bug, and: cargo test")
            }
            (Status::Open, Some(_)) => {
                format!("{replay}    # then accept today's outcome: cargo xtask close {fixture}")
            }
            (Status::Open, None) => replay,
        }
    }

    /// The same for whoever tells it together with others.
    pub(super) fn finished(&self, source: &OpenSource) -> Finished {
        Finished {
            saved: self.saved,
            fixture: Project::shown(self.path),
            verdict: self.verdict.clone(),
            files: self.files.clone(),
            json: self.json(source),
            redacting: None,
            unknown: UnknownFields::new(),
            assumed: None,
        }
    }

    fn json(&self, source: &OpenSource) -> serde_json::Value {
        let case = self.case;
        let failure = case.observed.as_ref().and_then(Observed::failure);
        let command = case.stimulus.command().map(CommandBook::type_name);
        let production = match (&case.observed, failure) {
            (Some(Observed::Accepted(events)), _) => {
                let names = events
                    .iter()
                    .map(|event| event.body.event().map(Payload::type_name));
                Some(json!({"code": Code::Ok.name(), "events": names.collect::<Vec<_>>()}))
            }
            (_, Some(failure)) => {
                Some(json!({"code": failure.code.name(), "message": failure.message}))
            }
            _ => None,
        };
        json!({
            "fixture": Project::shown(self.path),
            "files": self.files,
            "result": self.saved,
            "status": case.status.word(),
            "kind": case.stimulus.word(),
            "source": source.name,
            "domain": case.cover.domain.as_str(),
            "root": case.cover.root.to_string(),
            "edition": case.cover.edition.label(),
            "events": case.history.pages().len(),
            "head": case.history.next_sequence(),
            "head_known": head_word(case.source.head),
            "command": command,
            "noted": case.noted.as_ref().map(|noted| json!({
                "code": noted.code.map(Code::name),
                "message": noted.message,
            })),
            "production": production,
            "verdict": self.verdict,
        })
    }
}

const fn head_word(known: HeadKnowledge) -> &'static str {
    match known {
        HeadKnowledge::Checked => "checked",
        HeadKnowledge::Ticket => "ticket",
        HeadKnowledge::Given => "given",
        HeadKnowledge::Assumed => "assumed",
        HeadKnowledge::Current => "current",
        HeadKnowledge::Recorded => "recorded",
    }
}
