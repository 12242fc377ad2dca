//! What sagas and process managers do alike: walk the pages, address a command.

use angzarr_replay::logic::{CommandPage, Cover, Domain, EmittedCommand, EventBook, Payload, Root};

/// The events of a book in order. Which of them are new is not said; all of them count.
pub(crate) fn events(book: &EventBook) -> impl Iterator<Item = &Payload> {
    let pages = book.history.pages();
    pages.iter().filter_map(|page| page.body.event())
}

/// A domain that is written in this program.
pub(crate) fn domain(name: &str) -> Domain {
    Domain::new(name).expect("the names of domains are written here")
}

/// One command for an aggregate. A root that is none addresses nobody.
pub(crate) fn command(to: &str, root: &[u8], command: Payload) -> EmittedCommand {
    let root = Root::from_slice(root).ok();
    EmittedCommand {
        cover: root.map(|root| Cover::main(domain(to), root)),
        pages: vec![CommandPage::new(command)],
    }
}
