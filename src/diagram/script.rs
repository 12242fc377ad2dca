//! The lines of a diagram: who sends what to whom, in order.

use crate::model::{Cover, EventBook, Failure, Outcome, Payload, short_name};
use crate::replay::flow::{Asked, Cause, FlowRun, FlowStep, StepAnswer};

/// The lanes and lines of a diagram.
pub(super) struct Script {
    /// Names in order of appearance.
    pub(super) lanes: Vec<String>,
    pub(super) lines: Vec<Line>,
}

/// An arrow between lanes, or a note at one lane.
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: LineKind,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Something is delivered.
    Message,
    /// Events are published.
    Event,
    /// A command failed, and the sender is told.
    Failure,
    /// Something that happens at one lane.
    Note,
}

impl Script {
    pub(super) fn of(run: &FlowRun) -> Self {
        let mut script = Self {
            lanes: Vec::new(),
            lines: Vec::new(),
        };
        for step in &run.steps {
            script.step(run, step);
        }
        script
    }

    fn lane(&mut self, name: String) -> usize {
        let known = self.lanes.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            self.lanes.push(name);
            self.lanes.len() - 1
        })
    }

    fn say(&mut self, (from, to): (usize, usize), kind: LineKind, text: String) {
        self.lines.push(Line {
            from,
            to,
            kind,
            text,
        });
    }

    fn step(&mut self, run: &FlowRun, step: &FlowStep) {
        let sender = match (&step.cause, step.parent) {
            (Cause::Events(batch), _) => stream(&batch.cover),
            (_, Some(parent)) => asked(&run.steps[parent].asked),
            (_, None) => "client".to_owned(),
        };
        let names = short_names(step.cause.type_names());
        if matches!(step.cause, Cause::Happened) {
            let at = self.lane(asked(&step.asked));
            let text = format!("happened: {}", events(&step.stored));
            self.say((at, at), LineKind::Note, text);
            return;
        }
        let from = self.lane(sender);
        let to = self.lane(asked(&step.asked));
        let (kind, text) = match &step.cause {
            Cause::Events(_) => (LineKind::Event, names),
            Cause::Facts(_) => (LineKind::Message, format!("fact: {names}")),
            Cause::Rejection { .. } => (LineKind::Message, format!("{names} was refused")),
            Cause::Command(_) | Cause::Unaddressed(_) | Cause::Happened => {
                (LineKind::Message, names)
            }
        };
        self.say((from, to), kind, text);
        self.answer((from, to), step);
    }

    fn answer(&mut self, (from, to): (usize, usize), step: &FlowStep) {
        let at = (to, to);
        match &step.answer {
            StepAnswer::NotAsked(reason) => {
                self.say(at, LineKind::Note, format!("not asked: {reason}"));
            }
            StepAnswer::TakenAsTheyAre => {
                let text = format!("taken as they are: {}", events(&step.stored));
                self.say(at, LineKind::Note, text);
            }
            StepAnswer::Happened => {}
            StepAnswer::Answered(outcome) => match outcome {
                Outcome::Accepted(_) => {
                    self.say(
                        at,
                        LineKind::Note,
                        format!("accepted: {}", events(&step.stored)),
                    );
                }
                Outcome::Reacted(reaction) => {
                    if !step.stored.is_empty() {
                        self.say(
                            at,
                            LineKind::Note,
                            format!("own events: {}", events(&step.stored)),
                        );
                    } else if reaction.commands.is_empty() && reaction.facts.is_empty() {
                        self.say(at, LineKind::Note, "does nothing".into());
                    }
                }
                Outcome::Revoked(revocation) => {
                    let text = format!("revoked: {}", revocation.reason);
                    self.say((to, from), LineKind::Failure, text);
                }
                other => {
                    let text = match other.failure() {
                        Some(failure) => failed(other.word(), failure),
                        None => other.word().to_owned(),
                    };
                    self.say((to, from), LineKind::Failure, text);
                }
            },
        }
        if let Some(refused) = &step.refused {
            self.say(
                at,
                LineKind::Note,
                format!("not stored: {}", refused.message),
            );
        }
    }
}

fn asked(asked: &Asked) -> String {
    match asked {
        Asked::Aggregate(to) => stream(&to.cover),
        Asked::Saga { name } => format!("saga {name}"),
        // It publishes its own events from the same lane.
        Asked::ProcessManager {
            stream: Some(own), ..
        } => stream(&own.cover),
        Asked::ProcessManager { name, stream: None } => format!("process manager {name}"),
        Asked::Nobody => "nobody".to_owned(),
    }
}

/// `player 0a1b2c3d`.
fn stream(cover: &Cover) -> String {
    let root = cover.root.short();
    if cover.edition.is_main() {
        format!("{} {root}", cover.domain)
    } else {
        format!("{} {root} ({})", cover.domain, cover.edition.label())
    }
}

fn events(stored: &[EventBook]) -> String {
    let pages = stored.iter().flat_map(|book| book.history.pages());
    let names = pages
        .filter_map(|page| page.body.event())
        .map(Payload::type_name);
    let names = short_names(names.collect());
    if names.is_empty() {
        "no events".to_owned()
    } else {
        names
    }
}

fn failed(word: &str, failure: &Failure) -> String {
    format!("{word}: {} {:?}", failure.code, failure.message)
}

fn short_names(names: Vec<&str>) -> String {
    let short: Vec<&str> = names.into_iter().map(short_name).collect();
    short.join(", ")
}
