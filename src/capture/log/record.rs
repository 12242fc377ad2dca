//! Parses one record: its keys, and what they say about a failure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::resource;
use super::status::{self, Status, code};
use super::text::{bytes_of, reason_of_refusal};
use super::time::Moment;
use super::{LineError, Logged, LoggedFailure, Record};
use crate::capture::RootPart;
use crate::model::{
    Code, Domain, Edition, ReportedFailure, Root, Timestamp, is_revision, trace_id,
};
use crate::ticket::{KEYS, Ticket, TicketErrorKind};

/// Numeric keys of a ticket.
const NUMBERS: [&str; 4] = ["ticket", "sequence", "head", "persisted"];

/// The boolean key of a ticket.
const ASSUMED: &str = "dialect_assumed";

/// The key of the build.
const VERSION: &str = "service_version";

/// The key of the trace.
const TRACE: &str = "trace_id";

/// Keys of a ticket that hold a list and a map. Other programs may use the same names.
const LIST: &str = "redacted";
const BY: &str = "redacted_by";

/// Parses a record; none if it is about something else. `is_cut` means that its text ends within a message;
/// `refusal_reason` is the reason found in the text before its fields.
pub(super) fn read(
    record: &Record,
    moment: Option<Moment>,
    is_cut: bool,
    refusal_reason: Option<&str>,
) -> Option<Result<Logged, LineError>> {
    let is_scalar = |key: &str| {
        record
            .get(key)
            .is_some_and(|value| value.is_string() || value.is_number())
    };
    if is_scalar("ticket") && is_scalar("command") {
        return Some(ticket(record, moment));
    }
    failure(record, moment, is_cut, refusal_reason)
}

/// Separates the keys of a ticket from those of the logger.
fn ticket(record: &Record, moment: Option<Moment>) -> Result<Logged, LineError> {
    let mut fields = Map::new();
    // Beside other keys of the logger, a trace id is the logger's, too.
    let has_more = record.keys().any(|key| !KEYS.contains(&key.as_str()));
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
            // The logger's own field of this name may hold anything.
            Value::String(text) if key == VERSION && !is_revision(text) => continue,
            // Some loggers write other ids than W3C's under this name.
            Value::String(text) if key == TRACE && trace_id(text).is_none() => continue,
            _ if key == TRACE && (has_more || !value.is_string()) => continue,
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
    let mut ticket =
        Ticket::parse_line(&Value::Object(fields).to_string(), 1).map_err(TicketErrorKind::from)?;
    ticket.time = known_time(moment);
    ticket.service_version = ticket
        .service_version
        .or_else(|| resource::service_version(record));
    Ok(Logged::Ticket(ticket))
}

/// A ticket's list of redacted fields or map of fingerprints. A text-only logger writes them as strings.
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

/// The fields of a record, with keys normalised by [`plain_key`]. If two keys become equal, the one that was already in
/// this form is used.
struct Fields<'a>(BTreeMap<String, &'a Value>);

impl<'a> Fields<'a> {
    fn of(record: &'a Record) -> Self {
        let mut fields = BTreeMap::new();
        for (key, value) in record {
            let plain = plain_key(key);
            let is_usual = key.replace('_', "") == plain;
            if is_usual || !fields.contains_key(&plain) {
                fields.insert(plain, value);
            }
        }
        Self(fields)
    }

    fn get(&self, keys: &[&str]) -> Option<&'a Value> {
        keys.iter().find_map(|key| self.0.get(*key).copied())
    }

    fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| text_of(self.0.get(*key)?))
    }

    /// The logged error: a text, or an object that contains the text.
    fn error(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| match self.0.get(*key)? {
            Value::Object(error) => {
                let own = error
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()));
                let own: Record = own.collect();
                Fields::of(&own).text(&["message", "msg", "details", "detail", "stack"])
            }
            other => text_of(other),
        })
    }

    /// The message of a failure, under a key meant for it.
    fn message(&self) -> Option<String> {
        self.error(&["errormessage", "error", "err"]).or_else(|| {
            let traces = EXCEPTIONS.iter().filter_map(|key| self.error(&[*key]));
            let mut of_commands = traces.filter(|text| status::within(text) != Status::None);
            of_commands.next()
        })
    }

    /// The code in an error object.
    fn code_of_error(&self) -> Option<Code> {
        let error = self.get(&["error", "err"])?.as_object()?;
        code(&text_of(error.get("code")?)?)
    }
}

/// Normalises the spelling of a key: `aggregate_root`, `AggregateRoot`, `aggregate.root`.
pub(super) fn plain_key(key: &str) -> String {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Keys of exceptions. An exception is a failed command only if it contains a status.
const EXCEPTIONS: [&str; 6] = [
    "exception",
    // Serilog's `@x`.
    "x",
    "stacktrace",
    "errorstacktrace",
    "excinfo",
    "errorverbose",
];
/// Other keys of a code than in Angzarr's documentation. Only names are accepted as codes here.
const CODES: [&str; 5] = [
    "code",
    "grpccode",
    "statuscode",
    "grpcstatuscode",
    "grpcstatus",
];

fn failure(
    record: &Record,
    moment: Option<Moment>,
    is_cut: bool,
    refusal_reason: Option<&str>,
) -> Option<Result<Logged, LineError>> {
    let fields = Fields::of(record);
    let (key, root) = ["root", "aggregateroot"]
        .iter()
        .find_map(|key| Some((key, fields.get(&[*key])?)))?;
    let code_text = fields.text(&["errorcode"]).filter(|code| !code.is_empty());
    let mut message = fields.message();
    let named = fields
        .text(&CODES)
        .filter(|text| text.parse::<u32>().is_err());
    let named = named.as_deref().and_then(code);
    let domain_text = fields.text(&["domain"]).filter(|domain| !domain.is_empty());
    if code_text.is_none() && message.is_none() {
        // A bare `code` may be anything, but beside a domain and a root it is a status code.
        let failed = named.filter(|code| *code != Code::Ok)?;
        root_of(root)?;
        domain_text.as_ref()?;
        let logged = fields.text(&["message", "msg"]);
        let refusal_reason = refusal_reason.or_else(|| reason_of_refusal(logged.as_deref()?));
        let Some(refusal_reason) = refusal_reason else {
            return Some(Err(LineError::NoMessage { code: failed }));
        };
        message = Some(refusal_reason.to_owned());
    }
    let Some(root) = root_of(root) else {
        // A `root` may be anything, but beside a domain it is the root of an aggregate.
        let key = if *key == "root" {
            "root"
        } else {
            "aggregate_root"
        };
        return domain_text.map(|_| Err(LineError::Root { key }));
    };
    if is_cut {
        return Some(Err(LineError::CutMessage));
    }
    let domain = match domain_text.map(Domain::new).transpose() {
        Ok(domain) => domain,
        Err(error) => {
            return Some(Err(LineError::Id {
                key: "domain",
                error,
            }));
        }
    };
    let edition = match Edition::from_label(&fields.text(&["edition"]).unwrap_or_default()) {
        Ok(edition) => edition,
        Err(error) => {
            return Some(Err(LineError::Id {
                key: "edition",
                error,
            }));
        }
    };
    let message = message.unwrap_or_default();
    let (code_within, message_within) = match status::within(&message) {
        Status::None => (None, None),
        Status::Found(code, message) => (Some(code), message),
        Status::Cut => return Some(Err(LineError::CutMessage)),
    };
    let known = code_text.as_deref().and_then(code);
    let message = match (message_within, code_text) {
        (Some(within), _) => within,
        // A code that the application defined.
        (None, Some(own)) if known.is_none() => format!("{own}: {message}"),
        (None, _) => message,
    };
    Some(Ok(Logged::Failure(LoggedFailure {
        domain,
        root,
        edition,
        noted: ReportedFailure {
            code: known
                .or(code_within)
                .or_else(|| fields.code_of_error())
                .or(named),
            message,
            sequence: fields
                .text(&["sequence"])
                .and_then(|sequence| sequence.parse().ok()),
            correlation_id: fields.text(&["correlationid"]).unwrap_or_default(),
            time: known_time(moment),
        },
        service_version: resource::service_version(record),
        command: None,
    })))
}

/// The time, if it has a time zone.
const fn known_time(moment: Option<Moment>) -> Option<Timestamp> {
    match moment {
        Some(Moment::Known(time)) => Some(time),
        _ => None,
    }
}

/// A root in any format that loggers use.
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
        // A message as JSON, or a list of bytes.
        Value::Object(fields) => return root_of(fields.get("value")?),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect::<Option<Vec<u8>>>()?,
        _ => return None,
    };
    Root::from_slice(&bytes).ok()
}
