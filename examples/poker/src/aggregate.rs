//! What all aggregates have in common: they fold the history, decode the command or notification, and wrap the event.
//!
//! Knows no message of the game. Refusals and crashes use the texts of the recorded Python deployment, so that the same
//! fixtures give the same snapshots on both peers.

use angzarr_replay::logic::{
    Answer, Body, CommandBook, EmittedBook, EmittedPage, EventBook, Failure, Header, Page, Payload,
    Reply, Revocation, Root, Snapshot,
};
use prost::{Message, Name};

use crate::notification::{Rejection, is_notification, rejection};

/// What an aggregate does when a command that its events caused was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Compensation {
    /// It undoes something.
    Event(Payload),
    /// There is nothing to undo.
    Nothing,
    /// It does not know the command, so the framework has to handle the refusal.
    Unknown,
}

/// An aggregate whose state is a message and whose commands each produce one event.
pub(crate) trait Aggregate {
    /// The folded history; the default value stands for an aggregate that does not exist.
    type State: Message + Name + Default + PartialEq;

    /// Applies an event to the state. An event of an unknown type changes nothing.
    fn apply(state: &mut Self::State, event: &Payload) -> Result<(), Failure>;

    /// The event that a command produces. For an unknown command, [`unknown_command`].
    fn decide(
        &self,
        root: &Root,
        state: &Self::State,
        command: &Payload,
    ) -> Result<Payload, Failure>;

    /// How it reacts when a command that its events caused was refused.
    fn compensate(
        &self,
        state: &Self::State,
        rejection: &Rejection,
    ) -> Result<Compensation, Failure>;

    /// Folds a history, starting from the snapshot if there is one that can be read.
    fn state(snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Self::State, Failure> {
        let stored = snapshot
            .and_then(|snapshot| Some((snapshot.sequence, stored_state::<Self::State>(snapshot)?)));
        let (folded, mut state) =
            stored.map_or_else(Default::default, |(at, state)| (Some(at), state));
        for page in pages
            .iter()
            .filter(|page| folded.is_none_or(|last| page.sequence > last))
        {
            if let Body::Event(event) = &page.body {
                Self::apply(&mut state, event)?;
            }
        }
        Ok(state)
    }

    /// Answers a command with one page, which has a sequence but no cover.
    fn answer(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        let state = Self::state(prior.snapshot.as_ref(), prior.history.pages())?;
        let page = command
            .pages
            .first()
            .ok_or_else(|| Failure::refused("No command pages"))?;
        let payload = page.command.as_ref().ok_or_else(|| unknown_command(""))?;
        let event = if is_notification(payload) {
            let Some(rejection) = rejection(payload)? else {
                return Ok(Reply::Events(EmittedBook::default()));
            };
            match self.compensate(&state, &rejection)? {
                Compensation::Event(event) => event,
                Compensation::Nothing => return Ok(Reply::Events(EmittedBook::default())),
                Compensation::Unknown => return Ok(Reply::Revocation(uncompensated(&rejection))),
            }
        } else {
            self.decide(&command.cover.root, &state, payload)?
        };
        let header = Header::Sequence(prior.next_sequence);
        let page = EmittedPage::event(event).with_header(header);
        Ok(Reply::Events(EmittedBook::new(vec![page])))
    }
}

fn uncompensated(rejection: &Rejection) -> Revocation {
    let Rejection {
        command, reason, ..
    } = rejection;
    Revocation {
        emit_system_revocation: true,
        ..Revocation::new(format!("No compensation for {command}: {reason}"))
    }
}

fn stored_state<S: Message + Name + Default>(snapshot: &Snapshot) -> Option<S> {
    let payload = snapshot
        .state
        .as_ref()
        .filter(|payload| payload.type_name() == S::full_name())?;
    S::decode(payload.value.as_slice()).ok()
}

/// Decodes a command or event. Invalid bytes crash the handler, as in production.
pub(crate) fn decode<M: Message + Name + Default>(payload: &Payload) -> Result<M, Failure> {
    M::decode(payload.value.as_slice()).map_err(|_| {
        let name = M::full_name();
        Failure::crashed(format!(
            "Exception calling application: Error parsing message with type '{name}'"
        ))
    })
}

/// Encodes a message as a payload.
pub(crate) fn encode<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}

/// The refusal of a command that the aggregate does not know.
pub(crate) fn unknown_command(type_url: &str) -> Failure {
    Failure::refused(format!("Unknown command type: {type_url}"))
}
