//! Mutants of the answers of sagas, process managers and projectors.

use super::Vary;
use super::change::{Change, list};
use super::{book, values};
use crate::model::{
    CommandPage, Cover, EmittedBook, EmittedCommand, MergeStrategy, Notification, Projection,
    Reaction, SyncMode,
};

pub(super) fn changes(
    reaction: &Reaction,
    own: Option<&Cover>,
    vary: Vary<'_>,
) -> Vec<Change<Reaction>> {
    let mut found = Vec::new();
    let own_events = |book: &EmittedBook| book::changes(book, own, vary);
    for change in list(&reaction.process_events, "own events", own_events) {
        found.push(change.map(|process_events| Reaction {
            process_events,
            ..reaction.clone()
        }));
    }
    for change in list(&reaction.commands, "command", |it| command(it, vary)) {
        found.push(change.map(|commands| Reaction {
            commands,
            ..reaction.clone()
        }));
    }
    let facts = |book: &EmittedBook| book::changes(book, None, vary);
    for change in list(&reaction.facts, "fact", facts) {
        found.push(change.map(|facts| Reaction {
            facts,
            ..reaction.clone()
        }));
    }
    let notifications = match &reaction.notification {
        None => vec![Change::new("more", Some(empty_notification()))],
        Some(notification) => {
            let changed = values::notification(notification, None, vary).into_iter();
            let changed = changed.map(|change| change.map(Some));
            std::iter::once(Change::new("left out", None))
                .chain(changed)
                .collect()
        }
    };
    for change in notifications {
        let change = change.of("notification");
        found.push(change.map(|notification| Reaction {
            notification,
            ..reaction.clone()
        }));
    }
    let mut push = |what, edit: &dyn Fn(&mut Reaction)| {
        let mut reaction = reaction.clone();
        edit(&mut reaction);
        found.push(Change::new(what, reaction));
    };
    push("a command more", &|reaction| {
        reaction.commands.push(EmittedCommand {
            cover: None,
            pages: Vec::new(),
        });
    });
    push("a fact more", &|reaction| {
        reaction.facts.push(EmittedBook::default());
    });
    push("own events more", &|reaction| {
        reaction.process_events.push(EmittedBook::default());
    });
    if *reaction != Reaction::default() {
        found.push(Change::new("an empty reply", Reaction::default()));
    }
    found
}

pub(super) fn empty_notification() -> Notification {
    Notification {
        cover: None,
        payload: None,
        sent_at: None,
        metadata: Vec::new(),
    }
}

fn command(command: &EmittedCommand, vary: Vary<'_>) -> Vec<Change<EmittedCommand>> {
    let mut found = Vec::new();
    for change in values::cover(command.cover.as_ref(), None) {
        found.push(change.map(|cover| EmittedCommand {
            cover,
            ..command.clone()
        }));
    }
    for change in list(&command.pages, "page", |page| command_page(page, vary)) {
        found.push(change.map(|pages| EmittedCommand {
            pages,
            ..command.clone()
        }));
    }
    found
}

fn command_page(page: &CommandPage, vary: Vary<'_>) -> Vec<Change<CommandPage>> {
    let mut found = Vec::new();
    for change in values::header(&page.header) {
        found.push(change.map(|header| CommandPage {
            header,
            ..page.clone()
        }));
    }
    if let Some(command) = &page.command {
        let changed = values::payload(command, vary).into_iter();
        let changed = changed.map(|change| change.map(Some));
        for change in std::iter::once(Change::new("no command any more", None)).chain(changed) {
            found.push(change.map(|command| CommandPage {
                command,
                ..page.clone()
            }));
        }
    }
    for merge_strategy in [
        MergeStrategy::Commutative,
        MergeStrategy::Strict,
        MergeStrategy::AggregateHandles,
        MergeStrategy::Manual,
        MergeStrategy::Unknown(9),
    ] {
        if merge_strategy != page.merge_strategy {
            let page = CommandPage {
                merge_strategy,
                ..page.clone()
            };
            found.push(Change::new("another merge strategy", page));
        }
    }
    for sync_mode in [
        None,
        Some(SyncMode::Async),
        Some(SyncMode::Simple),
        Some(SyncMode::Cascade),
        Some(SyncMode::Decision),
        Some(SyncMode::Isolated),
        Some(SyncMode::Unknown(9)),
    ] {
        if sync_mode != page.sync_mode {
            let page = CommandPage {
                sync_mode,
                ..page.clone()
            };
            found.push(Change::new("another sync mode", page));
        }
    }
    found
}

pub(super) fn projection(
    projection: &Projection,
    own: Option<&Cover>,
    vary: Vary<'_>,
) -> Vec<Change<Projection>> {
    let mut found = Vec::new();
    for change in values::cover(projection.cover.as_ref(), own) {
        found.push(change.map(|cover| Projection {
            cover,
            ..projection.clone()
        }));
    }
    let payloads = match &projection.payload {
        None => vec![Change::new("a projection more", Some(values::event()))],
        Some(payload) => {
            let changed = values::payload(payload, vary).into_iter();
            let changed = changed.map(|change| change.map(Some));
            std::iter::once(Change::new("no projection any more", None))
                .chain(changed)
                .collect()
        }
    };
    for change in payloads {
        found.push(change.map(|payload| Projection {
            payload,
            ..projection.clone()
        }));
    }
    let mut push = |what, edit: &dyn Fn(&mut Projection)| {
        let mut projection = projection.clone();
        edit(&mut projection);
        found.push(Change::new(what, projection));
    };
    push("another projector", &|it| it.projector.push('X'));
    push("another sequence", &|it| {
        it.sequence = it.sequence.wrapping_add(1);
    });
    if *projection != Projection::default() {
        found.push(Change::new("an empty reply", Projection::default()));
    }
    found
}
