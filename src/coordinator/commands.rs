//! Commands: checked, loaded for, handled by the logic, and stored; or only handled, for speculation.

use super::prior::{self, Prior};
use super::queries::{book_of, failed};
use super::reply::{self, Interpreted};
use super::store::{Append, Conflict, NewPage, Store, Stream};
use super::timeline::Timeline;
use super::{Backend, LocalCoordinator, clock, validate};
use crate::coordination;
use crate::model::{Code, CommandBook, Cover, Edition, EmittedBook, Failure, Outcome, Snapshot};
use crate::wire::{self, Generation, PointInTime, Refused, ReplyBook, SentCommand};

/// How often a command is handled anew because another one was stored meanwhile.
pub(super) const RACES: usize = 10;
/// Details travel in a header, and clients take no more than 8 KiB of those without being told: in base64, this.
const DETAILS_LIMIT: usize = 5 * 1024;

const NO_COMMAND: &str = "the request has no command";
const NO_SPECULATIVE_COMMAND: &str = "SpeculateAggregateRequest has no command";
const NO_POINT: &str = "Speculative requires either as_of_sequence or as_of_timestamp";

/// A command on its way, with what it is handled by and against.
pub(super) struct Handling<'a> {
    pub(super) command: &'a CommandBook,
    pub(super) stream: &'a Stream,
    pub(super) store: &'a Store,
    pub(super) backend: &'a Backend,
}

impl LocalCoordinator {
    /// `HandleCommand`.
    pub(super) fn execute(&self, sent: Option<SentCommand>) -> Result<ReplyBook, Refused> {
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

    /// `HandleSyncSpeculative`: no sequence is checked, nothing is filled in, nothing is stored.
    pub(super) fn speculated(
        &self,
        sent: Option<SentCommand>,
        point: Option<PointInTime>,
    ) -> Result<EmittedBook, Refused> {
        let command = validate::command(sent, NO_SPECULATIVE_COMMAND)?;
        let point = point.ok_or_else(|| Failure::refused(NO_POINT))?;
        let stream = validate::stream_of(&command.cover);
        let backend = self.backend(&stream)?;
        let pages = self.pages_as_of(&stream, point)?;
        let masked = self.dialect.generation() >= Generation::Autumn;
        let prior = self.shown(prior::book(&stream, None, &pages)?, masked)?;
        match backend.handle(&prior, &command)? {
            Outcome::Accepted(book) => Ok(book),
            Outcome::Revoked(revocation) => Err(revocation.as_failure().into()),
            _ => Ok(EmittedBook::default()),
        }
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

    /// One pass from the check of the sequence to the store; a conflict where the store has moved on.
    fn attempt(&self, handling: &Handling<'_>) -> Result<Result<ReplyBook, Conflict>, Refused> {
        let (command, stream) = (handling.command, handling.stream);
        let timeline = Timeline {
            store: handling.store,
            stream,
        };
        let divergence = divergence(&command.cover);
        let head = timeline.head(divergence).map_err(failed)?;
        self.check_sequence(handling, head)?;
        let mut prior = Prior::load(timeline, divergence, head)?;
        prior.book = self.shown(prior.book, true)?;
        let command = if command.expected_sequence().is_none() {
            command.restamped(head)
        } else {
            command.clone()
        };
        let emitted = match handling.backend.handle(&prior.book, &command)? {
            Outcome::Accepted(book) => book,
            Outcome::Revoked(revocation) => return Err(revocation.as_failure().into()),
            _ => return Ok(Ok(ReplyBook::default())),
        };
        if emitted.pages.is_empty() && emitted.snapshot.is_none() {
            return Ok(Ok(ReplyBook::default()));
        }
        match reply::interpret(&emitted, &prior.book) {
            Err(conflict) => Ok(Err(conflict)),
            Ok(interpreted) => self.store(handling, &prior, &emitted, &interpreted),
        }
    }

    fn check_sequence(&self, handling: &Handling<'_>, head: u32) -> Result<(), Refused> {
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
        Err(Refused::WithBook(failure, book))
    }

    /// Stores what is new in a reply, under its own cover; a conflict where the store has moved on.
    pub(super) fn store(
        &self,
        handling: &Handling<'_>,
        prior: &Prior,
        emitted: &EmittedBook,
        interpreted: &Interpreted,
    ) -> Result<Result<ReplyBook, Conflict>, Refused> {
        let cover = filled_cover(emitted.cover.as_ref(), &handling.command.cover);
        let home = handling.stream;
        let foreign = (&cover.domain, &cover.root) != (&home.domain, &home.root);
        let (target, store) = if foreign {
            self.foreign_target(home, &cover)?
        } else {
            (home.clone(), handling.store)
        };
        let inserted_at = (self.clock)();
        let pages: Vec<NewPage> = interpreted
            .pages
            .iter()
            .map(|(sequence, page)| NewPage {
                sequence: *sequence,
                bytes: wire::encode_emitted_page(page, self.dialect).into(),
                created_at: clock::text(page.created_at.unwrap_or(inserted_at)),
            })
            .collect();
        let next_sequence = interpreted.next_sequence;
        let append = Append {
            base: if foreign { 0 } else { prior.book.next_sequence },
            seen: (!foreign).then_some(prior.book.next_sequence),
            snapshot: self.snapshot_to_store(store, &target, emitted, next_sequence)?,
            correlation_id: cover.correlation_id.clone(),
            external_id: String::new(),
            pages,
        };
        let contiguous = self.dialect.generation() >= Generation::Autumn;
        let appended = store.append(&target, &append, contiguous).map_err(failed)?;
        Ok(appended.map(|()| ReplyBook {
            spells_main: emitted.cover.is_some(),
            cover: Some(cover),
            snapshot: emitted.snapshot.as_ref().map(wire::encode_snapshot),
            next_sequence,
            pages: append
                .pages
                .into_iter()
                .map(|page| page.bytes.into())
                .collect(),
        }))
    }

    /// A reply that names another aggregate is stored under that one, until coordinators learned to refuse it.
    fn foreign_target(&self, home: &Stream, cover: &Cover) -> Result<(Stream, &Store), Refused> {
        let refused = |why: &str| {
            Failure::rejected(format!(
                "the logic answered for {}/{}, the command was for {}/{}: {why}",
                cover.domain, cover.root, home.domain, home.root
            ))
        };
        if self.dialect.generation() >= Generation::Autumn {
            return Err(refused("nothing is stored").into());
        }
        let store = self
            .stores
            .of(&cover.domain)
            .ok_or_else(|| refused("that domain has no store here"))?;
        let target = Stream {
            domain: cover.domain.clone(),
            root: cover.root,
            edition: home.edition.clone(),
        };
        Ok((target, store))
    }

    /// The reply's snapshot where its state is new, for the last page that it folds in.
    pub(super) fn snapshot_to_store(
        &self,
        store: &Store,
        target: &Stream,
        emitted: &EmittedBook,
        next_sequence: u32,
    ) -> Result<Option<(u32, Vec<u8>)>, Refused> {
        let (Some(snapshot), Some(last)) = (&emitted.snapshot, next_sequence.checked_sub(1)) else {
            return Ok(None);
        };
        let newest = prior::newest_snapshot(store, target)?;
        if newest.is_some_and(|newest| newest.state == snapshot.state) {
            return Ok(None);
        }
        let mut stored = Snapshot {
            sequence: last,
            original: None,
            ..snapshot.clone()
        };
        if self.dialect.generation() < Generation::Autumn {
            stored.retention = crate::model::Retention::Default;
        }
        Ok(Some((last, wire::encode_snapshot(&stored).into())))
    }
}

/// The explicit point of divergence for the command's own domain.
fn divergence(cover: &Cover) -> Option<u32> {
    match &cover.edition {
        Edition::Main => None,
        Edition::Named { divergences, .. } => divergences
            .iter()
            .find(|divergence| divergence.domain == cover.domain)
            .map(|divergence| divergence.sequence),
    }
}

/// The reply's cover: what the logic left out comes from the command, except the edition.
fn filled_cover(emitted: Option<&Cover>, command: &Cover) -> Cover {
    let mut cover = emitted
        .cloned()
        .unwrap_or_else(|| Cover::main(command.domain.clone(), command.root));
    if cover.correlation_id.is_empty() {
        cover.correlation_id.clone_from(&command.correlation_id);
    }
    cover
}

pub(super) fn conflict_failure(conflict: Conflict) -> Failure {
    Failure::rejected(format!(
        "Sequence conflict: expected {}, got {}",
        conflict.expected, conflict.got
    ))
}

pub(super) fn no_logic(stream: &Stream) -> Failure {
    Failure {
        code: Code::Unavailable,
        message: format!("no logic is configured for domain `{}`", stream.domain),
        info: None,
    }
}
