//! Covers, pages and books with as little in them as they can have; a test changes what it is about.

use angzarr_replay::internal::coordinator::SeedBook;
use angzarr_replay::internal::model::{
    Body, CommandBook, CommandPage, Cover, Domain, EventBook, Header, History, MergeStrategy, Page,
    Payload, Root, Snapshot,
};

/// Domain of a name that is known to be valid.
#[must_use]
pub fn domain(name: &str) -> Domain {
    Domain::new(name).unwrap()
}

/// The domain of most tests.
#[must_use]
pub fn player() -> Domain {
    domain("player")
}

/// Aggregate whose root is one byte, repeated.
#[must_use]
pub fn cover(domain_name: &str, root: u8) -> Cover {
    Cover::main(domain(domain_name), Root::new([root; 16]))
}

/// Page that has a sequence and a body, and nothing else.
#[must_use]
pub fn page(sequence: u32, body: Body) -> Page {
    Page {
        sequence,
        created_at: None,
        body,
        provisional: false,
        cascade_id: None,
        original: None,
    }
}

/// Page of an event.
#[must_use]
pub fn event(sequence: u32, payload: Payload) -> Page {
    page(sequence, Body::Event(payload))
}

/// Page of an event `test.Added`, which no descriptor describes.
#[must_use]
pub fn added(sequence: u32, value: impl Into<Vec<u8>>) -> Page {
    event(sequence, Payload::new("test.Added", value.into()))
}

/// History from the beginning, as logic is shown it.
#[must_use]
pub fn book(cover: Cover, pages: Vec<Page>) -> EventBook {
    EventBook::new(cover, None, History::new(pages).unwrap())
}

/// Stored state that a coordinator would put before the events behind it.
#[must_use]
pub fn snapshot(sequence: u32, state: Payload) -> Snapshot {
    Snapshot {
        sequence,
        state: Some(state),
        retention: angzarr_replay::internal::model::Retention::Persist,
        created_at: None,
        original: None,
    }
}

/// Book for the store of a coordinator.
#[must_use]
pub fn seed(cover: Cover, pages: Vec<Page>) -> SeedBook {
    SeedBook {
        cover,
        pages,
        snapshot: None,
    }
}

/// Page of a command that is strict about its sequence.
#[must_use]
pub fn command_page(header: Header, command: Payload) -> CommandPage {
    CommandPage {
        header,
        sync_mode: None,
        merge_strategy: MergeStrategy::Strict,
        command: Some(command),
        external: None,
    }
}

/// Book of one command.
#[must_use]
pub fn command(cover: Cover, page: CommandPage) -> CommandBook {
    CommandBook {
        cover,
        pages: vec![page],
        original: None,
    }
}
