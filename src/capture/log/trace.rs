//! Trace ids, as loggers and tracing libraries write them.

use super::Record;
use super::record::plain_key;
use crate::model::trace_id;

/// Keys of a trace id, normalised by [`plain_key`]: OpenTelemetry's, and that of Google Cloud.
const KEYS: [&str; 4] = [
    "traceparent",
    "traceid",
    "oteltraceid",
    "logginggoogleapiscomtrace",
];

/// The trace id of a record, if it has one.
pub(super) fn of_record(record: &Record) -> Option<String> {
    KEYS.iter().find_map(|wanted| {
        let mut fields = record.iter();
        let (_, value) = fields.find(|(key, _)| plain_key(key) == *wanted)?;
        trace_id(value.as_str()?)
    })
}
