//! Notes about a replay.

use std::fmt;

use super::Target;
use crate::wire::{UnknownFields, list_unknown_fields};

/// Something about a replay that the reader should know, and that is neither an outcome nor an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayNote {
    /// The coordinator would have refused the command, so the logic was not asked.
    RefusedBeforeLogic,
    /// The coordinator's own validation refuses the command. Angzarr words the refusal differently.
    RefusedByValidation,
    /// The logic was shown placeholders for provisional pages and for the framework's own pages.
    Masked {
        /// Number of placeholders.
        pages: usize,
    },
    /// The logic repeated pages that it was shown; they are left out.
    EchoesLeftOut {
        /// Number of repeated pages.
        pages: usize,
    },
    /// An emitted page has another sequence than the next one.
    OddPlace {
        /// Position among the emitted pages.
        position: usize,
        /// Sequence in its header; `None` if it has no header, which counts as 0.
        says: Option<u32>,
        /// The next sequence.
        next: u32,
        /// What coordinators of the dialect do about it.
        becomes: OddPlace,
    },
    /// The component was shown no heads of its destinations, because they are unknown.
    DestinationsUnknown,
    /// The projector has no speculative call, so the ordinary one was used, with all its effects.
    OrdinaryCall,
    /// The projector has no speculative call, and its ordinary one has effects.
    NoSpeculativeCall,
    /// The reply has fields that this version does not know.
    UnknownInReply {
        /// The fields.
        fields: UnknownFields,
    },
    /// Unknown fields were not sent, because a changed command or page is encoded anew.
    UnknownNotSent {
        /// The fields.
        fields: UnknownFields,
    },
}

/// What coordinators do with a page whose sequence is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddPlace {
    /// They store it at its sequence.
    Stored,
    /// They drop it silently.
    Dropped,
    /// They refuse the whole reply.
    Refused,
}

impl ReplayNote {
    /// The note about unknown fields that are not sent, if there are any.
    #[must_use]
    pub fn not_sent(fields: UnknownFields) -> Option<Self> {
        (!fields.is_empty()).then_some(Self::UnknownNotSent { fields })
    }
}

/// The note about unknown fields in the replies of a target since the last call, if there are any.
#[must_use]
pub fn unknown_in_replies(target: &dyn Target) -> Option<ReplayNote> {
    let fields = target.take_unknown();
    (!fields.is_empty()).then_some(ReplayNote::UnknownInReply { fields })
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

impl fmt::Display for ReplayNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefusedBeforeLogic => f.write_str(
                "the coordinator refuses this command before the logic sees it: it was sent for another head",
            ),
            Self::RefusedByValidation => f.write_str(
                "the coordinator's validation refuses this command before the logic sees it; production words the \
                 message differently",
            ),
            Self::Masked { pages } => write!(
                f,
                "{pages} provisional or framework pages were shown as placeholders, as a coordinator does"
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
                    Some(says) => format!("has sequence {says}"),
                    None => "has no header, which counts as sequence 0".to_owned(),
                };
                write!(
                    f,
                    "event {} {said}, but {next} is next: {becomes}",
                    position + 1
                )
            }
            Self::DestinationsUnknown => f.write_str(
                "the component was told no heads of the aggregates that it writes to: past heads cannot be queried, and the fixture has no `destinations`",
            ),
            Self::OrdinaryCall => f.write_str(
                "the projector has no speculative call: its ordinary one was used, as the fixture allows (`effects: harmless`)",
            ),
            Self::NoSpeculativeCall => f.write_str(
                "the projector has no speculative call; if the effects of the ordinary one are harmless, say so in the fixture: `effects: harmless`",
            ),
            Self::UnknownInReply { fields } => write!(
                f,
                "the logic's reply was read without {}",
                list_unknown_fields(fields)
            ),
            Self::UnknownNotSent { fields } => write!(
                f,
                "the changed command or page was sent without {}",
                list_unknown_fields(fields)
            ),
        }
    }
}
