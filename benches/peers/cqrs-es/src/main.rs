//! How many cases per second the test framework of `cqrs-es` replays: a file of JSON events, applied, and a command.
//!
//! Usage: `peer-cqrs-es EVENTS SECONDS`. Prints the cases per second on one thread.

use std::error::Error;
use std::time::{Duration, Instant};

use cqrs_es::event_sink::EventSink;
use cqrs_es::test::TestFramework;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Player {
    balance: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Event {
    FundsDeposited {
        amount: i64,
        new_balance: i64,
        currency: String,
        deposited_at: String,
    },
    FundsWithdrawn {
        amount: i64,
        new_balance: i64,
    },
}

enum Command {
    WithdrawFunds(i64),
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
struct Rejected(&'static str);

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::FundsDeposited { .. } => "FundsDeposited",
            Self::FundsWithdrawn { .. } => "FundsWithdrawn",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Player {
    const TYPE: &'static str = "player";
    type Command = Command;
    type Event = Event;
    type Error = Rejected;
    type Services = ();

    async fn handle(
        &mut self,
        Command::WithdrawFunds(amount): Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Rejected> {
        if self.balance < amount {
            return Err(Rejected("Insufficient funds"));
        }
        let new_balance = self.balance - amount;
        let event = Event::FundsWithdrawn {
            amount,
            new_balance,
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        let (Event::FundsDeposited { new_balance, .. } | Event::FundsWithdrawn { new_balance, .. }) =
            event;
        self.balance = new_balance;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || -> Result<i64, Box<dyn Error>> {
        Ok(arguments.next().ok_or("usage: EVENTS SECONDS")?.parse()?)
    };
    let (events, seconds) = (number()?, u64::try_from(number()?)?);
    let history: Vec<Event> = (1..=events)
        .map(|at| Event::FundsDeposited {
            amount: 100,
            new_balance: at * 100,
            currency: "USD".to_owned(),
            deposited_at: "2026-11-30T12:00:00Z".to_owned(),
        })
        .collect();
    let file = std::env::temp_dir().join(format!("peer-cqrs-es-{}.json", std::process::id()));
    std::fs::write(&file, serde_json::to_vec(&history)?)?;
    let expected = vec![Event::FundsWithdrawn {
        amount: 50,
        new_balance: events * 100 - 50,
    }];
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let began = Instant::now();
    let mut cases = 0_u32;
    while began.elapsed() < Duration::from_secs(seconds) {
        let history: Vec<Event> = serde_json::from_slice(&std::fs::read(&file)?)?;
        let given = TestFramework::<Player>::with(()).given(history);
        let validator = runtime.block_on(given.when_async(Command::WithdrawFunds(50)));
        validator.then_expect_events(expected.clone());
        cases += 1;
    }
    println!("{:.1}", f64::from(cases) / began.elapsed().as_secs_f64());
    std::fs::remove_file(&file)?;
    Ok(())
}
