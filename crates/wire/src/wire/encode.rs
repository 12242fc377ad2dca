//! Encodes the model into wire messages.

use bytes::Bytes;
use prost::Message;

use super::dialect::{self, Dialect};
use super::messages as pb;
use super::stored_page::write_usual_page;
use crate::model::{
    Body, CommandBook, CommandPage, Cover, EmittedBook, EmittedCommand, EmittedPage, EventBook,
    Header, Notification, Page, Payload, PayloadReference, Revocation, Root, Snapshot, SyncMode,
    Timestamp,
};

/// Encodes a book as a coordinator sends it to client logic: with an explicit edition and the original bytes of pages.
#[must_use]
pub fn encode_event_book(book: &EventBook, dialect: Dialect) -> Bytes {
    let message = pb::EventBook {
        cover: Some(spelled_cover(&book.cover, dialect)),
        snapshot: book.snapshot.as_ref().map(encode_snapshot),
        pages: book.history.pages().iter().map(encode_page).collect(),
        next_sequence: book.next_sequence,
    };
    message.encode_to_vec().into()
}

/// Encodes a stored page, or returns its original encoding if it has one.
#[must_use]
pub fn encode_page(page: &Page) -> Bytes {
    match &page.original {
        Some(original) => Bytes::copy_from_slice(original),
        None => write_usual_page(page)
            .unwrap_or_else(|| page_message(page).encode_to_vec())
            .into(),
    }
}

pub fn page_message(page: &Page) -> pb::EventPage {
    pb::EventPage {
        header: header(&Header::Sequence(page.sequence), None, Dialect::ANGZARR),
        created_at: page.created_at.map(timestamp),
        payload: event_body(&page.body),
        no_commit: page.provisional,
        cascade_id: page.cascade_id.as_deref().cloned(),
    }
}

/// Encodes a snapshot, or returns its original encoding if it has one.
#[must_use]
pub fn encode_snapshot(snapshot: &Snapshot) -> Bytes {
    match &snapshot.original {
        Some(original) => Bytes::copy_from_slice(original),
        None => snapshot_message(snapshot).encode_to_vec().into(),
    }
}

pub fn snapshot_message(snapshot: &Snapshot) -> pb::Snapshot {
    pb::Snapshot {
        sequence: snapshot.sequence,
        state: snapshot.state.as_ref().map(any),
        retention: dialect::retention_number(snapshot.retention),
        created_at: snapshot.created_at.map(timestamp),
    }
}

/// Encodes a command book, or returns its original encoding if it has one.
#[must_use]
pub fn encode_command_book(book: &CommandBook, dialect: Dialect) -> Bytes {
    match &book.original {
        Some(original) => Bytes::copy_from_slice(original),
        None => command_message(book, dialect).encode_to_vec().into(),
    }
}

/// Encodes the request of `HandleCommand`.
#[must_use]
pub fn encode_command_request(book: &CommandBook, mode: SyncMode, dialect: Dialect) -> Bytes {
    let message = pb::CommandRequest {
        command: Some(encode_command_book(book, dialect)),
        sync_mode: dialect.sync_mode_number(mode),
        ..pb::CommandRequest::default()
    };
    message.encode_to_vec().into()
}

#[must_use]
pub fn command_message(book: &CommandBook, dialect: Dialect) -> pb::CommandBook {
    pb::CommandBook {
        cover: Some(cover(&book.cover)),
        pages: book
            .pages
            .iter()
            .map(|page| command_page(page, dialect))
            .collect(),
    }
}

/// Encodes a command emitted by a saga or process manager.
pub fn emitted_command(command: &EmittedCommand, dialect: Dialect) -> pb::CommandBook {
    pb::CommandBook {
        cover: command.cover.as_ref().map(cover),
        pages: command
            .pages
            .iter()
            .map(|page| command_page(page, dialect))
            .collect(),
    }
}

fn command_page(page: &CommandPage, dialect: Dialect) -> pb::CommandPage {
    let payload = match (&page.command, &page.external) {
        (Some(command), _) => Some(pb::command_page::Payload::Command(any(command))),
        (None, Some(reference)) => Some(pb::command_page::Payload::External(payload_reference(
            reference,
        ))),
        (None, None) => None,
    };
    pb::CommandPage {
        header: header(&page.header, page.sync_mode, dialect),
        merge_strategy: dialect.merge_strategy_number(page.merge_strategy),
        payload,
    }
}

pub fn emitted_book(book: &EmittedBook, dialect: Dialect) -> pb::EventBook {
    pb::EventBook {
        cover: book
            .cover
            .as_ref()
            .map(|cover| spelled_cover(cover, dialect)),
        snapshot: book.snapshot.as_ref().map(encode_snapshot),
        pages: book
            .pages
            .iter()
            .map(|page| emitted_page(page, dialect).encode_to_vec().into())
            .collect(),
        next_sequence: book.next_sequence,
    }
}

/// Encodes an emitted page for the store.
#[must_use]
pub fn encode_emitted_page(page: &EmittedPage, dialect: Dialect) -> Bytes {
    emitted_page(page, dialect).encode_to_vec().into()
}

fn emitted_page(page: &EmittedPage, dialect: Dialect) -> pb::EventPage {
    pb::EventPage {
        header: header(&page.header, None, dialect),
        created_at: page.created_at.map(timestamp),
        payload: event_body(&page.body),
        no_commit: page.provisional,
        cascade_id: None,
    }
}

fn event_body(body: &Body) -> Option<pb::event_page::Payload> {
    match body {
        Body::Event(payload) => Some(pb::event_page::Payload::Event(any(payload))),
        Body::External(reference) => Some(pb::event_page::Payload::External(payload_reference(
            reference,
        ))),
        Body::Empty => None,
    }
}

/// Encodes a cover as clients do: without an edition if it is main.
pub fn cover(cover: &Cover) -> pb::Cover {
    pb::Cover {
        root: Some(uuid(&cover.root)),
        domain: cover.domain.to_string(),
        correlation_id: cover.correlation_id.clone(),
        edition: match &cover.edition {
            crate::model::Edition::Main => None,
            crate::model::Edition::Named { name, divergences } => Some(pb::Edition {
                name: name.to_string(),
                divergences: divergences
                    .iter()
                    .map(|divergence| pb::DomainDivergence {
                        domain: divergence.domain.to_string(),
                        sequence: divergence.sequence,
                    })
                    .collect(),
            }),
        },
        ext: cover.ext.as_ref().map(any),
    }
}

/// Encodes a cover as coordinators do: with the name of the main edition.
#[must_use]
pub fn spelled_cover(model: &Cover, dialect: Dialect) -> pb::Cover {
    let mut message = cover(model);
    if model.edition.is_main() {
        message.edition = Some(pb::Edition {
            name: dialect.edition_name(&model.edition).to_owned(),
            divergences: Vec::new(),
        });
    }
    message
}

#[must_use]
pub fn uuid(root: &Root) -> pb::Uuid {
    pb::Uuid {
        value: Bytes::copy_from_slice(root.as_bytes()),
    }
}

#[must_use]
pub fn any(payload: &Payload) -> pb::Any {
    pb::Any {
        type_url: payload.type_url.to_string(),
        value: Bytes::copy_from_slice(&payload.value),
    }
}

#[must_use]
pub const fn timestamp(time: Timestamp) -> pb::Timestamp {
    pb::Timestamp {
        seconds: time.seconds,
        nanos: time.nanos,
    }
}

fn payload_reference(reference: &PayloadReference) -> pb::PayloadReference {
    pb::PayloadReference {
        storage_type: dialect::storage_number(reference.storage),
        uri: reference.uri.clone(),
        content_hash: Bytes::copy_from_slice(&reference.content_hash),
        original_size: reference.original_size,
        stored_at: reference.stored_at.map(timestamp),
    }
}

fn header(
    header: &Header,
    sync_mode: Option<SyncMode>,
    dialect: Dialect,
) -> Option<pb::PageHeader> {
    use pb::page_header::SequenceType;
    let sequence_type = match header {
        Header::Absent if sync_mode.is_none() => return None,
        Header::Absent => None,
        Header::Sequence(sequence) => Some(SequenceType::Sequence(*sequence)),
        Header::ExternalDeferred {
            external_id,
            description,
        } => Some(SequenceType::ExternalDeferred(
            pb::ExternalDeferredSequence {
                external_id: external_id.clone(),
                description: description.clone(),
            },
        )),
        Header::AngzarrDeferred {
            source,
            source_sequence,
            source_component,
            command_index,
            basis_sequence,
        } => {
            let mut deferred = pb::AngzarrDeferredSequence {
                source: source.as_deref().map(cover),
                source_seq: *source_sequence,
                basis_seq: *basis_sequence,
                ..pb::AngzarrDeferredSequence::default()
            };
            if dialect.rules().provenance_names_component {
                deferred.source_component.clone_from(source_component);
                deferred.command_index = *command_index;
            }
            Some(SequenceType::AngzarrDeferred(deferred))
        }
    };
    Some(pb::PageHeader {
        sequence_type,
        sync_mode: sync_mode.map(|mode| dialect.sync_mode_number(mode)),
    })
}

#[must_use]
pub fn revocation(revocation: &Revocation) -> pb::RevocationResponse {
    pb::RevocationResponse {
        emit_system_revocation: revocation.emit_system_revocation,
        send_to_dead_letter_queue: revocation.send_to_dead_letter_queue,
        escalate: revocation.escalate,
        abort: revocation.abort,
        reason: revocation.reason.clone(),
    }
}

pub fn notification(notification: &Notification) -> pb::Notification {
    pb::Notification {
        cover: notification.cover.as_ref().map(cover),
        payload: notification.payload.as_ref().map(any),
        sent_at: notification.sent_at.map(timestamp),
        metadata: notification.metadata.iter().cloned().collect(),
    }
}

/// Placeholder that a coordinator sends to client logic instead of a hidden page. For a provisional page it has the
/// sequence and the reason (observed with core 0.5.1). For the framework's own messages the reason is left out, because it
/// is not known what coordinators write there.
#[must_use]
pub fn placeholder(dialect: Dialect, page: &Page) -> Payload {
    let no_op = pb::NoOp {
        original_sequence: page.sequence,
        cascade_id: page.cascade_id.as_deref().cloned().unwrap_or_default(),
        reason: if page.provisional {
            "uncommitted".to_owned()
        } else {
            String::new()
        },
    };
    Payload {
        type_url: format!("type.angzarr.io/{}.NoOp", dialect.package()).into(),
        value: no_op.encode_to_vec(),
    }
}
