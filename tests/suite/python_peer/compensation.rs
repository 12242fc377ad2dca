//! What the player does when a command that its events led to was refused.

use angzarr_replay::internal::model::{
    CommandBook, CommandPage, Cover, EmittedBook, EventBook, Header, History, MergeStrategy,
    Outcome, Payload, Root, Stimulus,
};
use angzarr_replay::internal::wire::{self, Dialect};
use prost::Message;
use prost::bytes::Bytes;

use super::{Peer, asked, call, recorded};

/// The framework's word that a command to a root was refused.
pub(super) fn refusal(command: &str, root: Root) -> Payload {
    let payload = Payload::new(command, Vec::new());
    let cover = Cover::main("elsewhere".parse().unwrap(), root);
    let book = wire::encode_command_book(&book_of(payload, cover), Dialect::ANGZARR);
    let rejection = RejectionNotification {
        rejected_command: book,
        rejection_reason: "no".to_owned(),
    };
    let payload = Some(Any {
        type_url: "type.angzarr.io/angzarr.RejectionNotification".into(),
        value: rejection.encode_to_vec(),
    });
    Payload {
        type_url: "type.angzarr.io/angzarr.Notification".into(),
        value: Notification { payload }.encode_to_vec(),
    }
}

fn book_of(command: Payload, cover: Cover) -> CommandBook {
    CommandBook {
        cover,
        pages: vec![CommandPage {
            header: Header::Absent,
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(command),
            external: None,
        }],
        original: None,
    }
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Notification {
    #[prost(message, optional, tag = "2")]
    payload: Option<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct RejectionNotification {
    #[prost(bytes = "bytes", tag = "1")]
    rejected_command: Bytes,
    #[prost(string, tag = "2")]
    rejection_reason: String,
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn a_refused_seat_is_compensated_alike_by_the_python_player() {
    let peer = Peer::start();
    // Alice, who reserved money for the table.
    let (Stimulus::Upcast { pages, .. }, _) = recorded(114) else {
        panic!("call 114 asks an upcaster");
    };
    let history = History::new(pages.into_vec()).unwrap();
    let (like, _) = asked(&call(108));
    let prior = EventBook {
        next_sequence: history.next_sequence(),
        history,
        snapshot: None,
        ..like
    };
    let table: Root = "36f675cc-81e7-4ef5-a8e2-5d940ed90475".parse().unwrap();
    let answer = |name, told| {
        let command = book_of(told, prior.cover.clone());
        let prior = prior.clone();
        peer.ask_of(name, &Stimulus::Command { prior, command })
    };
    let alike = |told: Payload| {
        let (python, rust) = (
            answer("player-python", told.clone()),
            answer("player", told),
        );
        if let (Outcome::Accepted(python), Outcome::Accepted(rust)) = (&python, &rust) {
            let views = |book: &EmittedBook| {
                let pages = book.pages.iter();
                let pages =
                    pages.map(|page| (page.header.clone(), peer.view(page.body.event().unwrap())));
                pages.collect::<Vec<_>>()
            };
            assert_eq!(views(python), views(rust));
        } else {
            assert_eq!(python, rust);
        }
        rust
    };
    let Outcome::Accepted(released) = alike(refusal("examples.JoinTable", table)) else {
        panic!("the money is released");
    };
    assert_eq!(released.pages[0].header, Header::Sequence(3));
    let elsewhere = alike(refusal("examples.JoinTable", Root::new([1; 16])));
    assert_eq!(elsewhere, Outcome::Accepted(EmittedBook::default()));
    let unknown = alike(refusal("examples.PostBlind", table));
    assert_eq!(unknown.word(), "revoked");
}
