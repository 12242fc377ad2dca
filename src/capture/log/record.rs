//! One record: its keys, and what they say of a failure.

use serde_json::{Map, Value};

use super::text::{bytes_of, instant};
use super::{Logged, LoggedFailure, Record};
use crate::capture::RootPart;
use crate::capture::ticket::{KEYS, Ticket};
use crate::fixture::Noted;
use crate::model::{Code, Domain, Edition, Root, Timestamp};

/// Where loggers put the time.
const TIMES: [&str; 4] = ["time", "timestamp", "@timestamp", "ts"];
/// Keys of a ticket that are numbers.
const NUMBERS: [&str; 4] = ["ticket", "sequence", "head", "persisted"];

/// The key of a ticket that is true or false.
const ASSUMED: &str = "dialect_assumed";

/// The keys of a ticket that are a list and a map; others may call a field of theirs like that.
const LIST: &str = "redacted";
const BY: &str = "redacted_by";

/// Reads a record; none where it is of something else.
pub(super) fn read(record: &Record) -> Option<Result<Logged, String>> {
    let is_scalar = |key: &str| {
        record
            .get(key)
            .is_some_and(|value| value.is_string() || value.is_number())
    };
    if is_scalar("ticket") && is_scalar("command") {
        return Some(ticket(record));
    }
    failure(record)
}

/// The keys of a ticket among those of the logger.
fn ticket(record: &Record) -> Result<Logged, String> {
    let mut fields = Map::new();
    for key in KEYS {
        let Some(value) = record.get(key) else {
            continue;
        };
        let value = match value {
            Value::String(text) if NUMBERS.contains(&key) => {
                text.parse().map_or_else(|_| value.clone(), Value::Number)
            }
            Value::String(text) if key == ASSUMED => match text.to_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => continue,
            },
            _ if key == LIST || key == BY => match own(key, value) {
                Some(own) => own,
                None => continue,
            },
            Value::Number(number) if !NUMBERS.contains(&key) => Value::String(number.to_string()),
            value => value.clone(),
        };
        fields.insert(key.to_owned(), value);
    }
    fields.remove("time");
    let mut ticket = Ticket::parse_line(&Value::Object(fields).to_string(), 1)
        .map_err(|error| error.kind.to_string())?;
    ticket.time = time(record);
    Ok(Logged::Ticket(ticket))
}

/// A ticket's list of redacted fields, or its map of fingerprints; a logger of texts alone writes them as text.
fn own(key: &str, value: &Value) -> Option<Value> {
    let is_redaction = |item: &Value| {
        let keys = ["type", "field", "action"];
        item.as_object().is_some_and(|it| {
            it.len() == keys.len() && keys.iter().all(|key| it.contains_key(*key))
        })
    };
    let is_own = match value {
        Value::Array(items) => key == LIST && items.iter().all(is_redaction),
        Value::Object(fields) => key == BY && fields.values().all(Value::is_string),
        Value::String(text) => {
            let read: Value = serde_json::from_str(text).ok()?;
            return (!read.is_string()).then(|| own(key, &read))?;
        }
        _ => false,
    };
    is_own.then(|| value.clone())
}

fn failure(record: &Record) -> Option<Result<Logged, String>> {
    let text = |key: &str| match record.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (key, root) = ["root", "aggregate_root"]
        .iter()
        .find_map(|key| Some((key, record.get(*key)?)))?;
    let code_text = text("error_code").filter(|code| !code.is_empty());
    let message = text("error_message").or_else(|| text("error"));
    if code_text.is_none() && message.is_none() {
        return None;
    }
    let domain_text = text("domain").filter(|domain| !domain.is_empty());
    let Some(root) = root_of(root) else {
        // A `root` may be anything; beside a domain it is meant to be one.
        return domain_text.map(|_| {
            Err(format!(
                "`{key}`: hex, a UUID, base64 or bytes as Python shows them are expected"
            ))
        });
    };
    let domain = match domain_text.map(Domain::new).transpose() {
        Ok(domain) => domain,
        Err(error) => return Some(Err(format!("`domain`: {error}"))),
    };
    let edition = match Edition::from_label(&text("edition").unwrap_or_default()) {
        Ok(edition) => edition,
        Err(error) => return Some(Err(format!("`edition`: {error}"))),
    };
    let message = message.unwrap_or_default();
    let (code_within, message_within) = status_within(&message);
    let known = code_text.as_deref().and_then(code);
    let message = match (message_within, code_text) {
        (Some(within), _) => within,
        // A code of the application's own.
        (None, Some(own)) if known.is_none() => format!("{own}: {message}"),
        (None, _) => message,
    };
    Some(Ok(Logged::Failure(LoggedFailure {
        domain,
        root,
        edition,
        noted: Noted {
            code: known.or(code_within),
            message,
            sequence: text("sequence").and_then(|sequence| sequence.parse().ok()),
            correlation_id: text("correlation_id").unwrap_or_default(),
            time: time(record),
        },
        command: None,
    })))
}

fn time(record: &Record) -> Option<Timestamp> {
    TIMES
        .iter()
        .find_map(|key| record.get(*key).and_then(instant))
}

/// A root in any spelling that a logger gives it.
fn root_of(value: &Value) -> Option<Root> {
    let bytes = match value {
        Value::String(text) => {
            let text = text.trim();
            let uuid = text
                .strip_prefix("UUID('")
                .and_then(|text| text.strip_suffix("')"));
            if let Ok(RootPart::Full(root)) = uuid.unwrap_or(text).parse() {
                return Some(root);
            }
            bytes_of(text)?
        }
        // A message as JSON, and a list of bytes.
        Value::Object(fields) => return root_of(fields.get("value")?),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect::<Option<Vec<u8>>>()?,
        _ => return None,
    };
    Root::from_slice(&bytes).ok()
}

/// A status code by any language's name for it, or gRPC's number.
fn code(text: &str) -> Option<Code> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect()
    };
    // `<StatusCode.ABORTED: (10, 'aborted')>`, `StatusCode.ABORTED`, `codes.Aborted`.
    let name = text.trim_start_matches('<').split(':').next()?;
    let name = name.rsplit('.').next()?.trim();
    if let Ok(number) = name.parse() {
        return Code::all().nth(number);
    }
    let name = plain(name);
    // Go spells it with one L.
    let name = if name == "CANCELED" {
        "CANCELLED"
    } else {
        &name
    };
    Code::all().find(|code| plain(code.name()) == name)
}

/// A status that a message holds, as the gRPC libraries of Python, Go and Rust print theirs.
fn status_within(message: &str) -> (Option<Code>, Option<String>) {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let after = |text: &str, start: &str| {
        text.find(start)
            .map(|at| text[at + start.len()..].to_owned())
    };
    let quoted = |text: &str, start: &str| {
        let rest = after(text, start)?;
        super::text::quoted(&rest).map(|(text, _)| text)
    };
    let forms = [
        (
            after(message, "status = StatusCode."),
            quoted(message, "details = "),
        ),
        (
            after(message, "rpc error: code = "),
            after(message, " desc = "),
        ),
        (after(message, "status: "), quoted(message, "message: ")),
    ];
    forms
        .into_iter()
        .find_map(|(name, text)| Some((code(&word(&name?))?, text)))
        .map_or((None, None), |(code, text)| (Some(code), text))
}
