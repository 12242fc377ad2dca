//! Rejections as they come back: the notification that tells of a command that a reaction sent in vain.

use bytes::Bytes;
use prost::Message;

use super::messages as pb;
use super::{Dialect, encode};
use crate::model::{CommandBook, Cover, Failure, Payload};

/// The payload that a coordinator delivers to whoever caused a command that was refused: a `Notification` to
/// `told`, which holds a `RejectionNotification` with the command and the reason.
///
/// `sent_at` is left out: there is no clock here, and what is not said differs from no run to the next. The code is
/// the one that the logic attached; the dialects before the newest have none.
#[must_use]
pub fn rejection_notification(
    told: &Cover,
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
        cover: Some(encode::cover(told)),
        payload: Some(pb::Any {
            type_url: dialect.framework_type_url("RejectionNotification"),
            value: Bytes::from(rejection.encode_to_vec()),
        }),
        ..pb::Notification::default()
    };
    Payload {
        type_url: dialect.framework_type_url("Notification"),
        value: notification.encode_to_vec(),
    }
}
