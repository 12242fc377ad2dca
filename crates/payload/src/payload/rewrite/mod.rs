//! Bytes to bytes: a payload with some of its fields changed, and everything else as it was, bit for bit.
//!
//! Walks the encoding itself and not a view of it, so that nothing that is in the bytes is passed over: what a later
//! field of the same number hides, the other members of a oneof, and messages packed into an `Any`. What to change is
//! for the [`Rewriter`] to say; this file knows nothing of reasons.
//!
//! Here is what a rewriter is told and asked; `walk` goes through a message, `entry` through the entries of a map, `any`
//! into packed messages.

mod any;
mod entry;
mod walk;

use std::borrow::Cow;

use super::error::{LeftOut, and_left_out};
use super::field_value::{FieldKind, FieldValue};
pub(super) use walk::rewrite;

/// Segment that stands for the key of a map's entry, after the name of the map.
pub const MAP_KEY: &str = "$key";

/// One step of the way from a payload down to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Full name of the message that has the field; empty within a map.
    pub message: &'a str,
    /// Name of the field, or the key of a map's entry.
    pub segment: Cow<'a, str>,
    /// Whether the segment is the key of a map's entry, and so content and not a name.
    pub is_key: bool,
}

/// Where a field is, and what it is.
#[derive(Debug)]
pub struct Place<'w> {
    /// The way to it; the last step is the field's own.
    pub steps: &'w [Step<'w>],
    /// What it holds; of a map, what its values hold.
    pub kind: FieldKind,
    /// Whether its descriptor asks for it to be kept out of sight: protobuf's `debug_redact`.
    pub debug_redact: bool,
}

impl Place<'_> {
    /// Whether it is the key of a map's entry.
    #[must_use]
    pub fn is_key(&self) -> bool {
        let last = self.steps.last();
        last.is_some_and(|step| step.is_key && step.segment == MAP_KEY)
    }
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It stays, with all that is in it.
    Leave,
    /// It goes: the field, the list, the entry of a map.
    Drop,
    /// Scalars are replaced, a message is emptied.
    Empty,
    /// Scalars are replaced, also those within a message.
    Change,
}

/// What was chosen for a field, and by which of the rewriter's reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What becomes of it.
    pub effect: Effect,
    /// The rewriter's own.
    pub reason: usize,
    /// The step that the reason's path begins at; the rewriter's own too.
    pub start: usize,
}

/// Says what becomes of the fields of a payload.
pub trait Rewriter {
    /// What becomes of a field; `around` is what was chosen for what it is in. Of a map's key, which is a step by itself
    /// with the segment [`MAP_KEY`], it is what was chosen for the map.
    fn choose(&mut self, place: &Place<'_>, around: Option<Choice>) -> Option<Choice>;

    /// The value in place of another. Also asked for values that go with a field that is dropped or emptied; the
    /// answer is not used then.
    fn replace(
        &mut self,
        place: &Place<'_>,
        choice: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static>;

    /// A value that stays because it was chosen to.
    fn kept(&mut self, choice: Choice, value: &FieldValue<'_>);

    /// A value that nothing was chosen for; it stays unless there is another in its place.
    fn unchosen(
        &mut self,
        place: &Place<'_>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>>;

    /// A message of this type, packed into an `Any`, is gone into now.
    fn packed(&mut self, type_name: &str);

    /// Something that cannot be read stays as it is, unless the rewriter refuses.
    fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable>;
}

/// Bytes whose content is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A message without a descriptor.
    #[error(
        "there is no descriptor of `{type_name}`{}{}",
        within(path),
        and_left_out(left_out)
    )]
    Undescribed {
        /// Full name of the type.
        type_name: String,
        /// Where it is, empty for the payload itself.
        path: String,
        /// Files that are not read and may describe it.
        left_out: Vec<LeftOut>,
    },
    /// A field that the descriptor does not have, or has as another type.
    #[error(
        "the descriptor of `{message}` has no field {number} of that type{}",
        within(path)
    )]
    UnknownField {
        /// Full name of the message.
        message: String,
        /// Number of the field.
        number: u32,
        /// Where the message is, empty for the payload itself.
        path: String,
    },
    /// Bytes that are no message.
    #[error("the bytes are no `{message}` ({reason}){}", within(path))]
    Malformed {
        /// Full name of the message.
        message: String,
        /// What is wrong with the bytes.
        reason: String,
        /// Where the message is, empty for the payload itself.
        path: String,
    },
}

fn within(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!(", in `{path}`"),
    }
}

/// Names with dots between; the keys of maps are content and become `*`.
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
