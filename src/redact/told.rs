//! Fields of Angzarr's own messages that are texts: they repeat what a command said, as error messages do.

use crate::payload::Place;

/// Message, whatever its package, and field.
const TEXTS: [(&str, &str); 19] = [
    ("CascadeError", "error_message"),
    ("CascadeReactionError", "message"),
    ("CommandRequest", "cascade_id"),
    ("Compensate", "reason"),
    ("Confirmation", "cascade_id"),
    ("Cover", "correlation_id"),
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

/// Whether a field is one of them.
pub(super) fn is_told(place: &Place<'_>) -> bool {
    place
        .steps
        .iter()
        .rev()
        .find(|step| !step.is_key)
        .is_some_and(|step| {
            let message = step.message.rsplit('.').next().unwrap_or(step.message);
            TEXTS.contains(&(message, &step.segment))
        })
}
