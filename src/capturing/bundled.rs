//! A case from a bundle: captured elsewhere, replayed and saved here.

use std::path::Path;

use super::bundle::{self, Bundle};
use super::context::CaptureContext;
use super::pending_capture::PendingCapture;
use super::report::CaptureReport;
use super::request::CaptureRequest;
use super::{Captured, OperationError};
use crate::capture::{CaseDialect, DialectKnowledge};
use crate::model::Case;
use crate::project::{OpenSource, Project};
use crate::terminal::one_line;
use crate::wire::Dialect;

/// Makes the case of a bundle a fixture, with the logic, the rules and the labels of this project.
pub(super) fn capture(
    project: &Project,
    request: &CaptureRequest,
    file: &Path,
) -> Result<Captured, OperationError> {
    let bundle = bundle::read(file, project.config().file_limit)?;
    let name = match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => Project::shown(file),
    };
    // A redacted bundle stays as it is: its stand-ins must equal those of other captures.
    let redactor = if bundle.is_unredacted && !request.is_unredacted {
        let what = format!("the bundle {name} is not redacted");
        Some(project.redactor_of_file(&what)?)
    } else {
        None
    };
    let context = CaptureContext::with_redactor(project, request, redactor);
    let dialect = dialect_of(&bundle, &name)?;
    let report = report_of(&bundle);
    let mut source = OpenSource::of_recording(&name);
    // Events that are still stored elsewhere cannot be read from here.
    source.keeps_external = true;
    PendingCapture::new(&context, &source, dialect, report)
        .described_by(bundle.fixture.descriptors)
        .finish(labelled(bundle.fixture.case, request), bundle.head)
}

fn report_of(bundle: &Bundle) -> CaptureReport {
    let source = &bundle.fixture.case.source;
    let time = jiff::Timestamp::new(source.captured_at.seconds, source.captured_at.nanos);
    let mut report = CaptureReport::default();
    report.add(
        "bundle",
        format!(
            "made at {} from source `{}`",
            time.unwrap_or_default(),
            one_line(&source.name)
        ),
    );
    report.extend(bundle.report.clone());
    report
}

fn dialect_of(bundle: &Bundle, name: &str) -> Result<CaseDialect, OperationError> {
    let dialect = &bundle.fixture.case.source.dialect;
    let dialect: Dialect = dialect
        .parse()
        .map_err(|error| OperationError::Failed(format!("the bundle {name}: {error}")))?;
    let known = if bundle.is_dialect_assumed {
        DialectKnowledge::Assumed
    } else {
        DialectKnowledge::Source
    };
    Ok(CaseDialect { dialect, known })
}

/// The case with the labels of the request.
fn labelled(case: Case, request: &CaptureRequest) -> Case {
    let labels = &request.labels;
    Case {
        status: labels.status(),
        title: labels.title.clone().unwrap_or(case.title),
        issue: labels.issue.clone().or(case.issue),
        probe: labels.probe.or(case.probe),
        ..case
    }
}
