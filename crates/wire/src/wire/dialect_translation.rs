//! Translates notifications from one dialect to another: the names of Angzarr's own messages, and the enum numbers of the
//! command inside. All other bytes stay as they are, including fields of a later revision.

use bytes::Buf;
use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, int32,
    skip_field,
};

use super::Dialect;
use crate::model::{Body, Page, Payload};

/// Numbers of the fields on the path to the enums.
mod field {
    pub(super) const NOTIFICATION_PAYLOAD: u32 = 2;
    pub(super) const REJECTED_COMMAND: u32 = 1;
    pub(super) const BOOK_PAGES: u32 = 2;
    pub(super) const COMMAND_HEADER: u32 = 1;
    pub(super) const MERGE_STRATEGY: u32 = 2;
    pub(super) const SYNC_MODE: u32 = 4;
    pub(super) const ANY_TYPE_URL: u32 = 1;
    pub(super) const ANY_VALUE: u32 = 2;
    pub(super) const EVENT: u32 = 3;
}

/// Translates a `Notification` or `RejectionNotification` to another dialect. Any other payload is returned unchanged,
/// and so are bytes that do not decode.
#[must_use]
pub fn payload_in(payload: &Payload, from: Dialect, to: Dialect) -> Payload {
    let translated = Translation { from, to }.message(&payload.type_url, &payload.value);
    translated.map_or_else(
        || payload.clone(),
        |(type_url, value)| Payload {
            type_url: type_url.into(),
            value,
        },
    )
}

/// Does the same with the event of a page.
#[must_use]
pub fn page_in(page: &Page, from: Dialect, to: Dialect) -> Page {
    let Body::Event(event) = &page.body else {
        return page.clone();
    };
    let translation = Translation { from, to };
    let original = page.original.as_ref();
    Page {
        body: Body::Event(payload_in(event, from, to)),
        original: original.map(|bytes| {
            let translated = with_messages(bytes, field::EVENT, |any| translation.any(any));
            translated.map_or_else(|| bytes.clone(), Box::new)
        }),
        ..page.clone()
    }
}

#[derive(Clone, Copy)]
struct Translation {
    from: Dialect,
    to: Dialect,
}

impl Translation {
    /// Translated type URL and bytes of a message; `None` if nothing changes.
    fn message(self, type_url: &str, value: &[u8]) -> Option<(String, Vec<u8>)> {
        if self.from == self.to {
            return None;
        }
        let full_name = type_url.rsplit('/').next()?;
        let name = full_name.strip_prefix(self.from.package())?;
        let (name, value) = match name {
            ".Notification" => {
                let payload = |any: &[u8]| self.any(any);
                let translated = with_messages(value, field::NOTIFICATION_PAYLOAD, payload)?;
                ("Notification", translated)
            }
            ".RejectionNotification" => {
                let command = |book: &[u8]| self.command_book(book);
                let translated = with_messages(value, field::REJECTED_COMMAND, command)?;
                ("RejectionNotification", translated)
            }
            _ => return None,
        };
        // If the package stays the same, an unusual prefix is kept as recorded.
        let is_usual = type_url == self.from.framework_type_url(name);
        let type_url = if is_usual || self.from.package() != self.to.package() {
            self.to.framework_type_url(name)
        } else {
            type_url.to_owned()
        };
        Some((type_url, value))
    }

    /// Translates an encoded `Any`; one with another message is returned unchanged.
    fn any(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut type_url = None;
        let mut value: &[u8] = &[];
        for part in parts(bytes)? {
            match (part.number, part.content) {
                (field::ANY_TYPE_URL, Content::Bytes(text)) => type_url = Some(text),
                (field::ANY_VALUE, Content::Bytes(bytes)) => value = bytes,
                _ => {}
            }
        }
        let type_url = std::str::from_utf8(type_url.unwrap_or_default()).ok()?;
        let Some((type_url, value)) = self.message(type_url, value) else {
            return Some(bytes.to_vec());
        };
        let renamed = with_messages(bytes, field::ANY_TYPE_URL, |_| {
            Some(type_url.clone().into_bytes())
        });
        with_messages(&renamed?, field::ANY_VALUE, |_| Some(value.clone()))
    }

    fn command_book(self, bytes: &[u8]) -> Option<Vec<u8>> {
        with_messages(bytes, field::BOOK_PAGES, |page| self.command_page(page))
    }

    /// An omitted merge strategy means the default, which a shifted enum writes explicitly.
    fn command_page(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let header = |bytes: &[u8]| self.header(bytes);
        let bytes = with_messages(bytes, field::COMMAND_HEADER, header)?;
        let parts = parts(&bytes)?;
        let is_strategy = |part: &&Part<'_>| part.number == field::MERGE_STRATEGY;
        let strategy = parts.iter().rfind(is_strategy).map(|part| part.content);
        let number = match strategy {
            None => 0,
            Some(Content::Number(number)) => number,
            Some(Content::Bytes(_) | Content::Other) => return None,
        };
        let strategy = self.from.merge_strategy(number);
        let number = self.to.merge_strategy_number(strategy);
        let mut translated = Vec::with_capacity(bytes.len() + 2);
        let (before, after): (Vec<_>, Vec<_>) = parts
            .iter()
            .filter(|part| !is_strategy(part))
            .partition(|part| part.number < field::MERGE_STRATEGY);
        for part in before {
            translated.extend(part.whole);
        }
        if number != 0 {
            int32::encode(field::MERGE_STRATEGY, &number, &mut translated);
        }
        for part in after {
            translated.extend(part.whole);
        }
        Some(translated)
    }

    fn header(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut translated = Vec::with_capacity(bytes.len());
        for part in parts(bytes)? {
            match part.content {
                Content::Number(number) if part.number == field::SYNC_MODE => {
                    let mode = self.from.sync_mode(number);
                    let number = self.to.sync_mode_number(mode);
                    int32::encode(field::SYNC_MODE, &number, &mut translated);
                }
                _ => translated.extend(part.whole),
            }
        }
        Some(translated)
    }
}

/// One field of an encoded message.
struct Part<'a> {
    number: u32,
    /// All of its bytes.
    whole: &'a [u8],
    content: Content<'a>,
}

#[derive(Clone, Copy)]
enum Content<'a> {
    /// The low 32 bits, which is how an enum is read.
    Number(i32),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of an encoded message; `None` if the bytes do not decode.
fn parts(mut bytes: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    while bytes.has_remaining() {
        let start = bytes;
        let (number, wire_type) = decode_key(&mut bytes).ok()?;
        let content = match wire_type {
            WireType::Varint => {
                let [a, b, c, d, ..] = decode_varint(&mut bytes).ok()?.to_le_bytes();
                Content::Number(i32::from_le_bytes([a, b, c, d]))
            }
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                Content::Bytes(bytes.split_off(..length)?)
            }
            _ => {
                skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?;
                Content::Other
            }
        };
        parts.push(Part {
            number,
            whole: &start[..start.len() - bytes.len()],
            content,
        });
    }
    Some(parts)
}

/// Replaces the content of a length-delimited field; `None` if the message or the new content is invalid.
fn with_messages(
    bytes: &[u8],
    number: u32,
    translate: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut translated = Vec::with_capacity(bytes.len());
    for part in parts(bytes)? {
        match part.content {
            Content::Bytes(inner) if part.number == number => {
                let inner = translate(inner)?;
                encode_key(number, WireType::LengthDelimited, &mut translated);
                encode_varint(u64::try_from(inner.len()).ok()?, &mut translated);
                translated.extend(inner);
            }
            _ => translated.extend(part.whole),
        }
    }
    Some(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, inner: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inner.len()).expect("it is short");
        [&[number << 3 | 2, length][..], inner].concat()
    }

    /// Field 15, which no message has.
    const UNKNOWN: [u8; 2] = [0x78, 1];

    fn rejection(dialect: Dialect, pages: &[u8]) -> Payload {
        let book = [message(2, pages), UNKNOWN.to_vec()].concat();
        Payload {
            type_url: dialect.framework_type_url("RejectionNotification").into(),
            value: [message(1, &book), UNKNOWN.to_vec()].concat(),
        }
    }

    #[test]
    fn fields_of_a_later_revision_stay_beside_the_numbers() {
        let newest = Dialect::IO_ANGZARR_V1;
        let june: Dialect = "io.angzarr.v1-2026-06".parse().expect("it is known");
        // STRICT and CASCADE, and something of a later revision at every depth.
        let page = |mode: u8, strategy: u8| {
            let header = [&[0x08, 7, 0x20, mode][..], &UNKNOWN].concat();
            [message(1, &header), vec![0x10, strategy], UNKNOWN.to_vec()].concat()
        };
        let (old, new) = (rejection(june, &page(2, 1)), rejection(newest, &page(3, 2)));
        assert_eq!(payload_in(&old, june, newest), new);
        assert_eq!(payload_in(&new, newest, june), old);
        assert_eq!(payload_in(&old, june, june), old);
        // With the prefix that client libraries write.
        let packed = |value| Payload::new("io.angzarr.v1.RejectionNotification", value);
        let (of_june, of_newest) = (packed(old.value.clone()), packed(new.value));
        assert_eq!(payload_in(&of_june, june, newest), of_newest);
        assert_eq!(
            &*payload_in(&old, june, Dialect::ANGZARR).type_url,
            "type.angzarr.io/angzarr.RejectionNotification"
        );
        // An omitted strategy is COMMUTATIVE; an unknown number stays.
        for (of_june, of_newest) in [(&[][..], &[0x10, 1][..]), (&[0x10, 77], &[0x10, 77])] {
            let (of_june, of_newest) = (rejection(june, of_june), rejection(newest, of_newest));
            assert_eq!(payload_in(&of_june, june, newest), of_newest);
            assert_eq!(payload_in(&of_newest, newest, june), of_june);
        }
    }

    #[test]
    fn original_bytes_of_a_page_are_translated_too() {
        let (june, newest) = ("io.angzarr.v1-2026-06".parse(), Dialect::IO_ANGZARR_V1);
        let june: Dialect = june.expect("it is known");
        let page = |dialect: Dialect, strategy: u8| {
            let event = rejection(dialect, &[0x10, strategy]);
            let url = message(1, event.type_url.as_bytes());
            let any = [url, message(2, &event.value)].concat();
            let original = [&UNKNOWN[..], &message(3, &any)].concat();
            Page {
                sequence: 0,
                created_at: None,
                body: Body::Event(event),
                provisional: false,
                cascade_id: None,
                original: Some(Box::new(original)),
            }
        };
        assert_eq!(page_in(&page(june, 1), june, newest), page(newest, 2));
        let external = Page {
            body: Body::Empty,
            ..page(june, 1)
        };
        assert_eq!(page_in(&external, june, newest), external);
    }

    #[test]
    fn other_payloads_stay_unchanged() {
        let (from, to) = (Dialect::ANGZARR, Dialect::IO_ANGZARR_V1);
        for payload in [
            Payload::new("examples.Notification", vec![1, 2, 3]),
            Payload::new("io.angzarr.v1.Notification", message(2, b"")),
            Payload::new("angzarr.Notification", vec![0xff]),
            Payload::new("angzarr.Notification", message(2, &[0xff])),
            Payload::new("angzarr.Notification", vec![0x12, 9]),
            Payload::new(
                "angzarr.RejectionNotification",
                message(1, &message(2, &[0x12, 0])),
            ),
        ] {
            assert_eq!(payload_in(&payload, from, to), payload);
        }
    }
}
