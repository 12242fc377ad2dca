//! Cases of components that react to stored events: which pages are new, and what stood before them.

use super::{CaptureError, Fetched};
use crate::fixture::{
    Book, Case, CaseStimulus, HeadKnowledge, Observed, Provenance, Status, Trigger,
};
use crate::model::{Cover, EmittedBook, EmittedPage, Header, History, Page, Payload, Snapshot};

/// Which pages are meant: from one sequence to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First page.
    pub first: u32,
    /// Last page.
    pub last: u32,
}

/// How the new pages were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerRule {
    /// They were named.
    Given,
    /// The newest page that the component is subscribed to.
    Subscribed,
    /// The newest page: nothing says what the component is subscribed to.
    Newest,
}

/// The pages that a component is to react to.
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

/// What a case of any kind has besides what is asked.
#[derive(Debug, Clone)]
pub struct Base<'a> {
    /// The aggregate.
    pub cover: Cover,
    /// Its history as it was read.
    pub fetched: &'a Fetched,
    /// Sequence that the history of the case ends before.
    pub end: u32,
    /// Where it comes from, without how the head is known.
    pub source: Provenance,
    /// The component, where the domain does not say it.
    pub logic: Option<String>,
    /// What people want to be written with it.
    pub labels: super::Labels,
}

impl Base<'_> {
    /// Makes the case.
    #[must_use]
    pub fn case(self, stimulus: CaseStimulus, observed: Option<Observed>, title: String) -> Case {
        let snapshot = self.fetched.snapshot.clone();
        let is_before = |snapshot: &Snapshot| snapshot.sequence < self.end;
        Case {
            status: if self.labels.is_accepted {
                Status::Closed
            } else {
                Status::Open
            },
            title: self.labels.title.unwrap_or(title),
            issue: self.labels.issue,
            source: self.source,
            logic: self.logic,
            probe: self.labels.probe,
            cover: self.cover,
            snapshot: snapshot.filter(is_before),
            history: self.fetched.history.before(self.end),
            stimulus,
            observed,
            noted: None,
            rules: Vec::new(),
        }
    }
}

/// How a book of another aggregate was cut where it stood before the workflow came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutRule {
    /// As somebody said.
    Given,
    /// At its first page that carries the correlation id.
    CorrelationId,
    /// At its first page that is not older than the first event of the workflow.
    Time,
    /// Not at all: nothing says where the workflow came to it.
    Whole,
}

/// A book, cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutBook {
    /// What stood before.
    pub book: Book,
    /// The pages that came after, as far as they belong to the workflow.
    pub after: Vec<Page>,
    /// Why it was cut there.
    pub rule: CutRule,
}

/// Cuts the book of another aggregate. `own` are its pages that carry the correlation id of the workflow, `given` where
/// somebody said that it is to be cut, `start` the first event of the workflow.
#[must_use]
pub fn cut(
    cover: Cover,
    fetched: &Fetched,
    own: &[Page],
    given: Option<(u32, Option<u32>)>,
    start: Option<&Page>,
) -> CutBook {
    let pages = fetched.history.pages();
    let by_time = start.and_then(|start| start.created_at).and_then(|began| {
        let is_later = |page: &&Page| page.created_at.is_some_and(|at| at >= began);
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
        book: Book {
            cover,
            snapshot: fetched
                .snapshot
                .clone()
                .filter(|snapshot| snapshot.sequence < at),
            history: fetched.history.before(at),
        },
        rule,
    }
}

/// A stored page as the fact that it may have been. Its external id is erased when it is stored: a made-up one
/// stands for it.
#[must_use]
pub fn as_fact(cover: &Cover, page: &Page) -> EmittedBook {
    EmittedBook {
        cover: Some(cover.clone()),
        snapshot: None,
        pages: vec![EmittedPage {
            header: Header::ExternalDeferred {
                external_id: format!("captured-{}", page.sequence),
                description: String::new(),
            },
            created_at: page.created_at,
            body: page.body.clone(),
            provisional: false,
        }],
        next_sequence: 0,
    }
}

/// New pages as a case has them.
#[must_use]
pub const fn trigger(span: Span, with_history: bool) -> Trigger {
    Trigger {
        from: span.first,
        with_history,
    }
}

/// How it is known where the history ends.
#[must_use]
pub const fn knowledge(rule: TriggerRule) -> HeadKnowledge {
    match rule {
        TriggerRule::Given => HeadKnowledge::Given,
        TriggerRule::Subscribed | TriggerRule::Newest => HeadKnowledge::Current,
    }
}
