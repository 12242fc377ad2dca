//! Saga and process manager: as recorded, and like their twins in Rust.

use angzarr_replay::internal::model::{
    Destinations, EventBook, Header, History, Modes, Outcome, Payload, Reaction, Root, Stimulus,
};
use prost::{Message, Name};
use serde_yaml::Value;
use test_support::books;

use super::compensation::refusal;
use super::{Peer, recorded};

impl Peer {
    /// A reaction without clocks: its own events, and all else as it is.
    fn reacted(&self, outcome: &Outcome) -> (Vec<(String, Value)>, Reaction) {
        let Outcome::Reacted(reaction) = outcome else {
            panic!("a reaction is expected: {outcome:?}");
        };
        let mut rest = reaction.clone();
        let books = std::mem::take(&mut rest.process_events);
        let mut own = Vec::new();
        for page in books.iter().flat_map(|book| &book.pages) {
            assert_eq!(page.header, Header::Absent);
            own.push(self.view(page.body.event().unwrap()));
        }
        (own, rest)
    }

    /// Demands that Python and Rust react alike, and tells how.
    fn assert_alike(&self, name: &str, stimulus: &Stimulus) -> Reaction {
        let python = self.ask_of(&format!("{name}-python"), stimulus);
        let rust = self.ask_of(name, stimulus);
        assert_eq!(self.reacted(&python), self.reacted(&rust));
        let Outcome::Reacted(reaction) = rust else {
            unreachable!("it was read as one before");
        };
        reaction
    }
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn recorded_reactions_are_the_same_on_the_python_peers() {
    let peer = Peer::start();
    for n in [34, 54, 74] {
        let (stimulus, outcome) = recorded(n);
        assert_eq!(
            peer.ask_of("hand-player-python", &stimulus),
            outcome,
            "call {n}"
        );
    }
    let (stimulus, outcome) = recorded(116);
    assert_eq!(peer.ask_of("buy-in-python", &stimulus), outcome);
    for n in [117, 118] {
        let (stimulus, outcome) = recorded(n);
        let answer = peer.ask_of("buy-in-python", &stimulus);
        assert_eq!(peer.reacted(&answer), peer.reacted(&outcome), "call {n}");
    }
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn a_winner_of_several_pots_is_paid_alike_by_the_python_saga() {
    use poker::messages::{HandComplete, PotWinner};
    let peer = Peer::start();
    let (Stimulus::Saga { source, .. }, _) = recorded(34) else {
        panic!("call 34 asks a saga");
    };
    let pot = |player, amount| PotWinner {
        player_root: vec![player; 16],
        amount,
        ..PotWinner::default()
    };
    let hand = |winners| {
        packed(&HandComplete {
            winners,
            ..HandComplete::default()
        })
    };
    let source = with_events(&source, vec![hand(vec![pot(2, 30), pot(1, 20), pot(2, 5)])]);
    for destinations in [
        Destinations::new(),
        [("player".to_owned(), 0)].into(),
        [("player".to_owned(), 9)].into(),
    ] {
        let source = source.clone();
        let stimulus = Stimulus::Saga {
            source,
            destinations,
            modes: Modes::default(),
        };
        assert_eq!(
            peer.assert_alike("hand-player", &stimulus).commands.len(),
            2
        );
    }
    let stimulus = Stimulus::Saga {
        source: with_events(&source, vec![hand(Vec::new())]),
        destinations: Destinations::new(),
        modes: Modes::default(),
    };
    assert_eq!(
        peer.assert_alike("hand-player", &stimulus),
        Reaction::default()
    );
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn every_step_of_a_buy_in_is_taken_alike_by_the_python_process_manager() {
    use poker::messages::{BuyInCompleted, BuyInFailed, PlayerSeated, SeatingRejected};
    let peer = Peer::start();
    let (Stimulus::ProcessManager { trigger, state, .. }, _) = recorded(118) else {
        panic!("call 118 asks a process manager");
    };
    let begun = state.history.pages()[0].body.event().unwrap().clone();
    let seated = packed(&PlayerSeated {
        seat_position: 4,
        stack: 500,
        ..PlayerSeated::default()
    });
    let rejected = packed(&SeatingRejected::default());
    let refused = || refusal("examples.SeatPlayer", Root::new([1; 16]));
    let completed = packed(&BuyInCompleted::default());
    let failed = packed(&BuyInFailed::default());
    for (event, before, commands) in [
        (seated.clone(), vec![begun.clone()], 1),
        (rejected.clone(), vec![begun.clone()], 1),
        (refused(), vec![begun.clone()], 1),
        (
            refusal("examples.JoinTable", Root::new([1; 16])),
            vec![begun.clone()],
            0,
        ),
        (seated, vec![begun.clone(), failed], 0),
        (rejected, vec![begun.clone(), completed], 0),
        (refused(), Vec::new(), 0),
        (begun.clone(), vec![begun], 0),
    ] {
        let stimulus = Stimulus::ProcessManager {
            trigger: with_events(&trigger, vec![event]),
            state: with_events(&state, before),
            destinations: Destinations::new(),
        };
        let reaction = peer.assert_alike("buy-in", &stimulus);
        assert_eq!(reaction.commands.len(), commands);
        assert_eq!(reaction.process_events.len(), commands);
    }
}

/// A stream with other events.
fn with_events(book: &EventBook, events: Vec<Payload>) -> EventBook {
    let pages = (0..)
        .zip(events)
        .map(|(sequence, event)| books::event(sequence, event));
    EventBook {
        history: History::new(pages.collect()).unwrap(),
        ..book.clone()
    }
}

fn packed<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}
