//! The failure logs and program logs of the source, and the logs that the request names.

use std::fs::File;
use std::path::Path;

use super::{Found, Haystack, Newest, Search};
use crate::capture::Logged;
use crate::finding::clue::{Candidate, Matched, Wanted};
use crate::finding::occurrence::{Cause, Occurrence, OccurrenceKind, Place, STDIN};
use crate::model::counted;
use crate::project::{FailureEntry, Project, ReadKind, ReadingProgress, WatchedFile, each_failure};
use crate::terminal::words;

/// Maximum number of unusable lines of one log that are reported.
const MOST_UNUSABLE: usize = 20;

/// Maximum number of failures of standard input that are kept: it can be read only once, and is searched twice.
const MOST_PIPED: usize = 100_000;

pub(super) struct Logs<'a> {
    search: &'a Search<'a>,
    /// Standard input, once it is read.
    piped: Option<Piped>,
}

/// The failures in standard input.
struct Piped {
    entries: Vec<FailureEntry>,
    lines: usize,
    /// The line after which no failure was kept.
    full: Option<usize>,
}

impl Haystack for Logs<'_> {
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        let search = self.search;
        if search.is_embedded {
            self.embedded(wanted, found);
        }
        let config = search.project.config().sources.get(&search.source);
        let (tickets, logs) = config.map_or((&[][..], &[][..]), |config| {
            (&config.tickets[..], &config.logs[..])
        });
        for file in tickets {
            self.file(file, true, wanted, found);
        }
        for file in logs.iter().chain(&search.request.logs) {
            if file == Path::new(STDIN) {
                self.piped(wanted, found);
            } else {
                self.file(file, false, wanted, found);
            }
        }
        let has_none = tickets.is_empty() && logs.is_empty() && search.request.logs.is_empty();
        if has_none && !search.is_embedded {
            found.not_looked(
                "failure logs",
                "the source names none under `tickets` or `logs`, and there is no --from-log",
            );
        }
    }
}

impl<'a> Logs<'a> {
    pub(super) const fn of(search: &'a Search<'a>) -> Self {
        Self {
            search,
            piped: None,
        }
    }

    /// Searches standard input. It can be read only once, so its failures are kept.
    fn piped(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        const NAME: &str = "standard input";
        if self.piped.is_none() {
            match Piped::read(
                &mut self
                    .search
                    .project
                    .file_progress(ReadKind::Logs, [Path::new(STDIN)]),
            ) {
                Ok((piped, unusable)) => {
                    found.unusable.extend(unusable);
                    self.piped = Some(piped);
                }
                Err(error) => found.not_looked(NAME, words(&error)),
            }
        }
        let Some(piped) = &self.piped else { return };
        let mut newest = Newest::default();
        for entry in &piped.entries {
            if let Some(occurrence) = self.occurrence(entry, false, wanted) {
                newest.push(occurrence);
            }
        }
        found.add(newest);
        found.looked(format!("{NAME} ({})", counted(piped.lines, "line")));
        if let Some(line) = piped.full {
            found.not_looked(
                &format!("{NAME} after line {line}"),
                format!(
                    "it holds more than {MOST_PIPED} failures; write it to a file and name that"
                ),
            );
        }
    }

    fn embedded(&self, wanted: &Wanted<'_>, found: &mut Found) {
        let search = self.search;
        let Ok(failures) = search.project.failures(Some(&search.source)) else {
            return;
        };
        let mut newest = Newest::default();
        for entry in &failures.entries {
            if let Some(occurrence) = self.occurrence(entry, true, wanted) {
                newest.push(occurrence);
            }
        }
        found.add(newest);
        found.looked(format!(
            "the failure log of `{}` ({})",
            search.source,
            counted(failures.entries.len(), "failure")
        ));
    }

    fn file(&self, file: &Path, is_tickets: bool, wanted: &Wanted<'_>, found: &mut Found) {
        let name = Project::shown(file);
        let mut newest = Newest::default();
        let progress = &mut self.search.project.file_progress(ReadKind::Logs, [file]);
        let read = File::open(file).and_then(|log| {
            let log = WatchedFile {
                file: log,
                progress,
            };
            each_failure(log, &name, MOST_UNUSABLE, &mut |entry| {
                if let Some(occurrence) = self.occurrence(&entry, is_tickets, wanted) {
                    newest.push(occurrence);
                }
            })
        });
        found.add(newest);
        match read {
            Ok((lines, unusable)) => {
                found.looked(format!("{name} ({})", counted(lines, "line")));
                for line in unusable {
                    if !found.unusable.contains(&line) {
                        found.unusable.push(line);
                    }
                }
            }
            Err(error) => found.not_looked(&name, words(&error)),
        }
    }

    fn occurrence(
        &self,
        entry: &FailureEntry,
        is_tickets: bool,
        wanted: &Wanted<'_>,
    ) -> Option<Occurrence> {
        let logged = &entry.logged;
        let trace_id = entry.trace_id.as_deref();
        let candidate = match logged {
            Logged::Ticket(ticket) => Candidate {
                trace_id,
                is_failure: !ticket.is_accepted(),
                ..Candidate::of_command(&ticket.command)
            },
            Logged::Failure(_) => Candidate {
                domain: logged.domain(),
                root: Some(logged.root()),
                correlation_id: logged.correlation_id(),
                trace_id,
                is_failure: true,
                ..Candidate::default()
            },
        };
        let matched = wanted.matches(&candidate)?;
        let (file, line) = (entry.file.clone(), entry.line);
        // A line with more than the ticket is not read by `--ticket`.
        let is_bare = match logged {
            Logged::Ticket(ticket) => trace_id == ticket.trace_id.as_deref(),
            Logged::Failure(_) => trace_id.is_none(),
        };
        let place = if is_tickets && is_bare {
            Place::Tickets { file, line }
        } else {
            Place::Log { file, line }
        };
        Some(self.described(entry, place, matched))
    }

    fn described(&self, entry: &FailureEntry, place: Place, matched: Vec<Matched>) -> Occurrence {
        let logged = &entry.logged;
        let (kind, cause) = match logged {
            Logged::Ticket(ticket) if ticket.is_accepted() => (
                OccurrenceKind::AcceptedCommand,
                Cause::of_command(&ticket.command),
            ),
            Logged::Ticket(ticket) => (
                OccurrenceKind::FailedCommand,
                Cause::of_command(&ticket.command),
            ),
            Logged::Failure(_) => (OccurrenceKind::LoggedFailure, None),
        };
        let is_accepted = kind == OccurrenceKind::AcceptedCommand;
        Occurrence {
            time: logged.time(),
            domain: logged.domain().cloned(),
            root: Some(logged.root()),
            edition: logged.edition().clone(),
            correlation_id: logged.correlation_id().to_owned(),
            redacted_id: self.search.messages.correlation_id(logged),
            trace_id: entry.trace_id.clone(),
            type_name: logged.command().unwrap_or_default().to_owned(),
            code: logged
                .failure()
                .filter(|_| !is_accepted)
                .map(|failure| failure.code),
            message: self.search.messages.of_logged(logged),
            aside: logged.aside(),
            cause,
            ..Occurrence::new(kind, place, matched)
        }
    }
}

impl Piped {
    /// Reads standard input. Also returns its unusable lines.
    fn read(progress: &mut ReadingProgress<'_>) -> std::io::Result<(Self, Vec<String>)> {
        let (mut entries, mut full) = (Vec::new(), None);
        let log = std::io::stdin().lock();
        let log = WatchedFile {
            file: log,
            progress,
        };
        let (lines, unusable) = each_failure(log, STDIN, MOST_UNUSABLE, &mut |entry| {
            if entries.len() < MOST_PIPED {
                entries.push(entry);
            } else {
                full.get_or_insert(entry.line - 1);
            }
        })?;
        let piped = Self {
            entries,
            lines,
            full,
        };
        Ok((piped, unusable))
    }
}
