//! A case before it is written: it is redacted, replayed and saved.

use std::path::{Path, PathBuf};

use super::bundle::{self, BundleNotes};
use super::captured::{CaptureVerdict, Captured, SavedState};
use super::captured_failures::CapturedFailures;
use super::context::CaptureContext;
use super::redaction::{self, AppliedRedaction};
use super::report::CaptureReport;
use super::request::CaptureRequest;
use super::saving::{accept, demand_rejection, discard_snapshot, file_name, restore};
use super::{OperationError, first_replay};
use crate::capture::{
    CaseDialect, DialectKnowledge, case_path, inline_external, kept_unknown_fields,
    lost_unknown_fields,
};
use crate::documentation::Page;
use crate::fixture::{Fixture, Rendered, Saved, render, render_packed};
use crate::model::{Case, Fingerprints, Status};
use crate::payload::Registry;
use crate::project::{Objects, OpenSource, Project, ReplayedCase};
use crate::redact::{PriorRedaction, Suspect};
use crate::wire::UnknownFields;

/// A case that is complete but neither redacted, nor replayed, nor written.
pub(super) struct PendingCapture<'a> {
    context: &'a CaptureContext<'a>,
    project: &'a Project,
    request: &'a CaptureRequest,
    source: &'a OpenSource,
    dialect: CaseDialect,
    report: CaptureReport,
    naming: Naming<'a>,
    /// What redacted the call or the command before it was noted, if that is known.
    redacted_by: Fingerprints,
    /// Descriptors that came with the case.
    descriptors: Option<Registry>,
    applied: Option<AppliedRedaction>,
    suspects: Vec<Suspect>,
    /// Fields of a later revision that are not kept.
    unknown: UnknownFields,
}

/// How a case is named.
#[derive(Clone, Copy)]
pub(super) enum Naming<'a> {
    /// As requested, or by its contents.
    Plain,
    /// One of many: a failure that was captured before is left alone, and a number is added if another case has the name.
    Distinct(&'a CapturedFailures),
}

impl<'a> PendingCapture<'a> {
    pub(super) fn new(
        context: &'a CaptureContext<'a>,
        source: &'a OpenSource,
        dialect: CaseDialect,
        report: CaptureReport,
    ) -> Self {
        Self {
            context,
            project: context.project,
            request: context.request,
            source,
            dialect,
            report,
            naming: Naming::Plain,
            redacted_by: Fingerprints::new(),
            descriptors: None,
            applied: None,
            suspects: Vec::new(),
            unknown: UnknownFields::new(),
        }
    }

    pub(super) fn named(self, naming: Naming<'a>) -> Self {
        Self { naming, ..self }
    }

    pub(super) fn redacted_before_by(self, redacted_by: Fingerprints) -> Self {
        Self {
            redacted_by,
            ..self
        }
    }

    /// A case that came with its descriptors, which are used if they describe all of it.
    pub(super) fn described_by(self, descriptors: Registry) -> Self {
        Self {
            descriptors: Some(descriptors),
            ..self
        }
    }

    pub(super) fn finish(mut self, mut case: Case, head: u32) -> Result<Captured, OperationError> {
        if let Some(revision) = &self.request.revision {
            case.source.revision = Some(revision.clone());
        }
        // Before external events are inlined.
        let before = PriorRedaction::of_case(&case, &self.redacted_by);
        let kept = kept_unknown_fields(&case);
        if !self.request.keeps_external && !self.source.keeps_external {
            let read = inline_external(
                &mut case,
                &Objects::of_environment(),
                self.project.config().file_limit,
            );
            let count = read.map_err(|error| self.without_values(&case, &error.to_string()))?;
            self.report.inlined(count);
        }
        let case = self.redacted(case, before)?;
        self.unknown = self.project.unknown().take();
        self.unknown.append(&mut lost_unknown_fields(&kept, &case));
        self.report.unknown(&self.unknown);
        if self.request.is_bundle {
            return self.bundle(case, head);
        }
        if let Naming::Distinct(captured) = self.naming
            && let Some((path, existing)) = captured.of(&case)
            && !self.request.is_forced
            && self.is_done(path, existing)
        {
            let case = existing.case.clone();
            return Ok(self.unchanged(path, case));
        }
        let name = match &self.request.name {
            Some(name) => file_name(name)?.to_owned(),
            None => case_path(&case, head),
        };
        let relative = self.free_place(&name, &case);
        let path = self.project.folder().root().join(&relative);
        if !self.request.is_dry_run {
            self.project.folder().tidy(&relative);
        }
        if let Some(existing) = self.captured_before(&path, &case) {
            return Ok(self.unchanged(&path, existing.case));
        }
        self.look_for_personal_data(&case);
        let case = self.with_what_people_wrote(&path, case);
        self.replay_and_write(case, &relative)
    }

    /// The bundle of a case, as the text of the result. It is replayed where the bundle becomes a fixture.
    fn bundle(mut self, case: Case, head: u32) -> Result<Captured, OperationError> {
        // The rest of the report is made again where the bundle is read.
        let found = self.report.lines().to_vec();
        self.look_for_personal_data(&case);
        let registry = self.registry(&case)?;
        let rendered = render(&case, &registry)?;
        self.report.descriptors(
            &rendered.undescribed,
            &rendered.inexact,
            registry.left_out(),
        );
        let notes = BundleNotes {
            head,
            is_dialect_assumed: self.dialect.known == DialectKnowledge::Assumed,
            is_unredacted: self.request.is_unredacted && !self.source.is_embedded(),
            report: &found,
        };
        let text = bundle::write(&rendered, &notes);
        let verdict = CaptureVerdict::NotReplayed("a bundle is replayed where it is read".into());
        let path = PathBuf::from(format!("{}.yaml", case_path(&case, head)));
        Ok(self.captured(&path, case, SavedState::DryRun, verdict, text))
    }

    /// The descriptors of a case: those that came with it if they describe all of it, otherwise those of this project.
    fn registry(&self, case: &Case) -> Result<Registry, OperationError> {
        if let Some(own) = &self.descriptors
            && case.payloads().all(|it| own.knows(it.type_name()))
        {
            return Ok(own.clone());
        }
        Ok(self.project.registry_for(&case.source.dialect)?.clone())
    }

    /// A case that is new, or differs from the one that is there.
    fn replay_and_write(mut self, case: Case, relative: &Path) -> Result<Captured, OperationError> {
        let path = self.project.folder().root().join(relative);
        let registry = self.registry(&case)?;
        let mut fixture = Fixture {
            case,
            descriptors: registry.clone(),
            descriptors_hash: None,
        };
        let (first, packed) =
            first_replay::replay_and_pack(self.project, &mut fixture, &mut self.report);
        let replied = first.as_ref().ok();
        if let Some(note) = replied.and_then(|run| run.result.unknown_in_replies()) {
            self.report.add("unknown", note.to_string());
        }
        let text = replied.and_then(ReplayedCase::text);
        self.refuse_changed_outcome(&fixture)?;
        let status = self.request.labels.status();
        if status != Status::Open && text.is_none() {
            let reason = first
                .err()
                .unwrap_or_else(|| "the logic offers nothing to compare".to_owned());
            return Err(OperationError::Failed(format!(
                "there is no outcome to accept: {reason}; nothing is written"
            )));
        }
        if status == Status::Intended {
            demand_rejection(text.as_deref())
                .map_err(|refusal| OperationError::Failed(refusal.into()))?;
        }
        let rendered = render_packed(&fixture.case, packed, &registry)?;
        self.report.descriptors(
            &rendered.undescribed,
            &rendered.inexact,
            registry.left_out(),
        );
        let saved = if self.request.is_dry_run {
            SavedState::DryRun
        } else {
            self.save(&rendered, relative, fixture.case.status, text.as_deref())?
        };
        let verdict = CaptureVerdict::of(first.as_ref());
        Ok(self.captured(&path, fixture.case, saved, verdict, rendered.text))
    }

    /// Writes the fixture, and the snapshot where the outcome is accepted.
    fn save(
        &self,
        rendered: &Rendered,
        relative: &Path,
        status: Status,
        outcome: Option<&str>,
    ) -> Result<SavedState, OperationError> {
        let folder = self.project.folder();
        let path = folder.root().join(relative);
        let before = std::fs::read(&path).ok();
        let saved = match folder.save(rendered, relative, self.request.is_forced)? {
            Saved::New => SavedState::Written,
            Saved::Replaced => SavedState::Replaced,
            Saved::Unchanged => SavedState::Unchanged,
        };
        if saved == SavedState::Replaced && status == Status::Open {
            discard_snapshot(&path)?;
        }
        let wanted = self.request.labels.status();
        if let Some(outcome) = outcome.filter(|_| wanted != Status::Open) {
            accept(&path, outcome, wanted).inspect_err(|_| restore(&path, before.as_deref()))?;
        }
        Ok(saved)
    }

    /// The path of the case: of many captures, two may have the same name.
    fn free_place(&self, name: &str, case: &Case) -> PathBuf {
        let plain = PathBuf::from(format!("{name}.yaml"));
        if matches!(self.naming, Naming::Plain) || self.request.is_forced {
            return plain;
        }
        let numbered = (2..).map(|number| PathBuf::from(format!("{name}-{number}.yaml")));
        let is_free = |relative: &PathBuf| {
            let path = self.project.folder().root().join(relative);
            !path.exists() || self.captured_before(&path, case).is_some()
        };
        std::iter::once(plain.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or(plain)
    }

    /// An error that may repeat what the case holds, such as the address of an event.
    fn without_values(&self, case: &Case, error: &str) -> OperationError {
        let text = match self.context.redactor() {
            Err(error) => return error,
            Ok(None) => error.to_owned(),
            Ok(Some(redactor)) => match redactor.redact_case(case) {
                Ok(redacted) => redactor.text_after(&redacted.report, error),
                Err(unreadable) => unreadable.to_string(),
            },
        };
        OperationError::Failed(text)
    }

    /// Redacts the case before anything of it is reported or written.
    fn redacted(&mut self, mut case: Case, before: PriorRedaction) -> Result<Case, OperationError> {
        if let Some(redactor) = self.context.redactor()? {
            let applied = AppliedRedaction::apply(redactor, &mut case, before, &mut self.report)?;
            self.applied = Some(applied);
        }
        Ok(case)
    }

    /// The embedded demo is skipped unless redaction is configured for it.
    fn look_for_personal_data(&mut self, case: &Case) {
        if self.applied.is_some() || !self.source.is_embedded() {
            self.suspects = redaction::suspects(self.project, self.applied.as_ref(), case);
            redaction::report_suspects(&self.suspects, &mut self.report);
        }
    }

    /// A case that redaction turns into another one is written only with --force.
    fn refuse_changed_outcome(&mut self, fixture: &Fixture) -> Result<(), OperationError> {
        let Some(applied) = &self.applied else {
            return Ok(());
        };
        let changed = applied.changed_outcome(self.project, fixture, &mut self.report);
        match changed {
            Some(changed) if !self.request.is_forced => Err(OperationError::Failed(format!(
                "{changed}; choose another action or form for the field ({}), or write the case all the same with \
                 --force; nothing is written",
                Page::Redaction
            ))),
            Some(changed) => {
                self.report.add("redaction", changed);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A forced capture of the same thing updates its bytes and views, and keeps what people wrote in the fixture.
    fn with_what_people_wrote(&self, path: &Path, case: Case) -> Case {
        let there = self
            .project
            .folder()
            .read(path)
            .ok()
            .map(|there| there.case);
        let is_same = |there: &Case| {
            (&there.cover, &there.history, &there.stimulus)
                == (&case.cover, &case.history, &case.stimulus)
        };
        let Some(there) = there.filter(is_same) else {
            return case;
        };
        let status = match self.request.labels.status() {
            Status::Open => there.status,
            Status::Closed | Status::Intended => case.status,
        };
        Case {
            status,
            title: match (&self.request.labels.title, &self.applied) {
                (Some(title), _) => title.clone(),
                // It may be older than the redaction rules.
                (None, Some(applied)) => applied.text(&there.title),
                (None, None) => there.title,
            },
            issue: case.issue.clone().or(there.issue),
            logic: there.logic,
            probe: case.probe.or(there.probe),
            rules: there.rules,
            ..case
        }
    }

    /// The same capture, if it exists already and stays as it is.
    fn captured_before(&self, path: &Path, case: &Case) -> Option<Fixture> {
        let there = self.project.folder().read(path).ok()?;
        if self.request.is_forced {
            return None;
        }
        (self.is_done(path, &there) && there.case.is_same_capture(case)).then_some(there)
    }

    /// Whether a fixture is complete. A capture that was interrupted before its snapshot was written is not.
    fn is_done(&self, path: &Path, there: &Fixture) -> bool {
        let is_status_there = match self.request.labels.status() {
            Status::Open => return true,
            Status::Closed => there.case.status != Status::Open,
            Status::Intended => there.case.status == Status::Intended,
        };
        is_status_there && Project::snapshot_path(path).exists()
    }

    /// The result of the capture.
    fn captured(
        self,
        path: &Path,
        case: Case,
        saved: SavedState,
        verdict: CaptureVerdict,
        text: String,
    ) -> Captured {
        let files = match saved {
            SavedState::DryRun => Vec::new(),
            _ => self.project.files_to_commit(path),
        };
        let applied = self.applied;
        let redactions = || applied.iter();
        Captured {
            case,
            source: self.source.name.clone(),
            is_embedded: self.source.is_embedded(),
            report: self.report.into_lines(),
            path: path.to_owned(),
            saved,
            verdict,
            suspects: self.suspects,
            not_redacted: redactions()
                .flat_map(AppliedRedaction::unread)
                .map(str::to_owned)
                .collect(),
            is_redacted_anew: redactions().any(AppliedRedaction::is_anew),
            warnings: redactions().flat_map(AppliedRedaction::warnings).collect(),
            unknown: self.unknown,
            dialect: self.dialect,
            files,
            text,
            applied,
        }
    }

    /// A case that was captured before, and stays as it is.
    fn unchanged(self, path: &Path, existing: Case) -> Captured {
        self.captured(
            path,
            existing,
            SavedState::Unchanged,
            CaptureVerdict::CapturedBefore,
            String::new(),
        )
    }
}
