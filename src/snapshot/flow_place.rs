//! Places in a flow: its hops, and what production did beyond them.

use std::fmt;

use crate::model::{Code, Domain, Failure, Root};

/// A stream in messages: `table/36f675cc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamName {
    domain: Domain,
    root: Root,
}

impl StreamName {
    /// The stream of an aggregate or process manager.
    #[must_use]
    pub fn new(domain: &Domain, root: Root) -> Self {
        Self {
            domain: domain.clone(),
            root,
        }
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.root.short())
    }
}

/// A place in a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowPlace {
    /// A hop of the replay.
    Hop {
        /// Its number in the order of the replay, from 1.
        number: usize,
        /// The stream that it answered for.
        stream: StreamName,
    },
    /// Production did something in a stream that no hop of the replay matches.
    OnlyProduction(StreamName),
}

impl fmt::Display for FlowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hop { number, stream } => write!(f, "hop {number}, {stream}"),
            Self::OnlyProduction(stream) => write!(f, "production went on: {stream}"),
        }
    }
}

/// What production did at one place of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductionStep {
    /// It stored an event of this type.
    Stored(String),
    /// It answered with a failing status.
    Answered(StatusLine),
}

impl fmt::Display for ProductionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(type_name) => write!(f, "stored {type_name}"),
            Self::Answered(status) => write!(f, "answered {status}"),
        }
    }
}

/// A failing status in messages: `FAILED_PRECONDITION: "table full"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    code: Code,
    message: String,
}

impl StatusLine {
    /// Code and message of a failure.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        Self {
            code: failure.code,
            message: failure.message.clone(),
        }
    }
}

impl fmt::Display for StatusLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.code, self.message)
    }
}
