//! Cases of what upcasts the pages of a domain.

use super::{KindCase, StreamCapture};
use crate::capturing::OperationError;
use crate::capturing::report::CaptureReport;
use crate::model::{CaseStimulus, ComponentKind};

impl StreamCapture<'_> {
    /// A case of the upcaster that serves the domain. If the request names one, it has to be this one.
    pub(super) fn upcaster(
        &self,
        named: Option<&str>,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let domain = &self.cover.domain;
        let Some(upcaster) = self.context.project.logics().upcaster_of(domain) else {
            return Err(OperationError::Failed(format!(
                "nothing is configured that upcasts the domain `{domain}`: a logic of `kind = \"upcaster\"` with that domain, or \
                 `upcaster = true` of the domain's own"
            )));
        };
        let serving = &upcaster.config.name;
        if let Some(named) = named.filter(|named| named != serving) {
            return Err(OperationError::Usage(format!(
                "the domain `{domain}` is upcast by `{serving}`, not by `{named}`"
            )));
        }
        let is_own = upcaster.config.kind == ComponentKind::Upcaster;
        let logic = is_own.then_some(serving.as_str());
        let end = self.fetched.history.next_sequence();
        let case = self.case(end, self.end_known(), logic, CaseStimulus::Upcaster, None);
        self.report_case(&case, Some(("upcaster", serving)), report);
        Ok(self.of_source(case, end))
    }
}
