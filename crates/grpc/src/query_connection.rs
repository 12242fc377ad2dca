//! The only way to a source: a connection over which nothing but queries can be asked, patiently and not too fast.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Access, CallError, Connection, ConnectionOptions};
use crate::model::Code;
use crate::wire::Dialect;
/// The methods that a source is asked. None of them writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// Pages of one aggregate.
    EventBook,
    /// Pages of every aggregate of a workflow; a stream of replies.
    Events,
    /// Every aggregate; a stream of replies.
    AggregateRoots,
    /// Dead letters, a page of them.
    ListDeadLetters,
    /// One dead letter.
    GetDeadLetter,
}

impl Query {
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::EventBook => "GetEventBook",
            Self::Events => "GetEvents",
            Self::AggregateRoots => "GetAggregateRoots",
            Self::ListDeadLetters => "ListDeadLetters",
            Self::GetDeadLetter => "GetDeadLetter",
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Self::EventBook | Self::Events | Self::AggregateRoots => "EventQueryService",
            Self::ListDeadLetters | Self::GetDeadLetter => "DlqAdminService",
        }
    }
}

/// How a source is asked, so that it does not notice. Shared by all connections to it.
#[derive(Debug, Default)]
pub struct Manners {
    /// How often a question is asked again that failed for a reason which may pass.
    retries: u32,
    /// Between two questions; none where they may come as they like.
    interval: Option<Duration>,
    next: Mutex<Option<Instant>>,
    bounds: Bounds,
    spent: Mutex<Spent>,
}

/// How much a source is asked in all. A server that ignores ranges, grows for ever or hands out ever-new page tokens would
/// be asked without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most queries, repetitions included.
    pub queries: u32,
    /// Most bytes of all replies.
    pub bytes: u64,
    /// Longest time from the first query to the last.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            queries: 10_000,
            bytes: 4 << 30,
            time: Duration::from_secs(60 * 60),
        }
    }
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Spent {
    began: Option<Instant>,
    queries: u32,
    bytes: u64,
}

/// Before the first repetition; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Manners {
    /// Repeats a failed question up to so often, and asks no more than so many in a second.
    #[must_use]
    pub fn new(retries: u32, queries_per_second: Option<u32>, bounds: Bounds) -> Self {
        Self {
            retries,
            bounds,
            spent: Mutex::default(),
            interval: queries_per_second.map(|count| Duration::from_secs(1) / count.max(1)),
            next: Mutex::default(),
        }
    }

    /// Counts a query that is about to be asked; the bound, in words, where that is one too many.
    fn count(&self) -> Result<(), String> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *spent.began.get_or_insert_with(Instant::now);
        let Bounds { queries, time, .. } = self.bounds;
        if spent.queries >= queries {
            return Err(format!("max_queries = {queries}"));
        }
        if began.elapsed() > time {
            return Err(format!("max_seconds = {}", time.as_secs()));
        }
        spent.queries += 1;
        Ok(())
    }

    /// Counts what came; the bound, in words, where it is too much in all.
    fn received(&self, replies: &[Bytes]) -> Result<(), String> {
        let bytes: usize = replies.iter().map(Bytes::len).sum();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.bytes = spent
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if spent.bytes > self.bounds.bytes {
            return Err(format!("max_mebibytes = {}", self.bounds.bytes >> 20));
        }
        Ok(())
    }

    /// Waits until it is this question's turn.
    fn wait(&self) {
        let Some(interval) = self.interval else {
            return;
        };
        let now = Instant::now();
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = next.map_or(now, |next| next.max(now));
            *next = Some(turn + interval);
            turn
        };
        std::thread::sleep(turn.saturating_duration_since(now));
    }
}

/// A connection that can ask queries and nothing else.
#[derive(Debug, Clone)]
pub struct QueryConnection {
    connection: Connection,
    manners: Arc<Manners>,
}

impl From<Connection> for QueryConnection {
    fn from(connection: Connection) -> Self {
        Self {
            connection,
            manners: Arc::default(),
        }
    }
}

impl QueryConnection {
    /// Checks the address of a source. Nothing is sent.
    pub fn new(
        address: &str,
        options: ConnectionOptions,
        access: Access,
        manners: Arc<Manners>,
    ) -> Result<Self, CallError> {
        Ok(Self {
            connection: Connection::with_access(address, options, access)?,
            manners,
        })
    }

    /// A plain address without credentials, asked as often as one likes.
    pub fn plain(address: &str, options: ConnectionOptions) -> Result<Self, CallError> {
        Ok(Connection::new(address, options)?.into())
    }

    /// `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// Finds out which dialect a coordinator speaks: it answers exactly one package, so an empty query is refused
    /// by its own package and unknown to the others. Nothing where no package is known there.
    pub fn detect_dialect(&self) -> Result<Option<Dialect>, CallError> {
        let mut tried: Vec<&str> = Vec::new();
        for dialect in Dialect::all() {
            if tried.contains(&dialect.package()) {
                continue;
            }
            tried.push(dialect.package());
            match self.ask(*dialect, Query::EventBook, &Bytes::new()) {
                Err(error) if error.is_unknown_method() => {}
                Err(error) if tells_nothing(&error) => return Err(error),
                Ok(_) | Err(_) => return Ok(Some(*dialect)),
            }
        }
        Ok(None)
    }

    fn over(&self, bound: String) -> CallError {
        let address = self.address().to_owned();
        CallError::OverBound { address, bound }
    }

    /// Asks in a dialect.
    pub(super) fn ask(
        &self,
        dialect: Dialect,
        query: Query,
        message: &Bytes,
    ) -> Result<Vec<Bytes>, CallError> {
        self.ask_in(dialect.package(), query, message)
    }

    /// Asks in a package, and asks again where that may help.
    pub(super) fn ask_in(
        &self,
        package: &str,
        query: Query,
        message: &Bytes,
    ) -> Result<Vec<Bytes>, CallError> {
        let path = format!("/{package}.{}/{}", query.service(), query.method());
        let mut pause = FIRST_PAUSE;
        let mut retries = self.manners.retries;
        loop {
            self.manners.count().map_err(|bound| self.over(bound))?;
            self.manners.wait();
            let message = message.clone();
            let answer = match query {
                Query::EventBook | Query::ListDeadLetters | Query::GetDeadLetter => {
                    self.connection.call(&path, message).map(|one| vec![one])
                }
                Query::Events | Query::AggregateRoots => {
                    self.connection.call_stream(&path, message)
                }
            };
            match answer {
                Err(error) if retries > 0 && error.may_pass() => {
                    retries -= 1;
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                answer => {
                    let replies = answer?;
                    let counted = self.manners.received(&replies);
                    return counted.map(|()| replies).map_err(|bound| self.over(bound));
                }
            }
        }
    }
}

/// A failure that says nothing of the packages that a server knows: of the transport, or a gateway's before it.
fn tells_nothing(error: &CallError) -> bool {
    error.failure().is_none_or(|failure| {
        matches!(
            failure.code,
            Code::Unauthenticated | Code::PermissionDenied | Code::Unavailable
        )
    })
}
