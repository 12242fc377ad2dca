//! Cases to replay: players with 20 events each or more, saved as fixtures with their snapshots.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use angzarr_replay::App;
use angzarr_replay::internal::fixture::{Fixture, render};
use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, CommandBook, CommandPage, ComponentKind, Cover, Domain, EmittedBook,
    EventBook, Failure, HeadKnowledge, Header, History, Logic, MergeStrategy, Observed, Page,
    Payload, Provenance, Reply, Root, Status, Timestamp,
};
use angzarr_replay::internal::project::{
    LogicChoice, Project, ReadyLogic, ReplayOptions, SelectedLogic,
};
use angzarr_replay::internal::replay::InProcess;
use angzarr_replay::internal::snapshot::stored;
use angzarr_replay::internal::wire::Dialect;
use poker::Player;
use poker::messages::{Currency, DepositFunds, RegisterPlayer, ReserveFunds, WithdrawFunds};
use prost::{Message, Name};

/// Events of a usual case.
pub(crate) const EVENTS: u32 = 20;

/// Cases in a folder.
pub(crate) const FOLDER: usize = 100;

const TIME: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 123_456_000,
};

/// The demo's player, without its other logic.
pub(crate) fn app() -> App {
    App::new().logic("player", Player::default())
}

/// The folder with the configuration of the benchmarks.
pub(crate) fn benches() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches")
}

/// Saves `count` closed cases of so many events, with their snapshots, into the project's folder.
pub(crate) fn save(project: &Project, count: usize, events: u32) -> Result<(), Box<dyn Error>> {
    let player = InProcess::new(Arc::new(Player::default()), Dialect::ANGZARR, false);
    let domain = Domain::new("player")?;
    let selected = SelectedLogic::at_address("in process", ComponentKind::Aggregate, &domain);
    let logic = Arc::new(ReadyLogic::new(selected, Box::new(player)));
    let options = ReplayOptions {
        logic: LogicChoice::Ready(&logic),
        ..ReplayOptions::default()
    };
    for number in 0..count {
        let case = case(number, events)?;
        let rendered = render(&case, project.registry()?)?;
        let name = format!("player/{:03}/case-{number:05}.yaml", number / FOLDER);
        project.folder().save(&rendered, Path::new(&name), false)?;
        let path = project.folder().root().join(&name);
        let fixture: Fixture = project.folder().read(&path)?;
        let run = project.replay(&fixture, &options)?;
        stored::accept(&path, &run.text().unwrap_or_default())?;
    }
    Ok(())
}

fn case(number: usize, events: u32) -> Result<Case, Box<dyn Error>> {
    let logic = Player::new(|| TIME);
    let mut root = [7; 16];
    root[8..].copy_from_slice(&(number as u64).to_be_bytes());
    let cover = Cover::main(Domain::new("player")?, Root::new(root));
    let mut pages: Vec<Page> = Vec::new();
    for sequence in 0..events {
        // The logic folds the whole history for each command, so a longer one repeats its beginning.
        if sequence >= EVENTS {
            let again = 1 + (sequence - EVENTS) % (EVENTS - 1);
            let body = pages[usize::try_from(again)?].body.clone();
            pages.push(page(sequence, body));
            continue;
        }
        let command = past_command(number, sequence);
        let emitted = handle(&logic, &cover, &pages, command, sequence)?
            .map_err(|failure| failure.message)?;
        let body = emitted.pages.into_iter().next().ok_or("no event")?.body;
        pages.push(page(sequence, body));
    }
    let command = failing_or_not(number);
    let observed = match handle(&logic, &cover, &pages, command.clone(), events)? {
        Ok(emitted) => Observed::accepted(emitted.pages.into_iter().map(|page| page.body)),
        Err(failure) => Observed::Rejected(failure),
    };
    Ok(Case {
        status: Status::Closed,
        title: format!("Case {number} of the benchmark"),
        issue: None,
        source: Provenance {
            revision: None,
            name: "benchmark".to_owned(),
            dialect: Dialect::ANGZARR.name().to_owned(),
            captured_at: TIME,
            head: HeadKnowledge::Given,
            from_store: false,
        },
        logic: None,
        probe: None,
        stimulus: CaseStimulus::Command(book(&cover, command, events)),
        cover,
        snapshot: None,
        history: History::new(pages)?,
        observed: Some(observed),
        noted: None,
        rules: Vec::new(),
        redacted: Vec::new(),
    })
}

fn handle(
    logic: &Player,
    cover: &Cover,
    pages: &[Page],
    command: Payload,
    head: u32,
) -> Result<Result<EmittedBook, Failure>, Box<dyn Error>> {
    let prior = EventBook {
        cover: cover.clone(),
        snapshot: None,
        history: History::new(pages.to_vec())?,
        next_sequence: head,
    };
    match logic.handle(&prior, &book(cover, command, head)) {
        Ok(Reply::Events(book)) => Ok(Ok(book)),
        Ok(_) => Err("the player only answers with events".into()),
        Err(failure) => Ok(Err(failure)),
    }
}

fn page(sequence: u32, body: Body) -> Page {
    Page {
        sequence,
        created_at: Some(TIME),
        body,
        provisional: false,
        cascade_id: None,
        original: None,
    }
}

fn book(cover: &Cover, command: Payload, head: u32) -> CommandBook {
    CommandBook {
        cover: cover.clone(),
        pages: vec![CommandPage {
            header: Header::Sequence(head),
            sync_mode: None,
            merge_strategy: MergeStrategy::Commutative,
            command: Some(command),
            external: None,
        }],
        original: None,
    }
}

/// A registration, then deposits, reservations and withdrawals by turns.
fn past_command(number: usize, sequence: u32) -> Payload {
    let varied = i64::try_from(number % 7).unwrap_or_default();
    let amount = Some(chips(100 + i64::from(sequence) * 10 + varied));
    match (sequence, sequence % 4) {
        (0, _) => payload(&RegisterPlayer {
            display_name: format!("Player {number}"),
            email: format!("player{number}@example.com"),
            player_type: 1,
            ai_model_id: String::new(),
        }),
        (_, 1 | 2) => payload(&DepositFunds { amount }),
        (_, 3) => payload(&ReserveFunds {
            amount: Some(chips(20)),
            table_root: vec![u8::try_from(sequence).unwrap_or(u8::MAX); 16],
        }),
        _ => payload(&WithdrawFunds {
            amount: Some(chips(50)),
        }),
    }
}

/// The command of the case. One in ten is rejected.
fn failing_or_not(number: usize) -> Payload {
    match number % 10 {
        0 => payload(&WithdrawFunds {
            amount: Some(chips(1_000_000)),
        }),
        1..=5 => payload(&WithdrawFunds {
            amount: Some(chips(75)),
        }),
        _ => payload(&DepositFunds {
            amount: Some(chips(75)),
        }),
    }
}

fn chips(amount: i64) -> Currency {
    Currency {
        amount,
        currency_code: "CHIPS".to_owned(),
    }
}

fn payload<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}
