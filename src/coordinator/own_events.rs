//! Speculation on events that the caller sends: each request becomes a replayed step, with the logic behind this coordinator
//! as its target. Nothing is read from the store or stored.

use std::sync::{Mutex, PoisonError};

use super::commands::filled_cover;
use super::{Backend, LocalCoordinator, prior_history, validate};
use crate::coordination::{self, Effect};
use crate::grpc::{AggregateSpeculation, ReactionSpeculation, RefusedCall, Speculated};
use crate::model::{
    AnsweredBy, CommandBook, CommandPage, ComponentKind, Cover, Destinations, Edition, EmittedBook,
    EventBook, Failure, History, Modes, Outcome, Reaction, Stimulus, Trigger,
};
use crate::replay::{
    Replay, ReplayNote, Target, TargetError, replay_command, replay_notification, replay_process,
    replay_saga,
};
use crate::wire::{Dialect, StoredBook, UnknownFields};

/// A component with its upcaster, asked for one step.
struct Asked {
    backend: Backend,
    upcaster: Option<Backend>,
    dialect: Dialect,
    /// The newest failing status with its details, which an [`Outcome`] does not keep.
    refused: Mutex<Option<RefusedCall>>,
}

impl Asked {
    fn new(backend: &Backend, upcaster: Option<&Backend>, dialect: Dialect) -> Self {
        Self {
            backend: backend.reporting_apart(),
            upcaster: upcaster.map(Backend::reporting_apart),
            dialect,
            refused: Mutex::new(None),
        }
    }

    /// Fails with the status that the step ended with, if it failed.
    fn check(&self, outcome: &Outcome) -> Result<(), RefusedCall> {
        let Some(failure) = outcome.status() else {
            return Ok(());
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        Err(refused.take().unwrap_or_else(|| failure.into()))
    }
}

impl Target for Asked {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        let answer = match (stimulus, &self.upcaster) {
            (Stimulus::Upcast { domain, pages }, Some(upcaster)) => {
                prior_history::upcast(upcaster, domain, pages.clone()).map(Outcome::Upcast)
            }
            _ => self.backend.ask(stimulus),
        };
        answer.or_else(|refused| {
            let failure = refused.failure().clone();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
            Ok(Outcome::from_failure(failure, AnsweredBy::Logic).unwrap_or_else(Outcome::Crashed))
        })
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn upcasts(&self) -> bool {
        self.upcaster.is_some()
    }

    fn take_unknown(&self) -> UnknownFields {
        let mut unknown = self.backend.take_unknown();
        if let Some(upcaster) = &self.upcaster {
            unknown.append(&mut upcaster.take_unknown());
        }
        unknown
    }
}

impl LocalCoordinator {
    /// `Speculate/Aggregate`.
    pub(super) fn aggregate_on_events(
        &self,
        request: AggregateSpeculation,
    ) -> Result<Speculated<EmittedBook>, RefusedCall> {
        let mut command = validate::command(Some(request.command), "`command` is missing")?;
        let is_command = |page: &CommandPage| page.command.is_some() || page.external.is_some();
        if !command.pages.first().is_some_and(is_command) {
            return Err(Failure::refused("`command` has no command in its first page").into());
        }
        let mut book = match request.events {
            None => EventBook::empty(command.cover.clone()),
            Some(events) => whole_history("events", events, Some(&command.cover))?,
        };
        same_aggregate(&command.cover, &book.cover)?;
        let edition = chosen_edition(
            &request.edition,
            ("command", &command.cover),
            ("events", &book.cover),
        )?;
        if let Some(edition) = edition {
            put_in_edition(&mut book.cover, &edition);
            if put_in_edition(&mut command.cover, &edition) {
                command.original = None;
            }
        }
        let stream = validate::stream_of(&command.cover);
        let asked = Asked::new(
            self.backend(&stream)?,
            self.upcasters.get(&stream.domain),
            self.dialect,
        );
        let replay = if command.is_compensation() {
            replay_notification(&asked, &book, &command, false)
        } else {
            replay_command(&asked, &book, &command, false)
        };
        let replay = replay.map_err(|error| super::internal(error.to_string()))?;
        asked.check(&replay.outcome)?;
        let coordinated = replay.as_coordinated();
        asked.check(coordinated.as_ref().unwrap_or(&replay.outcome))?;
        Ok(passed_on(replay, coordinated, &command, book.next_sequence))
    }

    /// `Speculate/Saga` and `Speculate/ProcessManager`.
    pub(super) fn reaction_on_events(
        &self,
        request: ReactionSpeculation,
    ) -> Result<Speculated<Reaction>, RefusedCall> {
        let kind = match request.process_state {
            None => ComponentKind::Saga,
            Some(_) => ComponentKind::ProcessManager,
        };
        self.check_destinations(&request.destinations)?;
        let mut source = new_events("events", request.events)?;
        let state = request.process_state;
        let state = state.map(|state| whole_history("process_state", state, None));
        let mut state = state.transpose()?;
        let other = state.as_ref().map_or(&source.cover, |state| &state.cover);
        let edition = chosen_edition(
            &request.edition,
            ("events", &source.cover),
            ("process_state", other),
        )?;
        if let Some(edition) = edition {
            put_in_edition(&mut source.cover, &edition);
            if let Some(state) = &mut state {
                put_in_edition(&mut state.cover, &edition);
            }
        }
        let component = self.chosen(kind, &source)?;
        let asked = Asked::new(&component.backend, None, self.dialect);
        let trigger = Trigger {
            from: 0,
            with_history: true,
        };
        let replay = match &state {
            None => {
                let modes = Modes::default();
                replay_saga(&asked, &source, trigger, &request.destinations, modes)
            }
            Some(state) => replay_process(&asked, &source, trigger, state, &request.destinations),
        };
        let replay = replay.map_err(|error| super::internal(error.to_string()))?;
        asked.check(&replay.outcome)?;
        let notes = worded(&replay.notes);
        for effect in replay.effects {
            if let Effect::Refused(failure) = effect {
                return Err(failure.into());
            }
        }
        match replay.outcome {
            Outcome::Reacted(reaction) => Ok(Speculated {
                answer: self.stamped(reaction, &source.cover.edition),
                notes,
            }),
            _ => Err(super::internal("the component answered something else").into()),
        }
    }

    fn check_destinations(&self, destinations: &Destinations) -> Result<(), Failure> {
        if destinations.is_empty() || self.dialect.rules().sends_destinations {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "`destinations` must be empty: requests of the dialect {} have no destination sequences",
            self.dialect
        )))
    }
}

/// The events of an aggregate's answer as a coordinator passes them to the sender of the command.
fn passed_on(
    replay: Replay,
    coordinated: Option<Outcome>,
    command: &CommandBook,
    head: u32,
) -> Speculated<EmittedBook> {
    let mut notes = worded(&replay.notes);
    let answer = match coordinated.unwrap_or(replay.outcome) {
        Outcome::Accepted(emitted) if emitted.pages.is_empty() && emitted.snapshot.is_none() => {
            EmittedBook::default()
        }
        Outcome::Accepted(emitted) => EmittedBook {
            cover: Some(filled_cover(emitted.cover.as_ref(), &command.cover)),
            next_sequence: coordination::next_after(&emitted.pages, head),
            ..emitted
        },
        other => {
            notes.push(format!(
                "the logic's outcome is `{}`: a coordinator passes on no events",
                other.word()
            ));
            EmittedBook::default()
        }
    };
    Speculated { answer, notes }
}

/// In place of the note's own words, which are about fixtures.
const NO_DESTINATIONS: &str =
    "the component was told no heads of the aggregates that it writes to: `destinations` is empty";

fn worded(notes: &[ReplayNote]) -> Vec<String> {
    let word = |note: &ReplayNote| match note {
        ReplayNote::DestinationsUnknown => NO_DESTINATIONS.to_owned(),
        note => note.to_string(),
    };
    notes.iter().map(word).collect()
}

/// A book with every page from sequence 0, or from its snapshot on. Without a cover of its own it gets that of `like`.
fn whole_history(
    field: &str,
    book: StoredBook,
    like: Option<&Cover>,
) -> Result<EventBook, Failure> {
    let first = book.snapshot.as_ref();
    let first = first.map_or(0, |snapshot| snapshot.sequence.saturating_add(1));
    complete_from(field, &book.history, first)?;
    with_cover(field, book, like)
}

/// A book with at least one page, which may begin anywhere.
fn new_events(field: &str, book: StoredBook) -> Result<EventBook, Failure> {
    let first = book.history.pages().first();
    let first = first.ok_or_else(|| {
        Failure::refused(format!(
            "`{field}` has no pages: the component reacts to new events"
        ))
    })?;
    complete_from(field, &book.history, first.sequence)?;
    with_cover(field, book, None)
}

fn with_cover(field: &str, book: StoredBook, like: Option<&Cover>) -> Result<EventBook, Failure> {
    let cover = book.cover.or_else(|| like.cloned());
    let cover = cover.ok_or_else(|| {
        Failure::refused(format!(
            "`{field}` has no cover, which names domain and root"
        ))
    })?;
    coordination::validate_correlation_id(&cover.correlation_id)?;
    Ok(EventBook::new(cover, book.snapshot, book.history))
}

fn complete_from(field: &str, history: &History, first: u32) -> Result<(), Failure> {
    let mut gaps = history.gaps().into_iter();
    let Some((from, to)) = gaps.find(|(_, to)| *to >= first) else {
        return Ok(());
    };
    let from = from.max(first);
    let missing = if from == to {
        format!("sequence {from}")
    } else {
        format!("sequences {from} to {to}")
    };
    Err(Failure::refused(format!(
        "`{field}` lacks {missing}: send every page from {first} on. If production's stream has this gap, capture it and \
         use `replay`"
    )))
}

fn same_aggregate(command: &Cover, events: &Cover) -> Result<(), Failure> {
    if (&command.domain, command.root) == (&events.domain, events.root) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "`command` is for {}/{}, but `events` are those of {}/{}",
        command.domain, command.root, events.domain, events.root
    )))
}

/// The edition that replaces that of the books, if one is requested. Otherwise both must be in the same one.
fn chosen_edition(
    requested: &str,
    (field, one): (&str, &Cover),
    (other_field, other): (&str, &Cover),
) -> Result<Option<Edition>, Failure> {
    if !requested.is_empty() {
        // A longer name is invalid too, and would not fit into a status.
        let requested: String = requested.chars().take(100).collect();
        let edition = Edition::from_label(&requested);
        let refused = |error| Failure::refused(format!("`edition`: {error}"));
        return edition.map(Some).map_err(refused);
    }
    if one.edition.label() == other.edition.label() {
        return Ok(None);
    }
    Err(Failure::refused(format!(
        "`{field}` is in the edition `{}`, but `{other_field}` is in `{}`: set `edition` to the one that the logic is to see",
        one.edition.label(),
        other.edition.label()
    )))
}

/// Whether the cover was in another edition.
fn put_in_edition(cover: &mut Cover, edition: &Edition) -> bool {
    let changes = cover.edition.label() != edition.label();
    if changes {
        cover.edition = edition.clone();
    }
    changes
}
