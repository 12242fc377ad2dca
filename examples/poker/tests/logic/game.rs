//! A history that grows by the events of accepted commands.

use angzarr_replay::internal::model::{
    Body, CommandBook, CommandPage, Cover, Domain, EventBook, Failure, Header, History, Logic,
    MergeStrategy, Page, Payload, Reply, Retention, Root, Snapshot,
};
use prost::{Message, Name};

/// Root of the aggregate under test.
pub(crate) const ROOT: Root = Root::new([0x11; 16]);

/// One aggregate in the hands of its logic.
pub(crate) struct Game<L> {
    logic: L,
    domain: Domain,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) pages: Vec<Page>,
}

impl<L: Logic> Game<L> {
    pub(crate) fn new(logic: L, domain: &str) -> Self {
        Self {
            logic,
            domain: Domain::new(domain).unwrap(),
            snapshot: None,
            pages: Vec::new(),
        }
    }

    fn cover(&self) -> Cover {
        Cover::main(self.domain.clone(), ROOT)
    }

    /// The head, with or without pages before it.
    fn head(&self) -> u32 {
        let snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.sequence + 1);
        let page = self.pages.last().map(|page| page.sequence + 1);
        page.or(snapshot).unwrap_or(0)
    }

    /// Sends a command book as it is.
    pub(crate) fn send(&self, pages: Vec<CommandPage>) -> Result<Payload, Failure> {
        let prior = EventBook {
            cover: self.cover(),
            snapshot: self.snapshot.clone(),
            history: History::new(self.pages.clone()).unwrap(),
            next_sequence: self.head(),
        };
        let command = CommandBook {
            cover: self.cover(),
            pages,
            original: None,
        };
        let Reply::Events(book) = self.logic.handle(&prior, &command)? else {
            panic!("events are expected");
        };
        assert_eq!((book.pages.len(), &book.cover), (1, &None));
        assert_eq!(book.pages[0].header, Header::Sequence(self.head()));
        Ok(book.pages[0].body.event().unwrap().clone())
    }

    /// Tries a command.
    pub(crate) fn attempt<C: Message + Name>(&self, command: &C) -> Result<Payload, Failure> {
        let payload = Payload::new(&C::full_name(), command.encode_to_vec());
        self.send(vec![page(Some(payload))])
    }

    /// Has a command accepted and its event stored.
    pub(crate) fn play<C: Message + Name, E: Message + Name + Default>(
        &mut self,
        command: &C,
    ) -> E {
        let event = self.attempt(command).unwrap();
        assert_eq!(event.type_name(), E::full_name());
        let message = E::decode(event.value.as_slice()).unwrap();
        self.store(event);
        message
    }

    /// Why a command is rejected.
    pub(crate) fn rejection<C: Message + Name>(&self, command: &C) -> String {
        let failure = self.attempt(command).unwrap_err();
        assert_eq!(failure, Failure::rejected(failure.message.clone()));
        failure.message
    }

    /// Stores an event whatever the logic thinks of it.
    pub(crate) fn store(&mut self, event: Payload) {
        self.pages.push(Page {
            sequence: self.head(),
            created_at: None,
            body: Body::Event(event),
            provisional: false,
            cascade_id: None,
            original: None,
        });
    }

    /// The folded state as a payload.
    pub(crate) fn fold(&self) -> Result<Payload, Failure> {
        self.logic.fold(self.snapshot.as_ref(), &self.pages)
    }

    /// The folded state.
    pub(crate) fn state<S: Message + Name + Default>(&self) -> S {
        let payload = self.fold().unwrap();
        assert_eq!(payload.type_name(), S::full_name());
        S::decode(payload.value.as_slice()).unwrap()
    }
}

/// A page of a command book.
pub(crate) fn page(command: Option<Payload>) -> CommandPage {
    CommandPage {
        header: Header::Sequence(0),
        sync_mode: None,
        merge_strategy: MergeStrategy::Strict,
        command,
        external: None,
    }
}

/// A stored state.
pub(crate) fn snapshot(sequence: u32, state: Payload) -> Snapshot {
    Snapshot {
        sequence,
        state: Some(state),
        retention: Retention::Default,
        created_at: None,
        original: None,
    }
}
