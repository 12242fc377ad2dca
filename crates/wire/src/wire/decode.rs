//! Decodes wire messages into the model. If encoding the decoded value again would give other bytes, the original bytes
//! are kept with it.

use bytes::Bytes;
use prost::Message;

use super::dialect::{self, Dialect};
use super::stored_page::usual_page;
use super::{encode, messages as pb};
use crate::model::{
    Body, CommandBook, CommandPage, Cover, Divergence, Domain, Edition, EmittedBook,
    EmittedCommand, EmittedPage, EventBook, Header, History, Notification, Page, Payload,
    PayloadReference, Revocation, Root, Snapshot, Timestamp, TypeUrls,
};

/// Bytes that do not decode as the expected message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct DecodeError {
    /// The message or the part of it, as in `page 3 of the event book`.
    pub what: String,
    /// What is wrong with it.
    pub reason: String,
}

impl DecodeError {
    /// An error in a recorded call.
    #[must_use]
    pub fn of(what: &str, reason: &str) -> Self {
        Self::new(what, reason)
    }

    pub fn new(what: impl Into<String>, reason: &(impl ToString + ?Sized)) -> Self {
        Self {
            what: what.into(),
            reason: reason.to_string(),
        }
    }
}

pub fn message<M: Message + Default>(what: &str, bytes: Bytes) -> Result<M, DecodeError> {
    M::decode(bytes)
        .map_err(|error| DecodeError::new(what, &format!("the bytes do not decode ({error})")))
}

/// An event book returned by a coordinator, which may omit the cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBook {
    /// The aggregate, if the reply names one.
    pub cover: Option<Cover>,
    /// Stored state, if the dialect returns it.
    pub snapshot: Option<Snapshot>,
    /// The pages.
    pub history: History,
    /// Last returned sequence plus one. In a partial reply this is not the head.
    pub next_sequence: u32,
}

/// Decodes an event book.
pub fn event_book(bytes: Bytes) -> Result<StoredBook, DecodeError> {
    let message: pb::EventBook = message("event book", bytes)?;
    let mut pages = Vec::with_capacity(message.pages.len());
    let mut type_urls = TypeUrls::default();
    for (position, bytes) in message.pages.into_iter().enumerate() {
        pages.push(page_with(&bytes, &mut type_urls).map_err(|error| {
            DecodeError::new(
                format!("page {position} of the event book"),
                &format!("{}: {}", error.what, error.reason),
            )
        })?);
    }
    Ok(StoredBook {
        cover: message.cover.map(cover).transpose()?,
        snapshot: message.snapshot.as_ref().map(snapshot).transpose()?,
        history: History::new(pages).map_err(|error| DecodeError::new("event book", &error))?,
        next_sequence: message.next_sequence,
    })
}

/// Decodes a stored page. Its bytes are kept if they contain more than this version knows.
pub fn page(bytes: &Bytes) -> Result<Page, DecodeError> {
    page_with(bytes, &mut TypeUrls::default())
}

/// Decodes one of several stored pages, which share their type URLs.
fn page_with(bytes: &Bytes, type_urls: &mut TypeUrls) -> Result<Page, DecodeError> {
    match usual_page(bytes, type_urls) {
        Some(page) => Ok(page),
        None => any_page(bytes),
    }
}

/// Decodes a stored page of any form.
pub(super) fn any_page(bytes: &Bytes) -> Result<Page, DecodeError> {
    let message: pb::EventPage = message("event page", bytes.clone())?;
    let Some(sequence) = header(message.header.clone())?.0.sequence() else {
        return Err(DecodeError::new(
            "event page",
            "its header is deferred; a stored page has a sequence",
        ));
    };
    let mut page = Page {
        sequence,
        created_at: message.created_at.map(timestamp),
        body: body(message.payload),
        provisional: message.no_commit,
        cascade_id: message.cascade_id.map(Box::new),
        original: None,
    };
    if encode::page_message(&page).encode_to_vec() != *bytes {
        page.original = Some(Box::new(bytes.to_vec()));
    }
    Ok(page)
}

/// Decodes a snapshot. Its bytes are kept if they contain more than this version knows.
pub fn snapshot(bytes: &Bytes) -> Result<Snapshot, DecodeError> {
    let message: pb::Snapshot = message("snapshot", bytes.clone())?;
    let mut snapshot = Snapshot {
        sequence: message.sequence,
        state: message.state.map(any),
        retention: dialect::retention(message.retention),
        created_at: message.created_at.map(timestamp),
        original: None,
    };
    if encode::snapshot_message(&snapshot).encode_to_vec() != *bytes {
        snapshot.original = Some(bytes.to_vec());
    }
    Ok(snapshot)
}

/// Decodes a command book. Its bytes are kept if they contain more than this version knows.
pub fn command_book(bytes: &Bytes, dialect: Dialect) -> Result<CommandBook, DecodeError> {
    let message: pb::CommandBook = message("command book", bytes.clone())?;
    let cover = message
        .cover
        .ok_or_else(|| DecodeError::new("command book", "it has no cover"))?;
    let mut pages = Vec::with_capacity(message.pages.len());
    for page in message.pages {
        pages.push(command_page(page, dialect)?);
    }
    let mut book = CommandBook {
        cover: self::cover(cover)?,
        pages,
        original: None,
    };
    if encode::command_message(&book, dialect).encode_to_vec() != *bytes {
        book.original = Some(bytes.to_vec());
    }
    Ok(book)
}

/// Decodes the bytes of a command book again, in another dialect.
///
/// # Errors
/// If the original encoding that the book keeps does not decode.
pub fn command_book_in(
    book: &CommandBook,
    from: Dialect,
    to: Dialect,
) -> Result<CommandBook, DecodeError> {
    if from == to {
        return Ok(book.clone());
    }
    command_book(&encode::encode_command_book(book, from), to)
}

/// Takes the command book's bytes out of an encoded `CommandRequest`.
pub fn command_book_of_request(bytes: Bytes) -> Result<Bytes, DecodeError> {
    let request: pb::CommandRequest = message("command request", bytes)?;
    request
        .command
        .ok_or_else(|| DecodeError::new("command request", "it has no command"))
}

fn command_page(page: pb::CommandPage, dialect: Dialect) -> Result<CommandPage, DecodeError> {
    let (header, sync_mode) = header(page.header)?;
    let (command, external) = match page.payload {
        Some(pb::command_page::Payload::Command(command)) => (Some(any(command)), None),
        Some(pb::command_page::Payload::External(reference)) => {
            (None, Some(payload_reference(reference)))
        }
        None => (None, None),
    };
    Ok(CommandPage {
        header,
        sync_mode: sync_mode.map(|number| dialect.sync_mode(number)),
        merge_strategy: dialect.merge_strategy(page.merge_strategy),
        command,
        external,
    })
}

/// Decodes a request to business logic: the prior event book and the command.
pub fn contextual_command(
    bytes: Bytes,
    dialect: Dialect,
) -> Result<(EventBook, CommandBook), DecodeError> {
    let message: pb::ContextualCommand = message("contextual command", bytes)?;
    let command = message
        .command
        .ok_or_else(|| DecodeError::new("contextual command", "it has no command"))?;
    let command = command_book(&command, dialect)?;
    let stored = event_book(message.events.unwrap_or_default())?;
    let cover = stored.cover.clone();
    let cover = cover.unwrap_or_else(|| command.cover.clone());
    Ok((with_cover(stored, cover), command))
}

/// The book as it is sent to client logic.
#[must_use]
pub fn with_cover(stored: StoredBook, cover: Cover) -> EventBook {
    EventBook {
        cover,
        snapshot: stored.snapshot,
        history: stored.history,
        next_sequence: stored.next_sequence,
    }
}

/// Decodes a command emitted by a saga or process manager.
pub fn emitted_command(
    book: pb::CommandBook,
    dialect: Dialect,
) -> Result<EmittedCommand, DecodeError> {
    let pages = book.pages.into_iter();
    Ok(EmittedCommand {
        cover: addressee(book.cover)?,
        pages: pages
            .map(|page| command_page(page, dialect))
            .collect::<Result<_, _>>()?,
    })
}

pub fn emitted_book(book: pb::EventBook) -> Result<EmittedBook, DecodeError> {
    let mut pages = Vec::with_capacity(book.pages.len());
    for (position, bytes) in book.pages.into_iter().enumerate() {
        let message: pb::EventPage = message(&format!("emitted page {position}"), bytes)?;
        pages.push(EmittedPage {
            header: header(message.header)?.0,
            created_at: message.created_at.map(timestamp),
            body: body(message.payload),
            provisional: message.no_commit,
        });
    }
    Ok(EmittedBook {
        cover: addressee(book.cover)?,
        snapshot: book.snapshot.as_ref().map(snapshot).transpose()?,
        pages,
        next_sequence: book.next_sequence,
    })
}

/// Decodes the addressee. A cover without a root counts as no addressee: client libraries leave such stubs.
pub fn addressee(stub: Option<pb::Cover>) -> Result<Option<Cover>, DecodeError> {
    stub.filter(|cover| cover.root.is_some())
        .map(cover)
        .transpose()
}

pub fn cover(cover: pb::Cover) -> Result<Cover, DecodeError> {
    let root = cover
        .root
        .ok_or_else(|| DecodeError::new("cover", "it has no root"))?;
    let edition = match cover.edition {
        None => Edition::Main,
        Some(edition) => self::edition(edition)?,
    };
    Ok(Cover {
        domain: Domain::new(cover.domain).map_err(|error| DecodeError::new("cover", &error))?,
        root: Root::from_slice(&root.value).map_err(|error| DecodeError::new("cover", &error))?,
        correlation_id: cover.correlation_id,
        edition,
        ext: cover.ext.map(any),
    })
}

fn edition(edition: pb::Edition) -> Result<Edition, DecodeError> {
    let refused = |error| DecodeError::new("edition", &error);
    Ok(match Edition::from_name(&edition.name).map_err(refused)? {
        Edition::Main => Edition::Main,
        Edition::Named { name, .. } => {
            let mut divergences = Vec::with_capacity(edition.divergences.len());
            for divergence in edition.divergences {
                let domain = Domain::new(divergence.domain).map_err(refused)?;
                divergences.push(Divergence {
                    domain,
                    sequence: divergence.sequence,
                });
            }
            Edition::Named { name, divergences }
        }
    })
}

fn header(header: Option<pb::PageHeader>) -> Result<(Header, Option<i32>), DecodeError> {
    use pb::page_header::SequenceType;
    let Some(header) = header else {
        return Ok((Header::Absent, None));
    };
    let place = match header.sequence_type {
        None => Header::Absent,
        Some(SequenceType::Sequence(sequence)) => Header::Sequence(sequence),
        Some(SequenceType::ExternalDeferred(deferred)) => Header::ExternalDeferred {
            external_id: deferred.external_id,
            description: deferred.description,
        },
        Some(SequenceType::AngzarrDeferred(deferred)) => Header::AngzarrDeferred {
            source: deferred.source.map(cover).transpose()?.map(Box::new),
            source_sequence: deferred.source_seq,
            source_component: deferred.source_component,
            command_index: deferred.command_index,
            basis_sequence: deferred.basis_seq,
        },
    };
    Ok((place, header.sync_mode))
}

fn body(payload: Option<pb::event_page::Payload>) -> Body {
    match payload {
        Some(pb::event_page::Payload::Event(event)) => Body::Event(any(event)),
        Some(pb::event_page::Payload::External(reference)) => {
            Body::External(Box::new(payload_reference(reference)))
        }
        None => Body::Empty,
    }
}

/// Decodes bytes as an `Any` with a well-formed type name and no unknown bytes; `None` if they are anything else.
#[must_use]
pub fn any_of_bytes(bytes: &[u8]) -> Option<Payload> {
    let decoded = pb::Any::decode(bytes).ok()?;
    let is_name = |name: &str| {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|c: char| c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        name.split('.').all(is_part)
    };
    let name = decoded.type_url.rsplit('/').next().unwrap_or_default();
    (is_name(name) && decoded.encoded_len() == bytes.len()).then(|| any(decoded))
}

pub fn any(any: pb::Any) -> Payload {
    Payload {
        type_url: any.type_url.into(),
        value: any.value.into(),
    }
}

#[must_use]
pub const fn timestamp(time: pb::Timestamp) -> Timestamp {
    Timestamp {
        seconds: time.seconds,
        nanos: time.nanos,
    }
}

fn payload_reference(reference: pb::PayloadReference) -> PayloadReference {
    PayloadReference {
        storage: dialect::storage(reference.storage_type),
        uri: reference.uri,
        content_hash: reference.content_hash.into(),
        original_size: reference.original_size,
        stored_at: reference.stored_at.map(timestamp),
    }
}

#[must_use]
pub fn revocation(revocation: pb::RevocationResponse) -> Revocation {
    Revocation {
        emit_system_revocation: revocation.emit_system_revocation,
        send_to_dead_letter_queue: revocation.send_to_dead_letter_queue,
        escalate: revocation.escalate,
        abort: revocation.abort,
        reason: revocation.reason,
    }
}

pub fn notification(notification: pb::Notification) -> Result<Notification, DecodeError> {
    let mut metadata: Vec<_> = notification.metadata.into_iter().collect();
    metadata.sort();
    Ok(Notification {
        cover: addressee(notification.cover)?,
        payload: notification.payload.map(any),
        sent_at: notification.sent_at.map(timestamp),
        metadata,
    })
}

/// Takes the event book out of an encoded reply to `HandleCommand`.
pub fn event_book_of_response(reply: Bytes) -> Result<StoredBook, DecodeError> {
    let reply: pb::CommandResponse = message("command response", reply)?;
    event_book(reply.events.unwrap_or_default().encode_to_vec().into())
}
