//! One step as a coordinator would take it: validate, check the sequence, upcast, mask, call, stamp.

use std::fmt;

use super::{Target, TargetError};
use crate::coordination::{self, Effect};
use crate::model::{
    CommandBook, Cover, EmittedBook, EmittedPage, EventBook, Failure, Header, History, Outcome,
    Snapshot, Stimulus,
};
use crate::wire::{Dialect, UnknownFields, list_unknown_fields, unknown_in_command};

/// Something worth saying about a replay that is neither outcome nor error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The coordinator would have refused the command before the logic sees it.
    RefusedBeforeLogic,
    /// The coordinator's own validation refuses the command. Its words are this project's, not Angzarr's.
    RefusedByValidation,
    /// Pages that are provisional or the framework's own were shown as placeholders.
    Masked {
        /// How many.
        pages: usize,
    },
    /// The logic repeated pages that it was shown; they are left out.
    EchoesLeftOut {
        /// How many.
        pages: usize,
    },
    /// An emitted page says another place than the next one.
    OddPlace {
        /// Position among the emitted pages.
        position: usize,
        /// Sequence that it says; none where it has no header, which counts as 0.
        says: Option<u32>,
        /// Sequence that comes next.
        next: u32,
        /// What coordinators of the dialect do about it.
        becomes: OddPlace,
    },
    /// The heads of the destinations are not known: the component was told none.
    DestinationsUnknown,
    /// The projector has no speculative call: its ordinary one was used, with all its effects.
    OrdinaryCall,
    /// The projector has no speculative call, and its ordinary one has effects.
    NoSpeculativeCall,
    /// What was answered has fields that this version does not know.
    UnknownInReply {
        /// The fields.
        fields: UnknownFields,
    },
    /// What is sent lost unknown fields, since a changed command or page is encoded anew.
    UnknownNotSent {
        /// The fields.
        fields: UnknownFields,
    },
}

/// What becomes of a page in a place that is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddPlace {
    /// It is stored there.
    Stored,
    /// It is left out in silence.
    Dropped,
    /// The whole reply is refused.
    Refused,
}

impl fmt::Display for OddPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stored => "a coordinator of this dialect stores it there, with a gap",
            Self::Dropped => "a coordinator of this dialect answers OK and does not store it",
            Self::Refused => {
                "a coordinator of this dialect refuses the reply (Sequence conflict), and stores nothing"
            }
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefusedBeforeLogic => f.write_str(
                "the coordinator refuses this command before the logic sees it: it was made for another head",
            ),
            Self::RefusedByValidation => f.write_str(
                "the coordinator's validation refuses this command before the logic sees it; the message is worded here, \
                 production words it differently",
            ),
            Self::Masked { pages } => write!(
                f,
                "{pages} provisional or framework pages were shown as placeholders, as a coordinator does it"
            ),
            Self::EchoesLeftOut { pages } => write!(
                f,
                "the logic repeated {pages} pages that it was shown; left out"
            ),
            Self::OddPlace {
                position,
                says,
                next,
                becomes,
            } => {
                let said = match says {
                    Some(says) => format!("says sequence {says}"),
                    None => "has no header, which counts as sequence 0,".to_owned(),
                };
                write!(
                    f,
                    "event {} {said} where {next} comes next: {becomes}",
                    position + 1
                )
            }
            Self::DestinationsUnknown => f.write_str(
                "the component was told no heads of the aggregates that it writes to: heads of the past cannot be asked for, and the fixture names none (`destinations`)",
            ),
            Self::OrdinaryCall => f.write_str(
                "the projector has no speculative call: its ordinary one was used, as the fixture allows (`effects: harmless`)",
            ),
            Self::NoSpeculativeCall => f.write_str(
                "the projector has no speculative call; where the effects of the ordinary one do no harm, say so in the fixture: `effects: harmless`",
            ),
            Self::UnknownInReply { fields } => write!(
                f,
                "the logic's reply was read without {}",
                list_unknown_fields(fields)
            ),
            Self::UnknownNotSent { fields } => write!(
                f,
                "what was sent had to be encoded anew, without {}",
                list_unknown_fields(fields)
            ),
        }
    }
}

/// A replayed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// What the logic answered, or the coordinator in its place.
    pub outcome: Outcome,
    /// Outcome with the full history instead of the snapshot, where that was asked for and there is one.
    pub outcome_without_snapshot: Option<Outcome>,
    /// The aggregates that a process manager wanted to know of, where it was asked and answered.
    pub prepared: Option<Vec<Cover>>,
    /// What a coordinator makes of each book of events that is to be stored: of an aggregate that accepted a command, or of
    /// a process manager's own. Facts are stored after whatever is there.
    pub effects: Vec<Effect>,
    /// What is worth saying.
    pub notes: Vec<Note>,
}

impl Replay {
    pub(super) const fn of(outcome: Outcome, notes: Vec<Note>) -> Self {
        Self {
            outcome,
            outcome_without_snapshot: None,
            prepared: None,
            effects: Vec::new(),
            notes,
        }
    }
}

/// What there is to say of unknown fields in the replies of a target since that was last asked.
#[must_use]
pub fn unknown_in_replies(target: &dyn Target) -> Option<Note> {
    let fields = target.take_unknown();
    (!fields.is_empty()).then_some(Note::UnknownInReply { fields })
}

impl Note {
    /// Of unknown fields that are not sent, if there are any.
    #[must_use]
    pub fn not_sent(fields: UnknownFields) -> Option<Self> {
        (!fields.is_empty()).then_some(Self::UnknownNotSent { fields })
    }
}

impl Replay {
    /// The outcome of an accepted command as its coordinator gives it to the sender and to the store; none where that is
    /// nothing else.
    #[must_use]
    pub fn as_coordinated(&self) -> Option<Outcome> {
        let (Outcome::Accepted(emitted), [effect]) = (&self.outcome, self.effects.as_slice())
        else {
            return None;
        };
        match effect {
            Effect::Refused(failure) => Some(Outcome::Rejected(failure.clone())),
            Effect::Stored(pages) if *pages == emitted.pages => None,
            Effect::Stored(pages) => Some(Outcome::Accepted(EmittedBook {
                pages: pages.clone(),
                ..emitted.clone()
            })),
        }
    }
}

/// How a snapshot is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// As production does: the snapshot and the pages after it.
    AtSnapshot,
    /// All pages.
    AtBeginning,
}

/// Replays one command on its history. The logic is called once, and once more without the snapshot if there is
/// one and `both_ways` asks for it.
pub fn replay_command(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    if let Err(failure) = coordination::validate(command) {
        let notes = vec![Note::RefusedByValidation];
        return Ok(Replay::of(Outcome::Refused(failure), notes));
    }
    let head = book.next_sequence;
    if let Some(failure) = coordination::sequence_mismatch(target.dialect(), command, head) {
        let notes = vec![Note::RefusedBeforeLogic];
        return Ok(Replay::of(Outcome::Rejected(failure), notes));
    }
    let sent = stamped(command, head);
    let mut replay = asked(target, book, &sent, both_ways)?;
    if sent.original.is_none() {
        let lost = Note::not_sent(unknown_in_command(command));
        replay.notes.extend(lost);
    }
    Ok(replay)
}

/// Asks the logic without any check, with the command as it is.
pub(super) fn asked(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    let mut replay = handle(target, book, command, Start::AtSnapshot)?;
    if both_ways && reaches_behind_snapshot(book) {
        let other = handle(target, book, command, Start::AtBeginning)?;
        replay.outcome_without_snapshot = Some(other.outcome);
    }
    replay.notes.extend(unknown_in_replies(target));
    Ok(replay)
}

/// Whether there is a snapshot and the pages that are folded in it: a recorder sees only those after it.
fn reaches_behind_snapshot(book: &EventBook) -> bool {
    let first = book.history.pages().first();
    let snapshot = book.snapshot.as_ref();
    first
        .zip(snapshot)
        .is_some_and(|(first, snapshot)| first.sequence <= snapshot.sequence)
}

/// What a history becomes today. Parts that the logic does not offer are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryReplay {
    /// The folded state, or how folding failed.
    pub state: Option<Outcome>,
    /// The same, folded from the snapshot on, where there is one.
    pub state_from_snapshot: Option<Outcome>,
    /// The upcast pages, or how upcasting failed.
    pub upcast: Option<Outcome>,
    /// What is worth saying.
    pub notes: Vec<Note>,
}

/// Replays a history: its folded state where the logic offers it, and its upcast pages.
pub fn replay_history(target: &dyn Target, book: &EventBook) -> Result<HistoryReplay, TargetError> {
    let offered =
        |outcome: Outcome| (!matches!(outcome, Outcome::Unimplemented(_))).then_some(outcome);
    let mut upcast = None;
    if target.upcasts() && !book.history.pages().is_empty() {
        let pages = book.history.pages().to_vec();
        upcast = Some(target.ask(&Stimulus::Upcast {
            domain: book.cover.domain.clone(),
            pages,
        })?);
    }
    let fold = |start| -> Result<Outcome, TargetError> {
        let shown = match shown(target, book, start)? {
            Ok((shown, _)) => shown,
            Err(failed) => return Ok(failed),
        };
        let pages = shown.history.into_pages();
        target.ask(&Stimulus::Fold {
            snapshot: shown.snapshot,
            pages,
        })
    };
    let state = offered(fold(Start::AtBeginning)?);
    let mut state_from_snapshot = None;
    if state.is_some() && book.snapshot.is_some() {
        state_from_snapshot = offered(fold(Start::AtSnapshot)?);
    }
    Ok(HistoryReplay {
        state,
        state_from_snapshot,
        upcast,
        notes: unknown_in_replies(target).into_iter().collect(),
    })
}

/// The book as the logic is shown it; none where its upcaster fails. Asks the upcaster, where there is one, and
/// nothing else.
#[must_use]
pub fn shown_book(target: &dyn Target, book: &EventBook) -> Option<EventBook> {
    let shown = shown(target, book, Start::AtSnapshot).ok()?;
    shown.ok().map(|(shown, _)| shown)
}

fn handle(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    start: Start,
) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let shown = match shown_from(target, book, start, &mut notes)? {
        Ok(shown) => shown,
        Err(failed) => return Ok(Replay::of(failed, notes)),
    };
    let outcome = target.ask(&Stimulus::Command {
        prior: shown.clone(),
        command: command.clone(),
    })?;
    let Outcome::Accepted(emitted) = outcome else {
        return Ok(Replay::of(outcome, notes));
    };
    let settled = settled(target.dialect(), emitted, &shown, MissingHeader::IsZero);
    notes.extend(settled.notes);
    Ok(Replay {
        effects: vec![settled.effect],
        ..Replay::of(Outcome::Accepted(settled.emitted), notes)
    })
}

/// The book that the logic sees from its snapshot on; or how its upcaster failed.
pub(super) fn shown_or_failed(
    target: &dyn Target,
    book: &EventBook,
    notes: &mut Vec<Note>,
) -> Result<Result<EventBook, Outcome>, TargetError> {
    shown_from(target, book, Start::AtSnapshot, notes)
}

fn shown_from(
    target: &dyn Target,
    book: &EventBook,
    start: Start,
    notes: &mut Vec<Note>,
) -> Result<Result<EventBook, Outcome>, TargetError> {
    Ok(shown(target, book, start)?.map(|(shown, masked)| {
        if masked > 0 {
            notes.push(Note::Masked { pages: masked });
        }
        shown
    }))
}

/// The book that the logic sees, and how many of its pages are placeholders; or how its upcaster failed.
pub(super) fn shown(
    target: &dyn Target,
    book: &EventBook,
    start: Start,
) -> Result<Result<(EventBook, usize), Outcome>, TargetError> {
    let mut book = start_of(book, start);
    // Only the pages that are loaded are upcast, and only when there are any.
    if target.upcasts() && !book.history.pages().is_empty() {
        let pages = book.history.into_pages();
        let domain = book.cover.domain.clone();
        book.history = match target.ask(&Stimulus::Upcast { domain, pages })? {
            Outcome::Upcast(pages) => match History::new(pages) {
                Ok(history) => history,
                Err(error) => {
                    let failure = Failure::crashed(format!("the upcaster answered {error}"));
                    return Ok(Err(Outcome::Crashed(failure)));
                }
            },
            failed => return Ok(Err(failed)),
        };
    }
    let (history, masked) = coordination::masked(target.dialect(), book.history);
    book.history = history;
    Ok(Ok((book, masked)))
}

fn start_of(book: &EventBook, start: Start) -> EventBook {
    let mut cover = book.cover.clone();
    // A coordinator leaves it blank here; the command carries it.
    cover.correlation_id = String::new();
    let snapshot = book.snapshot.clone().filter(|_| start == Start::AtSnapshot);
    let first = snapshot
        .as_ref()
        .map_or(0, |snapshot: &Snapshot| snapshot.sequence.saturating_add(1));
    let pages = book
        .history
        .pages()
        .iter()
        .filter(|page| page.sequence >= first)
        .cloned()
        .collect();
    EventBook {
        cover,
        snapshot,
        history: History::new(pages).unwrap_or_default(),
        next_sequence: book.next_sequence,
    }
}

/// Deferred headers become explicit, so that the logic never sees provenance.
fn stamped(command: &CommandBook, head: u32) -> CommandBook {
    let deferred = command
        .pages
        .iter()
        .any(|page| page.header.sequence().is_none());
    if deferred {
        command.restamped(head)
    } else {
        command.clone()
    }
}

/// What logic emitted on a book, echoes left out, and pages without a header in the next places.
#[must_use]
pub fn without_echoes(mut emitted: EmittedBook, shown: &EventBook) -> EmittedBook {
    let head = shown.next_sequence;
    coordination::take_out_echoes(&mut emitted.pages, shown);
    in_places(&mut emitted.pages, head);
    emitted
}

/// A reply with events, and what becomes of it.
pub(super) struct Settled {
    /// The reply without echoes, its pages without a header in the next places.
    pub(super) emitted: EmittedBook,
    /// What a coordinator makes of it.
    pub(super) effect: Effect,
    pub(super) notes: Vec<Note>,
}

/// What coordinators take a missing header for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingHeader {
    /// Place 0, as the wire has it: of what aggregates answer.
    IsZero,
    /// The next place: of a process manager's own events, which recorded ones leave without a header.
    IsNext,
}

/// Settles what logic answered when it was shown a book of its stream.
pub(super) fn settled(
    dialect: Dialect,
    mut emitted: EmittedBook,
    shown: &EventBook,
    missing: MissingHeader,
) -> Settled {
    let head = shown.next_sequence;
    let mut notes = Vec::new();
    let echoes = coordination::take_out_echoes(&mut emitted.pages, shown);
    if echoes > 0 {
        notes.push(Note::EchoesLeftOut { pages: echoes });
    }
    if missing == MissingHeader::IsNext {
        in_places(&mut emitted.pages, head);
    }
    let effect = coordination::effect(dialect, shown, &emitted);
    let odd = (head..=u32::MAX).zip(&emitted.pages).enumerate();
    let odd = odd.filter_map(|(position, (next, page))| {
        let place = page.header.sequence().unwrap_or_default();
        let becomes = match &effect {
            _ if place == next => return None,
            Effect::Refused(_) => OddPlace::Refused,
            Effect::Stored(_) if place < head => OddPlace::Dropped,
            Effect::Stored(_) => OddPlace::Stored,
        };
        let says = (page.header != Header::Absent).then_some(place);
        Some(Note::OddPlace {
            position,
            says,
            next,
            becomes,
        })
    });
    notes.extend(odd);
    in_places(&mut emitted.pages, head);
    Settled {
        emitted,
        effect,
        notes,
    }
}

/// Pages without a header get the places that the others leave, counted from the head.
fn in_places(pages: &mut [EmittedPage], head: u32) {
    for (next, page) in (head..=u32::MAX).zip(pages) {
        if page.header.sequence().is_none() || page.header == Header::Absent {
            page.header = Header::Sequence(next);
        }
    }
}
