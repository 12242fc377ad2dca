//! Redaction: what is personal or secret is taken out of payloads and texts before anything is written.
//!
//! Owns the rules, the pseudonyms, and what a secret looks like. Knows nothing of configuration files, sources and
//! logic; has no file system and reads no environment: the key is given.
//!
//! - `rule`: which fields, and what becomes of them. `key`, `pseudonym`: stand-ins that stay equal and stay of their kind.
//! - `redactor`: the public face; payloads, books, failures and texts.
//! - `session`: one run over things that belong together; `fields`: what it makes of each field. `packed`: which types a
//!   payload is of. `suspect`: names of fields that look personal and that no rule is about.
//! - `case`, `parts`: a whole case, and where it holds what. `before`: what came redacted, and by what.
//! - `taken`: values that were taken out, looked for in texts; `spelling`: how texts have them. `told`: texts in Angzarr's
//!   own messages. `mask`: values and texts that say nothing any more.
//! - `left`: what the rules would take out of something that is written already.
//! - `detect`: what looks like a secret or personal data in any text.
//!
//! Fails closed: what cannot be read is an error, unless the redactor was told to be lenient.

mod before;
mod case;
mod credentials;
pub mod detect;
mod fields;
mod key;
mod left;
mod mask;
mod packed;
mod parts;
mod pseudonym;
mod redactor;
mod rule;
mod session;
mod spelling;
mod suspect;
mod taken;
mod ticket;
mod told;
mod views;

pub use before::Before;
pub use case::RedactedCase;
pub use key::{Key, KeyError};
pub use left::{Left, LeftoverRules, Leftovers};
pub use mask::masked;
pub use redactor::{
    Allowed, OTHER_ROOT, Policy, Reason, RedactError, Redacted, Redactor, RedactorError, Report,
    Suspect,
};
pub use rule::{Action, Form, RedactionRule, RuleError};
pub use session::{Is, Session};
