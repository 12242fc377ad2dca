//! Reads and writes the usual stored page in one pass: a sequence, perhaps a time, and an event.
//!
//! A long history consists of such pages. This reader accepts only the encoding that `encode` gives, so nothing has to be
//! encoded again to see that nothing was lost. Every other page is read by `decode::page`.

use prost::encoding::{encode_varint, encoded_len_varint};

use crate::model::{Body, Page, Payload, Timestamp, TypeUrls};

const HEADER: u8 = 0x0a;
const CREATED_AT: u8 = 0x12;
const EVENT: u8 = 0x1a;
/// A first field with a number, and one with bytes.
const FIRST_NUMBER: u8 = 0x08;
const FIRST_BYTES: u8 = 0x0a;
/// The same for a second field.
const SECOND_NUMBER: u8 = 0x10;
const SECOND_BYTES: u8 = 0x12;

/// Reads a page in exactly the encoding that encoding it gives; `None` if it has another one, or other fields.
pub(super) fn usual_page(bytes: &[u8], type_urls: &mut TypeUrls) -> Option<Page> {
    read(bytes, type_urls).ok()
}

/// Writes a page as encoding it does; `None` if it has other fields. Neither looks at its original encoding.
pub(super) fn write_usual_page(page: &Page) -> Option<Vec<u8>> {
    let Body::Event(event) = &page.body else {
        return None;
    };
    if page.provisional || page.cascade_id.is_some() {
        return None;
    }
    let sequence = u64::from(page.sequence);
    let time = page.created_at.map(|time| {
        let nanos = i64::from(time.nanos).cast_unsigned();
        (time.seconds.cast_unsigned(), nanos)
    });
    let number = |number: u64| match number {
        0 => 0,
        number => 1 + encoded_len_varint(number),
    };
    let bytes = |length: usize| match length {
        0 => 0,
        length => 1 + encoded_len_varint(length as u64) + length,
    };
    let header = 1 + encoded_len_varint(sequence);
    let created_at = time.map(|(seconds, nanos)| number(seconds) + number(nanos));
    let content = bytes(event.type_url.len()) + bytes(event.value.len());
    let whole = [Some(header), created_at, Some(content)];
    let part = |length: usize| 1 + encoded_len_varint(length as u64) + length;
    let mut out = Vec::with_capacity(whole.into_iter().flatten().map(part).sum());
    begin(HEADER, header as u64, &mut out);
    begin(FIRST_NUMBER, sequence, &mut out);
    if let (Some((seconds, nanos)), Some(length)) = (time, created_at) {
        begin(CREATED_AT, length as u64, &mut out);
        for (tag, number) in [(FIRST_NUMBER, seconds), (SECOND_NUMBER, nanos)] {
            if number != 0 {
                begin(tag, number, &mut out);
            }
        }
    }
    begin(EVENT, content as u64, &mut out);
    for (tag, bytes) in [
        (FIRST_BYTES, event.type_url.as_bytes()),
        (SECOND_BYTES, event.value.as_slice()),
    ] {
        if !bytes.is_empty() {
            begin(tag, bytes.len() as u64, &mut out);
            out.extend_from_slice(bytes);
        }
    }
    Some(out)
}

/// Writes a tag, and the number or length after it.
fn begin(tag: u8, number: u64, out: &mut Vec<u8>) {
    out.push(tag);
    encode_varint(number, out);
}

/// The encoding is another one.
struct Unusual;

fn read(bytes: &[u8], type_urls: &mut TypeUrls) -> Result<Page, Unusual> {
    let mut page = Reader(bytes);
    let mut header = Reader(page.part(HEADER)?.ok_or(Unusual)?);
    let sequence = header.number(FIRST_NUMBER)?.ok_or(Unusual)?;
    let sequence = u32::try_from(sequence).map_err(|_| Unusual)?;
    header.end()?;
    let created_at = page.part(CREATED_AT)?.map(timestamp).transpose()?;
    let mut event = Reader(page.part(EVENT)?.ok_or(Unusual)?);
    page.end()?;
    let type_url = event.part_unless_default(FIRST_BYTES)?;
    let type_url = std::str::from_utf8(type_url).map_err(|_| Unusual)?;
    let payload = Payload {
        type_url: type_urls.of(type_url),
        value: event.part_unless_default(SECOND_BYTES)?.to_vec(),
    };
    event.end()?;
    Ok(Page {
        created_at,
        ..Page::event(sequence, payload)
    })
}

fn timestamp(bytes: &[u8]) -> Result<Timestamp, Unusual> {
    let mut time = Reader(bytes);
    let seconds = time.number_unless_default(FIRST_NUMBER)?;
    let nanos = time.number_unless_default(SECOND_NUMBER)?;
    time.end()?;
    Ok(Timestamp {
        seconds: seconds.cast_signed(),
        // A negative number is written like one of 64 bits.
        nanos: i32::try_from(nanos.cast_signed()).map_err(|_| Unusual)?,
    })
}

/// What is left of a message.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// Whether the next field has this tag. All tags that are read have one byte.
    fn is_next(&mut self, tag: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == tag => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// The number in a field, if the field is there.
    fn number(&mut self, tag: u8) -> Result<Option<u64>, Unusual> {
        if self.is_next(tag) {
            self.varint().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The number in a field that is only written if it is not 0.
    fn number_unless_default(&mut self, tag: u8) -> Result<u64, Unusual> {
        match self.number(tag)? {
            Some(0) => Err(Unusual),
            number => Ok(number.unwrap_or_default()),
        }
    }

    /// The bytes in a field, if the field is there.
    fn part(&mut self, tag: u8) -> Result<Option<&'b [u8]>, Unusual> {
        if !self.is_next(tag) {
            return Ok(None);
        }
        let length = usize::try_from(self.varint()?).map_err(|_| Unusual)?;
        let (part, rest) = self.0.split_at_checked(length).ok_or(Unusual)?;
        self.0 = rest;
        Ok(Some(part))
    }

    /// The bytes in a field that is only written if there are any.
    fn part_unless_default(&mut self, tag: u8) -> Result<&'b [u8], Unusual> {
        match self.part(tag)? {
            Some([]) => Err(Unusual),
            part => Ok(part.unwrap_or_default()),
        }
    }

    /// A number in its shortest form.
    fn varint(&mut self) -> Result<u64, Unusual> {
        let mut number = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                let is_shortest = at == 0 || *byte != 0;
                let fits = at < 9 || *byte == 1;
                self.0 = &self.0[at + 1..];
                return if is_shortest && fits {
                    Ok(number)
                } else {
                    Err(Unusual)
                };
            }
        }
        Err(Unusual)
    }

    fn end(&self) -> Result<(), Unusual> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Unusual)
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use prost::Message as _;

    use super::super::decode::any_page;
    use super::super::encode::page_message;
    use super::super::encode_page;
    use super::*;

    /// The usual page, and some that are not.
    fn pages() -> impl Strategy<Value = Page> {
        let time = (any::<i64>(), any::<i32>());
        let seconds = prop_oneof![Just(0), Just(1_795_392_090), any::<i64>()];
        let times = prop_oneof![time, (seconds, prop_oneof![Just(0), Just(5), Just(-1)])];
        let type_urls = prop_oneof![Just(""), Just("type.googleapis.com/a.B"), Just("/é")];
        let parts = (
            prop_oneof![0..300_u32, any::<u32>()],
            proptest::option::of(times),
            type_urls,
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::bool::weighted(0.1),
        );
        parts.prop_map(|(sequence, time, type_url, value, provisional)| Page {
            created_at: time.map(|(seconds, nanos)| Timestamp { seconds, nanos }),
            provisional,
            ..Page::event(
                sequence,
                Payload {
                    type_url: type_url.into(),
                    value,
                },
            )
        })
    }

    proptest! {
        /// Whatever is changed in the bytes of a page, this reader finds what the other one finds, or nothing.
        #[test]
        fn the_usual_page_is_what_decoding_in_full_gives(
            page in pages(),
            edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..3),
        ) {
            let mut bytes = encode_page(&page).to_vec();
            let is_edited = !edits.is_empty();
            for (at, byte, kind) in edits {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let usual = usual_page(&bytes, &mut TypeUrls::default());
            prop_assert!(is_edited || page.provisional || usual.is_some());
            if let Some(usual) = usual {
                prop_assert_eq!(any_page(&Bytes::from(bytes)), Ok(usual));
            }
        }
    }

    proptest! {
        #[test]
        fn the_usual_page_is_written_as_encoding_does(page in pages()) {
            let written = write_usual_page(&page);
            prop_assert_eq!(written.is_none(), page.provisional);
            let encoded = page_message(&page).encode_to_vec();
            prop_assert_eq!(written.unwrap_or_else(|| encoded.clone()), encoded);
        }
    }

    #[test]
    fn longer_forms_of_the_same_page_are_not_usual() {
        let usual = [0x0a, 2, 8, 5, 0x1a, 3, 0x12, 1, 7];
        assert!(usual_page(&usual, &mut TypeUrls::default()).is_some());
        let others: [&[u8]; 6] = [
            // A number with more bytes than it needs; one that is too large; a length with more bytes than it needs.
            &[0x0a, 3, 8, 0x85, 0, 0x1a, 3, 0x12, 1, 7],
            &[
                0x0a, 6, 8, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x1a, 3, 0x12, 1, 7,
            ],
            &[0x0a, 2, 8, 5, 0x1a, 0x83, 0, 0x12, 1, 7],
            // An empty type URL; a time of no seconds; fields in another order.
            &[0x0a, 2, 8, 5, 0x1a, 5, 0x0a, 0, 0x12, 1, 7],
            &[0x0a, 2, 8, 5, 0x12, 2, 8, 0, 0x1a, 3, 0x12, 1, 7],
            &[0x1a, 3, 0x12, 1, 7, 0x0a, 2, 8, 5],
        ];
        for other in others {
            assert!(
                usual_page(other, &mut TypeUrls::default()).is_none(),
                "{other:?}"
            );
        }
    }
}
