//! The verdict in a sentence: in what an outcome differs from production's, or why it cannot be judged.

use std::fmt;

use super::ValuePath;
use super::flow_place::{FlowPlace, ProductionStep, StatusLine};
use super::path::{Segment, write_segments};
use crate::model::counted;
use crate::replay::flow::NotAsked;

/// In what an outcome differs from what production did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// The outcome is of another kind.
    OtherOutcome {
        /// Today's outcome in a few words.
        now: String,
        /// What production did instead, where several outcomes would have been the same.
        production: Option<ProductionStep>,
    },
    /// Another number of events.
    EventCount {
        /// Number of today's events.
        now: usize,
        /// Number of production's events.
        production: usize,
    },
    /// A value differs: the first one.
    Value(ValuePath),
    /// The failing status differs; this is today's.
    OtherStatus(StatusLine),
    /// A hop of a flow differs: the first one.
    Hop(FlowPlace, Box<Self>),
    /// Production went on where the replay ended.
    OnlyProduction(FlowPlace, ProductionStep),
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherOutcome {
                now,
                production: None,
            } => write!(f, "{now} now"),
            Self::OtherOutcome {
                now,
                production: Some(production),
            } => write!(f, "{now} now, production {production}"),
            Self::EventCount { now, production } => write!(
                f,
                "{} now, production stored {production}",
                counted(*now, "event")
            ),
            Self::Value(path) => differing_value(path.segments(), f),
            Self::OtherStatus(now) => write!(f, "another status now: {now}"),
            Self::Hop(place, summary) => write!(f, "{place}: {summary}"),
            Self::OnlyProduction(place, step) => write!(f, "{place} {step}"),
        }
    }
}

/// Events are counted from 1, and fields are named within them.
fn differing_value(path: &[Segment], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let [Segment::Key(key), Segment::Index(index), field @ ..] = path else {
        f.write_str("differs in ")?;
        return write_segments(path, f);
    };
    if key != "events" {
        f.write_str("differs in ")?;
        return write_segments(path, f);
    }
    write!(f, "differs in event {}", index + 1)?;
    let field = match field {
        [Segment::Key(key), field @ ..] if key == "event" => field,
        field => field,
    };
    if field.is_empty() {
        return Ok(());
    }
    f.write_str(", field ")?;
    write_segments(field, f)
}

/// Why an outcome cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unchecked {
    /// Nothing was observed.
    ProductionUnknown,
    /// A folded state is never observed.
    StateUnknown,
    /// The content of a notification is never observed.
    NotificationUnknown,
    /// Production refused a hop, and nothing shows with which status.
    StatusUnknown,
    /// Nothing was observed in the stream of a hop.
    StreamUnknown,
    /// A hop was not replayed.
    NotAsked(NotAsked),
    /// Production did this where an earlier hop was not replayed, so that the replay may have ended early.
    AfterUnreplayedHop(ProductionStep),
    /// At this place of a flow.
    At(FlowPlace, Box<Self>),
    /// For several reasons.
    All(Vec<Self>),
    /// The replay was asked for without a verdict.
    Skipped,
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProductionUnknown => f.write_str("what production did is not known"),
            Self::StateUnknown => f.write_str("production's own state is not known"),
            Self::NotificationUnknown => f.write_str("a notification's content is not captured"),
            Self::StatusUnknown => f.write_str(
                "production stored nothing more there, as after a refusal; its status is not known",
            ),
            Self::StreamUnknown => f.write_str("what production did there is not known"),
            Self::NotAsked(reason) => reason.fmt(f),
            Self::AfterUnreplayedHop(step) => {
                write!(f, "{step}, and a hop before it was not replayed")
            }
            Self::At(place @ FlowPlace::Hop { .. }, reason) => write!(f, "{place}: {reason}"),
            Self::At(place @ FlowPlace::OnlyProduction(_), reason) => {
                write!(f, "{place} {reason}")
            }
            Self::All(reasons) => {
                for (at, reason) in reasons.iter().enumerate() {
                    let separator = if at == 0 { "" } else { "; " };
                    write!(f, "{separator}{reason}")?;
                }
                Ok(())
            }
            Self::Skipped => f.write_str("nobody asked for a verdict"),
        }
    }
}
