//! An upcaster before the logic, as a real coordinator has it when it is told to.

use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::model::{
    Body, Component, Domain, Failure, Header, Page, Payload, Root, Upcaster,
};
use angzarr_replay::internal::wire::{Dialect, event_book_of_response};

use super::logic::Scripted;
use super::support::*;

/// Marks every page that it is shown, and refuses a history that has one it cannot read.
pub(super) struct Marking;

impl Upcaster for Marking {
    fn upcast(&self, _: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure> {
        let upcast = pages.iter().map(|page| {
            let text = page.body.event().map_or(&[][..], |event| &event.value);
            if text == b"unreadable" {
                return Err(Failure::crashed("page is too old"));
            }
            let body = Body::Event(Payload::new("test.NoOp", text.to_vec()));
            Ok(Page {
                body,
                original: None,
                ..page.clone()
            })
        });
        upcast.collect()
    }
}

#[test]
fn an_upcaster_goes_before_the_logic() {
    for dialect in Dialect::all() {
        let store = Arc::new(Store::in_memory().unwrap());
        let stores = Stores::Shared(Arc::clone(&store));
        let coordinator = LocalCoordinator::new(stores, *dialect, Arc::new(|| NOW));
        let mut other = seed(cover(), vec![page(0, "unreadable")]);
        other.cover.root = Root::new([8; 16]);
        coordinator
            .seed(&[seed(cover(), pages(2)), other.clone()], SEEDED)
            .unwrap();
        let logic = Component::Aggregate(Arc::new(Scripted::default()));
        let upcaster = Component::Upcaster(Arc::new(Marking));
        let coordinator = coordinator
            .with_logic(player(), Backend::InProcess(logic))
            .with_upcaster(player(), Backend::InProcess(upcaster));
        let peer = serve(*dialect, coordinator, store);
        let expected = "main[0=placeholder 1=placeholder] next 2, command at Some(2) in ``";
        let speculated =
            peer.speculate(&command(cover(), "test.Seen", Header::Sequence(2)), Some(1));
        let book = event_book_of_response(speculated.unwrap().into()).unwrap();
        assert_eq!(texts(&book), [expected], "{dialect}");
        assert_eq!(texts(&peer.send("test.Seen", 2).unwrap()), [expected]);
        let unreadable = command(other.cover, "test.Seen", Header::Sequence(1));
        let error = peer.send_book(&unreadable).unwrap_err();
        assert_eq!(
            status(&error),
            ("INTERNAL", "Upcaster failed: page is too old".to_owned()),
            "{dialect}"
        );
        assert_eq!(
            texts(&peer.ask("", &range(0, 1)).unwrap()),
            ["main 0", "main 1"]
        );
    }
}
