//! The notification that tells the originator of a command that the command was rejected.

use bytes::Bytes;
use prost::Message;

use super::messages as pb;
use super::{Dialect, encode};
use crate::model::{CommandBook, Cover, Failure, Payload};

/// The payload that a coordinator delivers to the originator of a rejected command: a `Notification` to `addressee`
/// with a `RejectionNotification` of the command and the reason.
///
/// `sent_at` is left out, because there is no clock here and the payload has to be the same in every run. The code is
/// the one that the logic attached; only the newest dialect has it.
#[must_use]
pub fn rejection_notification(
    addressee: &Cover,
    rejected: &CommandBook,
    failure: &Failure,
    dialect: Dialect,
) -> Payload {
    let reason = failure
        .info
        .as_ref()
        .filter(|_| dialect.rules().rejection_code);
    let rejection = pb::RejectionNotification {
        rejected_command: Some(encode::encode_command_book(rejected, dialect)),
        rejection_reason: failure.message.clone(),
        code: reason.map_or_else(String::new, |info| info.reason.clone()),
    };
    let notification = pb::Notification {
        cover: Some(encode::cover(addressee)),
        payload: Some(pb::Any {
            type_url: dialect.framework_type_url("RejectionNotification"),
            value: Bytes::from(rejection.encode_to_vec()),
        }),
        ..pb::Notification::default()
    };
    Payload {
        type_url: dialect.framework_type_url("Notification").into(),
        value: notification.encode_to_vec(),
    }
}
