//! Named editions: a branch of main that may begin anywhere.

use angzarr_replay::model::{Cover, Divergence, Edition, Header};
use angzarr_replay::wire::Dialect;

use super::support::*;

fn branched(dialect: Dialect) -> Peer {
    let own = vec![page(2, "own 2"), page(3, "own 3")];
    start(
        dialect,
        &[seed(cover(), pages(5)), seed(edition("debug"), own)],
    )
}

fn diverging(sequence: u32) -> Cover {
    let Edition::Named { name, .. } = edition("debug").edition else {
        panic!()
    };
    let divergences = vec![Divergence {
        domain: player(),
        sequence,
    }];
    Cover {
        edition: Edition::Named { name, divergences },
        ..cover()
    }
}

#[test]
fn a_whole_read_is_main_below_the_divergence_and_the_own_pages() {
    for dialect in Dialect::all() {
        let book = branched(*dialect).ask("debug", &[]).unwrap();
        assert_eq!(
            texts(&book),
            ["main 0", "main 1", "own 2", "own 3"],
            "{dialect}"
        );
        assert_eq!(
            (book.next_sequence, book.cover),
            (4, Some(edition("debug"))),
            "{dialect}"
        );
    }
}

#[test]
fn other_reads_are_the_own_pages_only_except_in_the_newest() {
    let read = |dialect, selection: Vec<u8>| {
        sequences(&branched(dialect).ask("debug", &selection).unwrap())
    };
    assert_eq!(read(Dialect::ANGZARR, range(1, 2)), [2]);
    assert_eq!(read(Dialect::ANGZARR, as_of(2)), [2]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, range(1, 2)), [1, 2]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, range(3, 9)), [3]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, as_of(2)), [0, 1, 2]);
}

#[test]
fn an_unknown_edition_reads_as_main() {
    let peer = branched(Dialect::ANGZARR);
    assert_eq!(peer.ask("nowhere", &[]).unwrap().history.pages(), pages(5));
    assert_eq!(
        sequences(&peer.ask("nowhere", &range(0, 9)).unwrap()),
        [0_u32; 0]
    );
}

#[test]
fn both_spellings_of_main_are_main() {
    let peer = branched(Dialect::ANGZARR);
    assert_eq!(
        peer.ask("angzarr", &[]).unwrap(),
        peer.ask("", &[]).unwrap()
    );
}

#[test]
fn a_new_edition_continues_main_and_leaves_it_alone() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let send = |type_name, sequence| {
        peer.send_book(&command(
            edition("debug"),
            type_name,
            Header::Sequence(sequence),
        ))
    };
    assert_eq!(sequences(&send("test.Add", 3).unwrap()), [3]);
    assert_eq!(
        texts(&send("test.Seen", 4).unwrap()),
        ["debug[0 1 2 3] next 4, command at Some(4) in ``"]
    );
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2]);
}

#[test]
fn an_explicit_divergence_branches_there() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let book = peer
        .send_book(&command(diverging(2), "test.Seen", Header::Sequence(2)))
        .unwrap();
    assert_eq!(
        texts(&book),
        ["debug[0 1] next 2, command at Some(2) in ``"]
    );
    let book = peer
        .send_book(&command(edition("debug"), "test.Seen", Header::Sequence(3)))
        .unwrap();
    assert_eq!(
        texts(&book),
        ["debug[0 1 2] next 3, command at Some(3) in ``"]
    );
}

/// The released coordinator takes the empty prior book for one event.
#[test]
fn a_divergence_at_the_very_beginning_works() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let book = peer
        .send_book(&command(diverging(0), "test.Seen", Header::Sequence(0)))
        .unwrap();
    assert_eq!(texts(&book), ["debug[] next 0, command at Some(0) in ``"]);
    assert_eq!(sequences(&book), [0]);
}
