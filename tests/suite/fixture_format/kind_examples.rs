//! One case of each kind beyond a command and a history, as the committed files of version 1 hold them.

use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, CommandBook, Cover, Destinations, Domain, EmittedBook,
    EmittedCommand, EmittedPage, EventBook, Failure, FlowCase, FlowStart, Header, History,
    HopOutcome, Modes, Notification, Observed, ObservedHop, Payload, ProcessCase, Projection,
    Reaction, Retention, Root, Snapshot, Trigger,
};

use crate::fixture_format::support::{
    NOON, command_page, page, payload, player, refused_withdrawal,
};

fn table() -> Cover {
    Cover::main(Domain::new("table").unwrap(), Root::new([0x11; 16]))
}

fn seating() -> EventBook {
    let cover = Cover::main(Domain::new("seating").unwrap(), Root::new([0x22; 16]));
    let first = page(0, Body::Event(payload("PlayerState", "{}")));
    EventBook::new(cover, None, History::new(vec![first]).unwrap())
}

fn deposited(amount: u32) -> Payload {
    payload(
        "FundsDeposited",
        &format!("{{amount: {{amount: {amount}}}}}"),
    )
}

const LAST: Trigger = Trigger {
    from: 1,
    with_history: false,
};

fn of(title: &str, logic: Option<&str>, stimulus: CaseStimulus, observed: Observed) -> Case {
    Case {
        title: title.to_owned(),
        logic: logic.map(str::to_owned),
        stimulus,
        observed: Some(observed),
        ..refused_withdrawal()
    }
}

fn emitted_command() -> EmittedCommand {
    let mut page = command_page(payload("WithdrawFunds", "{amount: {amount: 5}}"));
    page.header = Header::AngzarrDeferred {
        source: Some(Box::new(player())),
        source_sequence: 1,
        source_component: "seating".to_owned(),
        command_index: 0,
        basis_sequence: None,
    };
    EmittedCommand {
        cover: Some(table()),
        pages: vec![page],
    }
}

fn emitted_book(cover: Option<Cover>) -> EmittedBook {
    let stamped = EmittedPage {
        header: Header::ExternalDeferred {
            external_id: "bank-77".to_owned(),
            description: "a deposit at the cashier".to_owned(),
        },
        created_at: Some(NOON),
        ..EmittedPage::event(deposited(7))
    };
    EmittedBook {
        cover,
        snapshot: Some(Snapshot {
            sequence: 2,
            state: Some(payload("PlayerState", "{display_name: Bob}")),
            retention: Retention::Default,
            created_at: None,
            original: None,
        }),
        pages: vec![stamped],
        next_sequence: 3,
    }
}

fn reaction() -> Reaction {
    Reaction {
        process_events: vec![emitted_book(Some(seating().cover))],
        commands: vec![emitted_command()],
        facts: vec![emitted_book(Some(table()))],
        notification: Some(Notification {
            cover: Some(player()),
            payload: Some(deposited(1)),
            sent_at: Some(NOON),
            metadata: vec![("on".to_owned(), "no".to_owned())],
        }),
    }
}

fn saga() -> Case {
    let stimulus = CaseStimulus::Saga {
        trigger: Trigger {
            with_history: true,
            ..LAST
        },
        destinations: Destinations::from([("table".to_owned(), 3)]),
        modes: Modes::default(),
    };
    let reaction = Reaction {
        commands: vec![emitted_command()],
        ..Reaction::default()
    };
    of(
        "A deposit seats the player",
        Some("player-table"),
        stimulus,
        Observed::Reacted(reaction),
    )
}

fn process_case() -> ProcessCase {
    ProcessCase {
        trigger: LAST,
        destinations: Destinations::new(),
        state: seating(),
    }
}

fn flow() -> Case {
    let CaseStimulus::Command(command) = refused_withdrawal().stimulus else {
        unreachable!()
    };
    let hop = |cover: Cover, outcome| ObservedHop {
        domain: cover.domain,
        root: cover.root,
        outcome,
    };
    let hops = vec![
        hop(
            player(),
            HopOutcome::Events(vec![Body::Event(deposited(5))]),
        ),
        hop(
            table(),
            HopOutcome::Failed(Failure::rejected("Table is full")),
        ),
    ];
    let books = vec![EventBook {
        cover: table(),
        ..seating()
    }];
    let start = FlowStart::Command(command);
    of(
        "The table is full",
        None,
        CaseStimulus::Flow(FlowCase { start, books }),
        Observed::Flow(hops),
    )
}

fn compensation() -> Case {
    let rejected = Payload {
        type_url: "type.angzarr.io/angzarr.Notification".into(),
        value: vec![0x12, 0x00],
    };
    let book = CommandBook {
        cover: player(),
        pages: vec![command_page(rejected)],
        original: None,
    };
    of(
        "The funds are given back",
        None,
        CaseStimulus::Compensation(book),
        Observed::accepted(vec![Body::Event(deposited(9))]),
    )
}

/// The files with what they hold.
pub(crate) fn examples_of_kinds() -> Vec<(&'static str, Case)> {
    let projection = Projection {
        cover: Some(player()),
        projector: "balances".to_owned(),
        sequence: 1,
        payload: Some(payload("PlayerState", "{display_name: Bob}")),
    };
    let projector = CaseStimulus::Projector {
        trigger: LAST,
        is_harmless: true,
    };
    vec![
        ("saga", saga()),
        (
            "process-manager",
            of(
                "A seat is arranged",
                Some("seating"),
                CaseStimulus::ProcessManager(process_case()),
                Observed::Reacted(reaction()),
            ),
        ),
        (
            "projector",
            of(
                "The balance is shown",
                Some("balances"),
                projector,
                Observed::Projected(projection),
            ),
        ),
        (
            "upcaster",
            of(
                "Old deposits are read",
                None,
                CaseStimulus::Upcaster,
                Observed::Upcast(vec![
                    page(0, Body::Event(deposited(1))),
                    page(1, Body::Empty),
                ]),
            ),
        ),
        ("compensation", compensation()),
        (
            "process-compensation",
            of(
                "The seat is given up",
                Some("seating"),
                CaseStimulus::ProcessCompensation(process_case()),
                Observed::Notified,
            ),
        ),
        (
            "fact",
            of(
                "The cashier's deposit",
                None,
                CaseStimulus::Fact(emitted_book(Some(player()))),
                Observed::accepted(vec![Body::Event(deposited(7))]),
            ),
        ),
        ("flow", flow()),
    ]
}
