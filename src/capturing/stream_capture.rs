//! The capture of one stream whose history has been read, and its case of a command or of the history alone.

use super::context::CaptureContext;
use super::found_failure::FoundFailure;
use super::named_failure::NamedFailure;
use super::pending_capture::{Naming, PendingCapture};
use super::report::CaptureReport;
use super::request::{FailureOrigin, RequestedFailure};
use super::{Captured, OperationError, captured_at};
use crate::capture::{
    Assembled, CaptureError, CaseParts, EventQueries, Fetched, Persisted, assemble,
};
use crate::model::{Cover, Fingerprints};
use crate::project::OpenSource;
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};

/// A stream of the source, with its history.
pub(super) struct StreamCapture<'a> {
    pub(super) context: &'a CaptureContext<'a>,
    pub(super) source: &'a OpenSource,
    pub(super) queries: &'a dyn EventQueries,
    pub(super) cover: Cover,
    pub(super) fetched: &'a Fetched,
}

impl StreamCapture<'_> {
    /// Captures a case of the command that failed or was accepted, or of the history alone.
    pub(super) fn of_command(
        self,
        requested: &RequestedFailure,
        named: Option<&NamedFailure>,
        naming: Naming<'_>,
    ) -> Result<Captured, OperationError> {
        let (context, request, source) = (self.context, self.context.request, self.source);
        let found = self.find_failure(requested, named)?;
        let is_of_source =
            matches!(naming, Naming::Distinct(_)) && requested.origin == FailureOrigin::Source;
        let is_elsewhere = requested.origin.is_ticket() || (named.is_some() && !is_of_source);
        if let (Some(failing), true) = (&found.failing, is_elsewhere) {
            context.demand_redaction(source, &failing.command.cover, &found.origin)?;
        }
        if self.fetched.head == 0 && found.failing.is_none() {
            return Err(self.nothing_stored().into());
        }
        let mut assembled = assemble(CaseParts {
            cover: &self.cover,
            fetched: self.fetched,
            up_to: request.up_to,
            failing: found.failing.as_ref(),
            noted: found.noted.as_ref(),
            source: &source.name,
            dialect: source.spoken(self.queries),
            captured_at: captured_at(),
            labels: request.labels.clone(),
        })?;
        let revision = &mut assembled.case.source.revision;
        *revision = revision.take().or_else(|| found.revision.clone());
        let unknown = context.project.unknown();
        unknown.add(lost_fields(&assembled, self.fetched, &found));
        let mut report = CaptureReport::default();
        report.capture(&assembled, self.fetched, &found);
        report.unusable(&unusable_lines(source, &found));
        let redacted_by = found.failing.map(|failing| failing.redacted.by);
        PendingCapture::new(context, source, assembled.dialect, report)
            .named(naming)
            .redacted_before_by(redacted_by.unwrap_or_else(Fingerprints::new))
            .finish(assembled.case, assembled.head)
    }

    /// Nothing is stored, and nothing failed.
    fn nothing_stored(&self) -> CaptureError {
        let cover = &self.cover;
        CaptureError::Nothing {
            spec: format!(
                "{}/{} (edition {})",
                cover.domain,
                cover.root,
                cover.edition.label()
            ),
            place: self.queries.place(),
            tickets: self.source.tickets.len(),
        }
    }
}

/// Lines that were skipped, in the source's logs and in the log that was named, which may be one of them.
fn unusable_lines(source: &OpenSource, found: &FoundFailure) -> Vec<String> {
    let known = &source.failures.unusable;
    let more = found.unusable.iter().filter(|line| !known.contains(line));
    known.iter().chain(more).cloned().collect()
}

/// Unknown fields that the case does not keep: those of a command whose header was replaced, and those of pages that
/// production stored, because only their events are kept.
fn lost_fields(assembled: &Assembled, fetched: &Fetched, found: &FoundFailure) -> UnknownFields {
    let restamped = found.failing.as_ref();
    let restamped = restamped.filter(|_| assembled.is_restamped);
    let mut unknown = restamped.map_or_else(UnknownFields::new, |failing| {
        unknown_in_command(&failing.command)
    });
    if let Some(Persisted::Known { events, .. }) = &assembled.persisted {
        let pages = fetched.history.pages().iter().chain(&fetched.later);
        let stored = pages.filter(|page| page.sequence >= assembled.head);
        unknown.extend(stored.take(events.len()).flat_map(unknown_in_page));
    }
    unknown
}
