//! Creates a store for the local coordinator with a player who has a stored snapshot:
//! `cargo run -p poker --example snapshot_store -- FILE`, then `cargo xtask serve --dialect io.angzarr.v1 --store FILE`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::model::{
    Cover, Domain, Edition, Logic, Page, Payload, Retention, Root, Snapshot, Timestamp,
};
use angzarr_replay::internal::wire::Dialect;
use poker::Player;
use poker::messages::{Currency, FundsDeposited, PlayerRegistered};
use prost::{Message, Name};

const ROOT: Root = Root::new(*b"Dora plays poker");
const TIME: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: snapshot_store FILE");
        return ExitCode::from(2);
    };
    match make(Path::new(&file)) {
        Ok(()) => {
            println!("{file}: player {ROOT}, 12 events, a snapshot after sequence 9");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let stores = Stores::Shared(Arc::new(Store::open(file)?));
    let coordinator = LocalCoordinator::new(stores, Dialect::IO_ANGZARR_V1, Arc::new(|| TIME));
    coordinator.seed(&[book()?], TIME)?;
    Ok(())
}

/// A registration and eleven deposits of 100 chips, and the state after the first ten events.
fn book() -> Result<SeedBook, Box<dyn std::error::Error>> {
    let registered = PlayerRegistered {
        display_name: "Dora".into(),
        email: "dora@example.com".into(),
        player_type: 1,
        ..PlayerRegistered::default()
    };
    let mut pages = vec![page(0, &registered)];
    for sequence in 1..12 {
        let deposited = FundsDeposited {
            amount: Some(chips(100)),
            new_balance: Some(chips(100 * i64::from(sequence))),
            ..FundsDeposited::default()
        };
        pages.push(page(sequence, &deposited));
    }
    let state = Player::default()
        .fold(None, &pages[..10])
        .map_err(|failure| failure.message)?;
    let snapshot = Snapshot {
        retention: Retention::Persist,
        created_at: Some(TIME),
        ..Snapshot::new(9, state)
    };
    let cover = Cover {
        edition: Edition::Main,
        ..Cover::main(Domain::new("player")?, ROOT)
    };
    Ok(SeedBook {
        cover,
        pages,
        snapshot: Some(snapshot),
    })
}

fn chips(amount: i64) -> Currency {
    Currency {
        amount,
        currency_code: "CHIPS".into(),
    }
}

fn page<M: Message + Name>(sequence: u32, event: &M) -> Page {
    let event = Payload {
        type_url: format!("/{}", M::full_name()).into(),
        value: event.encode_to_vec(),
    };
    Page {
        created_at: Some(TIME),
        ..Page::event(sequence, event)
    }
}
