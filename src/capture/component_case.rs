//! Builds cases of components that react to stored events: determines which pages are new, and what was stored before
//! them.

use super::title::generated_title;
use super::{CaptureError, Fetched};
use crate::model::{
    Case, CaseStimulus, Cover, EmittedBook, EmittedPage, EventBook, HeadKnowledge, Header, History,
    Observed, Page, Payload, Provenance, Timestamp, Trigger,
};

/// A range of pages, including both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Sequence of the first page.
    pub first: u32,
    /// Sequence of the last page.
    pub last: u32,
}

/// How the new pages were determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerRule {
    /// They were specified by the user.
    Given,
    /// The newest page of a type that the component subscribes to.
    Subscribed,
    /// The newest page, because the subscriptions are unknown.
    Newest,
}

/// Finds the pages that the component is to react to.
pub fn find_trigger(
    history: &History,
    given: Option<Span>,
    subscribes: &dyn Fn(&Payload) -> bool,
    knows_subscriptions: bool,
) -> Result<(Span, TriggerRule), CaptureError> {
    let pages = history.pages();
    let has = |sequence: u32| pages.iter().any(|page| page.sequence == sequence);
    if let Some(span) = given {
        return if has(span.first) && has(span.last) && span.first <= span.last {
            Ok((span, TriggerRule::Given))
        } else {
            Err(CaptureError::NoTrigger {
                wanted: format!("sequence {} to {}", span.first, span.last),
                head: history.next_sequence(),
            })
        };
    }
    let one = |page: &Page| Span {
        first: page.sequence,
        last: page.sequence,
    };
    let is_meant = |page: &&Page| page.body.event().is_some_and(subscribes);
    match (pages.iter().rev().find(is_meant), pages.last()) {
        (Some(page), _) if knows_subscriptions => Ok((one(page), TriggerRule::Subscribed)),
        (None, Some(_)) if knows_subscriptions => Err(CaptureError::NoTrigger {
            wanted: "a type that the component is subscribed to".to_owned(),
            head: history.next_sequence(),
        }),
        (_, Some(page)) => Ok((one(page), TriggerRule::Newest)),
        (_, None) => Err(CaptureError::NoTrigger {
            wanted: "any event".to_owned(),
            head: 0,
        }),
    }
}

/// What a case of any kind contains besides its stimulus.
#[derive(Debug, Clone)]
pub struct Base<'a> {
    /// The aggregate.
    pub cover: Cover,
    /// Its history, as it was fetched.
    pub fetched: &'a Fetched,
    /// The sequence that the history of the case ends before.
    pub end: u32,
    /// The source; how the head is known is filled in later.
    pub source: Provenance,
    /// The configured logic, if it is not the default of the domain.
    pub logic: Option<String>,
    /// Metadata chosen by the user.
    pub labels: super::Labels,
}

impl Base<'_> {
    /// Builds the case.
    #[must_use]
    pub fn case(self, stimulus: CaseStimulus, observed: Option<Observed>) -> Case {
        let history = self.fetched.history.before(self.end);
        let mut case = Case {
            status: self.labels.status(),
            title: String::new(),
            issue: self.labels.issue,
            source: self.source,
            logic: self.logic,
            probe: self.labels.probe,
            cover: self.cover,
            snapshot: self.fetched.snapshot_before(self.end),
            history,
            stimulus,
            observed,
            noted: None,
            rules: Vec::new(),
            redacted: Vec::new(),
        };
        case.title = self.labels.title.unwrap_or_else(|| generated_title(&case));
        case
    }
}

/// How the book of another aggregate was cut at the point where the workflow reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutRule {
    /// At the sequence that the user specified.
    Given,
    /// At its first page with the correlation id.
    CorrelationId,
    /// At its first page that is not older than the first event of the workflow.
    Time,
    /// It was not cut, because it is unknown when the workflow reached it.
    Whole,
}

/// A book that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutBook {
    /// What was stored before.
    pub book: EventBook,
    /// The later pages that belong to the workflow.
    pub after: Vec<Page>,
    /// Why it was cut there.
    pub rule: CutRule,
}

/// Cuts the book of another aggregate. `own` are its pages with the correlation id of the workflow, `given` is the cut
/// that the user specified, `start` is when the first event of the workflow was stored.
#[must_use]
pub fn cut(
    cover: Cover,
    fetched: &Fetched,
    own: &[Page],
    given: Option<(u32, Option<u32>)>,
    start: Option<Timestamp>,
) -> CutBook {
    let pages = fetched.history.pages();
    let by_time = start.and_then(|began| {
        let is_later = |page: &&Page| fetched.time_of(page).is_some_and(|at| at >= began);
        pages.iter().find(is_later).map(|page| page.sequence)
    });
    let (at, rule) = match (given, own.first(), by_time) {
        (Some((at, _)), _, _) => (at, CutRule::Given),
        (None, Some(first), _) => (first.sequence, CutRule::CorrelationId),
        (None, None, Some(at)) => (at, CutRule::Time),
        (None, None, None) => (fetched.head, CutRule::Whole),
    };
    let last = given.and_then(|(_, last)| last).unwrap_or(u32::MAX);
    let belongs = |page: &&Page| match rule {
        CutRule::CorrelationId => own.iter().any(|own| own.sequence == page.sequence),
        CutRule::Given => page.sequence <= last,
        CutRule::Time | CutRule::Whole => false,
    };
    let after = pages.iter().filter(|page| page.sequence >= at);
    CutBook {
        after: after.filter(belongs).cloned().collect(),
        book: EventBook::new(
            cover,
            fetched.snapshot_before(at),
            fetched.history.before(at),
        ),
        rule,
    }
}

/// Reconstructs facts from stored pages. The external ids are not stored, so placeholders are used.
#[must_use]
pub fn as_facts(cover: &Cover, pages: &[Page]) -> EmittedBook {
    let fact = |page: &Page| EmittedPage {
        header: Header::ExternalDeferred {
            external_id: format!("captured-{}", page.sequence),
            description: String::new(),
        },
        created_at: page.created_at,
        body: page.body.clone(),
        provisional: false,
    };
    EmittedBook {
        cover: Some(cover.clone()),
        snapshot: None,
        pages: pages.iter().map(fact).collect(),
        next_sequence: 0,
    }
}

/// The new pages, as a case stores them.
#[must_use]
pub const fn trigger(span: Span, with_history: bool) -> Trigger {
    Trigger {
        from: span.first,
        with_history,
    }
}

/// How the end of the history is known.
#[must_use]
pub const fn knowledge(rule: TriggerRule) -> HeadKnowledge {
    match rule {
        TriggerRule::Given => HeadKnowledge::Given,
        TriggerRule::Subscribed | TriggerRule::Newest => HeadKnowledge::Current,
    }
}
