//! Whether an output is the one that is shown.

/// Stands for any lines in a line of its own, and for any characters within one.
const LEFT_OUT: &str = "…";

/// Whether `shown` shows `output`.
pub(crate) fn shows(shown: &str, output: &str) -> bool {
    let shown: Vec<&str> = shown.trim_end().lines().collect();
    let output: Vec<&str> = output.trim_end().lines().map(str::trim_end).collect();
    of_lines(&shown, &output)
}

fn of_lines(shown: &[&str], output: &[&str]) -> bool {
    match (shown.split_first(), output.split_first()) {
        (None, None) => true,
        (Some((&LEFT_OUT, rest)), _) => {
            (0..=output.len()).any(|skipped| of_lines(rest, &output[skipped..]))
        }
        (Some((first, rest)), Some((line, lines))) => of_line(first, line) && of_lines(rest, lines),
        _ => false,
    }
}

fn of_line(shown: &str, line: &str) -> bool {
    let Some((before, after)) = shown.split_once(LEFT_OUT) else {
        return shown.trim_end() == line;
    };
    let Some(rest) = line.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| of_line(after, &rest[at..]))
}

#[test]
fn other_output_than_shown_is_noticed() {
    assert!(shows("one\ntwo\n", "one\ntwo\n"));
    assert!(shows("one\n…\nfour", "one\ntwo\nthree\nfour\n"));
    assert!(shows("…\nfour", "four\n"));
    assert!(shows("at …, in … s", "at noon, in 5 s\n"));
    assert!(!shows("one\ntwo", "one\n"));
    assert!(!shows("one", "one\ntwo\n"));
    assert!(!shows("one\n…\nfour", "one\ntwo\n"));
    assert!(!shows("at …, in 6 s", "at noon, in 5 s\n"));
}
