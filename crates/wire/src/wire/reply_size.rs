//! Size of a reply for limits. Small messages take far more memory than bytes on the wire: an empty page has two bytes.

use bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::Dialect;
use super::stimulus::reply;
use crate::model::{Failure, Outcome, Stimulus};

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
    let parts = parts(&mut reply.clone(), 1);
    reply
        .len()
        .saturating_add(parts.saturating_mul(PART_OVERHEAD))
}

/// Number of parts in the bytes, as far as they decode as a message.
fn parts(message: &mut Bytes, level: usize) -> usize {
    let mut count = 0;
    while message.has_remaining() {
        let Ok((number, wire_type)) = decode_key(message) else {
            break;
        };
        if wire_type != WireType::LengthDelimited {
            if skip_field(wire_type, number, message, DecodeContext::default()).is_err() {
                break;
            }
            continue;
        }
        let length = decode_varint(message).ok();
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
            break;
        };
        if length > message.remaining() {
            break;
        }
        count += 1;
        let mut part = message.split_to(length);
        if level < COUNTED_DEPTH {
            count += parts(&mut part, level + 1);
        }
    }
    count
}
