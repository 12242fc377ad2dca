//! What all aggregates do alike: fold the history, decode the command or notification, wrap the event.
//!
//! Knows no message of the game. The words of refusals and crashes are those of the recorded Python deployment,
//! so that the same fixtures give the same snapshots on either peer.

use angzarr_replay::logic::{
    Answer, Body, CommandBook, EmittedBook, EmittedPage, EventBook, Failure, Header, Page, Payload,
    Reply, Revocation, Root, Snapshot,
};
use prost::{Message, Name};

use crate::notification::{Rejection, is_notification, rejection};

/// What an aggregate does when a command that its events led to was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Compensation {
    /// It undoes something.
    Event(Payload),
    /// There is nothing to undo.
    Nothing,
    /// It knows of no such command: the framework is to see to it.
    Unknown,
}

/// An aggregate whose state is a message and whose commands each lead to one event.
pub(crate) trait Aggregate {
    /// The folded history; its default stands for an aggregate that does not exist.
    type State: Message + Name + Default + PartialEq;

    /// Changes the state by one event. An event of an unknown type changes nothing.
    fn apply(state: &mut Self::State, event: &Payload) -> Result<(), Failure>;

    /// The event that a command leads to. An unknown command is [`unknown_command`].
    fn decide(
        &self,
        root: &Root,
        state: &Self::State,
        command: &Payload,
    ) -> Result<Payload, Failure>;

    /// What follows from a refusal of one of its commands' consequences.
    fn compensate(
        &self,
        state: &Self::State,
        rejection: &Rejection,
    ) -> Result<Compensation, Failure>;

    /// Folds a history: from the snapshot, where there is one that can be read, else from nothing.
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

    /// Answers a command with one page that carries its sequence and no cover.
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

/// A command or event in its own type; bytes that are none crash the handler, as they do in production.
pub(crate) fn decode<M: Message + Name + Default>(payload: &Payload) -> Result<M, Failure> {
    M::decode(payload.value.as_slice()).map_err(|_| {
        let name = M::full_name();
        Failure::crashed(format!(
            "Exception calling application: Error parsing message with type '{name}'"
        ))
    })
}

/// A message as a payload.
pub(crate) fn encode<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}

/// A command that the aggregate does not have.
pub(crate) fn unknown_command(type_url: &str) -> Failure {
    Failure::refused(format!("Unknown command type: {type_url}"))
}
