//! Walks through a message, field by field.

use std::borrow::Cow;

use super::any::emptied_message;
use super::{Choice, Effect, FieldLocation, Rewriter, Step, Unreadable, path_of};
use crate::payload::MAX_DEPTH;
use crate::payload::field_value::{FieldKind, FieldValue};
use crate::payload::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use crate::payload::reader::{Flaw, Reader, Wire};
use crate::payload::show::packed;
use crate::payload::wire::{GROUP_END, GROUP_START, LENGTH_DELIMITED, write_bytes, write_tag};

/// A field's number, its value, and the bytes of both.
type NumberedField<'b> = (u32, Wire<'b>, &'b [u8]);

/// A rewritten message.
pub(in crate::payload) struct Rewritten {
    pub(in crate::payload) bytes: Vec<u8>,
    /// Whether the view may have become inexact: a map key changed, or a part of a message whose view is a text.
    pub(in crate::payload) may_be_inexact: bool,
}

/// Rewrites a message.
pub(in crate::payload) fn rewrite<R: Rewriter>(
    layouts: &Layouts,
    message: &Layout,
    bytes: &[u8],
    rewriter: &mut R,
) -> Result<Rewritten, Unreadable> {
    let mut walk = Walk {
        layouts,
        rewriter,
        steps: Vec::new(),
        depth: 0,
        is_discarded: false,
        may_be_inexact: false,
    };
    let bytes = walk.message(message, bytes, None)?;
    Ok(Rewritten {
        bytes,
        may_be_inexact: walk.may_be_inexact,
    })
}

pub(super) struct Walk<'l, 'r, R> {
    pub(super) layouts: &'l Layouts,
    pub(super) rewriter: &'r mut R,
    pub(super) steps: Vec<Step<'l>>,
    depth: usize,
    /// Whether the output is discarded. In this case, unreadable data is not an error.
    pub(super) is_discarded: bool,
    /// See [`Rewritten`].
    may_be_inexact: bool,
}

/// A field occurrence in the encoding.
#[derive(Clone, Copy)]
pub(super) struct FieldOccurrence<'l, 'b> {
    pub(super) field: &'l Field,
    pub(super) wire: Wire<'b>,
    /// The bytes of tag and value.
    pub(super) span: &'b [u8],
    /// Whether a default value has to be written explicitly.
    pub(super) keeps_default: bool,
}

impl<'l, R: Rewriter> Walk<'l, '_, R> {
    pub(super) fn message(
        &mut self,
        message: &'l Layout,
        bytes: &[u8],
        around: Option<Choice>,
    ) -> Result<Vec<u8>, Unreadable> {
        if self.depth >= MAX_DEPTH {
            self.malformed(message, &Flaw::new("nested deeper than 100 levels"))?;
            return Ok(bytes.to_vec());
        }
        self.depth += 1;
        let written = if message.well_known == Some(WellKnown::Any) {
            self.any(message, bytes, around)
        } else {
            self.fields(message, bytes, around)
        };
        self.depth -= 1;
        written
    }

    fn fields(
        &mut self,
        message: &'l Layout,
        bytes: &[u8],
        around: Option<Choice>,
    ) -> Result<Vec<u8>, Unreadable> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut reader = Reader::new(bytes);
        let mut near = 0;
        while let Some((number, wire, span)) = self.next_field(message, &mut reader, &mut out)? {
            let Some(at) = message.position_of_number(number, near) else {
                self.unknown_field(message, number)?;
                out.extend_from_slice(span);
                continue;
            };
            near = at;
            let field = &message.fields[at];
            let met = FieldOccurrence {
                field,
                wire,
                span,
                keeps_default: field.presence || field.occurrence == Occurrence::List,
            };
            self.steps.push(Step {
                message: &message.name,
                segment: Cow::Borrowed(&field.name),
                is_key: false,
            });
            let written = self.field(message, met, around, &mut out);
            self.steps.pop();
            written?;
        }
        Ok(out)
    }

    /// Reads the next field. If the bytes are malformed, copies the rest unchanged.
    pub(super) fn next_field<'b>(
        &mut self,
        message: &Layout,
        reader: &mut Reader<'b>,
        out: &mut Vec<u8>,
    ) -> Result<Option<NumberedField<'b>>, Unreadable> {
        let before = reader.rest();
        match reader.field() {
            Ok(Some((number, wire))) => {
                let span = &before[..before.len() - reader.rest().len()];
                Ok(Some((number, wire, span)))
            }
            Ok(None) => Ok(None),
            Err(flaw) => {
                self.malformed(message, &flaw)?;
                out.extend_from_slice(before);
                Ok(None)
            }
        }
    }

    fn field(
        &mut self,
        message: &'l Layout,
        met: FieldOccurrence<'l, '_>,
        around: Option<Choice>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let choice = self.choose(met.field, around);
        let write = |walk: &mut Self, choice, out: &mut Vec<u8>| match met.field.occurrence {
            Occurrence::Map => walk.entry(message, met, choice, out),
            Occurrence::Single | Occurrence::List => walk.value(message, met, choice, out),
        };
        match choice.filter(|choice| choice.effect == Effect::Drop) {
            Some(dropped) => {
                self.discard(|walk| write(walk, Some(changed(dropped)), &mut Vec::new()))
            }
            None => write(self, choice, out),
        }
    }

    pub(super) fn choose(&mut self, field: &Field, around: Option<Choice>) -> Option<Choice> {
        self.choose_for(field, field.debug_redact, around)
    }

    /// Like `choose`, where something other than the field itself is marked `debug_redact`.
    pub(super) fn choose_for(
        &mut self,
        field: &Field,
        debug_redact: bool,
        around: Option<Choice>,
    ) -> Option<Choice> {
        let place = FieldLocation {
            debug_redact,
            ..place(&self.steps, self.layouts, field)
        };
        self.rewriter.choose(&place, around)
    }

    /// Shows the rewriter values that are removed.
    pub(super) fn discard(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let before = std::mem::replace(&mut self.is_discarded, true);
        let written = write(self);
        self.is_discarded = before;
        written
    }

    pub(super) fn value(
        &mut self,
        message: &'l Layout,
        met: FieldOccurrence<'l, '_>,
        choice: Option<Choice>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let FieldOccurrence {
            field, wire, span, ..
        } = met;
        if let Some(inner) = self.layouts.of_field(field) {
            return match (wire, field.group) {
                (Wire::Bytes(content), false) | (Wire::Group(content), true) => {
                    self.inner_message(inner, met, content, choice, out)
                }
                _ => self.other_type(message, met, out),
            };
        }
        let is_packed = matches!(wire, Wire::Bytes(_))
            && !matches!(
                FieldKind::of(&field.kind),
                FieldKind::Text | FieldKind::Bytes
            );
        match wire {
            Wire::Bytes(list) if is_packed && field.occurrence == Occurrence::List => {
                self.packed_list(message, met, list, choice, out)
            }
            wire => match FieldValue::read(&field.kind, wire) {
                Ok(Some(value)) => {
                    let new = self.replaced(field, choice, &value);
                    match new {
                        Some(new) if new == value => out.extend_from_slice(span),
                        Some(new) => {
                            self.may_be_inexact |= message.is_map_entry
                                || matches!(
                                    message.well_known,
                                    Some(WellKnown::Timestamp | WellKnown::Duration)
                                );
                            let scalar = new.to_scalar(&field.kind);
                            if met.keeps_default || !scalar.is_default() {
                                scalar.write_field(field.number, out);
                            }
                        }
                        None => out.extend_from_slice(span),
                    }
                    Ok(())
                }
                Ok(None) => self.other_type(message, met, out),
                Err(flaw) => {
                    self.malformed(message, &flaw.inside(&field.name, &message.name))?;
                    out.extend_from_slice(span);
                    Ok(())
                }
            },
        }
    }

    /// Returns the replacement of a value, or none if the value stays.
    fn replaced(
        &mut self,
        field: &Field,
        choice: Option<Choice>,
        value: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        let place = place(&self.steps, self.layouts, field);
        match choice {
            None => self.rewriter.unchosen(&place, value),
            Some(choice) if choice.effect == Effect::Leave => {
                self.rewriter.kept(choice, value);
                None
            }
            Some(choice) => Some(self.rewriter.replace(&place, choice, value)),
        }
    }

    fn inner_message(
        &mut self,
        inner: &'l Layout,
        met: FieldOccurrence<'l, '_>,
        content: &[u8],
        choice: Option<Choice>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let written = match choice.filter(|choice| choice.effect == Effect::Empty) {
            Some(emptied) => {
                self.discard(|walk| {
                    walk.message(inner, content, Some(changed(emptied)))
                        .map(drop)
                })?;
                emptied_message(inner, content)
            }
            None => self.message(inner, content, choice)?,
        };
        if written == content {
            out.extend_from_slice(met.span);
        } else if met.field.group {
            write_tag(met.field.number, GROUP_START, out);
            out.extend_from_slice(&written);
            write_tag(met.field.number, GROUP_END, out);
        } else {
            write_delimited(met.field.number, &written, out);
        }
        Ok(())
    }

    fn packed_list(
        &mut self,
        message: &'l Layout,
        met: FieldOccurrence<'l, '_>,
        list: &[u8],
        choice: Option<Choice>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let field = met.field;
        let mut written = Vec::with_capacity(list.len());
        let mut reader = Reader::new(list);
        while !reader.is_empty() {
            let before = reader.rest();
            let read = packed(&field.kind, &mut reader)
                .and_then(|wire| FieldValue::read(&field.kind, wire));
            let Ok(Some(value)) = read else {
                let flaw = Flaw::new("a packed list ends early");
                self.malformed(message, &flaw.inside(&field.name, &message.name))?;
                written.extend_from_slice(before);
                break;
            };
            match self.replaced(field, choice, &value) {
                Some(new) if new != value => new.to_scalar(&field.kind).write(&mut written),
                _ => written.extend_from_slice(&before[..before.len() - reader.rest().len()]),
            }
        }
        if written == list {
            out.extend_from_slice(met.span);
        } else {
            write_delimited(field.number, &written, out);
        }
        Ok(())
    }

    pub(super) fn other_type(
        &mut self,
        message: &Layout,
        met: FieldOccurrence<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let message_is_at = self.steps.len().saturating_sub(1);
        self.unreadable(Unreadable::UnknownField {
            message: message.name.to_string(),
            number: met.field.number,
            path: path_of(&self.steps[..message_is_at]),
        })?;
        out.extend_from_slice(met.span);
        Ok(())
    }

    pub(super) fn unknown_field(
        &mut self,
        message: &Layout,
        number: u32,
    ) -> Result<(), Unreadable> {
        self.unreadable(Unreadable::UnknownField {
            message: message.name.to_string(),
            number,
            path: self.path(),
        })
    }

    pub(super) fn malformed(&mut self, message: &Layout, flaw: &Flaw) -> Result<(), Unreadable> {
        self.unreadable(Unreadable::Malformed {
            message: message.name.to_string(),
            reason: flaw.to_string(),
            path: self.path(),
        })
    }

    pub(super) fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Unreadable> {
        if self.is_discarded {
            return Ok(());
        }
        self.rewriter.unreadable(unreadable)
    }

    pub(super) fn path(&self) -> String {
        path_of(&self.steps)
    }
}

fn place<'w>(steps: &'w [Step<'w>], layouts: &Layouts, field: &Field) -> FieldLocation<'w> {
    let of_values = layouts
        .of_entry(field)
        .filter(|_| field.occurrence == Occurrence::Map);
    let kind = of_values.map_or(&field.kind, |(_, value)| &value.kind);
    FieldLocation {
        steps,
        kind: FieldKind::of(kind),
        debug_redact: field.debug_redact,
    }
}

pub(super) const fn changed(choice: Choice) -> Choice {
    Choice {
        effect: Effect::Change,
        ..choice
    }
}

pub(super) fn write_delimited(number: u32, content: &[u8], out: &mut Vec<u8>) {
    write_tag(number, LENGTH_DELIMITED, out);
    write_bytes(content, out);
}
