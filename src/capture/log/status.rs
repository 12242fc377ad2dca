//! Parses a status in the text formats of the gRPC libraries of many languages.

use std::sync::LazyLock;

use regex::Regex;

use super::text::quoted;
use crate::model::Code;

/// The result of searching a text for a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// No known format.
    None,
    /// Its code, and its message if the format separates it.
    Found(Code, Option<String>),
    /// The text ends within the message.
    Cut,
}

/// The descriptions that `tonic` prints instead of the names of codes.
const DESCRIPTIONS: [(&str, Code); 16] = [
    ("The operation was cancelled", Code::Cancelled),
    ("Unknown error", Code::Unknown),
    (
        "Client specified an invalid argument",
        Code::InvalidArgument,
    ),
    (
        "Deadline expired before operation could complete",
        Code::DeadlineExceeded,
    ),
    ("Some requested entity was not found", Code::NotFound),
    (
        "Some entity that we attempted to create already exists",
        Code::AlreadyExists,
    ),
    (
        "The caller does not have permission to execute the specified operation",
        Code::PermissionDenied,
    ),
    ("Some resource has been exhausted", Code::ResourceExhausted),
    (
        "The system is not in a state required for the operation's execution",
        Code::FailedPrecondition,
    ),
    ("The operation was aborted", Code::Aborted),
    (
        "Operation was attempted past the valid range",
        Code::OutOfRange,
    ),
    (
        "Operation is not implemented or not supported",
        Code::Unimplemented,
    ),
    ("Internal error", Code::Internal),
    ("The service is currently unavailable", Code::Unavailable),
    ("Unrecoverable data loss or corruption", Code::DataLoss),
    (
        "The request does not have valid authentication credentials",
        Code::Unauthenticated,
    ),
];

/// Java, Kotlin, JavaScript and C++: the name in capitals, a colon and the message. The number or an exception class
/// may come first.
static NAME_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?s:(?:[\w.$ ]*(?:Exception|Error|error): )?(?:\d{1,2} )?(?<name>[A-Z][A-Z_]{4,})(?:: (?<message>.*))?)$",
    )
    .expect("the pattern is a constant")
});
/// Ruby: the number, a colon and the message.
static NUMBER_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?s:(?:GRPC::\w+: )?(?<number>\d{1,2}):(?<message>.*?)\.? debug_error_string:.*)$",
    )
    .expect("the pattern is a constant")
});
/// The frames of a stack trace, which follow the message.
static FRAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\r?\n\s*(?:at |\.\.\. \d+ more|Caused by: |Suppressed: )")
        .expect("the pattern is a constant")
});

/// Parses a status code: the name in any language, or gRPC's number.
pub(super) fn code(text: &str) -> Option<Code> {
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

/// Finds the status in a text.
pub(super) fn within(text: &str) -> Status {
    let trace = FRAMES
        .find(text)
        .map_or(text.len(), |frames| frames.start());
    let first = text[..trace].trim_end();
    let forms = [
        // Python.
        form(text, "status = StatusCode.", "details = "),
        // Go. Wrapping errors prepend text.
        go(text),
        // C#.
        form(text, "Status(StatusCode=", "Detail="),
        // Rust: the older display format, and the debug format.
        form(text, "status: ", "message: "),
        debug(text),
        described(text),
        // Dart, which does not quote the message.
        dart(text),
        name_first(first),
        number_first(first),
    ];
    let found = forms.into_iter().find(|form| *form != Status::None);
    found.unwrap_or(Status::None)
}

fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.find(start).map(|at| &text[at + start.len()..])
}

fn word(text: &str) -> &str {
    let text = text.trim_start_matches(['"', '\'']);
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_of_word(c)).next().unwrap_or_default()
}

/// A code after one label and a quoted message after another.
fn form(text: &str, of_code: &str, of_message: &str) -> Status {
    let Some(rest) = after(text, of_code) else {
        return Status::None;
    };
    match code(word(rest)) {
        Some(code) => with_message(code, rest, of_message),
        None => Status::None,
    }
}

/// The debug format of `tonic`, which omits an empty message.
fn debug(text: &str) -> Status {
    match form(text, "Status { code: ", "message: ") {
        Status::Found(code, None) => Status::Found(code, Some(String::new())),
        status => status,
    }
}

fn with_message(code: Code, rest: &str, of_message: &str) -> Status {
    let Some(message) = after(rest, of_message) else {
        return Status::Found(code, None);
    };
    match quoted(message) {
        Some((message, _)) => Status::Found(code, Some(message)),
        None if message.starts_with(['"', '\'']) => Status::Cut,
        None => Status::Found(code, None),
    }
}

fn go(text: &str) -> Status {
    let Some(rest) = after(text, "rpc error: code = ") else {
        return Status::None;
    };
    let message = after(rest, " desc = ").map(str::to_owned);
    code(word(rest)).map_or(Status::None, |code| Status::Found(code, message))
}

/// The display format of `tonic`: `code: 'The operation was aborted', message: "busy"`. An empty message is omitted.
fn described(text: &str) -> Status {
    let Some(rest) = after(text, "code: '").or_else(|| after(text, "status: '")) else {
        return Status::None;
    };
    let of_message = if rest.contains("message: ") {
        "message: "
    } else {
        "self: "
    };
    let known = DESCRIPTIONS
        .iter()
        .find_map(|(words, code)| Some((rest.strip_prefix(words)?.strip_prefix('\'')?, *code)));
    match known {
        Some((rest, code)) if rest.contains(of_message) => with_message(code, rest, of_message),
        Some((_, code)) => Status::Found(code, Some(String::new())),
        None => Status::None,
    }
}

fn dart(text: &str) -> Status {
    let Some(rest) = after(text, "gRPC Error (code: ") else {
        return Status::None;
    };
    let message = after(rest, "message: ").and_then(|rest| rest.split_once(", details: "));
    match (code(word(rest)), message) {
        (Some(code), Some((message, _))) => Status::Found(code, Some(message.to_owned())),
        (Some(_), None) => Status::Cut,
        (None, _) => Status::None,
    }
}

fn name_first(text: &str) -> Status {
    let Some(found) = NAME_FIRST.captures(text) else {
        return Status::None;
    };
    let known = found
        .name("name")
        .and_then(|name| Code::from_name(name.as_str()));
    let message = found.name("message").map_or("", |message| message.as_str());
    known.map_or(Status::None, |code| {
        Status::Found(code, Some(message.to_owned()))
    })
}

fn number_first(text: &str) -> Status {
    let Some(found) = NUMBER_FIRST.captures(text) else {
        return Status::None;
    };
    let known = found
        .name("number")
        .and_then(|number| code(number.as_str()));
    let message = found
        .name("message")
        .map(|message| message.as_str().to_owned());
    known.map_or(Status::None, |code| Status::Found(code, message))
}
