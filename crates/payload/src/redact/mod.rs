//! Redaction: removes personal data and secrets from payloads and texts before anything is written.
//!
//! Owns the redaction rules, the pseudonyms, and the detection of secrets. Knows nothing of configuration files,
//! sources and client logic; uses no file system and no environment variables. The caller passes in the key.
//!
//! - `rule`: which fields are redacted, and how. `key`, `pseudonym`: replacements that are equal for equal values and
//!   keep the kind of the value.
//! - `redactor`: the public interface, for payloads, books, failures and texts.
//! - `session`: one run over payloads and texts that belong together; `fields`: what happens to each field. `packed`:
//!   the types packed in a payload. `suspect`: unruled fields with names that look personal.
//! - `case`, `visit`: redaction of a whole case, and where a case holds payloads, roots and texts. `prior`: redaction
//!   that happened before capture.
//! - `redacted_values`: redacted values, and the search for them in texts; `spelling`: the ways a text may write a
//!   value; `decoded`: texts with their encodings removed. `text_fields`: text fields of Angzarr's own messages.
//!   `mask`: masks.
//! - `leftovers`: values in existing files that the current rules would redact.
//! - `detect`: secrets and personal data in any text.
//!
//! Fails closed: an unreadable payload is an error, unless the redactor is lenient.

mod case;
mod credentials;
mod decoded;
pub mod detect;
mod fields;
mod key;
mod leftovers;
mod mask;
mod packed;
mod prior;
mod pseudonym;
mod redacted_values;
mod redactor;
mod rule;
mod session;
mod spelling;
mod suspect;
mod text_fields;
mod ticket;
mod visit;

pub use case::RedactedCase;
pub use key::{Key, KeyError};
pub use leftovers::{Leftover, LeftoverRules, Leftovers};
pub use mask::masked;
pub use prior::PriorRedaction;
pub use redactor::{
    Allowed, OTHER_ROOT, Policy, Reason, RedactError, Redacted, Redactor, RedactorError, Report,
    Suspect,
};
pub use rule::{Action, Form, RedactionRule, RuleError};
pub use session::{MessageRole, Session};
