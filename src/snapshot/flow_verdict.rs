//! Does a flow do what production did? Hop by hop, an aggregate's answers against what was seen of it.

use std::collections::BTreeMap;

use super::flow::stream_of;
use super::{Difference, Renderer, Verdict, described};
use crate::model::{
    Body, Domain, EmittedBook, EmittedPage, Failure, Header, HopOutcome, ObservedHop, Outcome,
    Payload, Root,
};
use crate::replay::flow::{Asked, FlowRun, FlowStep, NotAsked, StepAnswer};

/// What production did in one stream, of which the replay has not spoken yet, first last.
type Left<'a> = Vec<Deed<'a>>;

enum Deed<'a> {
    Event(&'a Body),
    Failed(&'a Failure),
}

/// What came of the hops so far.
#[derive(Default)]
struct Findings {
    first: Option<String>,
    differences: Vec<Difference>,
    unchecked: Vec<String>,
    is_incomplete: bool,
}

impl Verdict {
    /// Judges a flow by the hops of production. A hop is an answer of an aggregate, or events of a process manager's
    /// own; they are counted from 1 in the order of the replay.
    ///
    /// Of one stream the order is production's: each answer of today is held against as many of its events as it
    /// emits. The first hop that differs is named; all differences are listed, and what production did beside.
    #[must_use]
    pub fn judge_flow(observed: &[ObservedHop], run: &FlowRun, renderer: &Renderer<'_>) -> Self {
        let mut left = left(observed);
        let mut found = Findings::default();
        let hops = run.steps.iter().filter(|step| is_hop(step));
        for (number, step) in (1..).zip(hops) {
            let Some(stream) = stream_of(step) else {
                continue;
            };
            let name = format!(
                "hop {number}, {}",
                short(&stream.cover.domain, stream.cover.root)
            );
            let key = (stream.cover.domain.clone(), stream.cover.root);
            if let StepAnswer::NotAsked(reason) = step.answer {
                found.is_incomplete |= reason == NotAsked::NoLogic;
                found.unchecked.push(format!("{name}: {reason}"));
                continue;
            }
            match left.get_mut(&key) {
                Some(left) => found.hold(&name, step, left, renderer),
                None => found
                    .unchecked
                    .push(format!("{name}: what production did there is not known")),
            }
        }
        found.went_on(&left, renderer);
        found.verdict()
    }
}

impl Findings {
    /// Holds one answer against what production did in its stream.
    fn hold(&mut self, name: &str, step: &FlowStep, left: &mut Left<'_>, renderer: &Renderer<'_>) {
        let verdict = match step.outcome().and_then(Outcome::status) {
            Some(now) => Self::failed(&now, step, left),
            None => Self::emitted(step, left, renderer),
        };
        match verdict {
            Verdict::Reproduced => {}
            Verdict::NotChecked { reason } => self.unchecked.push(format!("{name}: {reason}")),
            Verdict::NotReproduced {
                summary,
                differences,
            } => {
                self.first
                    .get_or_insert_with(|| format!("{name}: {summary}"));
                self.differences
                    .extend(differences.into_iter().map(|it| Difference {
                        path: format!("{name}: {}", it.path),
                        ..it
                    }));
            }
        }
    }

    fn failed(now: &Failure, step: &FlowStep, left: &mut Left<'_>) -> Verdict {
        match left.last() {
            Some(Deed::Failed(then)) => {
                let verdict = Verdict::of_failures(then, now);
                left.pop();
                verdict
            }
            Some(Deed::Event(body)) => {
                let now = step.outcome().map_or_else(|| "failed".to_owned(), described);
                changed("accepted".into(), format!("{now} now, production stored {}", type_of(body)))
            }
            None => Verdict::NotChecked {
                reason: "production stored nothing more there, as after a refusal; its status is not known".into(),
            },
        }
    }

    fn emitted(step: &FlowStep, left: &mut Left<'_>, renderer: &Renderer<'_>) -> Verdict {
        let emitted = emitted(step);
        if emitted.pages.is_empty() {
            return Verdict::Reproduced;
        }
        if let Some(Deed::Failed(then)) = left.last() {
            let then = format!("{}: {:?}", then.code, then.message);
            left.pop();
            return changed(
                then.clone(),
                format!("accepted now, production answered {then}"),
            );
        }
        let mut events = Vec::new();
        while let Some(Deed::Event(body)) = left.last() {
            if events.len() == emitted.pages.len() {
                break;
            }
            events.push(*body);
            left.pop();
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

    /// What production did that no hop led to.
    fn went_on(&mut self, left: &BTreeMap<(Domain, Root), Left<'_>>, renderer: &Renderer<'_>) {
        for ((domain, root), left) in left {
            let stream = short(domain, *root);
            for deed in left.iter().rev() {
                let (what, view) = match deed {
                    Deed::Event(body) => {
                        let view = serde_yaml::Value::Mapping(renderer.body(body));
                        (format!("stored {}", type_of(body)), view)
                    }
                    Deed::Failed(failure) => {
                        let text = format!("{}: {:?}", failure.code, failure.message);
                        (format!("answered {text}"), text.into())
                    }
                };
                let told = format!("production went on: {stream} {what}");
                if self.is_incomplete {
                    self.unchecked
                        .push(format!("{told}, and a hop before it was not replayed"));
                    continue;
                }
                self.first.get_or_insert(told);
                self.differences.push(Difference {
                    path: format!("production went on: {stream}"),
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
                reason: self.unchecked.join("; "),
            },
        }
    }
}

fn left(observed: &[ObservedHop]) -> BTreeMap<(Domain, Root), Left<'_>> {
    let mut left: BTreeMap<_, Left<'_>> = BTreeMap::new();
    for hop in observed {
        let deeds = left.entry((hop.domain.clone(), hop.root)).or_default();
        match &hop.outcome {
            HopOutcome::Events(events) => deeds.extend(events.iter().map(Deed::Event)),
            HopOutcome::Failed(failure) => deeds.push(Deed::Failed(failure)),
        }
    }
    for deeds in left.values_mut() {
        deeds.reverse();
    }
    left
}

fn is_hop(step: &FlowStep) -> bool {
    let happened = matches!(step.answer, StepAnswer::Happened);
    match &step.asked {
        Asked::Aggregate(_) => !happened,
        Asked::ProcessManager { .. } => !emitted(step).pages.is_empty(),
        Asked::Saga { .. } | Asked::Nobody => false,
    }
}

/// The events of an answer, of a process manager all its own.
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

fn changed(then: String, summary: String) -> Verdict {
    Verdict::NotReproduced {
        differences: vec![Difference {
            path: "outcome".into(),
            expected: Some(then.into()),
            actual: Some(summary.split(" now").next().unwrap_or_default().into()),
        }],
        summary,
    }
}

/// `table/36f675cc`.
fn short(domain: &Domain, root: Root) -> String {
    format!("{domain}/{}", &root.hex()[..8])
}

fn type_of(body: &Body) -> &str {
    body.event()
        .map_or("a page without an event", Payload::type_name)
}
