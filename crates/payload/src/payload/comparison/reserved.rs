//! Numbers and names that were reserved and are no longer.

use std::ops::RangeInclusive;

/// What a message or an enum reserves.
pub(super) struct Reserved {
    pub(super) ranges: Vec<RangeInclusive<i64>>,
    pub(super) names: Vec<String>,
}

/// What `before` reserves and `now` does not, in words. `user` says who has a number of a range today.
pub(super) fn lost(
    before: &Reserved,
    now: &Reserved,
    user: &dyn Fn(&RangeInclusive<i64>) -> Option<String>,
    is_used: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for range in &before.ranges {
        for lost in without(range, &now.ranges) {
            let (first, last) = (*lost.start(), *lost.end());
            let subject = if first == last {
                format!("number {first} is")
            } else {
                format!("numbers {first} to {last} are")
            };
            let user = user(&lost).map_or_else(String::new, |user| format!(": {user}"));
            found.push(format!("{subject} no longer reserved{user}"));
        }
    }
    for name in before.names.iter().filter(|name| !now.names.contains(name)) {
        let user = if is_used(name) {
            ", and is used again"
        } else {
            ""
        };
        found.push(format!("the name `{name}` is no longer reserved{user}"));
    }
    found
}

/// The parts of a range that no other range covers.
fn without(
    range: &RangeInclusive<i64>,
    others: &[RangeInclusive<i64>],
) -> Vec<RangeInclusive<i64>> {
    let mut sorted: Vec<_> = others.iter().collect();
    sorted.sort_by_key(|other| *other.start());
    let mut left = Vec::new();
    let mut next = *range.start();
    for other in sorted {
        if *other.end() < next {
            continue;
        }
        if *other.start() > *range.end() {
            break;
        }
        if *other.start() > next {
            left.push(next..=*other.start() - 1);
        }
        next = *other.end() + 1;
    }
    if next <= *range.end() {
        left.push(next..=*range.end());
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_that_nothing_covers_are_found() {
        assert_eq!(without(&(2..=5), &[]), [2..=5]);
        assert_eq!(without(&(2..=5), &[1..=9]), []);
        assert_eq!(without(&(2..=5), &[2..=3]), [4..=5]);
        assert_eq!(
            without(&(2..=9), &[7..=7, 3..=4, 4..=5]),
            [2..=2, 6..=6, 8..=9]
        );
        assert_eq!(without(&(5..=6), &[1..=2, 9..=9]), [5..=6]);
    }
}
