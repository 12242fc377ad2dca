//! Why a flow could not be replayed to its end.

use std::fmt;

use super::{FlowStep, Who};
use crate::model::Cover;
use crate::replay::TargetError;

/// A flow that could not be replayed to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// A component gave no answer that can be judged.
    #[error("step {step} of the flow, {asked}")]
    Target {
        /// Number of the step, from 1.
        step: usize,
        /// Who was asked about what.
        asked: String,
        /// The component; `None` for nobody.
        who: Option<Box<Who>>,
        /// Why there is no answer.
        source: TargetError,
    },
    /// A chain of steps is longer than the limit, as in a cycle.
    #[error(
        "the flow goes deeper than {limit} steps: {chain}; break the cycle, or raise the depth if this is meant"
    )]
    TooDeep {
        /// Maximum length of a chain.
        limit: usize,
        /// What led to the step that is too deep.
        chain: Chain,
    },
    /// There are more steps than the limit.
    #[error(
        "the flow has more than {limit} steps: {chain}; break the cycle, or raise the number of steps if this is meant"
    )]
    TooManySteps {
        /// Maximum number of steps.
        limit: usize,
        /// What led to the first step over the limit.
        chain: Chain,
    },
    /// There are two books of one stream.
    #[error(
        "there are two books of {}/{}, edition {}, but a flow takes one per stream",
        cover.domain, cover.root, cover.edition.label()
    )]
    TwoBooks {
        /// The stream.
        cover: Box<Cover>,
    },
    /// The book has no events for the flow to begin with.
    #[error(
        "the flow should begin with the events of {}/{} from sequence {from} on, but there are none",
        cover.domain, cover.root
    )]
    NothingHappened {
        /// The stream.
        cover: Box<Cover>,
        /// First sequence.
        from: u32,
    },
    /// Events to begin with, but no book that they are in.
    #[error("the flow should begin with events of its own aggregate, but has no book of it")]
    NoOwnBook,
    /// The facts have no addressee.
    #[error(
        "the facts that the flow should begin with have no cover, so their aggregate is unknown"
    )]
    FactsForNobody,
}

/// The steps that led to one, by component and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The labels that repeat, or the last ones.
    pub labels: Vec<String>,
    /// Whether they repeat.
    pub is_cycle: bool,
}

/// Number of labels shown for a chain that does not repeat.
const SHOWN: usize = 6;

impl Chain {
    /// The chain of labels up to `parent`, followed by `last`.
    pub(super) fn to(steps: &[FlowStep], parent: Option<usize>, last: &str) -> Self {
        let mut labels = vec![last.to_owned()];
        let mut at = parent;
        while let Some(step) = at.and_then(|at| steps.get(at)) {
            labels.push(step.label());
            at = step.parent;
        }
        labels.reverse();
        Self::of(&labels)
    }

    fn of(labels: &[String]) -> Self {
        let count = labels.len();
        let period = (1..=count / 2).find(|period| {
            let (head, tail) = labels.split_at(count - period);
            head.ends_with(tail)
        });
        let shown = period.unwrap_or_else(|| count.min(SHOWN));
        Self {
            labels: labels[count - shown..].to_vec(),
            is_cycle: period.is_some(),
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.labels.join(" -> ");
        if self.is_cycle {
            write!(f, "{labels} repeats")
        } else {
            write!(f, "nothing repeats, the last are {labels}")
        }
    }
}
