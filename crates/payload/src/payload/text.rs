//! Text forms of bytes, timestamps and durations. Writing and reading them is lossless.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::Root;

/// Text that is not in the required form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("what follows `uuid:` is not a UUID")]
    Uuid,
    #[error("bytes are written as `uuid:…` or as base64 with padding: {0}")]
    Base64(base64::DecodeError),
    /// With the parser's message.
    #[error("{INSTANT_FORM}: {0}")]
    Instant(String),
    #[error("{INSTANT_FORM}: it is outside the years 1 to 9999")]
    InstantRange,
    #[error("a duration is written in seconds, like `1.5s`")]
    Duration,
    #[error("a duration has at most {LONGEST_DURATION} seconds")]
    DurationRange,
}

const UUID_PREFIX: &str = "uuid:";
const INSTANT_FORM: &str = "an instant is written like `2026-11-23T00:01:30.5Z`";
/// The valid protobuf timestamps: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
const INSTANTS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// Protobuf's limit for durations, about 10,000 years.
const LONGEST_DURATION: i64 = 315_576_000_000;

/// Bytes as text: a UUID for 16 bytes, which are probably a root; otherwise base64.
pub(super) fn write_bytes(bytes: &[u8]) -> String {
    let Ok(uuid) = <&[u8; 16]>::try_from(bytes) else {
        return STANDARD.encode(bytes);
    };
    let mut text = String::with_capacity(UUID_PREFIX.len() + 36);
    text.push_str(UUID_PREFIX);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// Reads bytes.
pub(super) fn read_bytes(text: &str) -> Result<Vec<u8>, TextError> {
    if let Some(uuid) = text.strip_prefix(UUID_PREFIX) {
        let root: Root = uuid.parse().map_err(|_| TextError::Uuid)?;
        return Ok(root.as_bytes().to_vec());
    }
    STANDARD.decode(text).map_err(TextError::Base64)
}

/// A timestamp in RFC 3339 format. None if it is invalid or within the last hours of the year 9999.
pub(super) fn write_instant(seconds: i64, nanos: i32) -> Option<String> {
    if !INSTANTS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return None;
    }
    jiff::Timestamp::new(seconds, nanos)
        .ok()
        .map(|instant| instant.to_string())
}

/// Reads a timestamp in RFC 3339 format.
pub(super) fn read_instant(text: &str) -> Result<(i64, i32), TextError> {
    let instant: jiff::Timestamp = text
        .parse()
        .map_err(|error: jiff::Error| TextError::Instant(error.to_string()))?;
    let whole = instant.as_nanosecond().div_euclid(1_000_000_000);
    let nanos = instant.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = i64::try_from(whole)
        .ok()
        .filter(|seconds| INSTANTS.contains(seconds));
    match (seconds, i32::try_from(nanos)) {
        (Some(seconds), Ok(nanos)) => Ok((seconds, nanos)),
        _ => Err(TextError::InstantRange),
    }
}

/// A duration in seconds with a fraction. None if it is invalid.
pub(super) fn write_duration(seconds: i64, nanos: i32) -> Option<String> {
    let one_sign = (seconds >= 0 && nanos >= 0) || (seconds <= 0 && nanos <= 0);
    if !one_sign
        || nanos.unsigned_abs() >= 1_000_000_000
        || seconds.unsigned_abs() > LONGEST_DURATION.unsigned_abs()
    {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let mut text = format!("{sign}{}", seconds.unsigned_abs());
    if nanos != 0 {
        let fraction = format!("{:09}", nanos.unsigned_abs());
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('s');
    Some(text)
}

/// Reads a duration such as `-1.5s`.
pub(super) fn read_duration(text: &str) -> Result<(i64, i32), TextError> {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text), |digits| (-1, digits));
    let digits = digits.strip_suffix('s').ok_or(TextError::Duration)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return Err(TextError::Duration);
    }
    let seconds: i64 = whole.parse().map_err(|_| TextError::Duration)?;
    let nanos: i32 = format!("{fraction:0<9}")
        .parse()
        .map_err(|_| TextError::Duration)?;
    if seconds > LONGEST_DURATION {
        return Err(TextError::DurationRange);
    }
    let nanos = if sign < 0 { -nanos } else { nanos };
    Ok((sign * seconds, nanos))
}
