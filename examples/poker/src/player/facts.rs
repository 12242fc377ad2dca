//! Facts: money that arrived elsewhere. The player cannot refuse it.

use angzarr_replay::logic::{Body, EmittedBook, EmittedPage, EventBook, Failure, Header};

use super::Player;
use crate::aggregate::{Aggregate, decode, encode};
use crate::messages::FundsDeposited;
use crate::rules::sum;

/// The events to store for facts, one for each. A deposit gets its new balance.
pub(super) fn events_for(facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
    let mut state = Player::state(prior.snapshot.as_ref(), prior.history.pages())?;
    let mut pages = Vec::with_capacity(facts.pages.len());
    for (sequence, fact) in (prior.next_sequence..).zip(&facts.pages) {
        let event = fact
            .body
            .event()
            .filter(|event| event.type_name() == "examples.FundsDeposited");
        let event = event.ok_or_else(|| unknown_fact(&fact.body))?;
        let deposit: FundsDeposited = decode(event)?;
        let amount = deposit.amount.clone().unwrap_or_default();
        let balance = sum(state.balance(), amount.amount)?;
        let event = encode(&FundsDeposited {
            new_balance: Some(state.money(balance, &amount)),
            ..deposit
        });
        Player::apply(&mut state, &event)?;
        pages.push(EmittedPage {
            header: Header::Sequence(sequence),
            body: Body::Event(event),
            ..fact.clone()
        });
    }
    Ok(EmittedBook {
        cover: facts.cover.clone(),
        pages,
        ..EmittedBook::default()
    })
}

fn unknown_fact(body: &Body) -> Failure {
    let type_url = body.event().map_or("", |event| &*event.type_url);
    Failure::refused(format!("Unknown fact type: {type_url}"))
}
