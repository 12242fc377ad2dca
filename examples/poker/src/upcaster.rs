//! The upcaster `player-upcaster`: converts old events of players to their newest form.

use angzarr_replay::logic::{Body, Domain, Failure, Page, Payload, Timestamp, Upcaster};

use crate::aggregate::{decode, encode};
use crate::messages::legacy::PlayerRegisteredV1;
use crate::messages::{PlayerRegistered, PlayerType};

const EPOCH: Timestamp = Timestamp {
    seconds: 0,
    nanos: 0,
};

/// The upcaster of the domain `player`. Leaves pages of other domains unchanged.
///
/// A page without a time gets the epoch, as from the recorded upcaster.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlayerUpcaster;

impl Upcaster for PlayerUpcaster {
    fn upcast(&self, domain: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure> {
        if domain.as_str() != "player" {
            return Ok(pages.to_vec());
        }
        pages.iter().map(upcast).collect()
    }
}

fn upcast(page: &Page) -> Result<Page, Failure> {
    let newest = page.body.event().map(newest).transpose()?.flatten();
    if newest.is_none() && page.created_at.is_some() {
        return Ok(page.clone());
    }
    Ok(Page {
        created_at: page.created_at.or(Some(EPOCH)),
        body: newest.map_or_else(|| page.body.clone(), Body::Event),
        original: None,
        ..page.clone()
    })
}

/// The newest form of an event; none if the event is already in it.
fn newest(event: &Payload) -> Result<Option<Payload>, Failure> {
    if event.type_name() != "examples.legacy.PlayerRegisteredV1" {
        return Ok(None);
    }
    let old: PlayerRegisteredV1 = decode(event)?;
    Ok(Some(encode(&PlayerRegistered {
        display_name: old.name,
        email: old.email,
        player_type: PlayerType::Human.into(),
        ai_model_id: String::new(),
        registered_at: old.registered_at,
    })))
}
