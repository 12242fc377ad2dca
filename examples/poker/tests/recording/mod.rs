//! The recorded calls as model values, as far as the player and the table have to do with them.
//!
//! The outer messages are read by a few structs of its own, so that a defect of the wire layer cannot hide one of
//! the logic.

use std::path::Path;

use angzarr_replay::model::{
    Body, CommandBook, CommandPage, Cover, Domain, Edition, EventBook, Header, History,
    MergeStrategy, Page, Payload, Root,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

/// One line of the recording.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Call {
    pub(crate) n: u32,
    pub(crate) role: String,
    pub(crate) server: String,
    pub(crate) path: String,
    request: String,
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    response: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Uuid {
    #[prost(bytes = "vec", tag = "1")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct WireCover {
    #[prost(message, optional, tag = "1")]
    root: Option<Uuid>,
    #[prost(string, tag = "2")]
    domain: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireHeader {
    #[prost(uint32, tag = "1")]
    sequence: u32,
}

/// An `EventPage` and a `CommandPage` alike: both have their payload in field 3.
#[derive(Clone, PartialEq, Message)]
struct WirePage {
    #[prost(message, optional, tag = "1")]
    header: Option<WireHeader>,
    #[prost(message, optional, tag = "3")]
    payload: Option<prost_types::Any>,
}

#[derive(Clone, PartialEq, Message)]
struct WireEvents {
    #[prost(message, optional, tag = "1")]
    cover: Option<WireCover>,
    #[prost(message, repeated, tag = "3")]
    pages: Vec<WirePage>,
    #[prost(uint32, tag = "6")]
    next_sequence: u32,
}

#[derive(Clone, PartialEq, Message)]
struct WireCommands {
    #[prost(message, optional, tag = "1")]
    cover: Option<WireCover>,
    #[prost(message, repeated, tag = "2")]
    pages: Vec<WirePage>,
}

/// `CommandRequest` and the speculative request alike: the command is field 1.
#[derive(Clone, PartialEq, Message)]
struct WireRequest {
    #[prost(message, optional, tag = "1")]
    command: Option<WireCommands>,
}

#[derive(Clone, PartialEq, Message)]
struct WireContextual {
    #[prost(message, optional, tag = "1")]
    events: Option<WireEvents>,
    #[prost(message, optional, tag = "2")]
    command: Option<WireCommands>,
}

/// `CommandResponse` and `BusinessResponse` alike: the events are field 1.
#[derive(Clone, PartialEq, Message)]
struct WireResponse {
    #[prost(message, optional, tag = "1")]
    events: Option<WireEvents>,
}

/// The whole recording.
pub(crate) fn calls() -> Vec<Call> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/calls.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

impl Call {
    /// Last part of the path.
    pub(crate) fn method(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// The command of a call to a coordinator.
    pub(crate) fn command(&self) -> CommandBook {
        let request = WireRequest::decode(bytes(&self.request).as_slice()).unwrap();
        command_book(request.command.unwrap())
    }

    /// History and command of a call to client logic.
    pub(crate) fn contextual(&self) -> (EventBook, CommandBook) {
        let request = WireContextual::decode(bytes(&self.request).as_slice()).unwrap();
        let events = request.events.unwrap();
        let pages = events.pages.into_iter().map(page).collect();
        let prior = book(cover(events.cover), pages);
        assert_eq!(prior.next_sequence, events.next_sequence);
        (prior, command_book(request.command.unwrap()))
    }

    /// The events of the reply: sequence and payload.
    pub(crate) fn events(&self) -> Vec<(u32, Payload)> {
        let reply =
            WireResponse::decode(bytes(self.response.as_ref().unwrap()).as_slice()).unwrap();
        let pages = reply.events.unwrap_or_default().pages;
        pages
            .into_iter()
            .map(|page| {
                (
                    page.header.unwrap().sequence,
                    payload(page.payload.unwrap()),
                )
            })
            .collect()
    }
}

/// A stored page.
pub(crate) fn stored(sequence: u32, event: Payload) -> Page {
    Page {
        sequence,
        created_at: None,
        body: Body::Event(event),
        provisional: false,
        cascade_id: None,
        original: None,
    }
}

/// A history as logic is shown it.
pub(crate) fn book(cover: Cover, pages: Vec<Page>) -> EventBook {
    let history = History::new(pages).unwrap();
    let next_sequence = history.next_sequence();
    EventBook {
        cover,
        snapshot: None,
        history,
        next_sequence,
    }
}

/// A book of one command.
pub(crate) fn command(cover: Cover, sequence: u32, command: Payload) -> CommandBook {
    let page = CommandPage {
        header: Header::Sequence(sequence),
        sync_mode: None,
        merge_strategy: MergeStrategy::Strict,
        command: Some(command),
        external: None,
    };
    CommandBook {
        cover,
        pages: vec![page],
        original: None,
    }
}

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn payload(any: prost_types::Any) -> Payload {
    Payload {
        type_url: any.type_url,
        value: any.value,
    }
}

fn cover(cover: Option<WireCover>) -> Cover {
    let WireCover { root, domain } = cover.unwrap();
    let root = Root::from_slice(&root.unwrap().value).unwrap();
    Cover {
        edition: Edition::Main,
        ..Cover::main(Domain::new(domain).unwrap(), root)
    }
}

fn page(page: WirePage) -> Page {
    stored(
        page.header.unwrap().sequence,
        payload(page.payload.unwrap()),
    )
}

fn command_book(book: WireCommands) -> CommandBook {
    let pages = book.pages.into_iter().map(|page| CommandPage {
        header: Header::Sequence(page.header.unwrap().sequence),
        sync_mode: None,
        merge_strategy: MergeStrategy::Strict,
        command: Some(payload(page.payload.unwrap())),
        external: None,
    });
    CommandBook {
        cover: cover(book.cover),
        pages: pages.collect(),
        original: None,
    }
}
