//! Commands: checks them, loads the history, calls the logic and stores the events. Speculation stores nothing.

use super::prior_history::{self, PriorHistory};
use super::queries::{book_of, failed};
use super::store::{Append, AppendConflict, NewPage, Store, Stream};
use super::timeline::Timeline;
use super::{Backend, LocalCoordinator, stored_time, validate};
use crate::coordination;
use crate::grpc::{PointInTime, ReceivedCommand, RefusedCall, ReplyBook};
use crate::model::{Code, CommandBook, Cover, Edition, EmittedBook, Failure, Outcome, Snapshot};
use crate::wire::{self};

/// How often a command is retried because another one was stored in the meantime.
pub(super) const RACES: usize = 10;
/// Limit for details. They are sent in base64 in a header, and clients accept 8 KiB of headers by default.
const DETAILS_LIMIT: usize = 5 * 1024;

const NO_COMMAND: &str = "the request has no command";
const NO_SPECULATIVE_COMMAND: &str = "SpeculateAggregateRequest has no command";
const NO_POINT: &str = "Speculative requires either as_of_sequence or as_of_timestamp";

/// A command in progress, with its store and logic.
pub(super) struct Handling<'a> {
    pub(super) command: &'a CommandBook,
    pub(super) stream: &'a Stream,
    pub(super) store: &'a Store,
    pub(super) backend: &'a Backend,
}

impl LocalCoordinator {
    /// `HandleCommand`.
    pub(super) fn execute(&self, sent: Option<ReceivedCommand>) -> Result<ReplyBook, RefusedCall> {
        let command = validate::command(sent, NO_COMMAND)?;
        let stream = validate::stream_of(&command.cover);
        let handling = self.handling(&command, &stream)?;
        let mut races = 0;
        loop {
            match self.attempt(&handling)? {
                Ok(book) => return Ok(book),
                Err(conflict) if conflict.moved && races < RACES => races += 1,
                Err(conflict) => return Err(conflict_failure(conflict).into()),
            }
        }
    }

    /// `HandleSyncSpeculative`: does not check the sequence, complete the reply or store anything.
    pub(super) fn speculated(
        &self,
        sent: Option<ReceivedCommand>,
        point: Option<PointInTime>,
    ) -> Result<EmittedBook, RefusedCall> {
        let command = validate::command(sent, NO_SPECULATIVE_COMMAND)?;
        let point = point.ok_or_else(|| Failure::refused(NO_POINT))?;
        let stream = validate::stream_of(&command.cover);
        let backend = self.backend(&stream)?;
        let pages = self.pages_as_of(&stream, point)?;
        let masked = self.dialect.rules().always_masks;
        let prior = self.shown(prior_history::book(&stream, None, &pages)?, masked)?;
        emitted(backend.handle(&prior, &command)?)
    }

    /// A command with the store and the logic of its domain.
    pub(super) fn handling<'a>(
        &'a self,
        command: &'a CommandBook,
        stream: &'a Stream,
    ) -> Result<Handling<'a>, Failure> {
        Ok(Handling {
            command,
            stream,
            store: self
                .stores
                .of(&stream.domain)
                .ok_or_else(|| no_logic(stream))?,
            backend: self.backend(stream)?,
        })
    }

    pub(super) fn backend(&self, stream: &Stream) -> Result<&Backend, Failure> {
        self.backends
            .get(&stream.domain)
            .ok_or_else(|| no_logic(stream))
    }

    /// One attempt, from the check of the sequence to the store; a conflict if the store has changed in the meantime.
    fn attempt(
        &self,
        handling: &Handling<'_>,
    ) -> Result<Result<ReplyBook, AppendConflict>, RefusedCall> {
        let (command, stream) = (handling.command, handling.stream);
        let timeline = Timeline {
            store: handling.store,
            stream,
        };
        let divergence = divergence(&command.cover);
        let head = timeline.head(divergence).map_err(failed)?;
        self.check_sequence(handling, head)?;
        let mut prior = PriorHistory::load(timeline, divergence, head)?;
        prior.book = self.shown(prior.book, true)?;
        let command = if command.expected_sequence().is_none() {
            command.restamped(head)
        } else {
            command.clone()
        };
        let emitted = emitted(handling.backend.handle(&prior.book, &command)?)?;
        if emitted.pages.is_empty() && emitted.snapshot.is_none() {
            return Ok(Ok(ReplyBook::default()));
        }
        self.store(handling, &prior, &emitted)
    }

    fn check_sequence(&self, handling: &Handling<'_>, head: u32) -> Result<(), RefusedCall> {
        let failure = coordination::sequence_mismatch(self.dialect, handling.command, head);
        let Some(failure) = failure else {
            return Ok(());
        };
        let timeline = Timeline {
            store: handling.store,
            stream: handling.stream,
        };
        let book = book_of(handling.stream, timeline.whole(None).map_err(failed)?);
        let size: usize = book.pages.iter().map(bytes::Bytes::len).sum();
        if size > DETAILS_LIMIT {
            return Err(failure.into());
        }
        Err(RefusedCall::WithBook(failure, book))
    }

    /// Stores the new pages of a reply, under the reply's cover; a conflict if the store has changed in the meantime, or if the
    /// reply has impossible sequences.
    pub(super) fn store(
        &self,
        handling: &Handling<'_>,
        prior: &PriorHistory,
        emitted: &EmittedBook,
    ) -> Result<Result<ReplyBook, AppendConflict>, RefusedCall> {
        let asked = &handling.command.cover;
        let cover = filled_cover(emitted.cover.as_ref(), asked);
        let home = handling.stream;
        let other = coordination::addressee(self.dialect, asked, emitted)?;
        let foreign = other.is_some();
        let (target, store) = match other {
            Some(other) => self.foreign_target(home, asked, other)?,
            None => (home.clone(), handling.store),
        };
        let head = prior.book.next_sequence;
        let mut new = emitted.pages.clone();
        coordination::take_out_echoes(&mut new, &prior.book);
        let new = match coordination::placed(self.dialect, &prior.book, &new) {
            Ok(placed) => placed,
            Err(conflict) => return Ok(Err(conflict.into())),
        };
        let next_sequence = coordination::next_after(&new, head);
        let inserted_at = (self.clock)();
        let pages: Vec<NewPage> = new
            .iter()
            .map(|page| NewPage {
                sequence: page.header.sequence().unwrap_or_default(),
                bytes: wire::encode_emitted_page(page, self.dialect).into(),
                created_at: stored_time::text(page.created_at.unwrap_or(inserted_at)),
            })
            .collect();
        let append = Append {
            base: if foreign { 0 } else { head },
            seen: (!foreign).then_some(head),
            snapshot: self.snapshot_to_store(store, &target, emitted, next_sequence)?,
            correlation_id: cover.correlation_id.clone(),
            external_id: String::new(),
            pages,
        };
        let contiguous = !self.dialect.rules().stores_gaps;
        let appended = store.append(&target, &append, contiguous).map_err(failed)?;
        // Silently dropped pages are part of the reply to the client.
        let replied = if self.dialect.rules().drops_below_head {
            let pages = emitted.pages.iter();
            pages
                .map(|page| wire::encode_emitted_page(page, self.dialect))
                .collect()
        } else {
            let pages = append.pages.into_iter();
            pages.map(|page| page.bytes.into()).collect()
        };
        Ok(appended.map(|()| ReplyBook {
            spells_main: emitted.cover.is_some(),
            cover: Some(cover),
            snapshot: emitted.snapshot.as_ref().map(wire::encode_snapshot),
            next_sequence,
            pages: replied,
        }))
    }

    /// Stream and store of another aggregate that a reply names.
    fn foreign_target(
        &self,
        home: &Stream,
        asked: &Cover,
        other: &Cover,
    ) -> Result<(Stream, &Store), RefusedCall> {
        let store = self.stores.of(&other.domain).ok_or_else(|| {
            coordination::foreign_reply(asked, other, "that domain has no store here")
        })?;
        let target = Stream {
            domain: other.domain.clone(),
            root: other.root,
            edition: home.edition.clone(),
        };
        Ok((target, store))
    }

    /// The reply's snapshot if its state is new, at the sequence of the last page that it includes.
    pub(super) fn snapshot_to_store(
        &self,
        store: &Store,
        target: &Stream,
        emitted: &EmittedBook,
        next_sequence: u32,
    ) -> Result<Option<(u32, Vec<u8>)>, RefusedCall> {
        let (Some(snapshot), Some(last)) = (&emitted.snapshot, next_sequence.checked_sub(1)) else {
            return Ok(None);
        };
        let newest = prior_history::newest_snapshot(store, target)?;
        if newest.is_some_and(|newest| newest.state == snapshot.state) {
            return Ok(None);
        }
        let mut stored = Snapshot {
            sequence: last,
            original: None,
            ..snapshot.clone()
        };
        if !self.dialect.rules().keeps_retention {
            stored.retention = crate::model::Retention::Default;
        }
        Ok(Some((last, wire::encode_snapshot(&stored).into())))
    }
}

/// Explicit point of divergence for the command's own domain.
fn divergence(cover: &Cover) -> Option<u32> {
    match &cover.edition {
        Edition::Main => None,
        Edition::Named { divergences, .. } => divergences
            .iter()
            .find(|divergence| divergence.domain == cover.domain)
            .map(|divergence| divergence.sequence),
    }
}

/// The reply's cover, completed from the command, except for the edition.
pub(super) fn filled_cover(emitted: Option<&Cover>, command: &Cover) -> Cover {
    let mut cover = emitted
        .cloned()
        .unwrap_or_else(|| Cover::main(command.domain.clone(), command.root));
    if cover.correlation_id.is_empty() {
        cover.correlation_id.clone_from(&command.correlation_id);
    }
    cover
}

pub(super) fn conflict_failure(conflict: AppendConflict) -> Failure {
    let AppendConflict { expected, got, .. } = conflict;
    coordination::Conflict { expected, got }.failure()
}

pub(super) fn no_logic(stream: &Stream) -> Failure {
    Failure {
        code: Code::Unavailable,
        message: format!("no logic is configured for domain `{}`", stream.domain),
        info: None,
    }
}

/// The events of an aggregate's answer. A notification has none.
pub(super) fn emitted(answer: Outcome) -> Result<EmittedBook, RefusedCall> {
    match answer {
        Outcome::Accepted(book) => Ok(book),
        Outcome::Revoked(revocation) => Err(revocation.as_failure().into()),
        Outcome::Notified(_)
        | Outcome::Rejected(_)
        | Outcome::Crashed(_)
        | Outcome::Unimplemented(_)
        | Outcome::Refused(_)
        | Outcome::Folded(_)
        | Outcome::Upcast(_)
        | Outcome::Reacted(_)
        | Outcome::Projected(_)
        | Outcome::Prepared(_) => Ok(EmittedBook::default()),
    }
}
