//! A server that keeps the bytes of every request, and answers with bytes that it was given.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::fixture::Fixture;
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, LogicClient, Methods, Server};
use angzarr_replay::internal::model::Failure;
use angzarr_replay::internal::project::{
    LogicChoice, Project, ReadyLogic, ReplayOptions, ReplayedCase, SelectedLogic,
};
use angzarr_replay::internal::replay::GrpcTarget;
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use bytes::Bytes;

#[derive(Default)]
struct Calls {
    received: Mutex<Vec<(String, Bytes)>>,
    answers: Mutex<BTreeMap<String, VecDeque<Result<Bytes, FailingStatus>>>>,
}

impl Methods for Calls {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        // Of a longer package.
        if method.contains('.') {
            return None;
        }
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(method).and_then(VecDeque::pop_front);
        let mut received = self.received.lock().unwrap();
        received.push((method.to_owned(), request));
        Some(answer.unwrap_or(Ok(Bytes::new())).map(|reply| vec![reply]))
    }
}

/// Server with prepared answers.
pub struct Peer {
    calls: Arc<Calls>,
    server: Server,
    dialect: Dialect,
}

impl Peer {
    /// Starts it on a free port.
    #[must_use]
    pub fn start(dialect: Dialect) -> Self {
        let calls = Arc::new(Calls::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let methods = Arc::clone(&calls) as Arc<dyn Methods>;
        Self {
            server: Server::start(listener, dialect, methods, None).unwrap(),
            calls,
            dialect,
        }
    }

    /// The next answer to a method; without one it is an empty message.
    pub fn answers(&self, method: &str, answer: Bytes) {
        self.will(method, Ok(answer));
    }

    /// The next answer to a method is a refusal.
    pub fn refuses(&self, method: &str, failure: Failure) {
        self.will(method, Err(failure.into()));
    }

    fn will(&self, method: &str, answer: Result<Bytes, FailingStatus>) {
        let mut answers = self.calls.answers.lock().unwrap();
        answers
            .entry(method.to_owned())
            .or_default()
            .push_back(answer);
    }

    /// What came since the last question.
    #[must_use]
    pub fn received(&self) -> Vec<(String, Bytes)> {
        std::mem::take(&mut *self.calls.received.lock().unwrap())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Connection of a client.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::new(&self.address(), ConnectionOptions::default()).unwrap()
    }

    /// Target that replays on it.
    #[must_use]
    pub fn target(&self) -> GrpcTarget {
        GrpcTarget::new(LogicClient::new(self.connection(), self.dialect), false)
    }

    /// Replays a case of any dialect on this peer, with one question.
    pub fn replay(&self, project: &Project, fixture: &Fixture) -> ReplayedCase {
        let case = &fixture.case;
        let kind = case.stimulus.component_kind();
        let selected = SelectedLogic::at_address(&self.address(), kind, &case.cover.domain);
        let logic = Arc::new(ReadyLogic::new(selected, Box::new(self.target())));
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&logic),
            asks_once: true,
            ..ReplayOptions::default()
        };
        project.replay(fixture, &options).unwrap()
    }
}
