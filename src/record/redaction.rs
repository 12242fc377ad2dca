//! A noted call as it may be written. The roots of aggregates stay, since calls are found and histories fetched by them;
//! capture gives them their stand-ins.

use bytes::Bytes;

use super::note::{Answer, Note};
use crate::model::Payload;
use crate::redact::{Reason, RedactError, Redactor, Report, Session};
use crate::wire::Refusal;

/// Redacts the payloads and texts of request and reply, and the status of a call. Of a status' details the reason stays, nothing else of them.
///
/// # Errors
/// Where the redactor is strict and something cannot be read: a message without a descriptor, a field that is not
/// described, bytes that are no message.
pub fn redacted(note: &Note, redactor: &Redactor) -> Result<(Note, Report), RedactError> {
    let redactor = redactor.without(Reason::Roots);
    let mut session = redactor.session();
    let (request, reply) = note.messages();
    let first = message(&mut session, note, request, &note.request, "request")?;
    let (request, answer) = match &note.answer {
        Answer::Status(refusal) => {
            let refusal = Refusal::from(session.failure(&refusal.failure));
            (first, Answer::Status(refusal))
        }
        // The request may repeat in a text what only the reply says to be secret, so it is gone through again.
        Answer::Reply(bytes) => {
            let reply = message(&mut session, note, reply, bytes, "reply")?;
            let again = message(&mut session, note, request, &note.request, "request")?;
            (again, Answer::Reply(reply))
        }
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

fn message(
    session: &mut Session<'_>,
    note: &Note,
    name: &str,
    bytes: &Bytes,
    which: &str,
) -> Result<Bytes, RedactError> {
    let payload = Payload {
        type_url: format!("/{}.{name}", note.dialect.package()),
        value: bytes.to_vec(),
    };
    let place = format!("the {which} of {}", note.method());
    Ok(session.envelope(&payload, &place)?.value.into())
}
