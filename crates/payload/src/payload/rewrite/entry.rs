//! Rewrites map entries. Key and value are chosen separately.

use std::borrow::Cow;

use super::walk::{FieldOccurrence, Walk, changed, write_delimited};
use super::{Choice, Effect, MAP_KEY, Rewriter, Step, Unreadable};
use crate::payload::field_value::{FieldKind, FieldValue};
use crate::payload::layout::{Field, Layout};
use crate::payload::reader::{Reader, Wire};

impl<'l, R: Rewriter> Walk<'l, '_, R> {
    pub(super) fn entry(
        &mut self,
        message: &'l Layout,
        met: FieldOccurrence<'l, '_>,
        choice: Option<Choice>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let layouts = self.layouts;
        let (Some(entry), Some((key_field, value_field)), Wire::Bytes(content)) = (
            layouts.of_field(met.field),
            layouts.of_entry(met.field),
            met.wire,
        ) else {
            return self.other_type(message, met, out);
        };
        let key = key_text(key_field, content);
        self.steps.push(key_step(MAP_KEY.to_owned()));
        let key_choice = self.choose_for(key_field, met.field.debug_redact, choice);
        *self.steps.last_mut().expect("just pushed") = key_step(key);
        let value_choice = self.choose(value_field, choice);
        let is_dropped =
            |choice: Option<Choice>| choice.is_some_and(|choice| choice.effect == Effect::Drop);
        let written = if is_dropped(key_choice) || is_dropped(value_choice) {
            let choices = [key_choice, value_choice.or(key_choice).map(changed)];
            self.discard(|walk| {
                walk.entry_fields(entry, [key_field, value_field], content, choices)
                    .map(drop)
            })
            .map(|()| None)
        } else {
            let choices = [key_choice, value_choice];
            self.entry_fields(entry, [key_field, value_field], content, choices)
                .map(Some)
        };
        self.steps.pop();
        match written? {
            Some(written) if written == content => out.extend_from_slice(met.span),
            Some(written) => write_delimited(met.field.number, &written, out),
            None => {}
        }
        Ok(())
    }

    /// Rewrites the key and the value of an entry. The step of the key is already on the path.
    fn entry_fields(
        &mut self,
        entry: &'l Layout,
        fields: [&'l Field; 2],
        content: &[u8],
        choices: [Option<Choice>; 2],
    ) -> Result<Vec<u8>, Unreadable> {
        let mut out = Vec::with_capacity(content.len());
        let mut reader = Reader::new(content);
        while let Some((number, wire, span)) = self.next_field(entry, &mut reader, &mut out)? {
            let at = fields.iter().position(|field| field.number == number);
            let Some(at) = at else {
                self.unknown_field(entry, number)?;
                out.extend_from_slice(span);
                continue;
            };
            let met = FieldOccurrence {
                field: fields[at],
                wire,
                span,
                keeps_default: true,
            };
            let choice = choices[at].map(|choice| match (at, self.is_discarded) {
                (0, true) => changed(choice),
                _ => choice,
            });
            self.value(entry, met, choice, &mut out)?;
        }
        Ok(out)
    }
}

const fn key_step<'l>(segment: String) -> Step<'l> {
    Step {
        message: "",
        segment: Cow::Owned(segment),
        is_key: true,
    }
}

/// The key of an entry as text: the last one if it is repeated, the default if it is absent.
fn key_text(field: &Field, content: &[u8]) -> String {
    let mut reader = Reader::new(content);
    let mut key = None;
    while let Ok(Some((number, wire))) = reader.field() {
        if number == field.number {
            key = FieldValue::read(&field.kind, wire)
                .ok()
                .flatten()
                .map(|value| value.to_text());
        }
    }
    key.unwrap_or_else(|| match FieldKind::of(&field.kind) {
        FieldKind::Text => String::new(),
        FieldKind::Bool => "false".to_owned(),
        _ => "0".to_owned(),
    })
}
