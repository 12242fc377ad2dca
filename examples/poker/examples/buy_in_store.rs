//! Creates a store for the local coordinator with a buy-in workflow, as in the recorded calls 117 and 118, and a player whose
//! first event has an old type: `cargo run -p poker --example buy_in_store -- FILE`, then `cargo xtask serve --store FILE`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::recording::Recording;
use angzarr_replay::internal::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::model::{
    Cover, Domain, EventBook, Page, Payload, Root, Stimulus, Timestamp,
};
use angzarr_replay::internal::wire::{Dialect, stimulus_of_request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poker::messages::legacy::PlayerRegisteredV1;
use poker::messages::{Currency, FundsDeposited};
use prost::{Message, Name};

const RECORDING: &str = include_str!("../recorded/calls.jsonl");
const OLD_PLAYER: Root = Root::new(*b"Erik played long");
const TIME: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: buy_in_store FILE");
        return ExitCode::from(2);
    };
    match make(Path::new(&file)) {
        Ok(()) => {
            println!(
                "{file}: the recorded histories, the workflow wf-buyin-1, and player {OLD_PLAYER}"
            );
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
    let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| TIME));
    let mut books = Recording::parse(RECORDING, Dialect::ANGZARR)?.stored;
    let (requested, _) = call(117)?;
    let (rejected, initiated) = call(118)?;
    books.extend([requested, initiated, rejected].map(seed));
    books.push(old_player()?);
    coordinator.seed(&books, TIME)?;
    Ok(())
}

/// Trigger and process state of a recorded call to the process manager.
fn call(number: u64) -> Result<(EventBook, EventBook), Box<dyn std::error::Error>> {
    for line in RECORDING.lines() {
        let call: serde_json::Value = serde_json::from_str(line)?;
        if call["n"] != number {
            continue;
        }
        let request = STANDARD.decode(call["request"].as_str().unwrap_or_default())?;
        let method = "ProcessManagerService/Handle";
        let stimulus = stimulus_of_request(method, request.into(), Dialect::ANGZARR);
        if let Some(Ok(Stimulus::ProcessManager { trigger, state, .. })) = stimulus {
            return Ok((trigger, state));
        }
    }
    Err(format!("the recording has no call {number} of a process manager").into())
}

/// A player who registered when players had no type.
fn old_player() -> Result<SeedBook, Box<dyn std::error::Error>> {
    let registered = PlayerRegisteredV1 {
        name: "Erik".into(),
        email: "erik@example.com".into(),
        ..PlayerRegisteredV1::default()
    };
    let deposited = FundsDeposited {
        amount: Some(chips(300)),
        new_balance: Some(chips(300)),
        ..FundsDeposited::default()
    };
    let events = [
        Payload::new(&PlayerRegisteredV1::full_name(), registered.encode_to_vec()),
        Payload::new(&FundsDeposited::full_name(), deposited.encode_to_vec()),
    ];
    let pages = (0..).zip(events).map(|(sequence, event)| Page {
        created_at: Some(TIME),
        ..Page::event(sequence, event)
    });
    Ok(SeedBook {
        cover: Cover::main(Domain::new("player")?, OLD_PLAYER),
        pages: pages.collect(),
        snapshot: None,
    })
}

fn chips(amount: i64) -> Currency {
    Currency {
        amount,
        currency_code: "CHIPS".into(),
    }
}

fn seed(book: EventBook) -> SeedBook {
    SeedBook {
        cover: book.cover,
        pages: book.history.into_pages(),
        snapshot: book.snapshot,
    }
}
