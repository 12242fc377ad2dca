//! How much a reply takes up. Small messages take far more memory than bytes on the wire: an empty page has two.

use bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::Dialect;
use super::stimulus::reply;
use crate::model::{Failure, Outcome, Stimulus};

/// Largest reply of logic that is taken where nothing else is said. Coordinators themselves take 4 MiB.
pub const REPLY_LIMIT: usize = 32 << 20;

/// What each message, text and list of bytes in a reply counts beside its bytes.
const PART: usize = 64;
/// Parts are counted so many levels down, which is a page's header and event. Deeper ones are a payload's own.
const LEVELS: usize = 4;

/// Size of an answer that logic in this process gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerSize {
    /// Of a reply: its bytes, and what its parts count.
    Reply(usize),
    /// Of a failing status: its texts.
    Status(usize),
}

impl AnswerSize {
    /// Size that an outcome would have as the answer to a stimulus.
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

/// Bytes of a reply, and what its parts count.
#[must_use]
pub fn size(reply: &Bytes) -> usize {
    let parts = parts(&mut reply.clone(), 1);
    reply.len().saturating_add(parts.saturating_mul(PART))
}

/// Parts of bytes, as far as they are a message.
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
        if level < LEVELS {
            count += parts(&mut part, level + 1);
        }
    }
    count
}
