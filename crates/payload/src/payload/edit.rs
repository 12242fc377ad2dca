//! Sets or removes one field of a payload and leaves everything else unchanged, bit for bit.
//!
//! A text is parsed according to the field's type. A string field takes any text as it is.

use std::borrow::Cow;

use serde_yaml::Value;

use super::canonical::{self, unknown_field};
use super::error::ViewError;
use super::kind::Kind;
use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::reader::{Flaw, Reader, Wire};
use super::show::{self, MapKey};
use super::wire::{self, GROUP_END, GROUP_START, LENGTH_DELIMITED, Scalar};
use super::{MAX_DEPTH, parse};

/// What to do with a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Set it from text, according to its type: a string takes the text as it is; numbers, enum values, bytes,
    /// timestamps and durations are written as in a view. Other messages, lists and maps cannot be set from text.
    Text(String),
    /// Set it to this view, whatever its type.
    View(Value),
    /// Remove it: a field, an element of a list or an entry of a map.
    Unset,
}

/// Encodes the message with one field changed.
pub(super) fn edit(
    layouts: &Layouts,
    message: &Layout,
    bytes: &[u8],
    path: &[String],
    edit: &Edit,
) -> Result<Vec<u8>, ViewError> {
    if path.len() > MAX_DEPTH {
        return refused(format!("the path has more than {MAX_DEPTH} steps"));
    }
    let editor = Editor { layouts, edit };
    if path.is_empty() {
        return editor.whole_message(message)?.ok_or_else(|| {
            ViewError::new(format!("only fields of {} can be removed", message.name))
        });
    }
    editor.message(message, bytes, path)
}

struct Editor<'a> {
    layouts: &'a Layouts,
    edit: &'a Edit,
}

/// An encoded field: its number, all its bytes, its value.
type EncodedField<'b> = (u32, &'b [u8], Wire<'b>);

fn refused<T>(reason: impl Into<String>) -> Result<T, ViewError> {
    Err(ViewError::new(reason))
}

impl Editor<'_> {
    fn message(
        &self,
        message: &Layout,
        bytes: &[u8],
        path: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        let [step, rest @ ..] = path else {
            return Ok(bytes.to_vec());
        };
        let fields = encoded_fields(bytes).map_err(|flaw| malformed(message, &flaw))?;
        if message.well_known == Some(WellKnown::Any) {
            return self.any(&fields, step, rest);
        }
        let field = field_of(message, step)?;
        let is_own = |part: &EncodedField<'_>| part.0 == field.number && is_of(field, part.2);
        let own: Vec<_> = fields.iter().filter(|part| is_own(part)).collect();
        let own: Vec<_> = own.into_iter().map(|part| part.2).collect();
        let new = self.field(field, &own, rest)?;
        let sets = !matches!(self.edit, Edit::Unset);
        let is_sibling = |other: &Field| {
            other.number != field.number && other.oneof.is_some() && other.oneof == field.oneof
        };
        let cleared: Vec<u32> = message
            .fields
            .iter()
            .filter(|other| sets && is_sibling(other))
            .map(|other| other.number)
            .collect();
        let goes = |part: &EncodedField<'_>| cleared.contains(&part.0);
        Ok(joined(&fields, field.number, is_own, goes, &new))
    }

    /// Encodes a changed field, with its tags.
    fn field(
        &self,
        field: &Field,
        own: &[Wire<'_>],
        path: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        match (field.occurrence, path) {
            (Occurrence::Single, []) => self.element(field, field.presence),
            (Occurrence::List | Occurrence::Map, []) => match self.edit {
                Edit::Unset => Ok(Vec::new()),
                Edit::View(view) => {
                    not_null(view)?;
                    canonical::encode_field(self.layouts, field, view)
                }
                Edit::Text(_) => refused(self.is_many(field)),
            },
            (Occurrence::Single, path) => self.inside(field, own, path),
            (Occurrence::List, [index, path @ ..]) => self.list(field, own, index, path),
            (Occurrence::Map, [key, path @ ..]) => self.map(field, own, key, path),
        }
    }

    /// The error for setting a whole list or map from text.
    fn is_many(&self, field: &Field) -> String {
        let name = &field.name;
        match self.layouts.of_entry(field) {
            Some((key, _)) if field.occurrence == Occurrence::Map => format!(
                "`{name}` is a map: set one entry of it (`{name}.KEY`, the keys are {:?}), or all of it with --set-yaml",
                key.kind
            ),
            _ => format!(
                "`{name}` is a list: set one element of it (`{name}.0` is the first), or all of it with --set-yaml"
            ),
        }
    }

    /// Encodes the new value of a singular field or a list element, with its tag. Empty if it is removed.
    fn element(&self, field: &Field, keep_default: bool) -> Result<Vec<u8>, ViewError> {
        let mut out = Vec::new();
        if let Some(message) = self.layouts.of_field(field) {
            if let Some(content) = self.whole_message(message)? {
                wrap(field, &content, &mut out);
            }
        } else if let Some(scalar) = self.scalar(field)?
            && (keep_default || !scalar.is_default())
        {
            scalar.write_field(field.number, &mut out);
        }
        Ok(out)
    }

    /// The new bytes of a whole message.
    fn whole_message(&self, message: &Layout) -> Result<Option<Vec<u8>>, ViewError> {
        let view = match self.edit {
            Edit::Unset => return Ok(None),
            Edit::View(view) => Cow::Borrowed(view),
            Edit::Text(text) => match message.well_known {
                Some(WellKnown::Timestamp | WellKnown::Duration) => {
                    Cow::Owned(Value::String(text.clone()))
                }
                Some(WellKnown::Any) => {
                    return refused(
                        "it is an Any: set its `type`, or a field of its `value`, or all of it with --set-yaml",
                    );
                }
                None => {
                    let fields: Vec<_> = message
                        .fields
                        .iter()
                        .take(5)
                        .map(|field| format!("`{}`", field.name))
                        .collect();
                    let name = &message.name;
                    return refused(match fields.as_slice() {
                        [] => format!("it is a message, {name}: give it with --set-yaml"),
                        fields => format!(
                            "it is a message, {name}: set one of its fields ({}{}), or all of it with --set-yaml",
                            fields.join(", "),
                            if message.fields.len() > 5 {
                                ", …"
                            } else {
                                ""
                            }
                        ),
                    });
                }
            },
        };
        not_null(&view)?;
        canonical::encode(self.layouts, message, &view).map(Some)
    }

    fn scalar(&self, field: &Field) -> Result<Option<Scalar<'_>>, ViewError> {
        let read = match self.edit {
            Edit::Unset => return Ok(None),
            Edit::Text(text) => parse::scalar_of_text(&field.kind, text),
            Edit::View(view) => {
                not_null(view)?;
                parse::scalar(&field.kind, view)
            }
        };
        Ok(Some(read?))
    }

    /// Edits a field inside a message field.
    fn inside(
        &self,
        field: &Field,
        own: &[Wire<'_>],
        path: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        let Some(message) = self.layouts.of_field(field) else {
            return refused(format!(
                "`{}` is below `{}`, which is a plain value: {}",
                path.first().map_or("", String::as_str),
                field.name,
                kind_word(&field.kind)
            ));
        };
        let content: Vec<u8> = own
            .iter()
            .filter_map(|wire| message_content(*wire))
            .flatten()
            .copied()
            .collect();
        let content = self.message(message, &content, path)?;
        let mut out = Vec::new();
        // Removing something from an absent message does not create the message.
        if !own.is_empty() || !matches!(self.edit, Edit::Unset) {
            wrap(field, &content, &mut out);
        }
        Ok(out)
    }

    fn list(
        &self,
        field: &Field,
        own: &[Wire<'_>],
        index: &str,
        path: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        let mut items = Vec::new();
        for wire in own {
            match wire {
                Wire::Bytes(bytes) if is_packable(&field.kind) => {
                    let mut reader = Reader::new(bytes);
                    while !reader.is_empty() {
                        let item = show::packed(&field.kind, &mut reader);
                        items.push(item.map_err(|flaw| ViewError::new(flaw.to_string()))?);
                    }
                }
                wire => items.push(*wire),
            }
        }
        let count = items.len();
        let at = index.parse::<usize>().ok().filter(|at| *at < count);
        let Some(at) = at else {
            let elements = match count {
                0 => "an empty list".to_owned(),
                1 => "a list of one, whose index is 0".to_owned(),
                count => format!("a list of {count}, whose indices are 0 to {}", count - 1),
            };
            return refused(format!(
                "`{index}` is not an index of `{}`, {elements}; --set-yaml sets all of a list",
                field.name
            ));
        };
        if !path.is_empty() && self.layouts.of_field(field).is_none() {
            return self.inside(field, &[], path);
        }
        if field.packed {
            let mut packed = Vec::new();
            let new = self.scalar(field)?;
            for (index, item) in items.into_iter().enumerate() {
                if index != at {
                    scalar_of(item).write(&mut packed);
                } else if let Some(new) = &new {
                    new.write(&mut packed);
                }
            }
            let mut out = Vec::new();
            if !packed.is_empty() {
                Scalar::Bytes(packed).write_field(field.number, &mut out);
            }
            return Ok(out);
        }
        let new = if path.is_empty() {
            self.element(field, true)?
        } else {
            self.inside(field, &items[at..=at], path)?
        };
        let mut out = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                _ if index == at => out.extend_from_slice(&new),
                Wire::Group(content) => wrap(field, content, &mut out),
                item => scalar_of(item).write_field(field.number, &mut out),
            }
        }
        Ok(out)
    }

    fn map(
        &self,
        field: &Field,
        own: &[Wire<'_>],
        key: &str,
        path: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        let Some((key_field, value_field)) = self.layouts.of_entry(field) else {
            return refused(format!("`{}` is not a map", field.name));
        };
        let scalar = parse::key_of_text(&key_field.kind, key).map_err(|reason| {
            ViewError::new(format!(
                "`{key}` is not a key of `{}`, a map whose keys are {:?}: {reason}",
                field.name, key_field.kind
            ))
        })?;
        let mut key_bytes = Vec::new();
        scalar.write_field(key_field.number, &mut key_bytes);
        let read =
            |content| key_of(key_field, content).map_err(|flaw| ViewError::new(flaw.to_string()));
        let wanted = read(&key_bytes)?;
        let mut entries = Vec::new();
        for content in own.iter().filter_map(|wire| message_content(*wire)) {
            entries.push((read(content)?, Cow::Borrowed(content)));
        }
        let last = entries.iter().rposition(|(key, _)| *key == wanted);
        let is_unset = matches!(self.edit, Edit::Unset);
        match last {
            None if is_unset => {
                return refused(format!("`{}` has no entry with this key", field.name));
            }
            _ if is_unset && path.is_empty() => entries.retain(|(key, _)| *key != wanted),
            Some(at) => {
                let content = self.entry(value_field, &entries[at].1, path)?;
                entries[at].1 = Cow::Owned(content);
            }
            None => {
                let content = self.entry(value_field, &key_bytes, path)?;
                // Insert it in order, if the keys are in order.
                let after = entries.iter().position(|(key, _)| *key > wanted);
                let at = after.unwrap_or(entries.len());
                entries.insert(at, (wanted, Cow::Owned(content)));
            }
        }
        let mut out = Vec::new();
        for (_, content) in entries {
            wire::write_tag(field.number, LENGTH_DELIMITED, &mut out);
            wire::write_bytes(&content, &mut out);
        }
        Ok(out)
    }

    /// Encodes a map entry with a new value.
    fn entry(&self, value: &Field, entry: &[u8], path: &[String]) -> Result<Vec<u8>, ViewError> {
        let fields = encoded_fields(entry).map_err(|flaw| ViewError::new(flaw.to_string()))?;
        let is_own = |part: &EncodedField<'_>| part.0 == value.number && is_of(value, part.2);
        let new = if path.is_empty() {
            self.element(value, true)?
        } else {
            let own: Vec<_> = fields.iter().filter(|part| is_own(part)).collect();
            let own: Vec<_> = own.into_iter().map(|part| part.2).collect();
            self.inside(value, &own, path)?
        };
        Ok(joined(&fields, value.number, is_own, |_| false, &new))
    }

    /// Edits an Any, which has `type` and `value` or `bytes`, as in a view.
    fn any(
        &self,
        fields: &[EncodedField<'_>],
        step: &str,
        rest: &[String],
    ) -> Result<Vec<u8>, ViewError> {
        const TYPE: u32 = 1;
        const VALUE: u32 = 2;
        let bytes_of = |wanted| {
            let found = fields
                .iter()
                .rev()
                .find_map(|(number, _, wire)| match wire {
                    Wire::Bytes(bytes) if *number == wanted => Some(*bytes),
                    _ => None,
                });
            found.unwrap_or_default()
        };
        let scalar = |kind: &Kind| match self.edit {
            Edit::Unset => Ok(Vec::new()),
            Edit::Text(text) => parse::scalar_of_text(kind, text).map(|it| content_of(&it)),
            Edit::View(view) => parse::scalar(kind, view).map(|it| content_of(&it)),
        };
        let plain = |kind: &Kind| match rest {
            [] => Ok(scalar(kind)?),
            [below, ..] => refused(format!("`{below}` is below a plain value")),
        };
        let (number, content) = match step {
            "type" => (TYPE, plain(&Kind::String)?),
            "bytes" => (VALUE, plain(&Kind::Bytes)?),
            "value" => {
                let url = String::from_utf8_lossy(bytes_of(TYPE));
                let name = url.rsplit('/').next().unwrap_or(&url);
                let Some(message) = self.layouts.named(name) else {
                    let missing = self.layouts.missing(name);
                    return refused(missing.or("set the `bytes` of this Any"));
                };
                let content = match rest {
                    [] => self.whole_message(message)?.unwrap_or_default(),
                    rest => self.message(message, bytes_of(VALUE), rest)?,
                };
                (VALUE, content)
            }
            other => {
                return refused(format!(
                    "`{other}` is not part of an Any, which has `type`, and `value` or `bytes`"
                ));
            }
        };
        let mut new = Vec::new();
        if !content.is_empty() {
            Scalar::Bytes(content).write_field(number, &mut new);
        }
        let is_own = |part: &EncodedField<'_>| part.0 == number && matches!(part.2, Wire::Bytes(_));
        Ok(joined(fields, number, is_own, |_| false, &new))
    }
}

fn field_of<'a>(message: &'a Layout, step: &str) -> Result<&'a Field, ViewError> {
    if let Some(at) = message.position(step, 0) {
        return Ok(&message.fields[at]);
    }
    let members: Vec<_> = message
        .fields
        .iter()
        .filter(|field| field.oneof.as_deref() == Some(step))
        .map(|field| format!("`{}`", field.name))
        .collect();
    if !members.is_empty() {
        return refused(format!(
            "`{step}` is a oneof of {}: take one of {}",
            message.name,
            members.join(", ")
        ));
    }
    let indexed = step
        .strip_suffix(']')
        .and_then(|step| step.split_once('['))
        .filter(|(name, _)| message.position(name, 0).is_some());
    if let Some((name, index)) = indexed {
        return refused(format!(
            "an element of `{name}` is written `{name}.{index}`"
        ));
    }
    let error = unknown_field(message, step);
    refused(error.message)
}

fn malformed(message: &Layout, flaw: &Flaw) -> ViewError {
    ViewError::new(format!(
        "the bytes are not a valid {}: {flaw}",
        message.name
    ))
}

/// Rejects an empty value: someone who writes `--set-yaml PATH=` or `null` probably wants to remove the field.
fn not_null(view: &Value) -> Result<(), ViewError> {
    match view {
        Value::Null => refused("the value is empty: to remove a field, use --unset"),
        _ => Ok(()),
    }
}

fn encoded_fields(bytes: &[u8]) -> Result<Vec<EncodedField<'_>>, Flaw> {
    let mut fields = Vec::new();
    let mut reader = Reader::new(bytes);
    loop {
        let before = reader.rest();
        let Some((number, wire)) = reader.field()? else {
            return Ok(fields);
        };
        let whole = &before[..before.len() - reader.rest().len()];
        fields.push((number, whole, wire));
    }
}

/// Joins all fields, with new bytes for one: at its old position, or else in order of field numbers.
fn joined(
    fields: &[EncodedField<'_>],
    number: u32,
    is_own: impl Fn(&EncodedField<'_>) -> bool,
    goes: impl Fn(&EncodedField<'_>) -> bool,
    new: &[u8],
) -> Vec<u8> {
    let at = fields
        .iter()
        .position(&is_own)
        .or_else(|| fields.iter().position(|part| part.0 > number))
        .unwrap_or(fields.len());
    let mut out = Vec::new();
    for (index, part) in fields.iter().enumerate() {
        if index == at {
            out.extend_from_slice(new);
        }
        if !is_own(part) && !goes(part) {
            out.extend_from_slice(part.1);
        }
    }
    if at == fields.len() {
        out.extend_from_slice(new);
    }
    out
}

/// Whether a wire value can belong to a field. A value with another wire type counts as an unknown field.
fn is_of(field: &Field, wire: Wire<'_>) -> bool {
    match (&field.kind, wire) {
        (Kind::Message { .. }, Wire::Bytes(_)) => !field.group,
        (Kind::Message { .. }, Wire::Group(_)) => field.group,
        (kind, Wire::Bytes(_)) if field.occurrence == Occurrence::List && is_packable(kind) => true,
        (kind, wire) => !matches!(show::scalar(kind, wire), Ok(None)),
    }
}

fn is_packable(kind: &Kind) -> bool {
    !matches!(kind, Kind::String | Kind::Bytes | Kind::Message { .. })
}

const fn message_content(wire: Wire<'_>) -> Option<&[u8]> {
    match wire {
        Wire::Bytes(bytes) | Wire::Group(bytes) => Some(bytes),
        _ => None,
    }
}

fn key_of(key: &Field, entry: &[u8]) -> Result<Option<MapKey>, Flaw> {
    let mut shown = None;
    let mut reader = Reader::new(entry);
    while let Some((number, wire)) = reader.field()? {
        if number == key.number {
            shown = show::scalar(&key.kind, wire)?.or(shown);
        }
    }
    // A map entry may omit its key, which then has the default value.
    let shown = shown.unwrap_or_else(|| match key.kind {
        Kind::String => Value::from(""),
        Kind::Bool => Value::from(false),
        _ => Value::from(0),
    });
    Ok(MapKey::new(shown))
}

/// The scalar of a wire value that is not a group.
fn scalar_of(wire: Wire<'_>) -> Scalar<'static> {
    match wire {
        Wire::Varint(value) => Scalar::Varint(value),
        Wire::Fixed32(value) => Scalar::Fixed32(value),
        Wire::Fixed64(value) => Scalar::Fixed64(value),
        Wire::Bytes(bytes) | Wire::Group(bytes) => Scalar::Bytes(bytes.to_vec()),
    }
}

fn content_of(scalar: &Scalar<'_>) -> Vec<u8> {
    match scalar {
        Scalar::Text(text) => text.as_bytes().to_vec(),
        Scalar::Bytes(bytes) => bytes.clone(),
        _ => Vec::new(),
    }
}

fn wrap(field: &Field, content: &[u8], out: &mut Vec<u8>) {
    if field.group {
        wire::write_tag(field.number, GROUP_START, out);
        out.extend_from_slice(content);
        wire::write_tag(field.number, GROUP_END, out);
    } else {
        wire::write_tag(field.number, LENGTH_DELIMITED, out);
        wire::write_bytes(content, out);
    }
}

fn kind_word(kind: &Kind) -> String {
    match kind {
        Kind::Enum(words) => format!("a word of {}", words.name),
        kind => format!("{kind:?}"),
    }
}
