//! What sagas and process managers have in common: they iterate over events and address commands.

use angzarr_replay::logic::{CommandPage, Cover, Domain, EmittedCommand, EventBook, Payload, Root};

/// The events of a book, in order. The book does not say which are new, so all of them count.
pub(crate) fn events(book: &EventBook) -> impl Iterator<Item = &Payload> {
    let pages = book.history.pages();
    pages.iter().filter_map(|page| page.body.event())
}

/// A domain from a constant name.
pub(crate) fn domain(name: &str) -> Domain {
    Domain::new(name).expect("the names are constants")
}

/// A command for an aggregate. An invalid root leaves it without an addressee.
pub(crate) fn command(to: &str, root: &[u8], command: Payload) -> EmittedCommand {
    let root = Root::from_slice(root).ok();
    EmittedCommand {
        cover: root.map(|root| Cover::main(domain(to), root)),
        pages: vec![CommandPage::new(command)],
    }
}
