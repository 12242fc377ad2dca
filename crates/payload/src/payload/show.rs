//! Converts wire scalars to YAML values. `parse` does the reverse.

use serde_yaml::{Number, Value};

use super::kind::Kind;
use super::reader::{Flaw, Reader, Wire};
use super::text;

/// A string that is not valid UTF-8.
pub(super) const NOT_UTF8: Flaw = Flaw::new("a string is not UTF-8");

/// Shows a scalar. None if the wire type does not match the kind. Numbers are truncated to their size, as protobuf
/// does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "protobuf cuts numbers to their size"
)]
pub(super) fn scalar(kind: &Kind, wire: Wire<'_>) -> Result<Option<Value>, Flaw> {
    Ok(Some(match (kind, wire) {
        (Kind::Int32, Wire::Varint(value)) => Value::from(value as i32),
        (Kind::Int64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => {
            Value::from(value.cast_signed())
        }
        (Kind::Uint32, Wire::Varint(value)) => Value::from(value as u32),
        (Kind::Uint64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => {
            Value::from(value)
        }
        (Kind::Sint32, Wire::Varint(value)) => {
            let value = value as u32;
            Value::from((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
        }
        (Kind::Sint64, Wire::Varint(value)) => {
            Value::from((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
        }
        (Kind::Fixed32, Wire::Fixed32(value)) => Value::from(value),
        (Kind::Sfixed32, Wire::Fixed32(value)) => Value::from(value.cast_signed()),
        (Kind::Bool, Wire::Varint(value)) => Value::Bool(value != 0),
        (Kind::Enum(layout), Wire::Varint(value)) => {
            let name = layout.name_of(value as i32);
            name.map_or_else(|| Value::from(value as i32), Value::from)
        }
        (Kind::Double, Wire::Fixed64(bits)) => float(f64::from_bits(bits)),
        (Kind::Float, Wire::Fixed32(bits)) => float(widened(f32::from_bits(bits))),
        (Kind::String, Wire::Bytes(bytes)) => {
            Value::from(std::str::from_utf8(bytes).map_err(|_| NOT_UTF8)?)
        }
        (Kind::Bytes, Wire::Bytes(bytes)) => Value::from(text::write_bytes(bytes)),
        _ => return Ok(None),
    }))
}

/// The default of a scalar, as it is shown; none for a message.
pub(super) fn default_of(kind: &Kind) -> Option<Value> {
    let wire = match kind {
        Kind::Message { .. } => return None,
        Kind::String | Kind::Bytes => Wire::Bytes(&[]),
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(0),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(0),
        _ => Wire::Varint(0),
    };
    scalar(kind, wire).ok().flatten()
}

/// Whether a scalar equals the default of its kind, bit for bit.
pub(super) fn is_default(kind: &Kind, wire: Wire<'_>) -> bool {
    match wire {
        Wire::Varint(value) => match kind {
            Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Enum(_) => {
                value.trailing_zeros() >= 32
            }
            _ => value == 0,
        },
        Wire::Fixed64(value) => value == 0,
        Wire::Fixed32(value) => value == 0,
        Wire::Bytes(bytes) | Wire::Group(bytes) => bytes.is_empty(),
    }
}

/// Reads the next value of a packed list.
pub(super) fn packed<'b>(kind: &Kind, reader: &mut Reader<'b>) -> Result<Wire<'b>, Flaw> {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => reader.fixed64().map(Wire::Fixed64),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => reader.fixed32().map(Wire::Fixed32),
        _ => reader.varint().map(Wire::Varint),
    }
}

/// YAML has only one NaN.
fn float(number: f64) -> Value {
    Value::Number(Number::from(if number.is_nan() {
        f64::NAN
    } else {
        number
    }))
}

/// A float with the shortest decimal that denotes it: 0.1, not 0.10000000149011612.
fn widened(number: f32) -> f64 {
    let exact = f64::from(number);
    let short: f64 = number.to_string().parse().unwrap_or(exact);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "reading back is what is tested"
    )]
    let back = short as f32;
    if back.to_bits() == number.to_bits() {
        short
    } else {
        exact
    }
}

/// A map key, ordered as entries are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MapKey {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Text(String),
}

impl MapKey {
    /// Creates a key from its shown value.
    pub(super) fn new(shown: Value) -> Option<Self> {
        match shown {
            Value::Bool(boolean) => Some(Self::Bool(boolean)),
            // Out-of-range numbers sort last.
            Value::Number(number) => number
                .as_i64()
                .map(Self::Signed)
                .or_else(|| number.as_u64().map(Self::Unsigned)),
            Value::String(text) => Some(Self::Text(text)),
            _ => None,
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Bool(boolean) => Value::Bool(boolean),
            Self::Signed(number) => Value::from(number),
            Self::Unsigned(number) => Value::from(number),
            Self::Text(text) => Value::String(text),
        }
    }
}
