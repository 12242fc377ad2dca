//! Histories that do not fit into one reply.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::capture::{UpTo, fetch_single_history};
use angzarr_replay::internal::grpc::{
    Access, Bounds, ConnectionOptions, Methods, QueryClient, QueryConnection, QueryPolicy, Server,
};
use angzarr_replay::internal::model::{Body, Code, EventBook, Failure, History, Page, Payload};
use angzarr_replay::internal::wire::messages as pb;
use angzarr_replay::internal::wire::{Dialect, FailingStatus, encode_event_book};
use bytes::Bytes;
use prost::Message as _;
use test_support::books;

const DIALECT: Dialect = Dialect::ANGZARR;

/// The sequences of a request.
type Range = (u32, Option<u32>);

/// A coordinator whose replies hold only a part of a history.
struct Windowed {
    pages: Vec<Page>,
    /// The window that it does not answer at first, by its first sequence.
    fails_once: Mutex<Option<u32>>,
    asked: Mutex<Vec<Range>>,
    /// How often it was asked for the whole history.
    whole: Mutex<usize>,
}

impl Windowed {
    fn answer(&self, query: &pb::Query) -> Result<Vec<Bytes>, FailingStatus> {
        let Some(pb::query::Selection::Range(range)) = &query.selection else {
            *self.whole.lock().unwrap() += 1;
            let message = "encoded message length too large";
            return Err(failing(Code::OutOfRange, message));
        };
        self.asked.lock().unwrap().push((range.lower, range.upper));
        let mut fails_once = self.fails_once.lock().unwrap();
        if fails_once.take_if(|first| *first == range.lower).is_some() {
            return Err(failing(Code::Unavailable, "try again"));
        }
        let last = range.upper.unwrap_or(u32::MAX);
        let pages = self.pages.iter();
        let pages = pages.filter(|page| (range.lower..=last).contains(&page.sequence));
        let history = History::new(pages.cloned().collect()).unwrap();
        let book = EventBook::new(books::cover("player", 7), None, history);
        Ok(vec![encode_event_book(&book, DIALECT)])
    }
}

impl Methods for Windowed {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        assert_eq!(method, "EventQueryService/GetEventBook");
        Some(self.answer(&pb::Query::decode(request).unwrap()))
    }
}

fn failing(code: Code, message: &str) -> FailingStatus {
    FailingStatus::from(Failure {
        code,
        message: message.to_owned(),
        info: None,
    })
}

/// Fetches 7,000 events, and returns the requests, sorted.
fn requests(fails_once: Option<u32>) -> Vec<Range> {
    let (asked, whole) = requests_for(7_000, fails_once);
    assert_eq!(whole, 1);
    asked
}

/// Fetches events, and returns the requests for ranges, sorted, and how many there were for the whole history.
fn requests_for(count: u32, fails_once: Option<u32>) -> (Vec<Range>, usize) {
    let event = || Body::Event(Payload::new("t.Happened", vec![1]));
    let pages: Vec<Page> = (0..count).map(|at| books::page(at, event())).collect();
    let coordinator = Arc::new(Windowed {
        pages: pages.clone(),
        fails_once: Mutex::new(fails_once),
        asked: Mutex::default(),
        whole: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let methods = Arc::clone(&coordinator) as Arc<dyn Methods>;
    let server = Server::start(listener, DIALECT, methods, None).unwrap();
    let address = server.address().to_string();
    let (options, access) = (ConnectionOptions::default(), Access::new(None, []).unwrap());
    let policy = Arc::new(QueryPolicy::new(1, None, Bounds::default()));
    let connection = QueryConnection::new(&address, options, access, policy).unwrap();
    let queries = QueryClient::new(connection, DIALECT);
    let cover = books::cover("player", 7);
    let mut progress = Vec::new();
    let fetched = fetch_single_history(&queries, &cover, UpTo::Head, &mut |count| {
        progress.push(count);
    });
    assert!(fetched.unwrap().history.pages() == pages);
    assert!(progress.is_sorted(), "{progress:?}");
    let mut asked = coordinator.asked.lock().unwrap().clone();
    asked.sort_unstable();
    let whole = *coordinator.whole.lock().unwrap();
    (asked, whole)
}

/// The windows of 7,000 events, and the request that finds nothing after them.
const WINDOWS: [Range; 7] = [
    (0, Some(2_047)),
    (2_048, Some(4_095)),
    (4_096, Some(6_143)),
    (6_144, Some(8_191)),
    (8_192, Some(10_239)),
    (10_240, None),
    // Whether the history is too long to be asked for the whole.
    (131_072, Some(131_072)),
];

#[test]
fn each_window_of_a_long_history_is_fetched_once() {
    assert_eq!(requests(None), WINDOWS);
}

/// The coordinator would read all of it, to refuse it.
#[test]
fn a_history_that_cannot_fit_is_not_asked_for_as_a_whole() {
    let (asked, whole) = requests_for(131_073, None);
    assert_eq!(whole, 0);
    assert!(asked.contains(&(131_072, Some(131_072))));
}

/// Whether it is the next one or the one ahead.
#[test]
fn a_window_that_fails_is_fetched_again_and_no_other() {
    for failing in [2_048, 4_096] {
        let mut expected = WINDOWS.to_vec();
        expected.extend(WINDOWS.iter().filter(|(first, _)| *first == failing));
        expected.sort_unstable();
        assert_eq!(requests(Some(failing)), expected);
    }
}
