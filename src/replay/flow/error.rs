//! Flows without a result.

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
        /// Whose logic that is; none of nobody.
        who: Option<Box<Who>>,
        /// Why there is no answer.
        source: TargetError,
    },
    /// One thing leads to another without end, or further than is allowed.
    #[error(
        "the flow goes deeper than {limit} steps: {chain}; break the cycle, or raise the depth if this is meant"
    )]
    TooDeep {
        /// Steps that may lead to another.
        limit: usize,
        /// What led to the step that is too deep.
        chain: Chain,
    },
    /// More steps than are allowed.
    #[error(
        "the flow has more than {limit} steps: {chain}; break the cycle, or raise the number of steps if this is meant"
    )]
    TooManySteps {
        /// Steps that are allowed.
        limit: usize,
        /// What led to the step that is too many.
        chain: Chain,
    },
    /// Two books of one stream.
    #[error(
        "there are two books of {}/{}, edition {}: a flow takes one of each",
        cover.domain, cover.root, cover.edition.label()
    )]
    TwoBooks {
        /// Whose they are.
        cover: Box<Cover>,
    },
    /// Nothing for the flow to begin with.
    #[error(
        "the flow is to begin with the events of {}/{} from sequence {from} on, and its books hold none",
        cover.domain, cover.root
    )]
    NothingHappened {
        /// Whose events.
        cover: Box<Cover>,
        /// First sequence.
        from: u32,
    },
    /// Events to begin with, but no book that they are in.
    #[error("the flow is to begin with events of its own aggregate, whose book is missing")]
    NoOwnBook,
    /// Facts for nobody.
    #[error(
        "the facts that the flow is to begin with have no cover: they need the aggregate that they are for"
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

/// How many labels are shown of a chain that does not repeat.
const SHOWN: usize = 6;

impl Chain {
    /// The chain that ends with the step at a position, and goes on with what that one led to.
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
