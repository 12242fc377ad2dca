//! How far a flow may go, and what is no flow at all.

use std::error::Error;
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, LogicClient};
use angzarr_replay::internal::model::{Component, Outcome, Reaction, Stimulus};
use angzarr_replay::internal::replay::flow::{FlowLimits, Subscriber, SubscriberKind};
use angzarr_replay::internal::replay::{GrpcTarget, InProcess, Target, TargetError};
use angzarr_replay::internal::wire::Dialect;

use super::support::{Toys, commands, correlated, cover, dutiful, emits, notes, start};

fn ping_pong() -> Toys {
    let mut toys = Toys::new("angzarr")
        .book(cover("a", 1), &[])
        .book(cover("b", 1), &[]);
    toys.aggregate("a", |_, _| emits(&["t.Pinged"]));
    toys.aggregate("b", |_, _| emits(&["t.Ponged"]));
    toys.saga("there", &[("a", &["*"])], |_, _| {
        Ok(commands(&[(cover("b", 1), "t.Pong")]))
    });
    toys.saga("back", &[("b", &["*"])], |_, _| {
        Ok(commands(&[(cover("a", 1), "t.Ping")]))
    });
    toys
}

#[test]
fn a_cycle_is_named() {
    let mut toys = ping_pong();
    toys.limits = FlowLimits {
        depth: 10,
        steps: 1000,
    };
    let error = toys
        .try_run(&start(correlated("a", 1), "t.Ping", 0))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the flow goes deeper than 10 steps: a (t.Ping) -> saga there (t.Pinged) -> b (t.Pong) -> \
         saga back (t.Ponged) repeats; break the cycle, or raise the depth if this is meant"
    );
}

#[test]
fn a_flow_that_grows_is_bounded_in_the_number_of_steps() {
    let mut toys = ping_pong();
    toys.limits = FlowLimits {
        depth: 1000,
        steps: 9,
    };
    let error = toys
        .try_run(&start(correlated("a", 1), "t.Ping", 0))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the flow has more than 9 steps: ") && text.contains(" repeats; "),
        "{text}"
    );
}

#[test]
fn what_is_deep_without_a_cycle_says_so() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| Ok(Reaction::default()));
    toys.limits.depth = 0;
    let error = toys
        .try_run(&start(correlated("a", 1), "t.Do", 0))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the flow goes deeper than 0 steps: nothing repeats, the last are a (t.Do) -> saga s (t.Done); break the \
         cycle, or raise the depth if this is meant"
    );
    toys.limits.depth = 1;
    assert_eq!(
        toys.run(&start(correlated("a", 1), "t.Do", 0)).steps.len(),
        2
    );
}

#[test]
fn two_books_of_one_stream_are_refused() {
    let mut toys = Toys::new("angzarr")
        .book(cover("a", 1), &[])
        .book(correlated("a", 1), &["t.X"]);
    toys.aggregate("a", dutiful);
    let error = toys.try_run(&start(cover("a", 1), "t.Do", 0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are two books of a/01010101-0101-0101-0101-010101010101, edition main, but a flow takes one per stream"
    );
}

#[test]
fn a_component_that_cannot_be_reached_is_an_error_that_names_the_step() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let client = LogicClient::new(connection, Dialect::ANGZARR);
    toys.saga("s", &[("a", &["*"])], |_, _| Ok(Reaction::default()));
    toys.components.subscribers[0].target = Box::new(GrpcTarget::new(client, false));
    let error = toys
        .try_run(&start(correlated("a", 1), "t.Do", 0))
        .unwrap_err();
    assert_eq!(error.to_string(), "step 2 of the flow, saga s (t.Done)");
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains(&free_port(&address)), "{cause}");
}

/// A saga that emits nothing that is known.
struct Later;

impl angzarr_replay::internal::grpc::Methods for Later {
    fn call(
        &self,
        _: &str,
        _: bytes::Bytes,
    ) -> Option<Result<Vec<bytes::Bytes>, angzarr_replay::internal::wire::FailingStatus>> {
        Some(Ok(vec![bytes::Bytes::from_static(b"\x48\x01")]))
    }
}

#[test]
fn a_step_whose_reply_has_unknown_fields_says_so() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = angzarr_replay::internal::grpc::Server::start(
        listener,
        Dialect::ANGZARR,
        Arc::new(Later),
        None,
    )
    .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let client = LogicClient::new(connection, Dialect::ANGZARR);
    toys.saga("s", &[("a", &["*"])], |_, _| Ok(Reaction::default()));
    toys.components.subscribers[0].target = Box::new(GrpcTarget::new(client, false));
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    let said =
        "the logic's reply was read without field 9 of SagaResponse (from a later revision?)";
    assert_eq!(notes(&run), [said]);
}

fn free_port(address: &str) -> String {
    address.rsplit(':').next().unwrap().to_owned()
}

/// A target that is of no use for what it is asked.
struct Deaf(InProcess);

impl Target for Deaf {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        self.0.ask(stimulus)
    }

    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn upcasts(&self) -> bool {
        false
    }
}

#[test]
fn a_component_of_the_wrong_kind_answers_that_it_is_none() {
    struct Nothing;
    impl angzarr_replay::internal::model::Projector for Nothing {
        fn project(
            &self,
            _: &angzarr_replay::internal::model::EventBook,
            _: bool,
        ) -> Result<
            angzarr_replay::internal::model::Projection,
            angzarr_replay::internal::model::Failure,
        > {
            panic!("not asked")
        }
    }
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    let component = Component::Projector(std::sync::Arc::new(Nothing));
    let target = Deaf(InProcess::component(component, Dialect::ANGZARR, false));
    toys.components.subscribers.push(Subscriber {
        name: "s".into(),
        kind: SubscriberKind::Saga,
        subscriptions: [("a".parse().unwrap(), vec!["*".to_owned()])].into(),
        target: Box::new(target),
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    let outcome = run.steps[1].outcome();
    assert!(
        matches!(outcome, Some(Outcome::Unimplemented(_))),
        "{outcome:?}"
    );
}
