//! A tap on a target: it observes the answers, or replaces them.

use super::{Target, TargetError};
use crate::model::{Outcome, Stimulus};
use crate::wire::{Dialect, UnknownFields};

/// Answers in place of a target, whose name it is given. It may ask the target.
pub type Tap<'a> =
    dyn Fn(&str, &dyn Target, &Stimulus) -> Result<Outcome, TargetError> + Send + Sync + 'a;

/// A target whose stimuli go through a tap.
pub struct Tapped<'a> {
    name: String,
    target: Box<dyn Target + 'a>,
    tap: &'a Tap<'a>,
}

impl<'a> Tapped<'a> {
    /// Puts a tap on a target. `name` is the name that the tap is given.
    #[must_use]
    pub fn new(name: &str, target: Box<dyn Target + 'a>, tap: &'a Tap<'a>) -> Self {
        Self {
            name: name.to_owned(),
            target,
            tap,
        }
    }
}

impl Target for Tapped<'_> {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        (self.tap)(&self.name, self.target.as_ref(), stimulus)
    }

    fn dialect(&self) -> Dialect {
        self.target.dialect()
    }

    fn upcasts(&self) -> bool {
        self.target.upcasts()
    }

    fn take_unknown(&self) -> UnknownFields {
        self.target.take_unknown()
    }
}
