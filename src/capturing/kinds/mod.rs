//! `capture` of other kinds: what sagas, process managers, projectors and upcasters made of an aggregate's events, facts,
//! and whole workflows.

mod compensation;
mod flow;

use super::finishing::{Capture, Naming};
use super::request::{CaptureRequest, RequestedKind};
use super::telling::Telling;
use super::{Captured, Stop, captured_at, unnamed};
use crate::capture::workflow::{Share, gather};
use crate::capture::{
    Base, CaseDialect, CutBook, CutRule, EventQueries, Fetched, Span, TriggerRule, UpTo, as_facts,
    cut, fetch_history, find_trigger, knowledge, trigger,
};
use crate::model::{
    Case, CaseStimulus, ComponentKind, Cover, Destinations, Domain, Edition, EventBook,
    Fingerprints, HeadKnowledge, Modes, Observed, Page, Payload, ProcessCase, ProcessRoot,
    Provenance, Root, Trigger, counted,
};
use crate::project::{LogicConfig, OpenSource, Project};
use crate::snapshot::matches_pattern;
use crate::wire::{UnknownFields, unknown_in_page};
pub(super) use flow::find_start;

/// A capture of another kind, with the history that it is of.
pub(super) struct KindCapture<'a> {
    pub(super) project: &'a Project,
    pub(super) request: &'a CaptureRequest,
    pub(super) source: &'a OpenSource,
    pub(super) queries: &'a dyn EventQueries,
    pub(super) cover: Cover,
    pub(super) fetched: &'a Fetched,
}

/// A case in which something is that was noted elsewhere.
struct NotedCase {
    case: Case,
    head: u32,
    /// What redacted the command before.
    redacted_by: Fingerprints,
    dialect: CaseDialect,
}

impl KindCapture<'_> {
    /// Makes the case, replays it, writes it, tells of it.
    pub(super) fn run(mut self, naming: Naming<'_>) -> Result<Captured, Stop> {
        let mut telling = Telling::default();
        if let Some(id) = &self.request.correlation {
            self.cover.correlation_id.clone_from(id);
        }
        let mut redacted_by = Fingerprints::new();
        let mut dialect = self.dialect();
        let (case, head) = match &self.request.kind {
            RequestedKind::Command => return Err(unnamed()),
            RequestedKind::Saga { name, .. } => self.saga(name, &mut telling)?,
            RequestedKind::ProcessManager { name, .. } => {
                self.process_manager(name, &mut telling)?
            }
            RequestedKind::Projector {
                name, is_harmless, ..
            } => self.projector(name, *is_harmless, &mut telling)?,
            RequestedKind::Upcaster => self.upcaster(&mut telling)?,
            RequestedKind::Fact { .. } => self.fact(&mut telling)?,
            RequestedKind::Compensation {
                process_manager, ..
            } => {
                let of_ticket = self.compensation(process_manager.as_deref(), &mut telling)?;
                (redacted_by, dialect) = (of_ticket.redacted_by, of_ticket.dialect);
                (of_ticket.case, of_ticket.head)
            }
            RequestedKind::Flow { id, .. } => {
                let of_flow = self.flow(id, &mut telling)?;
                (redacted_by, dialect) = (of_flow.redacted_by, of_flow.dialect);
                (of_flow.case, of_flow.head)
            }
        };
        Capture {
            project: self.project,
            request: self.request,
            source: self.source,
            dialect,
            telling,
            naming,
            redacted_by,
            redacting: None,
            suspects: Vec::new(),
            unknown: UnknownFields::new(),
        }
        .finish(case, head)
    }

    fn saga(&self, name: &str, telling: &mut Telling) -> Result<(Case, u32), Stop> {
        let component = self.component(name, ComponentKind::Saga)?;
        let (span, rule) = self.trigger(&component)?;
        let destinations = self.destinations();
        let stimulus = CaseStimulus::Saga {
            trigger: self.new_pages(span),
            destinations: destinations.clone(),
            modes: Modes::default(),
        };
        let case = self.case(span.last + 1, knowledge(rule), Some(name), stimulus, None);
        self.tell(&case, telling, &[("saga", name)]);
        tell_trigger(&case, span, rule, telling);
        self.tell_destinations(&destinations, telling);
        Ok((case, span.first))
    }

    fn projector(
        &self,
        name: &str,
        is_harmless: bool,
        telling: &mut Telling,
    ) -> Result<(Case, u32), Stop> {
        let component = self.component(name, ComponentKind::Projector)?;
        let (span, rule) = self.trigger(&component)?;
        let stimulus = CaseStimulus::Projector {
            trigger: self.new_pages(span),
            is_harmless,
        };
        let case = self.case(span.last + 1, knowledge(rule), Some(name), stimulus, None);
        self.tell(&case, telling, &[("projector", name)]);
        tell_trigger(&case, span, rule, telling);
        Ok((case, span.first))
    }

    fn process_manager(&self, name: &str, telling: &mut Telling) -> Result<(Case, u32), Stop> {
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
        self.tell(&case, telling, &[("component", name)]);
        tell_trigger(&case, span, rule, telling);
        telling.add("state", format!("{}; stream {found}", told_book(&state)));
        self.tell_destinations(&destinations, telling);
        Ok((case, span.first))
    }

    fn upcaster(&self, telling: &mut Telling) -> Result<(Case, u32), Stop> {
        let domain = &self.cover.domain;
        let Some(upcaster) = self.project.logics().upcaster_of(domain) else {
            return Err(Stop::Failed(format!(
                "nothing is configured that upcasts the domain `{domain}`: a logic of `kind = \"upcaster\"` with that domain, or \
                 `upcaster = true` of the domain's own"
            )));
        };
        let is_own = upcaster.config.kind == ComponentKind::Upcaster;
        let name = is_own.then_some(upcaster.config.name.as_str());
        let end = self.fetched.history.next_sequence();
        let case = self.case(end, self.end_known(), name, CaseStimulus::Upcaster, None);
        self.tell(&case, telling, &[("upcaster", &upcaster.config.name)]);
        Ok((case, end))
    }

    fn fact(&self, telling: &mut Telling) -> Result<(Case, u32), Stop> {
        let given = self.request.kind.at();
        let (span, rule) = find_trigger(&self.fetched.history, given, &|_| true, false)?;
        let pages = self.fetched.history.pages().iter();
        let meant = pages.filter(|page| (span.first..=span.last).contains(&page.sequence));
        let meant: Vec<Page> = meant.cloned().collect();
        let facts = as_facts(&self.cover, &meant);
        let unknown = self.project.unknown();
        unknown.add(meant.iter().flat_map(unknown_in_page).collect());
        let stored = meant.into_iter().map(|page| page.body);
        let case = self.case(
            span.first,
            knowledge(rule),
            None,
            CaseStimulus::Fact(facts),
            Some(Observed::accepted(stored)),
        );
        self.tell(&case, telling, &[]);
        telling.add(
            "fact",
            format!(
                "{}, {}; its external id is erased when it is stored: a made-up one stands for it",
                told_span(span),
                told_rule(rule)
            ),
        );
        Ok((case, span.first))
    }

    /// The component of a name, which has to be configured.
    fn component(&self, name: &str, kind: ComponentKind) -> Result<LogicConfig, Stop> {
        let config = self.project.logics().named(name)?.config;
        if config.kind == kind {
            return Ok(config);
        }
        Err(Stop::Usage(format!(
            "logic `{name}` is of kind {}, not a {}",
            config.kind.word(),
            kind.word()
        )))
    }

    fn trigger(&self, component: &LogicConfig) -> Result<(Span, TriggerRule), Stop> {
        let patterns = component.subscriptions.get(&self.cover.domain);
        let subscribes = |payload: &Payload| {
            let matches = |pattern: &String| matches_pattern(pattern, payload.type_name());
            patterns.is_some_and(|patterns| patterns.iter().any(matches))
        };
        Ok(find_trigger(
            &self.fetched.history,
            self.request.kind.at(),
            &subscribes,
            !component.subscriptions.is_empty(),
        )?)
    }

    const fn new_pages(&self, span: Span) -> Trigger {
        trigger(span, self.request.kind.with_history())
    }

    fn destinations(&self) -> Destinations {
        let given = self.request.kind.destinations().iter();
        given
            .map(|(domain, sequence)| (domain.to_string(), *sequence))
            .collect()
    }

    const fn end_known(&self) -> HeadKnowledge {
        match self.request.up_to {
            UpTo::Before(_) | UpTo::Time(_) => HeadKnowledge::Given,
            UpTo::Head => HeadKnowledge::Current,
        }
    }

    fn case(
        &self,
        end: u32,
        head: HeadKnowledge,
        logic: Option<&str>,
        stimulus: CaseStimulus,
        observed: Option<Observed>,
    ) -> Case {
        let base = Base {
            cover: self.cover.clone(),
            fetched: self.fetched,
            end,
            source: Provenance {
                name: self.source.name.clone(),
                dialect: self.queries.dialect().name().to_owned(),
                captured_at: captured_at(),
                head,
            },
            logic: logic.map(str::to_owned),
            labels: self.request.labels.clone(),
        };
        base.case(stimulus, observed)
    }

    fn tell(&self, case: &Case, telling: &mut Telling, named: &[(&str, &str)]) {
        self.tell_history(case, telling, named);
        telling.dialect(self.dialect());
    }

    fn tell_history(&self, case: &Case, telling: &mut Telling, named: &[(&str, &str)]) {
        telling.history(case, self.fetched);
        for (key, name) in named {
            telling.add(key, *name);
        }
    }

    /// The dialect of a case that nothing is in which was noted elsewhere.
    fn dialect(&self) -> CaseDialect {
        CaseDialect::of(self.source.spoken(self.queries))
    }

    fn tell_destinations(&self, destinations: &Destinations, telling: &mut Telling) {
        let dialect = self.queries.dialect();
        if !dialect.rules().sends_destinations {
            if !destinations.is_empty() {
                let note =
                    format!("kept, and told to nobody: `{dialect}` has no destination sequences");
                telling.add("destinations", note);
            }
            return;
        }
        let told: Vec<String> = destinations
            .iter()
            .map(|(domain, sequence)| format!("{domain} at {sequence}"))
            .collect();
        telling.add(
            "destinations",
            if told.is_empty() {
                "told none: heads of the past cannot be asked for (give them with --destination)"
                    .to_owned()
            } else {
                format!("{}, as given", told.join(", "))
            },
        );
    }

    /// The process manager's own stream as it was before its trigger, and how it was found.
    fn process_state(
        &self,
        component: &LogicConfig,
        trigger: Option<&Page>,
    ) -> Result<(CutBook, String), Stop> {
        let domain = component.domain.clone().ok_or_else(|| {
            Stop::Usage(format!(
                "logic `{}` does not say the `domain` of its stream",
                component.name
            ))
        })?;
        let mut named = self.request.kind.books().iter();
        let named = named.rfind(|book| book.domain == domain);
        let cut_at = named.and_then(|book| book.cut);
        let candidates = match named {
            Some(book) => vec![(book.root, "as given".to_owned())],
            None => self.process_roots(component)?,
        };
        let others = self.project.source(Some(&self.source.name), None)?;
        let by_id = self.request.correlation.as_deref();
        let by_id = by_id.filter(|_| named.is_none() && component.process_root.is_none());
        if let Some(id) = by_id
            && let Some(found) = self.carrying(&others, &domain, id)?
        {
            let cover = self.of_stream(&domain, found.cover.root);
            let fetched = Fetched::of_pages(found.pages)?;
            let state = cut(cover, &fetched, &[], cut_at, trigger);
            return Ok((state, "found by its correlation id".to_owned()));
        }
        let Some(queries) = others.domains.get(&domain) else {
            return Err(Stop::Failed(format!(
                "the state of process manager `{}` cannot be read: source `{}` has no domain `{domain}`, and its other \
                 domains know no event of that domain with this correlation id; add the domain to the source",
                component.name, self.source.name
            )));
        };
        for (root, how) in &candidates {
            let cover = self.of_stream(&domain, *root);
            let fetched = fetch_history(
                queries.as_ref(),
                &Cover {
                    correlation_id: String::new(),
                    ..cover.clone()
                },
                UpTo::Head,
                &mut |_| {},
            )?;
            if fetched.head > 0 {
                return Ok((cut(cover, &fetched, &[], cut_at, trigger), how.clone()));
            }
        }
        let (root, how) = candidates[0].clone();
        let looked: Vec<String> = candidates
            .iter()
            .map(|(root, _)| root.to_string())
            .collect();
        let by_id = match by_id {
            Some(_) => ", and nothing with its correlation id",
            None => "",
        };
        let found = format!(
            "{how}; nothing is stored under {}{by_id}: taken for a workflow that has just begun",
            looked.join(", ")
        );
        Ok((empty(self.of_stream(&domain, root)), found))
    }

    /// The pages of a process manager's domain that carry the correlation id, of whatever root they are.
    fn carrying(
        &self,
        source: &OpenSource,
        domain: &Domain,
        id: &str,
    ) -> Result<Option<Share>, Stop> {
        let shares = gather(&source.domains, id, &self.cover.edition)?.into_iter();
        let mut shares: Vec<Share> = shares
            .filter(|share| share.cover.domain == *domain)
            .collect();
        if shares.len() > 1 {
            let roots: Vec<String> = shares
                .iter()
                .map(|share| format!("--book {domain}/{}", share.cover.root))
                .collect();
            return Err(Stop::Usage(format!(
                "several streams of `{domain}` carry this correlation id; name the one that is meant: {}",
                roots.join(", or ")
            )));
        }
        Ok(shares.pop())
    }

    fn of_stream(&self, domain: &Domain, root: Root) -> Cover {
        Cover {
            correlation_id: self.cover.correlation_id.clone(),
            edition: self.cover.edition.clone(),
            ..Cover::main(domain.clone(), root)
        }
    }

    /// Roots that the stream of the workflow may have, the likelier first.
    fn process_roots(&self, component: &LogicConfig) -> Result<Vec<(Root, String)>, Stop> {
        let Some(id) = self.request.correlation.as_deref() else {
            return Err(Stop::Usage(
                "a process manager's stream is found by the workflow: name it with --correlation ID, or the stream itself with --book \
                 DOMAIN/ROOT"
                    .into(),
            ));
        };
        let mut rules = vec![ProcessRoot::CorrelationId, ProcessRoot::Uuid5];
        let usual = self.queries.dialect().rules().process_root;
        if component.process_root.unwrap_or(usual) == ProcessRoot::Uuid5 {
            rules.reverse();
        }
        if component.process_root.is_some() {
            rules.truncate(1);
        }
        let named = rules.into_iter().map(|rule| {
            let how = match rule {
                ProcessRoot::CorrelationId => "found by the correlation id as a UUID",
                ProcessRoot::Uuid5 => "found by the UUID of version 5 of the correlation id",
            };
            (rule.of(id), how.to_owned())
        });
        Ok(named.collect())
    }
}

fn empty(cover: Cover) -> CutBook {
    CutBook {
        book: EventBook::empty(cover),
        after: Vec::new(),
        rule: CutRule::Whole,
    }
}

fn tell_trigger(case: &Case, span: Span, rule: TriggerRule, telling: &mut Telling) {
    let pages = case.history.pages().iter();
    let types = pages
        .filter(|page| page.sequence >= span.first)
        .filter_map(|page| page.body.event())
        .map(Payload::type_name);
    let types: Vec<&str> = types.collect();
    telling.add(
        "trigger",
        format!(
            "{}, {}, {}",
            told_span(span),
            types.join(", "),
            told_rule(rule)
        ),
    );
}

fn told_span(span: Span) -> String {
    if span.first == span.last {
        format!("sequence {}", span.first)
    } else {
        format!("sequence {} to {}", span.first, span.last)
    }
}

const fn told_rule(rule: TriggerRule) -> &'static str {
    match rule {
        TriggerRule::Given => "as given",
        TriggerRule::Subscribed => {
            "the newest that the component is subscribed to (--at names another)"
        }
        TriggerRule::Newest => {
            "the newest: no subscription says what the component is sent (--at names another)"
        }
    }
}

/// A book as it was cut, in words.
fn told_book(cut: &CutBook) -> String {
    let cover = &cut.book.cover;
    let edition = match &cover.edition {
        Edition::Main => String::new(),
        Edition::Named { name, .. } => format!(" ({name})"),
    };
    let events = counted(cut.book.history.pages().len(), "event");
    let rule = match cut.rule {
        CutRule::Given => "cut as given",
        CutRule::CorrelationId => "cut at its first event with the correlation id",
        CutRule::Time => "cut at its first event that is not older than the workflow",
        CutRule::Whole => "whole: nothing says where the workflow came to it",
    };
    format!("{}/{}{edition}: {events}, {rule}", cover.domain, cover.root)
}
