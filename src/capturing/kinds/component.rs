//! Cases of components that react to an aggregate's events: sagas, process managers and projectors.

use super::words::{book_in_words, rule_in_words, span_in_words};
use super::{KindCase, StreamCapture};
use crate::capture::{Span, TriggerRule, find_trigger, knowledge, trigger};
use crate::capturing::OperationError;
use crate::capturing::report::CaptureReport;
use crate::model::{Case, CaseStimulus, ComponentKind, Modes, Payload, ProcessCase, Trigger};
use crate::project::LogicConfig;
use crate::snapshot::matches_pattern;

impl StreamCapture<'_> {
    pub(super) fn saga(
        &self,
        name: &str,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let component = self.component(name, ComponentKind::Saga)?;
        let (span, rule) = self.trigger(&component)?;
        let destinations = self.destinations();
        let stimulus = CaseStimulus::Saga {
            trigger: self.new_pages(span),
            destinations: destinations.clone(),
            modes: Modes::default(),
        };
        let case = self.case(span.last + 1, knowledge(rule), Some(name), stimulus, None);
        self.report_case(&case, Some(("saga", name)), report);
        report_trigger(&case, span, rule, report);
        self.report_destinations(&destinations, report);
        Ok(self.of_source(case, span.first))
    }

    pub(super) fn projector(
        &self,
        name: &str,
        is_harmless: bool,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let component = self.component(name, ComponentKind::Projector)?;
        let (span, rule) = self.trigger(&component)?;
        let stimulus = CaseStimulus::Projector {
            trigger: self.new_pages(span),
            is_harmless,
        };
        let case = self.case(span.last + 1, knowledge(rule), Some(name), stimulus, None);
        self.report_case(&case, Some(("projector", name)), report);
        report_trigger(&case, span, rule, report);
        Ok(self.of_source(case, span.first))
    }

    pub(super) fn process_manager(
        &self,
        name: &str,
        report: &mut CaptureReport,
    ) -> Result<KindCase, OperationError> {
        let component = self.component(name, ComponentKind::ProcessManager)?;
        let (span, rule) = self.trigger(&component)?;
        let pages = self.fetched.history.pages();
        let first = pages.iter().find(|page| page.sequence == span.first);
        let (state, found) = self.process_state(&component, first)?;
        let destinations = self.destinations();
        let stimulus = CaseStimulus::ProcessManager(ProcessCase {
            trigger: self.new_pages(span),
            destinations: destinations.clone(),
            state: state.book.clone(),
        });
        let case = self.case(span.last + 1, knowledge(rule), Some(name), stimulus, None);
        self.report_case(&case, Some(("component", name)), report);
        report_trigger(&case, span, rule, report);
        let state = book_in_words(&state);
        report.add("state", format!("{state}; stream {found}"));
        self.report_destinations(&destinations, report);
        Ok(self.of_source(case, span.first))
    }

    /// The component of a name, which must be configured as this kind.
    pub(super) fn component(
        &self,
        name: &str,
        kind: ComponentKind,
    ) -> Result<LogicConfig, OperationError> {
        let config = self.context.project.logics().named(name)?.config;
        if config.kind == kind {
            return Ok(config);
        }
        Err(OperationError::Usage(format!(
            "logic `{name}` is of kind {}, not a {}",
            config.kind.word(),
            kind.word()
        )))
    }

    /// The events that a component reacts to, and how they were chosen.
    fn trigger(&self, component: &LogicConfig) -> Result<(Span, TriggerRule), OperationError> {
        let patterns = component.subscriptions.get(&self.cover.domain);
        let subscribes = |payload: &Payload| {
            let matches = |pattern: &String| matches_pattern(pattern, payload.type_name());
            patterns.is_some_and(|patterns| patterns.iter().any(matches))
        };
        Ok(find_trigger(
            &self.fetched.history,
            self.context.request.kind.at(),
            &subscribes,
            !component.subscriptions.is_empty(),
        )?)
    }

    const fn new_pages(&self, span: Span) -> Trigger {
        trigger(span, self.context.request.kind.with_history())
    }
}

fn report_trigger(case: &Case, span: Span, rule: TriggerRule, report: &mut CaptureReport) {
    let pages = case.history.pages().iter();
    let types = pages
        .filter(|page| page.sequence >= span.first)
        .filter_map(|page| page.body.event())
        .map(Payload::type_name);
    let types: Vec<&str> = types.collect();
    report.add(
        "trigger",
        format!(
            "{}, {}, {}",
            span_in_words(span),
            types.join(", "),
            rule_in_words(rule)
        ),
    );
}
