//! Notes about a step of a flow.

use crate::model::{Cover, Domain, Root};
use crate::replay::ReplayNote;

/// Something about a step that the reader should know, and that is neither an outcome nor an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowNote {
    /// A note about the call itself, as in a case of one step.
    Call(ReplayNote),
    /// The flow does not have the stream's book.
    BookMissing {
        /// The stream.
        cover: Cover,
    },
    /// A named edition without pages of its own begins as the main timeline.
    BranchedFromMain {
        /// The named edition's stream.
        cover: Cover,
        /// First sequence of the edition's own, if the edition names one.
        below: Option<u32>,
    },
    /// The logic takes no facts.
    FactsTakenAsTheyAre,
    /// Facts with the same external id were stored before.
    FactsKnown {
        /// The id.
        external_id: String,
    },
    /// The answer names another aggregate, and was stored there.
    StoredElsewhere {
        /// The other aggregate.
        cover: Cover,
    },
    /// The process manager's stream is the only book of its domain, not the one that the correlation id leads to.
    OnlyProcessBook {
        /// Root that the correlation id leads to.
        derived: Root,
    },
    /// The correlation id is not a UUID, so the process manager's root is nil.
    NilProcessRoot,
    /// The flow has several aggregates of a domain, so the component is told none of their heads.
    SeveralOfDomain {
        /// The domain.
        domain: Domain,
    },
    /// The process manager named several aggregates of a domain, so it is told none of their heads.
    AmbiguousDestination {
        /// The domain.
        domain: String,
    },
    /// The process manager sends a notification, which is not delivered in a flow.
    NotificationEnds,
    /// The released coordinator logs a rejection and notifies nobody.
    ReleasedTellsNobody,
}

impl std::fmt::Display for FlowNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |cover: &Cover| format!("{}/{}", cover.domain, cover.root);
        match self {
            Self::Call(note) => note.fmt(f),
            Self::BookMissing { cover } => write!(
                f,
                "the book of {} is not part of the flow: it is taken as empty",
                name(cover)
            ),
            Self::BranchedFromMain { cover, below } => {
                let until = below.map_or_else(String::new, |below| format!(" below sequence {below}"));
                write!(
                    f,
                    "edition {} of {} has no pages of its own: it begins as the main timeline{until}",
                    cover.edition.label(),
                    name(cover)
                )
            }
            Self::FactsTakenAsTheyAre => {
                f.write_str("the logic takes no facts: they are stored as they are")
            }
            Self::FactsKnown { external_id } => write!(
                f,
                "facts with the external id `{external_id}` were taken before: nothing is stored again"
            ),
            Self::StoredElsewhere { cover } => write!(
                f,
                "the answer names another aggregate, {}, and is stored there, as these coordinators do",
                name(cover)
            ),
            Self::OnlyProcessBook { derived } => write!(
                f,
                "the correlation id leads to root {derived}, which has no book; the only book of the domain is taken"
            ),
            Self::SeveralOfDomain { domain } => write!(
                f,
                "the flow has several aggregates of the domain {domain}, and heads are sent by domain: none of theirs was sent"
            ),
            Self::NilProcessRoot => {
                f.write_str("the correlation id is not a UUID, so the process manager's root is nil, as in core 0.5")
            }
            Self::AmbiguousDestination { domain } => write!(
                f,
                "the process manager named several aggregates of {domain}, and heads are sent by domain: none of theirs was sent"
            ),
            Self::NotificationEnds => {
                f.write_str("the notification that the process manager sends is not delivered in a flow")
            }
            Self::ReleasedTellsNobody => f.write_str(
                "core 0.5 only logs such a refusal and delivers nothing: in production this step did not happen",
            ),
        }
    }
}
