//! The recordings that the request names.

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::Path;

use super::{Found, Haystack, Newest, Search};
use crate::capture::Logged;
use crate::finding::clue::{Candidate, Wanted, external_id};
use crate::finding::occurrence::{Cause, Occurrence, OccurrenceKind, Place};
use crate::model::{Body, CommandBook, Cover, EventBook, Failure, Payload, Stimulus, counted};
use crate::plain;
use crate::project::{Project, ReadKind, ReadingProgress, WatchedFile};
use crate::record::{Answer, Link, RecordedCall, parse_recording, ticket_of};
use crate::terminal::words;
use crate::ticket::Ticket;

/// Longer lines are not read, because a line is read into memory as a whole.
const LONGEST_LINE: u64 = 64 << 20;

pub(super) struct Recordings<'a>(pub(super) &'a Search<'a>);

impl Haystack for Recordings<'_> {
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        let files = &self.0.request.recordings;
        if files.is_empty() {
            found.not_looked("recordings", "none is named with --recorded");
        }
        for file in files {
            let name = Project::shown(file);
            let mut newest = Newest::default();
            let progress = &mut self
                .0
                .project
                .file_progress(ReadKind::Recordings, [file.as_path()]);
            let read = each_call(file, progress, &mut |call| {
                if let Some(occurrence) = self.occurrence(&name, call, wanted) {
                    newest.push(occurrence);
                }
            });
            found.add(newest);
            match read {
                Ok(calls) => found.looked(format!("{name} ({})", counted(calls, "call"))),
                Err(reason) => found.not_looked(&name, reason),
            }
        }
    }
}

/// Reads a recording line by line. A line without an end is still being written.
fn each_call(
    file: &Path,
    progress: &mut ReadingProgress<'_>,
    found: &mut dyn FnMut(&RecordedCall),
) -> Result<usize, String> {
    let reader = File::open(file).and_then(|file| plain::of(WatchedFile { file, progress }));
    let mut reader = reader.map_err(|error| words(&error))?;
    let mut line = Vec::new();
    let mut calls = 0;
    for number in 1_usize.. {
        line.clear();
        let limited = reader.by_ref().take(LONGEST_LINE);
        let read = { limited }.read_until(b'\n', &mut line);
        if read.map_err(|error| words(&error))? == 0 || line.last() != Some(&b'\n') {
            if line.len() as u64 == LONGEST_LINE {
                return Err(format!(
                    "line {number} is longer than 64 MiB; the rest is not read"
                ));
            }
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let parsed = parse_recording(&text);
        for recorded in parsed.map_err(|error| format!("line {number}: {}", error.kind))? {
            calls += 1;
            found(&recorded.call);
        }
    }
    Ok(calls)
}

/// A recorded call, decoded.
enum Content {
    Command(CommandBook),
    Logic(Box<Stimulus>),
}

impl Recordings<'_> {
    fn occurrence(
        &self,
        file: &str,
        call: &RecordedCall,
        wanted: &Wanted<'_>,
    ) -> Option<Occurrence> {
        let content = if call.link() == Some(Link::ClientAndCoordinator) {
            Content::Command(call.command().ok()?)
        } else {
            Content::Logic(Box::new(call.stimulus().ok()?))
        };
        let stored = call.stored().ok().flatten();
        let mut candidate = match &content {
            Content::Command(book) => Candidate::of_command(book),
            Content::Logic(stimulus) => of_stimulus(stimulus),
        };
        candidate.is_failure = matches!(call.answer, Answer::Status(_));
        if let Some(stored) = &stored {
            candidate.payloads.extend(events(stored.history.pages()));
        }
        let matched = wanted.matches(&candidate)?;
        let subject = call.subject().ok()?;
        let cover = subject.cover.as_ref();
        let place = Place::Recording {
            file: file.to_owned(),
            call: call.number,
        };
        let kind = match (&content, &call.answer) {
            (Content::Logic(_), _) => OccurrenceKind::RecordedCall,
            (Content::Command(_), Answer::Status(_)) => OccurrenceKind::FailedCommand,
            (Content::Command(_), Answer::Reply(_)) => OccurrenceKind::AcceptedCommand,
        };
        let cause = match &content {
            Content::Command(book) => Cause::of_command(book),
            Content::Logic(stimulus) => cause_of(stimulus),
        };
        let failure = match &call.answer {
            Answer::Status(status) => Some(&status.failure),
            Answer::Reply(_) => None,
        };
        let ticket = ticket_of(call);
        let pages = stored.iter().flat_map(|book| book.history.pages());
        let sequences: Vec<u32> = pages.map(|page| page.sequence).collect();
        Some(Occurrence {
            time: Some(call.time),
            domain: Some(subject.domain.clone()),
            root: cover.map(|cover| cover.root),
            edition: cover.map(|cover| cover.edition.clone()).unwrap_or_default(),
            redacted_id: self.redacted_id(cover, ticket.as_ref()),
            correlation_id: cover.map_or_else(String::new, |it| it.correlation_id.clone()),
            type_name: subject.type_name,
            code: failure.map(|failure| failure.code),
            message: self.message(failure, ticket.as_ref()),
            aside: ticket.as_ref().and_then(crate::capture::Aside::of_ticket),
            cause,
            sequences: sequences.first().copied().zip(sequences.last().copied()),
            ..Occurrence::new(kind, place, matched)
        })
    }

    fn redacted_id(&self, cover: Option<&Cover>, ticket: Option<&Ticket>) -> String {
        let messages = &self.0.messages;
        match (ticket, cover) {
            (Some(ticket), _) => messages.correlation_id(&Logged::Ticket(ticket.clone())),
            (None, Some(cover)) => messages.id(&cover.correlation_id),
            (None, None) => String::new(),
        }
    }

    /// A recording is redacted when it is written, and its messages are redacted once more by today's rules.
    fn message(&self, failure: Option<&Failure>, ticket: Option<&Ticket>) -> String {
        match (failure, ticket) {
            (None, _) => String::new(),
            (Some(_), Some(ticket)) => self.0.messages.of_ticket(ticket),
            (Some(failure), None) => self.0.messages.of_text(&failure.message),
        }
    }
}

fn events(pages: &[crate::model::Page]) -> impl Iterator<Item = &Payload> {
    pages.iter().filter_map(|page| page.body.event())
}

/// What may match in a call to logic: the request's own part, without the history that comes with it.
fn of_stimulus(stimulus: &Stimulus) -> Candidate<'_> {
    match stimulus {
        Stimulus::Command { command, .. } => Candidate::of_command(command),
        Stimulus::Fact { facts, prior } => Candidate {
            external_ids: facts
                .pages
                .iter()
                .filter_map(|page| external_id(&page.header))
                .collect(),
            payloads: facts
                .pages
                .iter()
                .filter_map(|page| page.body.event())
                .collect(),
            ..of_cover(facts.cover.as_ref().unwrap_or(&prior.cover))
        },
        Stimulus::Saga { source: book, .. }
        | Stimulus::Prepare { trigger: book, .. }
        | Stimulus::ProcessManager { trigger: book, .. }
        | Stimulus::Project { events: book, .. } => Candidate {
            payloads: events(book.history.pages()).collect(),
            ..of_cover(&book.cover)
        },
        Stimulus::Upcast { domain, pages } => Candidate {
            domain: Some(domain),
            payloads: pages
                .iter()
                .filter_map(|page| match &page.body {
                    Body::Event(payload) => Some(payload),
                    Body::External(_) | Body::Empty => None,
                })
                .collect(),
            ..Candidate::default()
        },
        Stimulus::Fold { .. } => Candidate::default(),
    }
}

fn of_cover(cover: &Cover) -> Candidate<'_> {
    Candidate {
        domain: Some(&cover.domain),
        root: Some(cover.root),
        correlation_id: &cover.correlation_id,
        ext: cover.ext.as_ref(),
        ..Candidate::default()
    }
}

/// The event that a component was called with.
fn cause_of(stimulus: &Stimulus) -> Option<Cause> {
    let of = |book: &EventBook| {
        let last = book.history.pages().last()?;
        Some(Cause {
            domain: book.cover.domain.clone(),
            root: book.cover.root,
            sequence: last.sequence,
            component: String::new(),
        })
    };
    match stimulus {
        Stimulus::Command { command, .. } => Cause::of_command(command),
        Stimulus::Saga { source: book, .. }
        | Stimulus::Prepare { trigger: book, .. }
        | Stimulus::ProcessManager { trigger: book, .. }
        | Stimulus::Project { events: book, .. } => of(book),
        Stimulus::Fact { .. } | Stimulus::Upcast { .. } | Stimulus::Fold { .. } => None,
    }
}
