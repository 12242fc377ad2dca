//! Compensation: handles a command book, usually with the notification of a rejection, without any check.

use super::commands;
use super::prior_history::PriorHistory;
use super::queries::failed;
use super::timeline::Timeline;
use super::{LocalCoordinator, validate};
use crate::grpc::{ReceivedCommand, RefusedCall};
use crate::model::{Outcome, Stimulus};

impl LocalCoordinator {
    /// `HandleCompensation`: stores the events of the logic and returns its answer. An ordinary command is executed as usual.
    pub(super) fn compensated(
        &self,
        sent: Option<ReceivedCommand>,
    ) -> Result<Outcome, RefusedCall> {
        let command = validate::compensation(sent)?;
        let stream = validate::stream_of(&command.cover);
        let handling = self.handling(&command, &stream)?;
        let timeline = Timeline {
            store: handling.store,
            stream: &stream,
        };
        let head = timeline.head(None).map_err(failed)?;
        let masked = self.dialect.rules().always_masks;
        let mut prior = PriorHistory::load(timeline, None, head)?;
        prior.book = self.shown(prior.book, masked)?;
        let outcome = handling.backend.ask(&Stimulus::Command {
            prior: prior.book.clone(),
            command: command.clone(),
        })?;
        let Outcome::Accepted(emitted) = &outcome else {
            return Ok(outcome);
        };
        if emitted.pages.is_empty() && emitted.snapshot.is_none() {
            return Ok(outcome);
        }
        // Unlike a command, it is not retried if another one was stored in the meantime.
        let stored = self.store(&handling, &prior, emitted)?;
        stored.map_err(commands::conflict_failure)?;
        Ok(outcome)
    }
}
