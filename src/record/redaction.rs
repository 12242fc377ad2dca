//! Redacts a recorded call. The roots of aggregates stay, because users choose calls and find histories by them; capture
//! replaces them with pseudonyms.

use bytes::Bytes;

use super::call::{Answer, RecordedCall};
use crate::model::Payload;
use crate::redact::{MessageRole, Reason, RedactError, Redactor, Report, Session};
use crate::wire::FailingStatus;

/// Redacts the payloads and texts of request and reply, and the status of a call. Of the details of a status, only the error
/// info is kept.
///
/// # Errors
/// If the redactor is strict and something cannot be read: a message without a descriptor, an undescribed field, or bytes
/// that do not decode.
pub fn redacted(
    call: &RecordedCall,
    redactor: &Redactor,
) -> Result<(RecordedCall, Report), RedactError> {
    let redactor = redactor.without(Reason::Roots);
    let mut session = redactor.session();
    let (request, reply) = call.messages();
    let request = Message::of(call, request, &call.request, "request");
    let answer = match &call.answer {
        Answer::Reply(bytes) => Ok(Message::of(call, reply, bytes, "reply")),
        Answer::Status(refusal) => Err(refusal),
    };
    request.scan(&mut session)?;
    if let Ok(reply) = &answer {
        reply.scan(&mut session)?;
    }
    let request = request.write(&mut session)?;
    let answer = match answer {
        Ok(reply) => Answer::Reply(reply.write(&mut session)?),
        Err(refusal) => Answer::Status(FailingStatus::from(session.failure(&refusal.failure))),
    };
    let report = session.finish();
    let call = RecordedCall {
        request,
        answer,
        redacted: redactor.redactions(&report, &[]),
        ..call.clone()
    };
    Ok((call, report))
}

/// The request or the reply of a call, as a payload to redact.
struct Message {
    payload: Payload,
    place: String,
}

impl Message {
    fn of(call: &RecordedCall, name: &str, bytes: &Bytes, which: &str) -> Self {
        Self {
            payload: Payload {
                type_url: format!("/{}.{name}", call.dialect.package()).into(),
                value: bytes.to_vec(),
            },
            place: format!("the {which} of {}", call.method()),
        }
    }

    fn scan(&self, session: &mut Session<'_>) -> Result<(), RedactError> {
        session.scan(&self.payload, MessageRole::Envelope, &self.place)
    }

    fn write(&self, session: &mut Session<'_>) -> Result<Bytes, RedactError> {
        let written = session.write(&self.payload, MessageRole::Envelope, &self.place)?;
        Ok(written.value.into())
    }
}
