//! How trials end.

use std::path::Path;

use serde_yaml::Value;

use crate::model::Status;
use crate::project::Project;
use crate::snapshot::is_rejection;
use crate::terminal::{Text, program};

/// How a trial ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The outcome is as accepted.
    Closed,
    /// The outcome is the rejection that the case expects.
    Intended,
    /// The known bug is still there.
    Open,
    /// It cannot be judged, with the reason.
    NotChecked(String),
    /// It failed, with this message.
    Failed(Text),
}

impl Ending {
    /// How a case ends whose outcome is as accepted. The accepted outcome of an intended rejection must be one.
    pub(crate) fn of_accepted(path: &Path, status: Status, outcome: Option<&Value>) -> Self {
        if !lacks_rejection(status, outcome) {
            return match status {
                Status::Intended => Self::Intended,
                Status::Open | Status::Closed => Self::Closed,
            };
        }
        let fixture = Project::shown(path);
        let text = format!(
            "{fixture}: `status: intended` stands for a rejection, and the accepted outcome is not one. If the outcome is right, \
             `{} close {fixture}` marks the case closed",
            program()
        );
        Self::Failed(text.into())
    }
}

/// Whether a case expects a rejection, and the outcome is not one.
pub(super) fn lacks_rejection(status: Status, outcome: Option<&Value>) -> bool {
    status == Status::Intended && !outcome.is_some_and(is_rejection)
}
