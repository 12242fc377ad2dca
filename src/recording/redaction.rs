//! Redaction of calls before they are written.

use std::collections::BTreeSet;
use std::sync::mpsc::Sender;

use super::running::Signal;
use super::{RecordProgress, RecordRequest, RecordWatcher};
use crate::project::{OperationError, Project};
use crate::record::{Redact, redacted};

/// Maximum number of reports about unredacted content.
const MOST_REPORTED: usize = 100;

/// The redaction of a recording; none if the request opts out.
pub(super) fn redaction(
    project: &Project,
    request: &RecordRequest,
    signals: Sender<Signal>,
    watch: &mut RecordWatcher<'_>,
) -> Result<Option<Redact>, OperationError> {
    if request.is_unredacted {
        return Ok(None);
    }
    let redactor = project.redactor_of_recordings()?;
    for rule in redactor.unfitting() {
        watch(RecordProgress::UnfittingRule(rule));
    }
    let mut reports = NotRedactedReports {
        signals,
        reported: BTreeSet::new(),
    };
    Ok(Some(Box::new(move |call| {
        let (call, report) = redacted(&call, &redactor).map_err(|error| error.to_string())?;
        for unread in report.unread {
            reports.add(unread);
        }
        Ok(call)
    })))
}

/// Reports unredacted content, once per kind and immediately: the user may want to stop the recording.
struct NotRedactedReports {
    signals: Sender<Signal>,
    reported: BTreeSet<String>,
}

impl NotRedactedReports {
    fn add(&mut self, unread: String) {
        if self.reported.len() == MOST_REPORTED || self.reported.contains(&unread) {
            return;
        }
        self.reported.insert(unread.clone());
        self.send(RecordProgress::NotRedacted(unread));
        if self.reported.len() == MOST_REPORTED {
            self.send(RecordProgress::MoreNotRedacted);
        }
    }

    fn send(&self, progress: RecordProgress) {
        // Nobody receives it after the recording has ended.
        let _ = self.signals.send(Signal::Progress(progress));
    }
}
