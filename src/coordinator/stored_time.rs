//! Times as the store compares them: as text.

use crate::model::Timestamp;

/// RFC 3339 in UTC with nine digits, so that texts sort like the times. A time outside the years 0 to 9999 becomes the
/// nearest one within.
pub(super) fn text(time: Timestamp) -> String {
    /// 0000-01-01T00:00:00Z and 9999-12-30T00:00:00Z; the end of jiff's range.
    const YEARS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_128_000;
    let seconds = time.seconds.clamp(*YEARS.start(), *YEARS.end());
    let nanos = if seconds == time.seconds {
        time.nanos.clamp(0, 999_999_999)
    } else {
        0
    };
    let instant = jiff::Timestamp::from_second(seconds)
        .ok()
        .and_then(|instant| {
            instant
                .checked_add(jiff::SignedDuration::from_nanos(nanos.into()))
                .ok()
        })
        .expect("years 0 to 9999 are instants");
    format!("{instant:.9}")
}
