//! The result of a capture, as text and as JSON.

use serde_json::json;

use crate::capturing::{CaptureVerdict, Captured, SavedState};
use crate::cli::report::{self, verdict_role};
use crate::cli::{differences, say};
use crate::model::{CommandBook, HeadKnowledge, Status};
use crate::project::{Project, other_build};
use crate::snapshot::Verdict;
use crate::terminal::{Role, Text, paragraph, program, quoted, show, stdout_width};

/// Prints the result of a capture.
pub(super) fn print(captured: &Captured) {
    let room = stdout_width();
    let mut text = found(captured, room);
    if captured.saved != SavedState::Unchanged {
        let line = Text::plain(format_args!("  {:<13}", "verdict"));
        let role = role(&captured.verdict, captured.case.status);
        let line = line.with_result(role, &captured.verdict.to_string());
        text.append(&paragraph(&line, room, INDENT));
    }
    if let CaptureVerdict::Judged(verdict) = &captured.verdict
        && let Some(note) = other_build(&captured.case, verdict)
    {
        let line = Text::plain(format_args!("  {:<13}{note}", ""));
        text.append(&paragraph(&line, room, INDENT));
    }
    if let CaptureVerdict::Judged(Verdict::NotReproduced { differences, .. }) = &captured.verdict {
        differences::push(&mut text, differences, INDENT, room);
    }
    show(&text.trim_end());
    print_files(captured);
}

/// What was found, in lines that fit.
pub(super) fn found(captured: &Captured, room: Option<usize>) -> Text {
    let cover = &captured.case.cover;
    let source = if captured.is_embedded {
        "the embedded deployment"
    } else {
        &captured.source
    };
    let mut text = Text::new();
    let opening = Text::plain(format_args!(
        "{} {}, edition {}, from {source}",
        cover.domain,
        cover.root,
        cover.edition.label()
    ));
    text.append(&paragraph(&opening, room, 2));
    for line in &captured.report {
        let foreign = line.quoted.as_ref();
        let foreign = foreign.map_or_else(String::new, |it| format!(" {}", quoted(it)));
        let words = format!("{}{foreign}", line.own);
        let line = Text::plain(format_args!("  {:<13}{}", line.key, words.trim_start()));
        text.append(&paragraph(&line, room, INDENT));
    }
    text
}

/// Prints which files were written, and what to do next.
fn print_files(captured: &Captured) {
    let fixture = Project::shown(&captured.path);
    if captured.saved == SavedState::DryRun {
        return say(format_args!(
            "\nwould write {fixture}:\n\n{}",
            captured.text.trim_end()
        ));
    }
    say(format_args!(
        "\n{} {fixture} ({})",
        captured.saved.word(),
        captured.case.status.word()
    ));
    say(format_args!("commit: {}", captured.files.join(" ")));
    say(format_args!("next: {}", next_step(captured, &fixture)));
}

/// Where the words of a line begin, after its key.
const INDENT: usize = 15;

pub(super) fn role(verdict: &CaptureVerdict, status: Status) -> Role {
    match verdict {
        CaptureVerdict::Judged(verdict) => verdict_role(verdict, status),
        CaptureVerdict::CapturedBefore => Role::Plain,
        CaptureVerdict::NotReplayed(_) | CaptureVerdict::NothingToCompare => Role::Caution,
    }
}

fn next_step(captured: &Captured, fixture: &str) -> String {
    let (program, test) = (program(), program().test());
    let replay = format!("{program} replay {fixture}");
    match (captured.case.status, &captured.verdict) {
        (Status::Closed | Status::Intended, _) => test.to_owned(),
        (Status::Open, CaptureVerdict::Judged(Verdict::Reproduced)) => {
            format!("{replay}    # then fix the bug, and: {test}")
        }
        (Status::Open, CaptureVerdict::Judged(_)) => {
            format!("{replay}    # then accept today's outcome: {program} close {fixture}")
        }
        // There is no outcome that could be accepted.
        (Status::Open, _) => replay,
    }
}

/// The result of a capture as JSON.
pub(super) fn json(captured: &Captured) -> serde_json::Value {
    let case = &captured.case;
    let command = case.stimulus.command().map(CommandBook::type_name);
    let redacted = case.redacted.iter().map(|field| {
        json!({"type": field.type_name, "field": field.field, "action": field.action.word()})
    });
    let suspects = captured.suspects.iter().map(|suspect| {
        json!({"type": suspect.type_name, "field": suspect.field, "looks_like": suspect.looks_like})
    });
    let unknown = captured.unknown.iter().map(ToString::to_string);
    json!({
        "capture": 1,
        "fixture": Project::shown(&captured.path),
        "files": captured.files,
        "result": captured.saved.word(),
        "status": case.status.word(),
        "kind": case.stimulus.word(),
        "source": captured.source,
        "domain": case.cover.domain.as_str(),
        "root": case.cover.root.to_string(),
        "edition": case.cover.edition.label(),
        "events": case.history.pages().len(),
        "head": case.history.next_sequence(),
        "head_known": head_word(case.source.head),
        "command": command,
        "noted": case.noted.as_ref().map(report::noted),
        "production": case.observed.as_ref().map(report::production),
        "verdict": captured.verdict.to_string(),
        "revision": case.source.revision,
        "redacted": redacted.collect::<Vec<_>>(),
        "redacted_anew": captured.is_redacted_anew,
        "not_redacted": captured.not_redacted,
        "looks_personal": suspects.collect::<Vec<_>>(),
        "unknown_fields": unknown.collect::<Vec<_>>(),
        "dialect": captured.dialect.dialect.name(),
        "dialect_assumed": captured.assumed_dialect().is_some(),
    })
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
