//! Toy components whose answers are closures, and a flow put together from them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::model::{
    Answer, CommandBook, CommandPage, Component, Cover, Destinations, Domain, EmittedBook,
    EmittedCommand, EmittedPage, EventBook, Failure, FlowStart, Header, Logic, MergeStrategy, Page,
    Payload, ProcessManager, ProcessRoot, Reaction, Reply, Root, Saga,
};
use angzarr_replay::internal::replay::InProcess;
use angzarr_replay::internal::replay::flow::{
    FlowComponents, FlowError, FlowLimits, FlowRun, FlowStep, Subscriber, SubscriberKind, run_flow,
};
use angzarr_replay::internal::wire::Dialect;
use test_support::books;

pub(crate) type Shown<T> = Arc<Mutex<Vec<T>>>;

type Handle = dyn Fn(&EventBook, &CommandBook) -> Answer + Send + Sync;
type TakeFact = dyn Fn(&EmittedBook, &EventBook) -> Result<EmittedBook, Failure> + Send + Sync;

/// An aggregate, and everything that it was shown.
pub(crate) struct ToyAggregate {
    handle: Box<Handle>,
    fact: Option<Box<TakeFact>>,
    shown: Shown<(EventBook, CommandBook)>,
}

impl Logic for ToyAggregate {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        let shown = (prior.clone(), command.clone());
        self.shown.lock().unwrap().push(shown);
        (self.handle)(prior, command)
    }

    fn handle_fact(&self, facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
        match &self.fact {
            Some(fact) => fact(facts, prior),
            None => Err(Failure::unimplemented("no facts here")),
        }
    }
}

type ReactTo = dyn Fn(&EventBook, &Destinations) -> Result<Reaction, Failure> + Send + Sync;

struct ToySaga {
    react: Box<ReactTo>,
}

impl Saga for ToySaga {
    fn react(&self, source: &EventBook, told: &Destinations) -> Result<Reaction, Failure> {
        (self.react)(source, told)
    }
}

type Prepare = dyn Fn(&EventBook) -> Result<Vec<Cover>, Failure> + Send + Sync;
type Process =
    dyn Fn(&EventBook, &EventBook, &Destinations) -> Result<Reaction, Failure> + Send + Sync;

struct ToyProcess {
    prepare: Option<Box<Prepare>>,
    react: Box<Process>,
}

impl ProcessManager for ToyProcess {
    fn prepare(&self, trigger: &EventBook, _: &EventBook) -> Result<Vec<Cover>, Failure> {
        match &self.prepare {
            Some(prepare) => prepare(trigger),
            None => Err(Failure::unimplemented("nothing to prepare")),
        }
    }

    fn react(
        &self,
        trigger: &EventBook,
        state: &EventBook,
        told: &Destinations,
    ) -> Result<Reaction, Failure> {
        (self.react)(trigger, state, told)
    }
}

/// A flow in the making.
pub(crate) struct Toys {
    pub(crate) components: FlowComponents<'static>,
    pub(crate) books: Vec<EventBook>,
    pub(crate) limits: FlowLimits,
    pub(crate) dialect: Dialect,
}

impl Toys {
    pub(crate) fn new(dialect: &str) -> Self {
        Self {
            components: FlowComponents::default(),
            books: Vec::new(),
            limits: FlowLimits::default(),
            dialect: dialect.parse().unwrap(),
        }
    }

    pub(crate) fn book(mut self, cover: Cover, events: &[&str]) -> Self {
        self.books.push(book(cover, events));
        self
    }

    /// An aggregate; gives back what it will be shown.
    pub(crate) fn aggregate(
        &mut self,
        domain: &str,
        handle: impl Fn(&EventBook, &CommandBook) -> Answer + Send + Sync + 'static,
    ) -> Shown<(EventBook, CommandBook)> {
        self.with_facts(domain, handle, None)
    }

    pub(crate) fn with_facts(
        &mut self,
        domain: &str,
        handle: impl Fn(&EventBook, &CommandBook) -> Answer + Send + Sync + 'static,
        fact: Option<Box<TakeFact>>,
    ) -> Shown<(EventBook, CommandBook)> {
        let shown = Shown::default();
        let logic = Arc::new(ToyAggregate {
            handle: Box::new(handle),
            fact,
            shown: Arc::clone(&shown),
        });
        let target = InProcess::new(logic, self.dialect, false);
        let domain = Domain::new(domain).unwrap();
        self.components.aggregates.insert(domain, Box::new(target));
        shown
    }

    pub(crate) fn saga(
        &mut self,
        name: &str,
        subscriptions: &[(&str, &[&str])],
        react: impl Fn(&EventBook, &Destinations) -> Result<Reaction, Failure> + Send + Sync + 'static,
    ) {
        let react = Box::new(react);
        let component = Component::Saga(Arc::new(ToySaga { react }));
        self.reacting(name, SubscriberKind::Saga, subscriptions, component);
    }

    pub(crate) fn process(
        &mut self,
        name: &str,
        root: ProcessRoot,
        subscriptions: &[(&str, &[&str])],
        prepare: Option<Box<Prepare>>,
        react: impl Fn(&EventBook, &EventBook, &Destinations) -> Result<Reaction, Failure>
        + Send
        + Sync
        + 'static,
    ) {
        let react = Box::new(react);
        let component = Component::ProcessManager(Arc::new(ToyProcess { prepare, react }));
        let domain = Domain::new(name).unwrap();
        let kind = SubscriberKind::ProcessManager { domain, root };
        self.reacting(name, kind, subscriptions, component);
    }

    fn reacting(
        &mut self,
        name: &str,
        kind: SubscriberKind,
        subscriptions: &[(&str, &[&str])],
        component: Component,
    ) {
        let subscriptions: BTreeMap<Domain, Vec<String>> = subscriptions
            .iter()
            .map(|(domain, patterns)| {
                let patterns = patterns.iter().map(|pattern| (*pattern).to_owned());
                (Domain::new(*domain).unwrap(), patterns.collect())
            })
            .collect();
        self.components.subscribers.push(Subscriber {
            name: name.to_owned(),
            kind,
            subscriptions,
            target: Box::new(InProcess::component(component, self.dialect, false)),
        });
    }

    pub(crate) fn try_run(&self, start: &FlowStart) -> Result<FlowRun, FlowError> {
        run_flow(
            &self.components,
            &self.books,
            start,
            self.limits,
            self.dialect,
        )
    }

    pub(crate) fn run(&self, start: &FlowStart) -> FlowRun {
        self.try_run(start).unwrap()
    }
}

pub(crate) const CORRELATION: &str = "wf-1";

pub(crate) fn cover(domain: &str, root: u8) -> Cover {
    Cover::main(Domain::new(domain).unwrap(), Root::new([root; 16]))
}

/// A cover within the workflow.
pub(crate) fn correlated(domain: &str, root: u8) -> Cover {
    Cover {
        correlation_id: CORRELATION.into(),
        ..cover(domain, root)
    }
}

pub(crate) fn page(sequence: u32, name: &str) -> Page {
    books::event(sequence, Payload::new(name, Vec::new()))
}

pub(crate) fn book(cover: Cover, events: &[&str]) -> EventBook {
    let pages = (0..).zip(events).map(|(at, name)| page(at, name));
    books::book(cover, pages.collect())
}

pub(crate) fn command(cover: Cover, name: &str, header: Header) -> CommandBook {
    let page = CommandPage {
        header,
        sync_mode: None,
        merge_strategy: MergeStrategy::default(),
        command: Some(Payload::new(name, Vec::new())),
        external: None,
    };
    CommandBook {
        cover,
        pages: vec![page],
        original: None,
    }
}

/// The first command of a flow, for a head.
pub(crate) fn start(cover: Cover, name: &str, head: u32) -> FlowStart {
    FlowStart::Command(command(cover, name, Header::Sequence(head)))
}

pub(crate) fn events(names: &[&str]) -> EmittedBook {
    let pages = names
        .iter()
        .map(|name| EmittedPage::event(Payload::new(name, Vec::new())));
    EmittedBook {
        pages: pages.collect(),
        ..EmittedBook::default()
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the answer of a handler")]
pub(crate) fn emits(names: &[&str]) -> Answer {
    Ok(Reply::Events(events(names)))
}

/// A reaction of commands, each with its addressee and type.
pub(crate) fn commands(sent: &[(Cover, &str)]) -> Reaction {
    let commands = sent
        .iter()
        .map(|(cover, name)| EmittedCommand::from(command(cover.clone(), name, Header::Absent)));
    Reaction {
        commands: commands.collect(),
        ..Reaction::default()
    }
}

pub(crate) fn names(book: &EventBook) -> Vec<String> {
    let events = book
        .history
        .pages()
        .iter()
        .filter_map(|page| page.body.event());
    events.map(|event| event.type_name().to_owned()).collect()
}

pub(crate) fn labels(run: &FlowRun) -> Vec<String> {
    run.steps.iter().map(FlowStep::label).collect()
}

pub(crate) fn notes(run: &FlowRun) -> Vec<String> {
    let notes = run.steps.iter().flat_map(|step| &step.notes);
    notes.map(ToString::to_string).collect()
}

/// An aggregate that answers each command `t.Do` with the event `t.Done`.
pub(crate) fn dutiful(_: &EventBook, command: &CommandBook) -> Answer {
    let done = command.type_name().replace("Do", "Done");
    emits(&[&done])
}
