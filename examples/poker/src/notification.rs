//! The framework's notification that a command was refused, as far as the demo uses it.
//!
//! The name of the message differs between dialects, but the field numbers are the same.

use angzarr_replay::logic::{Failure, Payload};
use prost::Message;

/// A command that its addressee refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// Type name of the command; empty if the notification has none.
    pub(crate) command: String,
    /// Root of its addressee.
    pub(crate) root: Vec<u8>,
    /// The reason.
    pub(crate) reason: String,
}

/// Whether a payload is a notification of the framework, in any dialect and with any prefix.
pub(crate) fn is_notification(payload: &Payload) -> bool {
    is_called(payload, "Notification")
}

/// The rejection in a notification; none if the notification is about something else.
pub(crate) fn rejection(payload: &Payload) -> Result<Option<Rejection>, Failure> {
    let notification: wire::Notification = decode(payload)?;
    let Some(packed) = notification.payload else {
        return Ok(None);
    };
    let packed = Payload {
        type_url: packed.type_url.into(),
        value: packed.value,
    };
    if !is_called(&packed, "RejectionNotification") {
        return Ok(None);
    }
    let rejected: wire::RejectionNotification = decode(&packed)?;
    let book = rejected.rejected_command.unwrap_or_default();
    let root = book.cover.and_then(|cover| cover.root).unwrap_or_default();
    let command = book.pages.into_iter().next().and_then(|page| page.command);
    let command = command.map(|any| Payload {
        type_url: any.type_url.into(),
        value: any.value,
    });
    Ok(Some(Rejection {
        command: command.map_or_else(String::new, |command| command.type_name().to_owned()),
        root: root.value,
        reason: rejected.rejection_reason,
    }))
}

fn is_called(payload: &Payload, name: &str) -> bool {
    payload.type_name().rsplit('.').next() == Some(name)
}

fn decode<M: Message + Default>(payload: &Payload) -> Result<M, Failure> {
    M::decode(payload.value.as_slice()).map_err(|_| {
        let name = payload.type_name();
        Failure::crashed(format!(
            "Exception calling application: Error parsing message with type '{name}'"
        ))
    })
}

/// The framework's messages, with only the fields that are used here.
mod wire {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Notification {
        #[prost(message, optional, tag = "2")]
        pub(super) payload: Option<Any>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct RejectionNotification {
        #[prost(message, optional, tag = "1")]
        pub(super) rejected_command: Option<CommandBook>,
        #[prost(string, tag = "2")]
        pub(super) rejection_reason: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct CommandBook {
        #[prost(message, optional, tag = "1")]
        pub(super) cover: Option<Cover>,
        #[prost(message, repeated, tag = "2")]
        pub(super) pages: Vec<CommandPage>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Cover {
        #[prost(message, optional, tag = "1")]
        pub(super) root: Option<Root>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Root {
        #[prost(bytes = "vec", tag = "1")]
        pub(super) value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct CommandPage {
        #[prost(message, optional, tag = "3")]
        pub(super) command: Option<Any>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Any {
        #[prost(string, tag = "1")]
        pub(super) type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) value: Vec<u8>,
    }
}
