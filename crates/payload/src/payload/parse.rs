//! Converts the scalars of a view to wire values. Strict, so that a mistake is reported instead of encoded.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_yaml::{Number, Value};

use super::kind::{EnumLayout, Kind};
use super::text::{self, TextError};
use super::wire::Scalar;
use crate::model::did_you_mean;

/// A value that is not one of its field's type. Messages do not contain the value, which might be secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum ScalarError {
    #[error("expected {what}, found {found}")]
    Expected {
        what: Cow<'static, str>,
        found: &'static str,
    },
    /// Text that is not what is expected.
    #[error("expected {0}")]
    Text(Cow<'static, str>),
    #[error("{value} is out of range: {low} to {high}")]
    Range {
        value: i128,
        low: String,
        high: String,
    },
    #[error("{0:e} is out of range of a 32-bit float")]
    FloatRange(f64),
    /// A name without a hint is not repeated, because only a name that is similar to a value is surely not secret.
    #[error("no value of {full_name} has this name")]
    UnknownName { full_name: String },
    #[error("`{name}` is not a value of {full_name}{hint}")]
    SimilarName {
        name: String,
        full_name: String,
        hint: String,
    },
    #[error(transparent)]
    Form(#[from] TextError),
}

/// Converts a value to a scalar that is not a message.
pub(super) fn scalar<'a>(kind: &Kind, value: &'a Value) -> Result<Scalar<'a>, ScalarError> {
    match kind {
        Kind::Double => double(value).map(|number| Scalar::Fixed64(number.to_bits())),
        Kind::Float => float(value).map(|number| Scalar::Fixed32(number.to_bits())),
        Kind::Bool => match value {
            Value::Bool(truth) => Ok(Scalar::Varint(u64::from(*truth))),
            other => Err(expected("true or false", other)),
        },
        Kind::String => match value {
            Value::String(text) => Ok(Scalar::Text(text)),
            other => Err(expected("a string", other)),
        },
        Kind::Bytes => match value {
            Value::String(text) => Ok(Scalar::Bytes(text::read_bytes(text)?)),
            other => Err(expected("bytes, written as `uuid:…` or base64", other)),
        },
        Kind::Enum(layout) => enumeration(layout, value),
        Kind::Message { name, .. } => Err(expected(format!("a mapping of {name}"), value)),
        integer => match value {
            Value::Number(number) => integer_of(integer, number),
            other => Err(expected("an integer", other)),
        },
    }
}

/// Converts a map key. Integers and booleans may be written as strings, as JSON requires.
pub(super) fn map_key<'a>(kind: &Kind, key: &'a Value) -> Result<Scalar<'a>, ScalarError> {
    let Value::String(text) = key else {
        return scalar(kind, key);
    };
    match kind {
        Kind::String => Ok(Scalar::Text(text)),
        Kind::Bool => match text.as_str() {
            "true" => Ok(Scalar::Varint(1)),
            "false" => Ok(Scalar::Varint(0)),
            _ => Err(expected("true or false", key)),
        },
        integer => {
            let number = text
                .parse::<u64>()
                .map(Number::from)
                .or_else(|_| text.parse::<i64>().map(Number::from));
            integer_of(integer, &number.map_err(|_| expected("an integer", key))?)
        }
    }
}

/// Parses a scalar from text: a string takes the text as it is; anything else is written as in a view.
pub(super) fn scalar_of_text<'a>(kind: &Kind, text: &'a str) -> Result<Scalar<'a>, ScalarError> {
    match kind {
        Kind::String => Ok(Scalar::Text(text)),
        Kind::Bytes => Ok(Scalar::Bytes(text::read_bytes(text)?)),
        Kind::Bool => match text {
            "true" => Ok(Scalar::Varint(1)),
            "false" => Ok(Scalar::Varint(0)),
            _ => Err(ScalarError::Text("true or false".into())),
        },
        Kind::Enum(layout) => match number_of(text) {
            Some(number) if layout.number_of(text).is_none() => {
                enumeration(layout, &Value::Number(number))
            }
            _ => enumeration(layout, &Value::String(text.to_owned())),
        },
        Kind::Double | Kind::Float => {
            let long = || {
                let value = text.trim().parse::<i128>().ok();
                let digits = value.filter(|value| beyond_yaml(*value));
                digits.and_then(|_| text.trim().parse::<f64>().ok())
            };
            let number = number_of(text).or_else(|| long().map(Number::from));
            let refused = || ScalarError::Text("a number, such as 1.5, -3e9, .inf or .nan".into());
            let number = number.map(Value::Number).ok_or_else(refused)?;
            scalar_of_number(kind, &number)
        }
        Kind::Message { name, .. } => Err(ScalarError::Text(format!("a {name}").into())),
        integer => match number_of(text) {
            Some(number) if number.is_f64() => Err(ScalarError::Expected {
                what: format!("an integer ({integer:?})").into(),
                found: A_FLOAT,
            }),
            Some(number) => integer_of(integer, &number),
            None => match text.trim().parse::<i128>() {
                Ok(value) if beyond_yaml(value) => integer_in(integer, value),
                _ => Err(ScalarError::Text(
                    format!("an integer ({integer:?})").into(),
                )),
            },
        },
    }
}

/// Whether an integer has more digits than a YAML integer can have here.
fn beyond_yaml(value: i128) -> bool {
    i64::try_from(value).is_err() && u64::try_from(value).is_err()
}

fn scalar_of_number(kind: &Kind, number: &Value) -> Result<Scalar<'static>, ScalarError> {
    match kind {
        Kind::Float => float(number).map(|number| Scalar::Fixed32(number.to_bits())),
        _ => double(number).map(|number| Scalar::Fixed64(number.to_bits())),
    }
}

/// Parses a number in YAML syntax.
fn number_of(text: &str) -> Option<Number> {
    let text = text.trim();
    let is_of_number =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    if !text.chars().all(is_of_number) {
        return None;
    }
    match serde_yaml::from_str(text) {
        Ok(Value::Number(number)) => Some(number),
        _ => None,
    }
}

/// Parses a map key from text.
pub(super) fn key_of_text<'a>(kind: &Kind, text: &'a str) -> Result<Scalar<'a>, ScalarError> {
    match kind {
        Kind::String => Ok(Scalar::Text(text)),
        Kind::Bool => scalar_of_text(kind, text),
        integer => match text.parse::<i128>() {
            Ok(value) => integer_in(integer, value),
            Err(_) => Err(ScalarError::Text("an integer".into())),
        },
    }
}

fn integer_of(kind: &Kind, number: &Number) -> Result<Scalar<'static>, ScalarError> {
    let value = number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .ok_or(ScalarError::Expected {
            what: Cow::Borrowed("an integer"),
            found: A_FLOAT,
        })?;
    integer_in(kind, value)
}

fn integer_in(kind: &Kind, value: i128) -> Result<Scalar<'static>, ScalarError> {
    let signed32 = || ranged(value, i32::MIN..=i32::MAX);
    let signed64 = || ranged(value, i64::MIN..=i64::MAX);
    let unsigned32 = || ranged(value, u32::MIN..=u32::MAX);
    let unsigned64 = || ranged(value, u64::MIN..=u64::MAX);
    Ok(match kind {
        Kind::Int32 => Scalar::Varint(i64::from(signed32()?).cast_unsigned()),
        Kind::Int64 => Scalar::Varint(signed64()?.cast_unsigned()),
        Kind::Uint32 => Scalar::Varint(u64::from(unsigned32()?)),
        Kind::Uint64 => Scalar::Varint(unsigned64()?),
        Kind::Sint32 => {
            signed32().map(|n| Scalar::Varint(u64::from(((n << 1) ^ (n >> 31)).cast_unsigned())))?
        }
        Kind::Sint64 => {
            signed64().map(|n| Scalar::Varint(((n << 1) ^ (n >> 63)).cast_unsigned()))?
        }
        Kind::Fixed32 => Scalar::Fixed32(unsigned32()?),
        Kind::Fixed64 => Scalar::Fixed64(unsigned64()?),
        Kind::Sfixed32 => Scalar::Fixed32(signed32()?.cast_unsigned()),
        Kind::Sfixed64 => Scalar::Fixed64(signed64()?.cast_unsigned()),
        _ => return Err(ScalarError::Text("no integer".into())),
    })
}

fn ranged<T: TryFrom<i128> + Display>(
    value: i128,
    range: RangeInclusive<T>,
) -> Result<T, ScalarError> {
    let (low, high) = range.into_inner();
    T::try_from(value).map_err(|_| ScalarError::Range {
        value,
        low: low.to_string(),
        high: high.to_string(),
    })
}

fn double(value: &Value) -> Result<f64, ScalarError> {
    match value {
        Value::Number(number) => number
            .as_f64()
            .map(|float| if float.is_nan() { f64::NAN } else { float }),
        _ => None,
    }
    .ok_or_else(|| expected("a number", value))
}

fn float(value: &Value) -> Result<f32, ScalarError> {
    let wide = double(value)?;
    if wide.is_nan() {
        return Ok(f32::NAN);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the nearest f32 is what is meant"
    )]
    let narrow = wide as f32;
    if narrow.is_infinite() && wide.is_finite() {
        return Err(ScalarError::FloatRange(wide));
    }
    Ok(narrow)
}

fn enumeration(layout: &EnumLayout, value: &Value) -> Result<Scalar<'static>, ScalarError> {
    let number = match value {
        Value::String(name) => layout.number_of(name).ok_or_else(|| {
            let names = layout.values().iter().map(|value| value.name.as_str());
            let hint = did_you_mean(name, names);
            let full_name = layout.name.clone();
            if hint.is_empty() {
                return ScalarError::UnknownName { full_name };
            }
            ScalarError::SimilarName {
                name: name.clone(),
                full_name,
                hint,
            }
        })?,
        Value::Number(number) if !number.is_f64() => {
            let value = number
                .as_i64()
                .map(i128::from)
                .or_else(|| number.as_u64().map(i128::from));
            ranged(value.unwrap_or_default(), i32::MIN..=i32::MAX)?
        }
        other => {
            return Err(expected(format!("a value of {}", layout.name), other));
        }
    };
    Ok(Scalar::Varint(i64::from(number).cast_unsigned()))
}

const A_FLOAT: &str = "a float";

/// The error for a value of another type than the expected one.
pub(super) fn expected(what: impl Into<Cow<'static, str>>, found: &Value) -> ScalarError {
    let found = match found {
        Value::Null => "nothing (leave the field out, or write `{}` for an empty message)",
        Value::Bool(_) => "true or false (quote it to have a string)",
        Value::Number(number) if number.is_f64() => A_FLOAT,
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a value with a YAML tag",
    };
    ScalarError::Expected {
        what: what.into(),
        found,
    }
}
