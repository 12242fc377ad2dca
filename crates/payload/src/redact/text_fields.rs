//! Text fields of Angzarr's own messages. They may repeat values from a command, as error messages do.

use crate::payload::FieldLocation;

const CORRELATION_ID: (&str, &str) = ("Cover", "correlation_id");

/// Message name without its package, and field name.
const TEXTS: [(&str, &str); 19] = [
    ("CascadeError", "error_message"),
    ("CascadeReactionError", "message"),
    ("CommandRequest", "cascade_id"),
    ("Compensate", "reason"),
    ("Confirmation", "cascade_id"),
    CORRELATION_ID,
    ("EventPage", "cascade_id"),
    ("ExternalDeferredSequence", "description"),
    ("ExternalDeferredSequence", "external_id"),
    ("NoOp", "cascade_id"),
    ("NoOp", "reason"),
    ("Notification", "metadata"),
    ("PayloadReference", "uri"),
    ("RejectionNotification", "rejection_reason"),
    ("Revocation", "cascade_id"),
    ("Revocation", "reason"),
    ("RevocationResponse", "reason"),
    ("SagaCompensationFailed", "compensation_failure_reason"),
    ("SagaCompensationFailed", "rejection_reason"),
];

/// Whether a field is one of these text fields.
pub(super) fn is_text_field(location: &FieldLocation<'_>) -> bool {
    is_one_of(location, &TEXTS)
}

/// Whether a field is the correlation id of a cover.
pub(super) fn is_correlation_id(location: &FieldLocation<'_>) -> bool {
    is_one_of(location, &[CORRELATION_ID])
}

fn is_one_of(location: &FieldLocation<'_>, fields: &[(&str, &str)]) -> bool {
    let field = location.steps.iter().rev().find(|step| !step.is_key);
    field.is_some_and(|step| {
        let message = step.message.rsplit('.').next().unwrap_or(step.message);
        fields.contains(&(message, &step.segment))
    })
}
