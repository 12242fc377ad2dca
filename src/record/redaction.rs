//! A noted call as it may be written. The roots of aggregates stay, since calls are found and histories fetched by them;
//! capture gives them their stand-ins.

use bytes::Bytes;

use super::note::{Answer, Note};
use crate::model::Payload;
use crate::redact::{MessageRole, Reason, RedactError, Redactor, Report, Session};
use crate::wire::FailingStatus;

/// Redacts the payloads and texts of request and reply, and the status of a call. Of a status' details the reason stays,
/// nothing else of them.
///
/// # Errors
/// Where the redactor is strict and something cannot be read: a message without a descriptor, a field that is not
/// described, bytes that are no message.
pub fn redacted(note: &Note, redactor: &Redactor) -> Result<(Note, Report), RedactError> {
    let redactor = redactor.without(Reason::Roots);
    let mut session = redactor.session();
    let (request, reply) = note.messages();
    let request = Message::of(note, request, &note.request, "request");
    let answer = match &note.answer {
        Answer::Reply(bytes) => Ok(Message::of(note, reply, bytes, "reply")),
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
    let note = Note {
        request,
        answer,
        redacted: redactor.redactions(&report, &[]),
        ..note.clone()
    };
    Ok((note, report))
}

/// One of a call's two, as redaction takes it.
struct Message {
    payload: Payload,
    place: String,
}

impl Message {
    fn of(note: &Note, name: &str, bytes: &Bytes, which: &str) -> Self {
        Self {
            payload: Payload {
                type_url: format!("/{}.{name}", note.dialect.package()),
                value: bytes.to_vec(),
            },
            place: format!("the {which} of {}", note.method()),
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
