//! The upcaster.

use std::sync::Arc;

use super::{assert_answers, packed, page, read};
use crate::recording::call;
use angzarr_replay::internal::model::{Component, Domain, Outcome, Page, Stimulus, Timestamp};
use poker::PlayerUpcaster;
use poker::messages::legacy::PlayerRegisteredV1;
use poker::messages::{BuyInFailed, PlayerRegistered, PlayerType};

#[test]
fn recorded_pages_are_upcast_as_recorded() {
    let component = Component::Upcaster(Arc::new(PlayerUpcaster));
    let call = call(114);
    assert_answers(&component, &call.stimulus(), &call.outcome());
}

fn upcast(domain: &str, page: Page) -> Page {
    let stimulus = Stimulus::Upcast {
        domain: Domain::new(domain).unwrap(),
        pages: vec![page].into(),
    };
    let component = Component::Upcaster(Arc::new(PlayerUpcaster));
    let Outcome::Upcast(pages) = component.answer(&stimulus).unwrap() else {
        panic!("pages are expected");
    };
    let [page] = pages.as_slice() else {
        panic!("one page is expected");
    };
    page.clone()
}

#[test]
fn an_old_registration_becomes_one_of_today() {
    let moment = Some(prost_types::Timestamp {
        seconds: 5,
        nanos: 6,
    });
    let old = PlayerRegisteredV1 {
        name: "Ann".into(),
        email: "ann@example.com".into(),
        registered_at: moment,
    };
    let newest = upcast("player", page(0, packed(&old)));
    assert_eq!(newest.sequence, 0);
    let registered: PlayerRegistered = read(newest.body.event().unwrap());
    let expected = PlayerRegistered {
        display_name: "Ann".into(),
        email: "ann@example.com".into(),
        player_type: PlayerType::Human.into(),
        ai_model_id: String::new(),
        registered_at: moment,
    };
    assert_eq!(registered, expected);
}

#[test]
fn pages_with_a_time_and_pages_of_others_stay_as_they_are() {
    let event = packed(&BuyInFailed::default());
    let dated = Page {
        created_at: Some(Timestamp {
            seconds: 1,
            nanos: 2,
        }),
        ..page(3, event.clone())
    };
    assert_eq!(upcast("player", dated.clone()), dated);
    let other = page(3, event);
    assert_eq!(upcast("table", other.clone()), other);
}
