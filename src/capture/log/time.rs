//! Parses times in the formats of loggers and log tools.
//!
//! A time with a zone is a point in time. A time without a zone can only be compared with similar times: it orders the
//! lines of one log, and is never stored as a point in time.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::{Captures, Regex};
use serde_json::Value;

use super::Record;
use super::record::plain_key;
use crate::model::Timestamp;

/// Keys of the time, normalised by [`plain_key`], the likeliest first.
const TIMES: [&str; 12] = [
    "time",
    "timestamp",
    "ts",
    // Serilog's `@t`.
    "t",
    "datetime",
    "eventtime",
    "asctime",
    "date",
    // journald: when the record was sent, then when it was received, in microseconds.
    "sourcerealtimetimestamp",
    "realtimetimestamp",
    "timegenerated",
    "receivedat",
];
/// The time is at the beginning of a line, or after a level and a name.
const BEGINNING: usize = 48;
/// Two dates without a year in one log are closer than this, unless a new year lies between them.
const HALF_A_YEAR: i64 = 183 * 24 * 3600;

/// A date and a time of day without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// Whether the year is known.
    has_year: bool,
    /// The time as if it were UTC.
    as_if_utc: Timestamp,
}

/// When something happened, as precisely as the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Known(Timestamp),
    Local(LocalTime),
}

impl Moment {
    /// Prefers the inner time, unless only the outer one has a time zone.
    pub(super) const fn nearer(inner: Option<Self>, outer: Option<Self>) -> Option<Self> {
        match (inner, outer) {
            (Some(Self::Local(_)) | None, Some(Self::Known(_))) | (None, _) => outer,
            _ => inner,
        }
    }
}

/// The newest of several failures: its index, and whether the times prove it. Without proof, the latest with a time
/// zone, or else the last. None if there are no failures.
#[must_use]
pub fn newest(times: &[(Option<Timestamp>, Option<LocalTime>)]) -> Option<(usize, bool)> {
    let last = times.len().checked_sub(1)?;
    let positions = || (0..).zip(times);
    if let Some((at, _)) = positions()
        .filter_map(|(at, (known, _))| Some((at, (*known)?)))
        .max_by_key(|(_, known)| *known)
    {
        let is_proven = times.iter().all(|(known, _)| known.is_some());
        return Some((at, is_proven));
    }
    let local: Option<Vec<LocalTime>> = times.iter().map(|(_, local)| *local).collect();
    let proven = local.filter(|local| are_comparable(local)).and_then(|all| {
        let newest = (0..).zip(all).max_by_key(|(_, local)| *local);
        newest.map(|(at, _)| at)
    });
    Some(proven.map_or((last, times.len() == 1), |at| (at, true)))
}

fn are_comparable(times: &[LocalTime]) -> bool {
    let have_years = times.iter().filter(|time| time.has_year).count();
    let seconds = || times.iter().map(|time| time.as_if_utc.seconds);
    let apart = match (seconds().min(), seconds().max()) {
        (Some(first), Some(last)) => last - first,
        _ => 0,
    };
    have_years == times.len() || (have_years == 0 && apart < HALF_A_YEAR)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

const MONTHS: &str = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";

/// RFC 3339, and its variants in Python, Go, Java, C# and databases.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?<year>\d{4})[-/.](?<month>\d{2})[-/.](?<day>\d{2})[T _](?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:[.,](?<fraction>\d{1,9})\d*)?(?:\s?(?<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)(?:\W|$))?",
    )
});
/// klog and glog: `E1123 00:05:00.123456`.
static KLOG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[IWEF](?<month>\d{2})(?<day>\d{2})\s+(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:\.(?<fraction>\d{1,9}))?\s",
    )
});
/// syslog and `ts`: `Nov 23 00:05:00`, with a year before or after the time.
static SYSLOG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?<name>{MONTHS})\s+(?<day>\d{{1,2}})(?:,?\s+(?<year>\d{{4}}))?\s+(?<hour>\d{{2}}):(?<minute>\d{{2}}):(?<second>\d{{2}})(?:[.,](?<fraction>\d{{1,9}}))?(?:\s(?<zone>Z|UTC|GMT|[+-]\d{{4}}))?(?:\s(?<later>\d{{4}})\b)?"
    ))
});
/// Web servers: `23/Nov/2026:00:05:00 +0000`.
static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?<day>\d{{1,2}})[/ -](?<name>{MONTHS})[/ -](?<year>\d{{4}})[: ](?<hour>\d{{2}}):(?<minute>\d{{2}}):(?<second>\d{{2}})(?:[.,](?<fraction>\d{{1,9}}))?(?:\s?(?<zone>Z|UTC|GMT|[+-]\d{{4}}))?"
    ))
});
/// Seconds or milliseconds since 1970.
static SINCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[\[<]?(?<number>\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?:\W|$)")
});

/// The time at the beginning of a line.
pub(super) fn leading(text: &str) -> Option<Moment> {
    // What follows belongs to a field or to a nested record.
    let end = text.find(['{', '=']).unwrap_or(text.len()).min(200);
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at))?;
    let beginning = text[..end].trim_start();
    // Most records begin without a number, and then no pattern needs to be compiled.
    if !beginning.contains(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    [&NUMBERS, &KLOG, &DAY_FIRST, &SYSLOG]
        .into_iter()
        .find_map(|pattern| {
            let found = pattern.captures(beginning)?;
            let at = found.get(0)?.start();
            (at <= BEGINNING).then(|| moment_of(&found))?
        })
        .or_else(|| since(beginning))
}

/// The time in the fields of a record.
pub(super) fn of_record(record: &Record) -> Option<Moment> {
    TIMES.iter().find_map(|wanted| {
        let mut named = record.iter().filter(|(key, _)| plain_key(key) == *wanted);
        named.find_map(|(_, value)| of_value(value))
    })
}

/// The time in a field: a text, or a number since 1970 whose magnitude indicates the unit.
fn of_value(value: &Value) -> Option<Moment> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                return Some(known(instant));
            }
            leading(text)
        }
        Value::Number(number) => since_1970(number.as_f64()?),
        // Protobuf's timestamp, as Google's loggers write it.
        Value::Object(fields) => {
            let seconds = fields.get("seconds")?.as_i64()?;
            let nanos = fields.get("nanos").and_then(Value::as_i64).unwrap_or(0);
            let nanos = i32::try_from(nanos).ok()?;
            jiff::Timestamp::new(seconds, nanos).ok().map(known)
        }
        _ => None,
    }
}

fn since(text: &str) -> Option<Moment> {
    let found = SINCE.captures(text)?;
    since_1970(found.name("number")?.as_str().parse().ok()?)
}

fn since_1970(number: f64) -> Option<Moment> {
    // Today, seconds have 10 digits, milliseconds 13, microseconds 16, nanoseconds 19.
    let unit = [(1e17, 1e9), (1e14, 1e6), (1e11, 1e3)]
        .into_iter()
        .find(|(least, _)| number >= *least)
        .map_or(1.0, |(_, unit)| unit);
    let since = std::time::Duration::try_from_secs_f64(number / unit).ok()?;
    let since = jiff::SignedDuration::try_from(since).ok()?;
    jiff::Timestamp::from_duration(since).ok().map(known)
}

fn known(instant: jiff::Timestamp) -> Moment {
    Moment::Known(timestamp(instant))
}

fn timestamp(instant: jiff::Timestamp) -> Timestamp {
    Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    }
}

fn moment_of(found: &Captures<'_>) -> Option<Moment> {
    let text = |name: &str| found.name(name).map(|it| it.as_str());
    let number = |name: &str| text(name)?.parse::<i8>().ok();
    let year = text("year").or_else(|| text("later"));
    let month = match text("name") {
        Some(name) => {
            let position = MONTHS.split('|').position(|month| month == name)?;
            i8::try_from(position + 1).ok()?
        }
        None => number("month")?,
    };
    let digits = text("fraction").unwrap_or_default();
    let nanos: i32 = format!("{digits:0<9}").parse().ok()?;
    let local = DateTime::new(
        // Without a year, assume a leap year, so that 29 February is valid.
        year.map_or(Ok(2000), str::parse).ok()?,
        month,
        number("day")?,
        number("hour")?,
        number("minute")?,
        // A leap second.
        number("second")?.min(59),
        nanos,
    );
    let as_if_utc = TimeZone::UTC.to_timestamp(local.ok()?).ok()?;
    match (text("zone").and_then(offset), year) {
        (Some(offset), Some(_)) => {
            let offset = jiff::SignedDuration::from_secs(offset);
            as_if_utc.checked_sub(offset).ok().map(known)
        }
        (_, year) => Some(Moment::Local(LocalTime {
            has_year: year.is_some(),
            as_if_utc: timestamp(as_if_utc),
        })),
    }
}

/// UTC offset in seconds.
fn offset(zone: &str) -> Option<i64> {
    let Some(sign) = zone.chars().next().filter(|c| "+-".contains(*c)) else {
        return Some(0);
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let seconds = number(0..2)? * 3600 + number(2..4).unwrap_or(0) * 60;
    Some(if sign == '-' { -seconds } else { seconds })
}
