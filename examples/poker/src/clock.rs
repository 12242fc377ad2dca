//! The source of the times in events.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use angzarr_replay::logic::Timestamp;

/// Tells the time.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> prost_types::Timestamp {
        let Timestamp { seconds, nanos } = (self.0)();
        prost_types::Timestamp { seconds, nanos }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// The machine's clock; the epoch if the clock is set to an earlier time.
#[must_use]
pub fn system_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos())
            .expect("a second has fewer than 2^31 nanoseconds"),
    }
}
