//! Editions: explicit, main, and where they leave it.

use angzarr_replay::internal::model::{Cover, Divergence, Domain, Edition, EditionName};
use angzarr_replay::internal::replay::flow::{Cause, FlowRun};

use super::support::{Toys, commands, correlated, cover, dutiful, names, notes, start};

fn named(name: &str, divergences: &[(&str, u32)]) -> Edition {
    let divergences = divergences.iter().map(|(domain, sequence)| Divergence {
        domain: Domain::new(*domain).unwrap(),
        sequence: *sequence,
    });
    Edition::Named {
        name: EditionName::new(name).unwrap(),
        divergences: divergences.collect(),
    }
}

fn on(edition: &Edition, cover: Cover) -> Cover {
    Cover {
        edition: edition.clone(),
        ..cover
    }
}

/// One command on `first`, whose saga sends one to b/1 on `second`.
fn run(dialect: &str, first: &Edition, second: &Edition) -> FlowRun {
    let mut toys = Toys::new(dialect)
        .book(cover("a", 1), &["t.M0", "t.M1", "t.M2"])
        .book(cover("b", 1), &["t.N0", "t.N1"]);
    toys.aggregate("a", dutiful);
    toys.aggregate("b", dutiful);
    let second = second.clone();
    toys.saga("s", &[("a", &["*"])], move |_, _| {
        Ok(commands(&[(on(&second, cover("b", 1)), "t.Do1")]))
    });
    let head = if first.is_main() { 3 } else { 2 };
    toys.run(&start(on(first, correlated("a", 1)), "t.Do", head))
}

fn delivered_on(run: &FlowRun) -> Edition {
    match &run.steps[2].cause {
        Cause::Command(command) => command.cover.edition.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_released_dialect_copies_the_edition_only_where_none_is_said() {
    let (branch, other) = (named("branch", &[("a", 2)]), named("other", &[]));
    let outgoing = |first: &Edition, second: &Edition| delivered_on(&run("angzarr", first, second));
    assert_eq!(outgoing(&branch, &Edition::Main), branch);
    assert_eq!(outgoing(&branch, &other), other);
    assert_eq!(outgoing(&Edition::Main, &other), other);
    assert_eq!(outgoing(&Edition::Main, &Edition::Main), Edition::Main);
}

#[test]
fn newer_dialects_always_copy_it_with_its_divergences() {
    for dialect in [
        "angzarr_client.proto.angzarr",
        "io.angzarr.v1-2026-06",
        "io.angzarr.v1",
    ] {
        let (branch, other) = (named("branch", &[("a", 2)]), named("other", &[]));
        let outgoing =
            |first: &Edition, second: &Edition| delivered_on(&run(dialect, first, second));
        assert_eq!(outgoing(&branch, &Edition::Main), branch, "{dialect}");
        assert_eq!(outgoing(&branch, &other), branch, "{dialect}");
        assert_eq!(outgoing(&Edition::Main, &other), Edition::Main, "{dialect}");
    }
}

#[test]
fn an_edition_without_pages_begins_as_the_main_timeline_below_its_divergence() {
    let branch = named("branch", &[("a", 2)]);
    let run = run("angzarr", &branch, &Edition::Main);
    let books: Vec<_> = run
        .books
        .iter()
        .map(|book| {
            (
                book.cover.domain.as_str(),
                book.cover.edition.label(),
                names(book),
            )
        })
        .collect();
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        books,
        [
            ("a", "branch", owned(&["t.M0", "t.M1", "t.Done"])),
            ("a", "main", owned(&["t.M0", "t.M1", "t.M2"])),
            ("b", "branch", owned(&["t.N0", "t.N1", "t.Done1"])),
            ("b", "main", owned(&["t.N0", "t.N1"])),
        ]
    );
    assert_eq!(
        notes(&run),
        [
            "edition branch of a/01010101-0101-0101-0101-010101010101 has no pages of its own: it begins as the main \
             timeline below sequence 2",
            "edition branch of b/01010101-0101-0101-0101-010101010101 has no pages of its own: it begins as the main \
             timeline"
        ]
    );
}

#[test]
fn an_edition_s_own_book_is_taken_as_it_was_captured() {
    let branch = named("branch", &[]);
    let mut toys = Toys::new("angzarr")
        .book(cover("a", 1), &["t.M0", "t.M1"])
        .book(on(&branch, cover("a", 1)), &["t.M0", "t.E1", "t.E2"]);
    let shown = toys.aggregate("a", dutiful);
    let run = toys.run(&start(on(&branch, correlated("a", 1)), "t.Do", 3));
    assert!(notes(&run).is_empty());
    let shown = shown.lock().unwrap();
    assert_eq!(names(&shown[0].0), ["t.M0", "t.E1", "t.E2"]);
    assert_eq!(shown[0].0.cover.edition, branch);
}
