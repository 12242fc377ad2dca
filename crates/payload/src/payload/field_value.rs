//! Scalars as one who changes them sees them, and back to the wire.

use std::borrow::Cow;

use prost_reflect::Kind;

use super::reader::{Flaw, Wire};
use super::show::NOT_UTF8;
use super::wire::Scalar;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// `bool`.
    Truth,
    /// An enum.
    Word,
    /// Any of the integers, of 32 or of 64 bits.
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
    /// Of a `bool`.
    Truth(bool),
    /// The number of an enum's word.
    Word(i32),
    /// Of an integer.
    Integer {
        /// The number.
        value: i128,
        /// The least that the field can hold.
        min: i128,
        /// The most that it can hold.
        max: i128,
    },
    /// Of a `float` or `double`.
    Float(f64),
    /// Of a `string`.
    Text(Cow<'a, str>),
    /// Of `bytes`.
    Bytes(Cow<'a, [u8]>),
}

impl FieldKind {
    pub(super) const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Truth,
            Kind::Enum(_) => Self::Word,
            Kind::Double | Kind::Float => Self::Float,
            Kind::String => Self::Text,
            Kind::Bytes => Self::Bytes,
            Kind::Message(_) => Self::Message,
            _ => Self::Integer,
        }
    }
}

impl<'a> FieldValue<'a> {
    /// The same, of its own.
    #[must_use]
    pub fn to_static(&self) -> FieldValue<'static> {
        match self {
            Self::Truth(truth) => FieldValue::Truth(*truth),
            Self::Word(number) => FieldValue::Word(*number),
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

    /// Reads a scalar; none where its kind has another wire type.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "protobuf cuts numbers to their size"
    )]
    pub(super) fn read(kind: &Kind, wire: Wire<'a>) -> Result<Option<Self>, Flaw> {
        Ok(Some(match (kind, wire) {
            (Kind::Bool, Wire::Varint(value)) => Self::Truth(value != 0),
            (Kind::Enum(_), Wire::Varint(value)) => Self::Word(value as i32),
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

    /// The scalar that goes on the wire. A number that does not fit is the nearest that does.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "numbers are brought into their range, and a float has the precision of its field"
    )]
    pub(super) fn to_scalar(&self, kind: &Kind) -> Scalar<'_> {
        match self {
            Self::Truth(truth) => Scalar::Varint((*truth).into()),
            Self::Word(number) => Scalar::Varint(i64::from(*number).cast_unsigned()),
            Self::Integer { value, min, max } => integer(kind, (*value).clamp(*min, *max)),
            Self::Float(number) if matches!(kind, Kind::Float) => {
                Scalar::Fixed32((*number as f32).to_bits())
            }
            Self::Float(number) => Scalar::Fixed64(number.to_bits()),
            Self::Text(text) => Scalar::Text(text),
            Self::Bytes(bytes) => Scalar::Bytes(bytes.to_vec()),
        }
    }

    /// As a key of a map is read by people.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Truth(truth) => truth.to_string(),
            Self::Word(number) => number.to_string(),
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

/// An integer that is in its field's range.
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
