//! The scalar values that a rewriter reads and returns, and their conversion from and to the wire.

use std::borrow::Cow;

use super::kind::Kind;
use super::reader::{Flaw, Wire};
use super::show::NOT_UTF8;
use super::wire::Scalar;

/// The kind of value that a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// `bool`.
    Bool,
    /// An enum.
    Enum,
    /// Any integer type.
    Integer,
    /// `float` or `double`.
    Float,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// A message.
    Message,
}

/// The value of a scalar field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue<'a> {
    /// A `bool`.
    Bool(bool),
    /// The number of an enum value.
    Enum(i32),
    /// An integer.
    Integer {
        /// The number.
        value: i128,
        /// The smallest value that the field's type can hold.
        min: i128,
        /// The largest value that it can hold.
        max: i128,
    },
    /// A `float` or `double`.
    Float(f64),
    /// A `string`.
    Text(Cow<'a, str>),
    /// `bytes`.
    Bytes(Cow<'a, [u8]>),
}

impl FieldKind {
    pub(super) const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool,
            Kind::Enum(_) => Self::Enum,
            Kind::Double | Kind::Float => Self::Float,
            Kind::String => Self::Text,
            Kind::Bytes => Self::Bytes,
            Kind::Message { .. } => Self::Message,
            _ => Self::Integer,
        }
    }
}

impl<'a> FieldValue<'a> {
    /// An owned copy.
    #[must_use]
    pub fn to_static(&self) -> FieldValue<'static> {
        match self {
            Self::Bool(truth) => FieldValue::Bool(*truth),
            Self::Enum(number) => FieldValue::Enum(*number),
            Self::Integer { value, min, max } => FieldValue::Integer {
                value: *value,
                min: *min,
                max: *max,
            },
            Self::Float(number) => FieldValue::Float(*number),
            Self::Text(text) => FieldValue::Text(Cow::Owned(text.clone().into_owned())),
            Self::Bytes(bytes) => FieldValue::Bytes(Cow::Owned(bytes.clone().into_owned())),
        }
    }

    /// Reads a scalar. None if the wire type does not match the kind.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "protobuf cuts numbers to their size"
    )]
    pub(super) fn read(kind: &Kind, wire: Wire<'a>) -> Result<Option<Self>, Flaw> {
        Ok(Some(match (kind, wire) {
            (Kind::Bool, Wire::Varint(value)) => Self::Bool(value != 0),
            (Kind::Enum(_), Wire::Varint(value)) => Self::Enum(value as i32),
            (Kind::Int32, Wire::Varint(value)) => signed32(value as i32),
            (Kind::Sfixed32, Wire::Fixed32(value)) => signed32(value.cast_signed()),
            (Kind::Sint32, Wire::Varint(value)) => {
                let value = value as u32;
                signed32((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
            }
            (Kind::Int64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => {
                signed64(value.cast_signed())
            }
            (Kind::Sint64, Wire::Varint(value)) => {
                signed64((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
            }
            (Kind::Uint32, Wire::Varint(value)) => {
                unsigned(u64::from(value as u32), u32::MAX.into())
            }
            (Kind::Fixed32, Wire::Fixed32(value)) => unsigned(value.into(), u32::MAX.into()),
            (Kind::Uint64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => {
                unsigned(value, u64::MAX)
            }
            (Kind::Double, Wire::Fixed64(bits)) => Self::Float(f64::from_bits(bits)),
            (Kind::Float, Wire::Fixed32(bits)) => Self::Float(f32::from_bits(bits).into()),
            (Kind::String, Wire::Bytes(bytes)) => {
                Self::Text(std::str::from_utf8(bytes).map_err(|_| NOT_UTF8)?.into())
            }
            (Kind::Bytes, Wire::Bytes(bytes)) => Self::Bytes(bytes.into()),
            _ => return Ok(None),
        }))
    }

    /// The scalar for the wire. A number that is out of range is clamped.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "numbers are brought into their range, and a float has the precision of its field"
    )]
    pub(super) fn to_scalar(&self, kind: &Kind) -> Scalar<'_> {
        match self {
            Self::Bool(truth) => Scalar::Varint((*truth).into()),
            Self::Enum(number) => Scalar::Varint(i64::from(*number).cast_unsigned()),
            Self::Integer { value, min, max } => integer(kind, (*value).clamp(*min, *max)),
            Self::Float(number) if matches!(kind, Kind::Float) => {
                Scalar::Fixed32((*number as f32).to_bits())
            }
            Self::Float(number) => Scalar::Fixed64(number.to_bits()),
            Self::Text(text) => Scalar::Text(text),
            Self::Bytes(bytes) => Scalar::Bytes(bytes.to_vec()),
        }
    }

    /// The text of a map key.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Bool(truth) => truth.to_string(),
            Self::Enum(number) => number.to_string(),
            Self::Integer { value, .. } => value.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.clone().into_owned(),
            Self::Bytes(bytes) => super::text::write_bytes(bytes),
        }
    }
}

fn signed32(value: i32) -> FieldValue<'static> {
    FieldValue::Integer {
        value: value.into(),
        min: i32::MIN.into(),
        max: i32::MAX.into(),
    }
}

fn signed64(value: i64) -> FieldValue<'static> {
    FieldValue::Integer {
        value: value.into(),
        min: i64::MIN.into(),
        max: i64::MAX.into(),
    }
}

fn unsigned(value: u64, max: u64) -> FieldValue<'static> {
    FieldValue::Integer {
        value: value.into(),
        min: 0,
        max: max.into(),
    }
}

/// Encodes an integer that is in the range of its field.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is in range; what is cut off are copies of its sign"
)]
fn integer(kind: &Kind, value: i128) -> Scalar<'static> {
    let (low, wide) = (value as u32, value as u64);
    match kind {
        Kind::Fixed32 | Kind::Sfixed32 => Scalar::Fixed32(low),
        Kind::Fixed64 | Kind::Sfixed64 => Scalar::Fixed64(wide),
        Kind::Sint32 => {
            let value = low.cast_signed();
            Scalar::Varint(((value << 1) ^ (value >> 31)).cast_unsigned().into())
        }
        Kind::Sint64 => {
            let value = wide.cast_signed();
            Scalar::Varint(((value << 1) ^ (value >> 63)).cast_unsigned())
        }
        _ => Scalar::Varint(wide),
    }
}
