//! Compares a flow with production: the answer of each hop with what was observed in its stream.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::flow::stream_of;
use super::{
    Difference, FlowPlace, ProductionStep, Renderer, StatusLine, StreamName, Summary, Unchecked,
    ValuePath, Verdict, described,
};
use crate::model::{
    Body, Domain, EmittedBook, EmittedPage, Failure, Header, HopOutcome, ObservedHop, Outcome,
    Payload, Root,
};
use crate::replay::flow::{Asked, FlowRun, FlowStep, NotAsked, StepAnswer};

/// What production did in one stream and no replayed hop has matched yet, in reverse order.
type Unmatched<'a> = Vec<Observation<'a>>;

enum Observation<'a> {
    Event(&'a Body),
    Failed(&'a Failure),
}

impl Observation<'_> {
    fn step(&self) -> ProductionStep {
        match self {
            Self::Event(body) => ProductionStep::Stored(type_of(body).to_owned()),
            Self::Failed(failure) => ProductionStep::Answered(StatusLine::of(failure)),
        }
    }
}

/// The results for the hops so far.
#[derive(Default)]
struct HopFindings {
    first: Option<Summary>,
    differences: Vec<Difference>,
    unchecked: Vec<Unchecked>,
    /// Whether a hop has no logic, so that the replay may have ended early.
    is_incomplete: bool,
}

impl Verdict {
    /// Judges a flow by the hops observed in production. A hop is an answer of an aggregate, or events that a process
    /// manager stored in its own stream. Hops are counted from 1 in the order of the replay.
    ///
    /// Within a stream, the order is production's: each replayed answer is compared with as many observed events as it
    /// emits. The summary names the first hop that differs. All differences are listed, including what only production
    /// did.
    #[must_use]
    pub fn judge_flow(observed: &[ObservedHop], run: &FlowRun, renderer: &Renderer<'_>) -> Self {
        let mut unmatched = unmatched(observed);
        let mut found = HopFindings::default();
        let hops = run.steps.iter().filter(|step| is_hop(step));
        for (number, step) in (1..).zip(hops) {
            let Some(stream) = stream_of(step) else {
                continue;
            };
            let (domain, root) = (&stream.cover.domain, stream.cover.root);
            let place = FlowPlace::Hop {
                number,
                stream: StreamName::new(domain, root),
            };
            if let StepAnswer::NotAsked(reason) = step.answer {
                found.is_incomplete |= reason == NotAsked::NoLogic;
                found.add_unchecked(place, Unchecked::NotAsked(reason));
                continue;
            }
            match unmatched.get_mut(&(domain.clone(), root)) {
                Some(unmatched) => found.compare(&place, step, unmatched, renderer),
                None => found.add_unchecked(place, Unchecked::StreamUnknown),
            }
        }
        found.add_unmatched(&unmatched, renderer);
        found.verdict()
    }
}

impl HopFindings {
    /// Compares one answer with what production did in its stream.
    fn compare(
        &mut self,
        place: &FlowPlace,
        step: &FlowStep,
        unmatched: &mut Unmatched<'_>,
        renderer: &Renderer<'_>,
    ) {
        let verdict = match step.outcome().and_then(Outcome::status) {
            Some(now) => Self::failed(&now, step, unmatched),
            None => Self::emitted(step, unmatched, renderer),
        };
        match verdict {
            Verdict::Reproduced => {}
            Verdict::NotChecked { reason } => self.add_unchecked(place.clone(), reason),
            Verdict::NotReproduced {
                summary,
                differences,
            } => {
                self.first
                    .get_or_insert_with(|| Summary::Hop(place.clone(), Box::new(summary)));
                let differences = differences.into_iter();
                self.differences
                    .extend(differences.map(|difference| difference.in_hop(place)));
            }
        }
    }

    fn add_unchecked(&mut self, place: FlowPlace, reason: Unchecked) {
        self.unchecked.push(Unchecked::At(place, Box::new(reason)));
    }

    fn failed(now: &Failure, step: &FlowStep, unmatched: &mut Unmatched<'_>) -> Verdict {
        match unmatched.last() {
            Some(Observation::Failed(then)) => {
                let verdict = Verdict::of_failures(then, now);
                unmatched.pop();
                verdict
            }
            Some(stored @ Observation::Event(_)) => {
                let now = step
                    .outcome()
                    .map_or_else(|| "failed".to_owned(), described);
                other_outcome("accepted".to_owned(), now, stored.step())
            }
            None => Verdict::NotChecked {
                reason: Unchecked::StatusUnknown,
            },
        }
    }

    fn emitted(step: &FlowStep, unmatched: &mut Unmatched<'_>, renderer: &Renderer<'_>) -> Verdict {
        let emitted = emitted(step);
        if emitted.pages.is_empty() {
            return Verdict::Reproduced;
        }
        if let Some(Observation::Failed(then)) = unmatched.last() {
            let then = StatusLine::of(then);
            unmatched.pop();
            return other_outcome(
                then.to_string(),
                "accepted".to_owned(),
                ProductionStep::Answered(then),
            );
        }
        let mut events = Vec::new();
        while let Some(Observation::Event(body)) = unmatched.last() {
            if events.len() == emitted.pages.len() {
                break;
            }
            events.push(*body);
            unmatched.pop();
        }
        let Some(stream) = stream_of(step) else {
            return Verdict::Reproduced;
        };
        let renderer = renderer.addressed_to(&stream.cover, stream.head);
        Verdict::of_events(
            &renderer.stored(events),
            &renderer.emission(&emitted),
            &renderer,
        )
    }

    /// Adds what production did and no hop of the replay matched.
    fn add_unmatched(
        &mut self,
        unmatched: &BTreeMap<(Domain, Root), Unmatched<'_>>,
        renderer: &Renderer<'_>,
    ) {
        for ((domain, root), unmatched) in unmatched {
            let place = FlowPlace::OnlyProduction(StreamName::new(domain, *root));
            for observation in unmatched.iter().rev() {
                let step = observation.step();
                if self.is_incomplete {
                    self.add_unchecked(place.clone(), Unchecked::AfterUnreplayedHop(step));
                    continue;
                }
                let view = match observation {
                    Observation::Event(body) => Value::Mapping(renderer.body(body)),
                    Observation::Failed(failure) => StatusLine::of(failure).to_string().into(),
                };
                self.first
                    .get_or_insert_with(|| Summary::OnlyProduction(place.clone(), step));
                self.differences.push(Difference {
                    hop: Some(place.clone()),
                    path: ValuePath::default(),
                    expected: Some(view),
                    actual: None,
                });
            }
        }
    }

    fn verdict(self) -> Verdict {
        match self.first {
            Some(summary) => Verdict::NotReproduced {
                summary,
                differences: self.differences,
            },
            None if self.unchecked.is_empty() => Verdict::Reproduced,
            None => Verdict::NotChecked {
                reason: Unchecked::All(self.unchecked),
            },
        }
    }
}

fn unmatched(observed: &[ObservedHop]) -> BTreeMap<(Domain, Root), Unmatched<'_>> {
    let mut unmatched: BTreeMap<_, Unmatched<'_>> = BTreeMap::new();
    for hop in observed {
        let observations = unmatched.entry((hop.domain.clone(), hop.root)).or_default();
        match &hop.outcome {
            HopOutcome::Events(events) => {
                observations.extend(events.iter().map(Observation::Event));
            }
            HopOutcome::Failed(failure) => observations.push(Observation::Failed(failure)),
        }
    }
    for observations in unmatched.values_mut() {
        observations.reverse();
    }
    unmatched
}

fn is_hop(step: &FlowStep) -> bool {
    let happened = matches!(step.answer, StepAnswer::Happened);
    match &step.asked {
        Asked::Aggregate(_) => !happened,
        Asked::ProcessManager { .. } => !emitted(step).pages.is_empty(),
        Asked::Saga { .. } | Asked::Nobody => false,
    }
}

/// The events of an answer; for a process manager, the events in its own stream.
fn emitted(step: &FlowStep) -> EmittedBook {
    match step.outcome() {
        Some(Outcome::Accepted(book)) => book.clone(),
        Some(Outcome::Reacted(_)) | None => {
            let pages = step.stored.iter().flat_map(|book| book.history.pages());
            let pages = pages.map(|page| EmittedPage {
                header: Header::Sequence(page.sequence),
                created_at: page.created_at,
                body: page.body.clone(),
                provisional: page.provisional,
            });
            EmittedBook {
                cover: step.stored.first().map(|book| book.cover.clone()),
                pages: pages.collect(),
                ..EmittedBook::default()
            }
        }
        Some(_) => EmittedBook::default(),
    }
}

fn other_outcome(then: String, now: String, production: ProductionStep) -> Verdict {
    Verdict::NotReproduced {
        differences: vec![Difference::of_key("outcome", then, now.clone())],
        summary: Summary::OtherOutcome {
            now,
            production: Some(production),
        },
    }
}

fn type_of(body: &Body) -> &str {
    body.event()
        .map_or("a page without an event", Payload::type_name)
}
