//! Decodes text: UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-8 and UTF-16 without, and stray bytes of older
//! encodings in any of them.

use crate::plain;

/// The text of the bytes; none if they are not text.
pub(super) fn as_text(bytes: &[u8]) -> Option<String> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Some(lenient(rest));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\x00\x00") {
        return Some(utf32(rest, u32::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\x00\x00\xfe\xff") {
        return Some(utf32(rest, u32::from_be_bytes));
    }
    plain::utf16_text(bytes).or_else(|| is_text(bytes).then(|| lenient(bytes)))
}

/// Decodes UTF-8. An invalid byte is read as Latin-1.
fn lenient(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    units
        .iter()
        .map(|it| char::from_u32(unit(*it)).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Whether nearly all characters are printable.
fn is_text(bytes: &[u8]) -> bool {
    let invalid: usize = bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let controls = bytes
        .iter()
        .filter(|byte| byte.is_ascii_control() && !matches!(byte, 0x08..=0x0d | 0x1b))
        .count();
    (invalid + controls) * 10 <= bytes.len()
}
