//! Any text is read or refused with words: nothing panics, hangs or eats the memory.

use std::fmt::Write as _;
use std::path::Path;

use angzarr_replay::internal::fixture::{Folder, set_status};
use angzarr_replay::internal::model::Status;
use proptest::prelude::*;

use crate::fixture_format::support::file;

/// Reads and edits; both may refuse.
fn survive(text: &str) {
    let name = Path::new("case.yaml");
    if let Err(error) = Folder::open(file("format-1")).read_text(text, name) {
        assert!(error.to_string().starts_with("case.yaml:"), "{error}");
        assert!(error.report().starts_with("error: "), "{}", error.report());
    }
    let _ = set_status(text, Status::Closed, name);
}

fn sources() -> Vec<String> {
    [
        "rejected",
        "odd-command",
        "odd-pages",
        "every-value",
        "kept-encodings",
        "by-hand",
    ]
    .iter()
    .map(|name| std::fs::read_to_string(file(&format!("format-1/{name}.yaml"))).unwrap())
    .collect()
}

/// A place in a text that is no longer than it.
fn cut(text: &str, at: usize) -> usize {
    (0..=at % (text.len() + 1))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_fixtures_never_panic(
        source in proptest::sample::select(sources()),
        edits in proptest::collection::vec((any::<usize>(), 0..9_usize, proptest::sample::select(vec![
            "", ":", "-", "\n", "  ", "\t", "'", "\"", "{", "]", "&a ", "*a", "!x ", "|", "~", "0", "Å", "---\n", "? ", "<<: ",
            "#", "\r", "\u{feff}", "\u{0}", "fixture: 1\n", "[[", "%",
        ])), 1..4),
    ) {
        let mut text = source;
        for (at, length, insert) in edits {
            let start = cut(&text, at);
            let end = start + cut(&text[start..], length);
            text.replace_range(start..end, insert);
        }
        survive(&text);
    }

    #[test]
    fn any_text_never_panics(text in any::<String>(), header in any::<bool>()) {
        survive(&if header { format!("fixture: 1\n{text}") } else { text });
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a: ", "- ", "? ", "[{a: "] {
        survive(&format!("fixture: 1\ntitle: {}", open.repeat(2_000)));
        survive(&open.repeat(2_000));
    }
}

#[test]
fn aliases_that_multiply_are_refused_unread() {
    let mut text = String::from("fixture: 1\na: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (last, next) in ('a'..'y').zip('b'..='y') {
        let aliases = vec![format!("*{last}"); 10].join(", ");
        writeln!(text, "{next}: &{next} [{aliases}]").unwrap();
    }
    // Written out, the last one has more elements than any memory: a reader that follows the aliases never returns.
    for text in [
        text.replace("fixture: 1\n", "fixture: 1\nkind: history\nrules: *y\n"),
        text,
    ] {
        let folder = Folder::open(file("format-1"));
        assert!(folder.read_text(&text, Path::new("case.yaml")).is_err());
        survive(&text);
    }
}
