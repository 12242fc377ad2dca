//! Pseudonyms: derived from the key, equal for equal values, and of the same kind as the value.
//!
//! The field name is not an input, so a player has the same pseudonym in every book that the team captures.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::key::Key;
use super::rule::Form;
use crate::model::Root;
use crate::payload::FieldValue;

/// A reserved domain (RFC 2606).
const EMAIL_DOMAIN: &str = "example.com";

/// The pseudonym of a value. Empty values (an empty text, zero, the nil UUID) stay as they are.
pub(super) fn pseudonym(
    key: &Key,
    form: Form,
    range: Option<(i64, i64)>,
    value: &FieldValue<'_>,
) -> FieldValue<'static> {
    match value {
        // With so few possible values, a pseudonym would reveal the value.
        FieldValue::Bool(_) => FieldValue::Bool(false),
        FieldValue::Enum(_) => FieldValue::Enum(0),
        FieldValue::Integer { value, min, max } => FieldValue::Integer {
            value: integer(key, range, *value),
            min: *min,
            max: *max,
        },
        FieldValue::Float(number) => FieldValue::Float(float(key, range, *number)),
        FieldValue::Text(value) => FieldValue::Text(Cow::Owned(text(key, form, value))),
        FieldValue::Bytes(value) => FieldValue::Bytes(Cow::Owned(bytes(key, value))),
    }
}

/// The pseudonym of a text.
pub(super) fn text(key: &Key, form: Form, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    if let Some(text) = uuid_text(key, form, value) {
        return text;
    }
    match form {
        Form::Email => email(key, value),
        Form::Digits => digits(key, value),
        Form::Auto | Form::Uuid if is_email(value) => email(key, value),
        Form::Auto | Form::Uuid if is_number_like(value) => digits(key, value),
        Form::Auto | Form::Uuid | Form::Text => opaque(key, value),
    }
}

/// The pseudonym of a UUID. Version and variant are preserved.
pub(super) fn uuid(key: &Key, value: [u8; 16]) -> [u8; 16] {
    if value == [0; 16] {
        return value;
    }
    let digest = key.digest("uuid", &value);
    let mut new = [0; 16];
    new.copy_from_slice(&digest[..16]);
    new[6] = (value[6] & 0xf0) | (new[6] & 0x0f);
    new[8] = (value[8] & 0xc0) | (new[8] & 0x3f);
    new
}

fn uuid_text(key: &Key, form: Form, value: &str) -> Option<String> {
    let is_dashed = value.len() == 36;
    if !matches!(form, Form::Auto | Form::Uuid) || !(is_dashed || form == Form::Uuid) {
        return None;
    }
    let root: Root = value.parse().ok()?;
    let new = Root::new(uuid(key, *root.as_bytes()));
    let text = if is_dashed {
        new.to_string()
    } else {
        new.hex()
    };
    let is_upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_upper { text.to_uppercase() } else { text })
}

fn email(key: &Key, value: &str) -> String {
    format!(
        "{}@{EMAIL_DOMAIN}",
        hex(&key.digest("email", value.as_bytes())[..8])
    )
}

fn opaque(key: &Key, value: &str) -> String {
    format!("p-{}", hex(&key.digest("text", value.as_bytes())[..8]))
}

/// Replaces digits and keeps everything between them: `+49 170 1` and `491701` get the same digits.
fn digits(key: &Key, value: &str) -> String {
    let only: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
    if only.is_empty() {
        return opaque(key, value);
    }
    let mut stream = key.stream("digits", &only);
    let mut is_first = true;
    let mut next = |digit: char| {
        let byte = stream.next().unwrap_or_default();
        let new = if std::mem::replace(&mut is_first, false) && digit != '0' {
            1 + byte % 9
        } else {
            byte % 10
        };
        char::from(b'0' + new)
    };
    value
        .chars()
        .map(|letter| {
            if letter.is_ascii_digit() {
                next(letter)
            } else {
                letter
            }
        })
        .collect()
}

/// 16 bytes are treated as a UUID, like a root; anything else keeps its length.
fn bytes(key: &Key, value: &[u8]) -> Vec<u8> {
    match <[u8; 16]>::try_from(value) {
        Ok(value) => uuid(key, value).to_vec(),
        Err(_) => key.stream("bytes", value).take(value.len()).collect(),
    }
}

/// A number in the range, or a number with as many digits and the same sign.
fn integer(key: &Key, range: Option<(i64, i64)>, value: i128) -> i128 {
    let drawn = || {
        let digest = key.digest("number", value.to_string().as_bytes());
        let first = digest.first_chunk().expect("a digest has 32 bytes");
        i128::from(u64::from_be_bytes(*first))
    };
    match range {
        Some((low, high)) => i128::from(low) + drawn() % (i128::from(high) - i128::from(low) + 1),
        None if value == 0 => 0,
        None => {
            let (low, high) = decade(value.abs());
            (low + drawn() % (high - low + 1)) * value.signum()
        }
    }
}

/// The numbers with the same number of digits, limited to the narrowest integer type that holds the value. This way a
/// number has the same pseudonym in a 32-bit and in a 64-bit field.
fn decade(value: i128) -> (i128, i128) {
    let digits = u32::try_from(value.to_string().len()).unwrap_or(1);
    let low = 10_i128.pow(digits - 1);
    let bounds = [
        i128::from(i32::MAX),
        i128::from(u32::MAX),
        i128::from(i64::MAX),
    ];
    let bound = bounds.into_iter().find(|bound| value <= *bound);
    (low, (low * 10 - 1).min(bound.unwrap_or(u64::MAX.into())))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a stand-in need not be exact, only the same each time"
)]
fn float(key: &Key, range: Option<(i64, i64)>, value: f64) -> f64 {
    if !value.is_finite() || (value == 0.0 && range.is_none()) {
        return value;
    }
    let digest = key.digest("float", &value.to_bits().to_be_bytes());
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    let fraction = f64::from(u32::from_be_bytes(*first)) / f64::from(u32::MAX);
    match range {
        Some((low, high)) => low as f64 + fraction * (high as f64 - low as f64),
        None if value.fract() == 0.0 && value.abs() < 1e15 => {
            integer(key, None, value as i128) as f64
        }
        None => {
            let decade = 10_f64.powi(value.abs().log10().floor() as i32);
            value.signum() * decade * (1.0 + fraction * 8.99)
        }
    }
}

fn is_email(value: &str) -> bool {
    static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$").expect("the pattern is a constant")
    });
    EMAIL.is_match(value)
}

/// Whether a text consists of digits and the punctuation of phone numbers.
fn is_number_like(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits > 0
        && value
            .chars()
            .all(|letter| letter.is_ascii_digit() || "+-() ./".contains(letter))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
