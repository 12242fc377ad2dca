//! Compares what a command prints with what the page shows.

use regex::{Captures, Regex};

/// What differs from run to run, and what stands in its place on both sides.
const MASKS: [(&str, &str); 5] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"finished in \d+\.\d+s", "finished in TIME"),
    (r"\[ *\d+\.\d+s\]", "[TIME]"),
    (r"(127\.0\.0\.1|\[::\]):\d+", "$1:PORT"),
    // Trials end in any order.
    (r"(?m)(^test \S+ +\.\.\. \w+$\n?)+", "SORTED"),
];
/// A line that stands for any number of lines.
const ELISION: &str = "…";

/// Whether an output is the expected one.
pub(super) fn is_as_expected(expected: &[String], actual: &str) -> bool {
    let expected = lines(&masked(&expected.join("\n")));
    let actual = lines(&masked(actual));
    matches(&expected, &actual)
}

fn lines(text: &str) -> Vec<String> {
    let text = text.trim_end();
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, mask) in MASKS {
        let pattern = Regex::new(pattern).expect("it is a constant");
        text = pattern
            .replace_all(&text, |found: &Captures<'_>| {
                if mask == "SORTED" {
                    return sorted(&found[0]);
                }
                let mut masked = String::new();
                found.expand(mask, &mut masked);
                masked
            })
            .into_owned();
    }
    text
}

fn sorted(block: &str) -> String {
    let mut lines: Vec<&str> = block.lines().collect();
    lines.sort_unstable();
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

fn matches(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == ELISION => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((first, rest)) => actual
            .split_first()
            .is_some_and(|(said, left)| said == first && matches(rest, left)),
    }
}

#[cfg(test)]
mod tests {
    use super::is_as_expected;

    fn is(expected: &str, actual: &str) -> bool {
        let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
        is_as_expected(&expected, actual)
    }

    #[test]
    fn times_ports_and_the_order_of_trials_make_no_difference() {
        assert!(is(
            "at 2026-11-30T05:58:58Z on 127.0.0.1:1310",
            "at 2027-01-01T00:00:00Z on 127.0.0.1:4711\n\n"
        ));
        assert!(is(
            "test a ... ok\ntest b ... ok\nfinished in 0.1s",
            "test b ... ok\ntest a ... ok\nfinished in 2.25s"
        ));
        assert!(!is("test a ... ok\n", "test a ... FAILED"));
        assert!(!is("a", "a\nb"));
    }

    #[test]
    fn an_elision_stands_for_any_number_of_lines() {
        assert!(is("a\n…\nd", "a\nb\nc\nd"));
        assert!(is("…\na", "a"));
        assert!(!is("a\n…\nd", "a\nb"));
    }
}
