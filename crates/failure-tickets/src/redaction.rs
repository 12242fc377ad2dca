//! Redaction rules for tickets, applied before a ticket is written.
//!
//! ```no_run
//! use angzarr_failure_tickets::TicketOptions;
//! use angzarr_failure_tickets::redaction::{Action, Key, Policy, RedactionRule, Redactor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let email = RedactionRule::new("examples.*", "email", Action::Pseudonym)?;
//! let key = Key::new(&std::env::var("TICKET_KEY")?)?;
//! let policy = Policy::new(vec![email]).with_key(key);
//! let descriptor_set = std::fs::read("descriptors.binpb")?;
//! let tickets = TicketOptions::new()
//!     .redact_with(Redactor::new(&descriptor_set, policy)?)
//!     .to_file("failures.jsonl")?;
//! # drop(tickets);
//! # Ok(())
//! # }
//! ```

use std::fmt;

use angzarr_replay_payload::payload::Registry;
use angzarr_replay_payload::redact;
use angzarr_replay_wire::ticket::Ticket;
use angzarr_replay_wire::wire::all_call_descriptors;

#[doc(inline)]
pub use angzarr_replay_wire::model::UnknownWord;
#[doc(inline)]
pub use redact::{Action, Form, Key, KeyError, Policy, RedactionRule, RuleError};

/// Redaction rules, with the descriptors of the messages that they are about.
#[derive(Debug, Clone)]
pub struct Redactor(redact::Redactor);

impl Redactor {
    /// Makes a redactor from an encoded `google.protobuf.FileDescriptorSet`, imports included, and a policy.
    ///
    /// # Errors
    /// If the descriptor set cannot be read, if a rule needs a key and the policy has none, or if a rule is about a
    /// field that no described message has.
    pub fn new(descriptor_set: &[u8], policy: Policy) -> Result<Self, RedactorError> {
        let registry = Registry::from_descriptor_set(descriptor_set)
            .map_err(|error| RedactorError(error.into()))?;
        let redactor =
            redact::Redactor::new(registry, policy).map_err(|error| RedactorError(error.into()))?;
        // A compensation holds the rejected command inside Angzarr's own messages.
        Ok(Self(redactor.describing(all_call_descriptors())))
    }

    /// The redacted ticket, or nothing if the policy is strict and something in the ticket cannot be read.
    pub(crate) fn ticket(&self, ticket: &Ticket) -> Option<Ticket> {
        self.0.ticket(ticket).ok()
    }
}

/// Why a [`Redactor`] cannot be made.
#[derive(Debug)]
pub struct RedactorError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for RedactorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for RedactorError {}
