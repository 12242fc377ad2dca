//! A connection to a source that can send only queries, with retries and a rate limit. Sources are reached only through it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Access, CallError, Connection, ConnectionOptions, Way};
use crate::model::Code;
use crate::wire::Dialect;

/// The methods that may be called on a source. None of them writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// Pages of one aggregate.
    EventBook,
    /// Pages of every aggregate of a workflow; streams its replies.
    Events,
    /// Every aggregate; streams its replies.
    AggregateRoots,
    /// One page of the list of dead letters.
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

/// Retries, rate limit and bounds of queries to a source, which keep the load on it low. Shared by all connections to it.
#[derive(Debug, Default)]
pub struct QueryPolicy {
    /// How often a query is retried after a temporary error.
    retries: u32,
    /// Minimum time between two queries; `None` without a rate limit.
    interval: Option<Duration>,
    next: Mutex<Option<Instant>>,
    bounds: Bounds,
    usage: Mutex<Usage>,
}

/// Bounds on all queries to a source together. They end a capture if a server ignores ranges, keeps growing, or returns new
/// page tokens for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum number of queries, including retries.
    pub queries: u32,
    /// Maximum number of bytes in all replies.
    pub bytes: u64,
    /// Maximum time from the first query to the last.
    pub time: Duration,
}

/// A bound that was reached, by its key in replay.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReachedBound {
    /// Of the number of queries.
    #[error("max_queries = {0}")]
    Queries(u32),
    /// Of the time from the first query to the last.
    #[error("max_seconds = {0}")]
    Seconds(u64),
    /// Of the size of all replies.
    #[error("max_mebibytes = {0}")]
    Mebibytes(u64),
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

/// Queries and replies so far.
#[derive(Debug, Default)]
struct Usage {
    began: Option<Instant>,
    queries: u32,
    bytes: u64,
}

/// Pause before the first retry; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pauses between tries: each is longer than the one before it, up to a limit.
pub fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_PAUSE), |pause| {
        Some((*pause * 2).min(LONGEST_PAUSE))
    })
}

impl QueryPolicy {
    /// Retries a failed query up to `retries` times and sends at most `queries_per_second`.
    #[must_use]
    pub fn new(retries: u32, queries_per_second: Option<u32>, bounds: Bounds) -> Self {
        Self {
            retries,
            bounds,
            usage: Mutex::default(),
            interval: queries_per_second.map(|count| Duration::from_secs(1) / count.max(1)),
            next: Mutex::default(),
        }
    }

    /// Counts a query before it is sent, unless it would exceed a bound.
    pub fn count_query(&self) -> Result<(), ReachedBound> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *usage.began.get_or_insert_with(Instant::now);
        let Bounds { queries, time, .. } = self.bounds;
        if usage.queries >= queries {
            return Err(ReachedBound::Queries(queries));
        }
        if began.elapsed() > time {
            return Err(ReachedBound::Seconds(time.as_secs()));
        }
        usage.queries += 1;
        Ok(())
    }

    /// Counts what was received, and checks the bound of its size.
    pub fn count_bytes(&self, bytes: usize) -> Result<(), ReachedBound> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.bytes = usage
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if usage.bytes > self.bounds.bytes {
            return Err(ReachedBound::Mebibytes(self.bounds.bytes >> 20));
        }
        Ok(())
    }

    /// Waits until the rate limit allows the next query.
    pub fn wait_for_turn(&self) {
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

/// A connection that can send only queries.
#[derive(Debug, Clone)]
pub struct QueryConnection {
    connection: Connection,
    policy: Arc<QueryPolicy>,
    /// The way to the server, if it is ours to keep open.
    way: Option<Arc<dyn Way>>,
    /// Whether a query is sent only once.
    is_impatient: bool,
}

impl From<Connection> for QueryConnection {
    fn from(connection: Connection) -> Self {
        Self {
            connection,
            policy: Arc::default(),
            way: None,
            is_impatient: false,
        }
    }
}

impl QueryConnection {
    /// Checks the address of a source. Nothing is sent.
    pub fn new(
        address: &str,
        options: ConnectionOptions,
        access: Access,
        policy: Arc<QueryPolicy>,
    ) -> Result<Self, CallError> {
        Ok(Self {
            connection: Connection::with_access(address, options, access)?,
            policy,
            way: None,
            is_impatient: false,
        })
    }

    /// The same connection, which opens this way again when it ends.
    #[must_use]
    pub fn through(self, way: Option<Arc<dyn Way>>) -> Self {
        Self { way, ..self }
    }

    /// The same connection, for queries that can be sent again later: none is retried, and no way is opened for them.
    pub(super) fn impatient(&self) -> Self {
        Self {
            is_impatient: true,
            ..self.clone()
        }
    }

    /// A connection to a plain address, without credentials and rate limit.
    pub fn plain(address: &str, options: ConnectionOptions) -> Result<Self, CallError> {
        Ok(Connection::new(address, options)?.into())
    }

    /// `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// Detects the dialect of a coordinator; `None` if it serves no known package. A coordinator serves exactly one package:
    /// that package refuses an empty query, and the others are unknown methods.
    pub fn detect_dialect(&self) -> Result<Option<Dialect>, CallError> {
        let mut tried: Vec<&str> = Vec::new();
        for dialect in Dialect::all() {
            if tried.contains(&dialect.package()) {
                continue;
            }
            tried.push(dialect.package());
            match self.ask(*dialect, Query::EventBook, &Bytes::new()) {
                Err(error) if error.is_unknown_method() => {}
                Err(error) if is_inconclusive(&error) => return Err(error),
                Ok(_) | Err(_) => return Ok(Some(*dialect)),
            }
        }
        Ok(None)
    }

    fn over_bound(&self, bound: ReachedBound) -> CallError {
        let address = self.address().to_owned();
        CallError::OverBound { address, bound }
    }

    /// Sends a query in a dialect.
    pub(super) fn ask(
        &self,
        dialect: Dialect,
        query: Query,
        message: &Bytes,
    ) -> Result<Vec<Bytes>, CallError> {
        self.ask_in(dialect.package(), query, message)
    }

    /// Sends a query in a package, and retries it after temporary errors. If the way to the server has ended, it is opened
    /// again first.
    pub(super) fn ask_in(
        &self,
        package: &str,
        query: Query,
        message: &Bytes,
    ) -> Result<Vec<Bytes>, CallError> {
        let path = path_of(package, query);
        self.retried(|| {
            let mut replies = Vec::new();
            let answer = match query {
                Query::EventBook | Query::ListDeadLetters | Query::GetDeadLetter => {
                    let reply = self.connection.call(&path, message.clone());
                    reply.and_then(|reply| {
                        self.count(&reply)?;
                        replies.push(reply);
                        Ok(())
                    })
                }
                Query::Events | Query::AggregateRoots => {
                    self.connection
                        .call_each(&path, message.clone(), &mut |reply| {
                            self.count(&reply)?;
                            replies.push(reply);
                            Ok(())
                        })
                }
            };
            Asked {
                answer: answer.map(|()| replies),
                is_final: false,
            }
        })
    }

    /// Sends a query whose replies are streamed. `received` gets each of them when it arrives, so the query is retried
    /// only if there was none.
    pub(super) fn ask_each(
        &self,
        dialect: Dialect,
        query: Query,
        message: &Bytes,
        received: &mut dyn FnMut(Bytes),
    ) -> Result<(), CallError> {
        let path = path_of(dialect.package(), query);
        self.retried(|| {
            let mut is_final = false;
            let answer = self
                .connection
                .call_each(&path, message.clone(), &mut |reply| {
                    self.count(&reply)?;
                    is_final = true;
                    received(reply);
                    Ok(())
                });
            Asked { answer, is_final }
        })
    }

    fn count(&self, reply: &Bytes) -> Result<(), CallError> {
        let counted = self.policy.count_bytes(reply.len());
        counted.map_err(|bound| self.over_bound(bound))
    }

    /// Calls until there is an answer or an error that is not temporary, within the bounds and the rate limit. A way that
    /// ended is opened again.
    fn retried<T>(&self, mut call: impl FnMut() -> Asked<T>) -> Result<T, CallError> {
        let mut pauses = pauses();
        let mut failures = 0;
        loop {
            self.policy
                .count_query()
                .map_err(|bound| self.over_bound(bound))?;
            self.policy.wait_for_turn();
            let Asked { answer, is_final } = call();
            let is_answered = answer
                .as_ref()
                .err()
                .is_none_or(|error| error.failure().is_some());
            if let Some(way) = self.way.as_ref().filter(|_| is_answered) {
                way.note_success();
            }
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // Whoever answers with a status was reached.
            let way = self.way.as_ref().filter(|_| error.failure().is_none());
            let ended = way.and_then(|way| way.ended());
            if !error.may_be_temporary() && ended.is_none() {
                return Err(error);
            }
            if is_final || self.is_impatient || failures == self.policy.retries {
                return Err(ended.map_or(error, |reason| CallError::WayEnded { reason }));
            }
            failures += 1;
            std::thread::sleep(pauses.next().unwrap_or_default());
            if let Some(way) = &self.way {
                way.restore(failures);
            }
        }
    }
}

/// The answer to one attempt.
struct Asked<T> {
    answer: Result<T, CallError>,
    /// Whether the caller has already received a part of it.
    is_final: bool,
}

fn path_of(package: &str, query: Query) -> String {
    format!("/{package}.{}/{}", query.service(), query.method())
}

/// Whether an error does not show which packages the server has, because it comes from the transport or a gateway.
fn is_inconclusive(error: &CallError) -> bool {
    error.failure().is_none_or(|failure| {
        matches!(
            failure.code,
            Code::Unauthenticated | Code::PermissionDenied | Code::Unavailable
        )
    })
}
