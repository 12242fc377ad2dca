//! What failed in the recording on its own defect.

use std::sync::Arc;

use super::assert_answers;
use crate::recording::{call, calls};
use angzarr_replay::internal::model::{
    Component, Destinations, EventBook, Failure, Projection, Projector, Reaction, Saga,
};

/// A component that fails as the recorded one did.
struct Fails(Failure);

impl Saga for Fails {
    fn react(&self, _: &EventBook, _: &Destinations) -> Result<Reaction, Failure> {
        Err(self.0.clone())
    }
}

impl Projector for Fails {
    fn project(&self, _: &EventBook, _: bool) -> Result<Projection, Failure> {
        Err(self.0.clone())
    }
}

#[test]
fn recorded_defects_are_told_with_the_handlers_words() {
    let classes = calls()
        .into_iter()
        .filter(|call| matches!(call.role.as_str(), "saga" | "projector") && call.code != "OK");
    let mut seen = Vec::new();
    for call in classes {
        let outcome = call.outcome();
        seen.push((call.n, outcome.word()));
        let component = if call.role == "saga" {
            Component::Saga(Arc::new(Fails(call.failure())))
        } else {
            Component::Projector(Arc::new(Fails(call.failure())))
        };
        assert_answers(&component, &call.stimulus(), &outcome);
        assert_eq!(
            outcome.failure().map(|failure| &failure.message),
            call.message.as_ref()
        );
    }
    let (crashed, missing) = ("crashed", "unimplemented");
    assert_eq!(
        seen,
        [
            (20, crashed),
            (35, missing),
            (36, crashed),
            (40, crashed),
            (55, missing),
            (56, crashed),
            (60, crashed),
            (75, missing),
            (76, crashed),
            (115, crashed),
        ]
    );
    let words = |n: u32| call(n).message.unwrap();
    assert!(words(20).ends_with("'Destinations' object is not subscriptable"));
    assert!(words(36).ends_with("Protocol message EventPage has no \"sequence\" field."));
    assert!(words(115).ends_with("'Destinations' object is not iterable"));
}
