//! The projector.

use std::sync::Arc;

use super::{TABLE, assert_answers, cover, read, served};
use crate::recording::{book, calls};
use angzarr_replay::internal::model::{Component, EventBook, Outcome, Page, Stimulus};
use angzarr_replay::internal::wire::Dialect;
use poker::Seats;
use poker::messages::views;

/// Everything that is stored of the recorded table.
fn table_history() -> EventBook {
    let accepted = calls().into_iter().filter(|call| {
        call.method() == "HandleCommand" && call.server == "table" && call.code == "OK"
    });
    let mut pages: Vec<Page> = Vec::new();
    for call in accepted {
        pages.extend(call.pages());
    }
    book(cover("table", TABLE), pages)
}

#[test]
fn the_recorded_table_is_shown_as_who_sits_where() {
    let events = table_history();
    let component = Component::Projector(Arc::new(Seats::default()));
    let stimulus = Stimulus::Project {
        events,
        with_effects: false,
    };
    let outcome = component.answer(&stimulus).unwrap();
    let Outcome::Projected(projection) = &outcome else {
        panic!("a projection is expected");
    };
    assert_eq!(projection.projector, "seats");
    assert_eq!(projection.sequence, 9);
    let view: views::Seats = read(projection.payload.as_ref().unwrap());
    let seats: Vec<_> = view
        .seats
        .iter()
        .map(|seat| (seat.position, seat.player.as_str(), seat.chips))
        .collect();
    assert_eq!(
        seats,
        [
            (0, "6513270e-269e-4d37-b2a7-4de452e6b438", 1080),
            (1, "d23f0824-128b-4f33-8c5c-7fd0a6a3a450", 1080),
            (2, "9531985d-5d9d-49f8-9818-e811892f902b", 1080),
        ]
    );
    assert_eq!(view.hands_started, 3);
    assert_answers(&component, &stimulus, &outcome);
}

#[test]
fn only_a_projection_with_effects_counts() {
    let projector = Seats::default();
    let component = Component::Projector(Arc::new(projector.clone()));
    let served = served(&component, Dialect::ANGZARR);
    for (with_effects, written) in [(false, 0), (true, 1), (false, 1), (true, 2)] {
        let stimulus = Stimulus::Project {
            events: table_history(),
            with_effects,
        };
        served.client.ask(&stimulus).unwrap();
        assert_eq!(projector.written(), written);
    }
}
