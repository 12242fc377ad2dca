//! Rewrites some fields of an encoded payload and leaves everything else unchanged, bit for bit.
//!
//! Works on the encoding and not on a view, so that it sees everything in the bytes: repeated occurrences of a singular
//! field, several members of a oneof, messages packed in an `Any`. The [`Rewriter`] decides what to change; this module
//! does not know why.
//!
//! This file defines the interface of a rewriter; `walk` goes through a message, `entry` through the entries of a map,
//! `any` into packed messages.

mod any;
mod entry;
mod walk;

use std::borrow::Cow;

use super::error::{LeftOut, and_left_out};
use super::field_value::{FieldKind, FieldValue};
pub(super) use walk::{Rewritten, rewrite};

/// Path segment for the key of a map entry; follows the name of the map.
pub const MAP_KEY: &str = "$key";

/// One step of the path from a payload to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Full name of the message that contains the field; empty for a map key.
    pub message: &'a str,
    /// Name of the field, or the key of a map entry.
    pub segment: Cow<'a, str>,
    /// Whether the segment stands for a map key: the key itself, which is content, or `MAP_KEY`.
    pub is_key: bool,
}

/// A field's path and kind.
#[derive(Debug)]
pub struct FieldLocation<'w> {
    /// The path to the field, including the field itself.
    pub steps: &'w [Step<'w>],
    /// The kind of its value; for a map, of its entries' values.
    pub kind: FieldKind,
    /// Whether the field is marked `debug_redact`.
    pub debug_redact: bool,
}

impl FieldLocation<'_> {
    /// Whether this is the key of a map entry.
    #[must_use]
    pub fn is_key(&self) -> bool {
        let last = self.steps.last();
        last.is_some_and(|step| step.is_key && step.segment == MAP_KEY)
    }
}

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Unchanged, including everything in it.
    Leave,
    /// Removed: the field, the list, the map entry.
    Drop,
    /// Scalars are replaced, a message is emptied.
    Empty,
    /// Scalars are replaced, including those in a message.
    Change,
}

/// The decision for a field, and the rewriter's reason for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What happens to the field.
    pub effect: Effect,
    /// A number by which the rewriter finds its reason again; nothing else reads it.
    pub reason: usize,
    /// Index of the step where the path in the reason begins. Defined by the rewriter.
    pub start: usize,
}

/// Decides what happens to the fields of a payload.
pub trait Rewriter {
    /// Decides what happens to a field; `around` is the decision for the enclosing field. A map key is a separate step
    /// with the segment [`MAP_KEY`], and is enclosed by the map.
    fn choose(&mut self, place: &FieldLocation<'_>, around: Option<Choice>) -> Option<Choice>;

    /// Returns the replacement for a value. Also called for values inside a field that is dropped or emptied; the
    /// result is ignored then.
    fn replace(
        &mut self,
        place: &FieldLocation<'_>,
        choice: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static>;

    /// Reports a value that is left unchanged by a decision.
    fn kept(&mut self, choice: Choice, value: &FieldValue<'_>);

    /// Reports a value without a decision. Returns a replacement to change it after all.
    fn unchosen(
        &mut self,
        place: &FieldLocation<'_>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>>;

    /// Reports that a message of this type, packed in an `Any`, is about to be rewritten.
    fn packed(&mut self, type_name: &str);

    /// Reports something unreadable, which is left as it is. Returns an error to refuse it.
    fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable>;
}

/// Bytes that cannot be interpreted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A message whose type has no descriptor.
    #[error(
        "there is no descriptor of `{type_name}`{}{}",
        within(path),
        and_left_out(left_out)
    )]
    Undescribed {
        /// Full name of the type.
        type_name: String,
        /// Path of the message; empty for the payload itself.
        path: String,
        /// Files that were left out and may define the type.
        left_out: Vec<LeftOut>,
    },
    /// A field that the descriptor lacks, or defines with another type.
    #[error(
        "the descriptor of `{message}` has no field {number} of that type{}",
        within(path)
    )]
    UnknownField {
        /// Full name of the message.
        message: String,
        /// Number of the field.
        number: u32,
        /// Path of the message; empty for the payload itself.
        path: String,
    },
    /// Bytes that are not a valid message.
    #[error("the bytes are not a valid `{message}` ({reason}){}", within(path))]
    Malformed {
        /// Full name of the message.
        message: String,
        /// What is wrong with the bytes.
        reason: String,
        /// Path of the message; empty for the payload itself.
        path: String,
    },
}

fn within(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!(", in `{path}`"),
    }
}

/// Joins the steps with dots. Map keys are content and become `*`.
#[must_use]
pub fn path_of(steps: &[Step<'_>]) -> String {
    let names: Vec<&str> = steps
        .iter()
        .map(|step| match (step.is_key, step.segment.as_ref()) {
            (true, MAP_KEY) => MAP_KEY,
            (true, _) => "*",
            (false, name) => name,
        })
        .collect();
    names.join(".")
}
