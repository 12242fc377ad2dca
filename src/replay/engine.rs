//! One step as a coordinator would take it: validate, check the sequence, upcast, mask, call, stamp.

use std::fmt;

use super::{Target, TargetError};
use crate::coordination;
use crate::model::{
    CommandBook, EmittedBook, EmittedPage, EventBook, Failure, Header, History, Outcome, Snapshot,
    Stimulus,
};

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
    /// An emitted page says another place than the next one. What becomes of it depends on the place and the core.
    OddSequence {
        /// Position among the emitted pages.
        position: usize,
        /// Sequence that it says.
        says: u32,
        /// Sequence that comes next.
        next: u32,
    },
    /// The heads of the destinations are not known: the component was told none.
    DestinationsUnknown,
    /// The projector has no speculative call: its ordinary one was used, with all its effects.
    OrdinaryCall,
    /// The projector has no speculative call, and its ordinary one has effects.
    NoSpeculativeCall,
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
            Self::OddSequence {
                position,
                says,
                next,
            } => write!(
                f,
                "event {} says sequence {says} where {next} comes next: {}",
                position + 1,
                if says > next {
                    "core 0.5.1 stores it there, with a gap; newer cores refuse it"
                } else {
                    "core 0.5.1 answers OK and does not store it, or refuses it where only a snapshot was loaded; newer \
                     cores refuse it"
                }
            ),
            Self::DestinationsUnknown => f.write_str(
                "the component was told no heads of the aggregates that it writes to: heads of the past cannot be asked for, and the fixture names none (`destinations`)",
            ),
            Self::OrdinaryCall => f.write_str(
                "the projector has no speculative call: its ordinary one was used, as the fixture allows (`effects: harmless`)",
            ),
            Self::NoSpeculativeCall => f.write_str(
                "the projector has no speculative call; where the effects of the ordinary one do no harm, say so in the fixture: `effects: harmless`",
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
    pub prepared: Option<Outcome>,
    /// What is worth saying.
    pub notes: Vec<Note>,
}

impl Replay {
    pub(super) const fn of(outcome: Outcome, notes: Vec<Note>) -> Self {
        Self {
            outcome,
            outcome_without_snapshot: None,
            prepared: None,
            notes,
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
    asked(target, book, &stamped(command, head), both_ways)
}

/// Asks the logic without any check, with the command as it is.
pub(super) fn asked(
    target: &dyn Target,
    book: &EventBook,
    command: &CommandBook,
    both_ways: bool,
) -> Result<Replay, TargetError> {
    let mut notes = Vec::new();
    let outcome = handle(target, book, command, Start::AtSnapshot, &mut notes)?;
    let mut outcome_without_snapshot = None;
    if both_ways && reaches_behind_snapshot(book) {
        let other = handle(target, book, command, Start::AtBeginning, &mut Vec::new())?;
        outcome_without_snapshot = Some(other);
    }
    Ok(Replay {
        outcome_without_snapshot,
        ..Replay::of(outcome, notes)
    })
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
    notes: &mut Vec<Note>,
) -> Result<Outcome, TargetError> {
    let shown = match shown_from(target, book, start, notes)? {
        Ok(shown) => shown,
        Err(failed) => return Ok(failed),
    };
    let stimulus = Stimulus::Command {
        prior: shown,
        command: command.clone(),
    };
    let outcome = target.ask(&stimulus)?;
    let Stimulus::Command { prior, .. } = &stimulus else {
        return Ok(outcome);
    };
    Ok(match outcome {
        Outcome::Accepted(emitted) => Outcome::Accepted(settled(emitted, book, prior, notes)),
        other => other,
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

/// What logic emitted on a book, as a coordinator would store it: without pages that it was shown, each with a sequence.
#[must_use]
pub fn as_stored(emitted: EmittedBook, book: &EventBook) -> EmittedBook {
    settled(emitted, book, book, &mut Vec::new())
}

/// The emitted pages as they would be stored: without echoes, each with a sequence.
pub(super) fn settled(
    mut emitted: EmittedBook,
    book: &EventBook,
    shown: &EventBook,
    notes: &mut Vec<Note>,
) -> EmittedBook {
    let head = book.next_sequence;
    let before = emitted.pages.len();
    emitted
        .pages
        .retain(|page| !is_echo(page, head, book, shown));
    let echoes = before - emitted.pages.len();
    if echoes > 0 {
        notes.push(Note::EchoesLeftOut { pages: echoes });
    }
    let mut next = head;
    for (position, page) in emitted.pages.iter_mut().enumerate() {
        match page.header.sequence() {
            Some(says) if page.header != Header::Absent && says != next => {
                notes.push(Note::OddSequence {
                    position,
                    says,
                    next,
                });
            }
            _ => page.header = Header::Sequence(next),
        }
        next = next.saturating_add(1);
    }
    emitted
}

/// Whether a page is one that the logic was shown. Only a page that says so can be one.
fn is_echo(page: &EmittedPage, head: u32, book: &EventBook, shown: &EventBook) -> bool {
    let Header::Sequence(sequence) = page.header else {
        return false;
    };
    let has_it = |history: &History| {
        history
            .pages()
            .iter()
            .any(|known| known.sequence == sequence && known.body == page.body)
    };
    sequence < head && (has_it(&book.history) || has_it(&shown.history))
}
