//! Size of a reply for limits. Small messages take far more memory than bytes on the wire: an empty page has two bytes.

use bytes::Bytes;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::Dialect;
use super::stimulus::reply;
use crate::model::{Body, Failure, Outcome, Stimulus};

/// Default limit for a reply of client logic. Coordinators themselves accept 4 MiB.
pub const REPLY_LIMIT: usize = 32 << 20;

/// Overhead counted for each message, string and bytes field in a reply, in addition to its bytes.
const PART_OVERHEAD: usize = 64;
/// Depth to which parts are counted: down to a page's header and event. Anything deeper belongs to a payload.
const COUNTED_DEPTH: usize = 4;

/// Size of an answer of in-process logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerSize {
    /// A reply: its bytes and the overhead of its parts.
    Reply(usize),
    /// A failing status: its texts.
    Status(usize),
}

impl AnswerSize {
    /// Size of an outcome encoded as the answer to a stimulus.
    #[must_use]
    pub fn of(outcome: &Outcome, stimulus: &Stimulus, dialect: Dialect) -> Self {
        match (outcome.failure(), reply(outcome, stimulus, dialect)) {
            (_, Some(reply)) => Self::Reply(size(&reply)),
            (failure, None) => Self::Status(failure.map_or(0, status_size)),
        }
    }
}

/// Whether an outcome is so small that its size need not be calculated. Only checks upcasters, whose replies can be a whole history.
#[must_use]
pub fn is_surely_within(outcome: &Outcome, limit: usize) -> bool {
    /// More than the parts of a page that have a fixed size, with their overhead.
    const PAGE: usize = 2048;
    /// The most that a byte of a text or a payload can count: each part takes at least two bytes, on two levels.
    const BYTE: usize = 1 + PART_OVERHEAD;
    let Outcome::Upcast(pages) = outcome else {
        return false;
    };
    let mut most = 0_usize;
    pages.iter().all(|page| {
        let Body::Event(event) = &page.body else {
            return false;
        };
        let cascade_id = page.cascade_id.as_ref().map_or(0, |id| id.len());
        let bytes = event.value.len() + event.type_url.len() + cascade_id;
        most = most.saturating_add(bytes.saturating_mul(BYTE));
        most = most.saturating_add(PAGE);
        page.original.is_none() && most <= limit
    })
}

fn status_size(failure: &Failure) -> usize {
    let info = failure.info.iter();
    let texts = info.flat_map(|info| {
        let pairs = info.metadata.iter().flat_map(|(key, value)| [key, value]);
        [&info.reason, &info.domain].into_iter().chain(pairs)
    });
    failure.message.len() + texts.map(String::len).sum::<usize>()
}

/// Bytes of a reply plus the overhead of its parts.
#[must_use]
pub fn size(reply: &Bytes) -> usize {
    let parts = parts(reply, 1);
    reply
        .len()
        .saturating_add(parts.saturating_mul(PART_OVERHEAD))
}

/// Number of parts in the bytes, as far as they decode as a message.
fn parts(mut message: &[u8], level: usize) -> usize {
    let mut count = 0;
    while !message.is_empty() {
        let Ok((number, wire_type)) = decode_key(&mut message) else {
            break;
        };
        if wire_type != WireType::LengthDelimited {
            if skip_field(wire_type, number, &mut message, DecodeContext::default()).is_err() {
                break;
            }
            continue;
        }
        let length = decode_varint(&mut message).ok();
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
            break;
        };
        let Some(part) = message.split_off(..length) else {
            break;
        };
        count += 1;
        if level < COUNTED_DEPTH {
            count += parts(part, level + 1);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Page, Payload};

    proptest! {
        #[test]
        fn what_is_surely_within_a_limit_is_within_it(
            events in proptest::collection::vec(
                ("[a-z/.\n\0]{0,40}", "[\n\0-\x05]{0,40}", proptest::collection::vec(0..20_u8, 0..300)),
                0..6,
            ),
            limit in 0..100_000_usize,
        ) {
            let pages = (0..).zip(events).map(|(sequence, (type_url, cascade_id, value))| Page {
                cascade_id: Some(Box::new(cascade_id)),
                ..Page::event(sequence, Payload { type_url: type_url.into(), value })
            });
            let outcome = Outcome::Upcast(pages.collect());
            let stimulus = Stimulus::Upcast { domain: "player".parse().unwrap(), pages: Vec::new().into() };
            if is_surely_within(&outcome, limit) {
                let AnswerSize::Reply(size) = AnswerSize::of(&outcome, &stimulus, Dialect::ANGZARR) else {
                    panic!("not a reply");
                };
                prop_assert!(size <= limit);
            }
        }
    }
}
