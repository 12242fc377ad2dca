//! What all steps of one capture share: the project, the request, and the redactor, which is made once.

use std::cell::OnceCell;
use std::sync::Arc;

use super::OperationError;
use super::request::CaptureRequest;
use crate::capture::{UpTo, fetch_history};
use crate::model::Cover;
use crate::project::{OpenSource, Project};
use crate::redact::Redactor;

/// The project, the request and the redactor of a capture.
pub(super) struct CaptureContext<'a> {
    pub(super) project: &'a Project,
    pub(super) request: &'a CaptureRequest,
    redactor: OnceCell<Option<Arc<Redactor>>>,
}

impl<'a> CaptureContext<'a> {
    /// Of a capture from the source that the request names.
    pub(super) const fn new(project: &'a Project, request: &'a CaptureRequest) -> Self {
        Self {
            project,
            request,
            redactor: OnceCell::new(),
        }
    }

    /// Of a capture from a recording, which needs redaction whatever its name is.
    pub(super) fn of_recording(
        project: &'a Project,
        request: &'a CaptureRequest,
        name: &str,
    ) -> Result<Self, OperationError> {
        let redactor = if request.is_unredacted {
            None
        } else {
            let what = format!("the recording `{name}` is no demonstration");
            Some(Arc::new(project.redactor_of_file(&what)?))
        };
        Ok(Self {
            project,
            request,
            redactor: OnceCell::from(redactor),
        })
    }

    /// Of a case that comes from elsewhere, with its redactor.
    pub(super) fn with_redactor(
        project: &'a Project,
        request: &'a CaptureRequest,
        redactor: Option<Redactor>,
    ) -> Self {
        Self {
            project,
            request,
            redactor: OnceCell::from(redactor.map(Arc::new)),
        }
    }

    /// Name of the source.
    pub(super) fn source_name(&self) -> Result<String, OperationError> {
        Ok(self.project.source_name(self.request.source.as_deref())?)
    }

    /// The redactor of everything that is captured; none if it need not be redacted.
    pub(super) fn redactor(&self) -> Result<Option<&Arc<Redactor>>, OperationError> {
        if let Some(redactor) = self.redactor.get() {
            return Ok(redactor.as_ref());
        }
        let redactor = if self.request.is_unredacted {
            None
        } else {
            self.project.redactor(&self.source_name()?)?
        };
        Ok(self
            .redactor
            .get_or_init(|| redactor.map(Arc::new))
            .as_ref())
    }

    /// Demands redaction of a command that does not come from the source itself. The data of the embedded source is
    /// public and need not be redacted; a command from elsewhere must be, unless the source has its aggregate.
    pub(super) fn demand_redaction(
        &self,
        source: &OpenSource,
        failing: &Cover,
        origin: &str,
    ) -> Result<(), OperationError> {
        let has_rules = self.redactor()?.is_some_and(|it| !it.is_idle());
        if !source.is_embedded() || self.request.is_unredacted || has_rules {
            return Ok(());
        }
        // The source may be connected to another domain alone.
        let all = self.project.source(Some(&source.name), None)?;
        let is_of_source = match all.domains.get(&failing.domain) {
            Some(queries) => {
                fetch_history(queries.as_ref(), failing, UpTo::Head, &mut |_| {})?.head > 0
            }
            None => false,
        };
        if is_of_source {
            return Ok(());
        }
        let what = format!(
            "the embedded source has no {}/{}, so the command ({origin}) is no demonstration",
            failing.domain, failing.root
        );
        self.project.redactor_of_file(&what)?;
        Ok(())
    }
}
