//! The canonical encoder: turns a view into bytes, with fields ordered by number, map entries ordered by key, and
//! defaults omitted.
//!
//! Map entries always contain both key and value, as Google's implementations write them; `prost` omits defaults.
//! Encodes in one pass into one buffer. Does not use the encoder of `prost-reflect`, because its maps are unordered.

use serde_yaml::{Mapping, Value};

use super::error::{ViewError, ends_in};
use super::kind::Kind;
use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::parse::{expected, map_key, scalar};
use super::wire::{self, GROUP_END, GROUP_START, LENGTH_DELIMITED, Scalar};
use super::{MAX_DEPTH, text};
use crate::model::did_you_mean;

/// Encodes the view of a message.
pub(super) fn encode(
    layouts: &Layouts,
    message: &Layout,
    view: &Value,
) -> Result<Vec<u8>, ViewError> {
    let mut out = Vec::with_capacity(256);
    Encoder {
        layouts,
        out: &mut out,
        depth: 0,
    }
    .message(message, view)?;
    Ok(out)
}

/// Encodes the view of a field, including its tags: a list or map in full.
pub(super) fn encode_field(
    layouts: &Layouts,
    field: &Field,
    view: &Value,
) -> Result<Vec<u8>, ViewError> {
    let mut out = Vec::new();
    Encoder {
        layouts,
        out: &mut out,
        depth: 0,
    }
    .field(field, view)?;
    Ok(out)
}

pub(super) struct Encoder<'a> {
    pub(super) layouts: &'a Layouts,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) depth: usize,
}

impl Encoder<'_> {
    pub(super) fn message(&mut self, message: &Layout, view: &Value) -> Result<(), ViewError> {
        self.deeper(|encoder| match (message.well_known, view) {
            (Some(WellKnown::Any), view) => encoder.any(view),
            (Some(WellKnown::Timestamp), Value::String(text)) => {
                encoder.seconds_and_nanos(text::read_instant(text)?);
                Ok(())
            }
            (Some(WellKnown::Duration), Value::String(text)) => {
                encoder.seconds_and_nanos(text::read_duration(text)?);
                Ok(())
            }
            (_, Value::Mapping(fields)) => encoder.fields(message, fields),
            (_, other) => Err(ViewError::from(expected(
                format!("a mapping of {}", message.name),
                other,
            ))),
        })
    }

    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        if self.depth >= MAX_DEPTH {
            return Err(ViewError::new(format!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn fields(&mut self, message: &Layout, view: &Mapping) -> Result<(), ViewError> {
        let mut present = Vec::with_capacity(view.len());
        let mut near = 0;
        for (key, value) in view {
            let Value::String(name) = key else {
                return Err(ViewError::from(expected(
                    format!("the name of a field of {}", message.name),
                    key,
                )));
            };
            let at = message
                .position(name, near)
                .ok_or_else(|| unknown_field(message, name))?;
            near = at + 1;
            present.push((at, value));
        }
        one_of_each_oneof(message, &present)?;
        present.sort_by_key(|(at, _)| *at);
        for (at, value) in present {
            let field = &message.fields[at];
            self.field(field, value)
                .map_err(|error| error.below(&field.name))?;
        }
        Ok(())
    }

    pub(super) fn field(&mut self, field: &Field, value: &Value) -> Result<(), ViewError> {
        match field.occurrence {
            Occurrence::Single => self.element(field, value, field.presence),
            Occurrence::List => self.deeper(|encoder| encoder.list(field, value)),
            Occurrence::Map => self.deeper(|encoder| encoder.map(field, value)),
        }
    }

    /// Encodes one value with its tag. A default is written only if the field has presence.
    fn element(
        &mut self,
        field: &Field,
        value: &Value,
        keep_default: bool,
    ) -> Result<(), ViewError> {
        let layouts = self.layouts;
        let Some(message) = layouts.of_field(field) else {
            let scalar = scalar(&field.kind, value)?;
            if keep_default || !scalar.is_default() {
                scalar.write_field(field.number, self.out);
            }
            return Ok(());
        };
        if field.group {
            wire::write_tag(field.number, GROUP_START, self.out);
            self.message(message, value)?;
            wire::write_tag(field.number, GROUP_END, self.out);
            return Ok(());
        }
        self.delimited(field.number, |encoder| encoder.message(message, value))
    }

    fn delimited(
        &mut self,
        number: u32,
        content: impl FnOnce(&mut Self) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        wire::write_tag(number, LENGTH_DELIMITED, self.out);
        let start = wire::open_length(self.out);
        content(self)?;
        wire::close_length(start, self.out);
        Ok(())
    }

    fn list(&mut self, field: &Field, value: &Value) -> Result<(), ViewError> {
        let Value::Sequence(values) = value else {
            return Err(ViewError::from(expected("a list", value)));
        };
        let each = |encoder: &mut Self| -> Result<(), ViewError> {
            for (index, value) in values.iter().enumerate() {
                let written = if field.packed {
                    scalar(&field.kind, value)
                        .map_err(ViewError::from)
                        .map(|scalar| scalar.write(encoder.out))
                } else {
                    encoder.element(field, value, true)
                };
                written.map_err(|error| error.below(&index.to_string()))?;
            }
            Ok(())
        };
        if field.packed && !values.is_empty() {
            self.delimited(field.number, each)
        } else {
            each(self)
        }
    }

    fn map(&mut self, field: &Field, value: &Value) -> Result<(), ViewError> {
        let layouts = self.layouts;
        let (Value::Mapping(entries), Some((key_field, value_field))) =
            (value, layouts.of_entry(field))
        else {
            return Err(ViewError::from(expected("a mapping", value)));
        };
        let mut sorted = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let scalar = map_key(&key_field.kind, key).map_err(|error| {
                ViewError::new(format!("in a key: {error}")).below(&key_text(key))
            })?;
            sorted.push((key, scalar, value));
        }
        sorted.sort_by(|(_, a, _), (_, b, _)| {
            key_order(&key_field.kind, a).cmp(&key_order(&key_field.kind, b))
        });
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            return Err(ViewError::new("this key appears twice").below(&key_text(pair[1].0)));
        }
        for (key, scalar, value) in sorted {
            self.delimited(field.number, |encoder| {
                scalar.write_field(key_field.number, encoder.out);
                encoder.element(value_field, value, true)
            })
            .map_err(|error| error.below(&key_text(key)))?;
        }
        Ok(())
    }

    pub(super) fn seconds_and_nanos(&mut self, (seconds, nanos): (i64, i32)) {
        for (number, value) in [(1, seconds), (2, i64::from(nanos))] {
            if value != 0 {
                Scalar::Varint(value.cast_unsigned()).write_field(number, self.out);
            }
        }
    }

    fn any(&mut self, view: &Value) -> Result<(), ViewError> {
        let Value::Mapping(parts) = view else {
            return Err(ViewError::from(expected(
                "a mapping of `type` and `value`",
                view,
            )));
        };
        let (mut type_url, mut content) = (None, None);
        for (key, part) in parts {
            match (key.as_str(), part) {
                (Some("type"), Value::String(url)) => type_url = Some(url),
                (Some("type"), other) => {
                    return Err(ViewError::from(expected("a type URL", other)).below("type"));
                }
                (Some(name @ ("value" | "bytes")), part) if content.is_none() => {
                    content = Some((name, part));
                }
                (Some("value" | "bytes"), _) => {
                    return Err(ViewError::new("give `value` or `bytes`, not both"));
                }
                _ => {
                    return Err(ViewError::new(
                        "this is not part of an Any, which has `type`, and `value` or `bytes`",
                    ));
                }
            }
        }
        let (Some(type_url), Some((name, content))) = (type_url, content) else {
            return Err(ViewError::new("an Any has `type`, and `value` or `bytes`"));
        };
        if !type_url.is_empty() {
            Scalar::Text(type_url).write_field(1, self.out);
        }
        self.any_content(type_url, name, content)
            .map_err(|error| error.below(name))
    }

    fn any_content(
        &mut self,
        type_url: &str,
        name: &str,
        content: &Value,
    ) -> Result<(), ViewError> {
        if name == "bytes" {
            let bytes = scalar(&Kind::Bytes, content)?;
            if !bytes.is_default() {
                bytes.write_field(2, self.out);
            }
            return Ok(());
        }
        let type_name = type_url.rsplit('/').next().unwrap_or(type_url);
        let layouts = self.layouts;
        let Some(message) = layouts.named(type_name) else {
            let advice = layouts.missing(type_name).or("give its `bytes`");
            return Err(ViewError::new(advice));
        };
        let before = self.out.len();
        self.delimited(2, |encoder| encoder.message(message, content))?;
        if self.out.len() == before + 2 {
            self.out.truncate(before);
        }
        Ok(())
    }
}

fn one_of_each_oneof(message: &Layout, present: &[(usize, &Value)]) -> Result<(), ViewError> {
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for (at, _) in present {
        let field = &message.fields[*at];
        let Some(oneof) = &field.oneof else { continue };
        if let Some((_, other)) = chosen.iter().find(|(taken, _)| taken == oneof) {
            let name = &field.name;
            let message = format!(
                "`{other}` and `{name}` both belong to the oneof `{oneof}`: give one of them"
            );
            return Err(ViewError::new(message).below(name));
        }
        chosen.push((oneof, &field.name));
    }
    Ok(())
}

pub(super) fn unknown_field(message: &Layout, name: &str) -> ViewError {
    let names = || message.fields.iter().map(|field| field.name.as_str());
    let inside = |key: &str| {
        key.strip_prefix('[')
            .and_then(|key| key.strip_suffix(']'))
            .map(str::to_owned)
    };
    let extension = names().find(|key| inside(key).is_some_and(|full| ends_in(&full, name)));
    let hint = extension.map_or_else(
        || did_you_mean(name, names()),
        |key| format!("; did you mean `{key}`?"),
    );
    ViewError::new(format!("no field `{name}` in {}{hint}", message.name)).below(name)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum KeyOrder<'a> {
    Number(i128),
    Text(&'a str),
}

/// Sort key of a map key: integers by value, strings by bytes.
fn key_order<'a>(kind: &Kind, key: &'a Scalar<'_>) -> KeyOrder<'a> {
    KeyOrder::Number(match (key, kind) {
        (Scalar::Text(text), _) => return KeyOrder::Text(text),
        (Scalar::Fixed32(value), Kind::Sfixed32) => i128::from(value.cast_signed()),
        (Scalar::Fixed32(value), _) => i128::from(*value),
        (Scalar::Varint(value), Kind::Sint32 | Kind::Sint64) => {
            i128::from((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
        }
        (
            Scalar::Varint(value) | Scalar::Fixed64(value),
            Kind::Int32 | Kind::Int64 | Kind::Sfixed64,
        ) => i128::from(value.cast_signed()),
        (Scalar::Varint(value) | Scalar::Fixed64(value), _) => i128::from(*value),
        // Map keys cannot be bytes.
        (Scalar::Bytes(_), _) => 0,
    })
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => "?".to_owned(),
    }
}
