//! Finds fields that this version does not know, such as those of a later revision of the protocol. It never returns
//! their values.
//!
//! Pages, snapshots and command books keep their original bytes, so their unknown fields are not lost. All other messages
//! are decoded completely, so their unknown fields are lost and have to be reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_types::DescriptorProto;

use super::framework::{described_calls, described_wire};
use super::inspect::{Direction, message_of};
use crate::model::{CommandBook, Page, Snapshot};

/// A field that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownField {
    /// Name of the message that holds it, without the package.
    pub message: &'static str,
    /// Its number.
    pub number: u32,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {} of {}", self.number, self.message)
    }
}

/// A set of unknown fields, sorted by message.
pub type UnknownFields = BTreeSet<UnknownField>;

/// Lists unknown fields for the end of a message.
#[must_use]
pub fn list_unknown_fields(fields: &UnknownFields) -> String {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    format!("{} (from a later revision?)", fields.join(", "))
}

/// Unknown fields that were found and not reported yet. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct UnreportedFields(Arc<Mutex<UnknownFields>>);

impl UnreportedFields {
    /// Adds fields.
    pub fn add(&self, fields: UnknownFields) {
        if !fields.is_empty() {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.extend(fields);
        }
    }

    /// Takes all of them. The caller reports them.
    #[must_use]
    pub fn take(&self) -> UnknownFields {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen)
    }
}

/// Which parts of a message keep their original bytes, so that their unknown fields are not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Pages, snapshots and command books, in a stored history or a command.
    Parts,
    /// Only snapshots, in an emitted book such as a book of facts.
    Snapshots,
    /// None, in a reply.
    Nothing,
}

impl Kept {
    fn keeps(self, message: &str) -> bool {
        match self {
            Self::Parts => matches!(message, "EventPage" | "Snapshot" | "CommandBook"),
            Self::Snapshots => message == "Snapshot",
            Self::Nothing => false,
        }
    }
}

/// Unknown fields of a request, except in parts that keep their bytes. `method` is `Service/Method`, without the package.
#[must_use]
pub fn unknown_in_request(method: &str, bytes: &[u8]) -> UnknownFields {
    let message = message_of(method, Direction::Request);
    message.map_or_else(UnknownFields::new, |message| {
        unknown_in(message, bytes, Kept::Parts)
    })
}

/// Unknown fields of a reply. Only the pages in an upcaster's reply keep their bytes.
#[must_use]
pub fn unknown_in_reply(method: &str, bytes: &[u8]) -> UnknownFields {
    let kept = match method {
        "UpcasterService/Upcast" => Kept::Parts,
        _ => Kept::Nothing,
    };
    let message = message_of(method, Direction::Reply);
    message.map_or_else(UnknownFields::new, |message| {
        unknown_in(message, bytes, kept)
    })
}

/// Unknown fields in the details of a status, if those are a `google.rpc.Status`.
#[must_use]
pub fn unknown_in_details(details: &[u8]) -> UnknownFields {
    let Some(info) = super::status::encoded_error_info(details) else {
        return UnknownFields::new();
    };
    let mut found = unknown_in("RpcStatus", details, Kept::Nothing);
    found.extend(unknown_in("ErrorInfo", &info, Kept::Nothing));
    found
}

/// Unknown fields in the bytes that a page keeps.
#[must_use]
pub fn unknown_in_page(page: &Page) -> UnknownFields {
    unknown_in_original(
        "EventPage",
        page.original.as_ref().map(|bytes| bytes.as_slice()),
    )
}

/// Unknown fields in the bytes that a snapshot keeps.
#[must_use]
pub fn unknown_in_snapshot(snapshot: &Snapshot) -> UnknownFields {
    unknown_in_original("Snapshot", snapshot.original.as_deref())
}

/// Unknown fields in the bytes that a command book keeps.
#[must_use]
pub fn unknown_in_command(book: &CommandBook) -> UnknownFields {
    unknown_in_original("CommandBook", book.original.as_deref())
}

fn unknown_in_original(message: &str, original: Option<&[u8]>) -> UnknownFields {
    original.map_or_else(UnknownFields::new, |bytes| {
        unknown_in(message, bytes, Kept::Nothing)
    })
}

/// Unknown fields of an encoded message, given its name without the package. Bytes that do not decode have none: decoding
/// them reports an error anyway.
pub fn unknown_in(message: &str, bytes: &[u8], kept: Kept) -> UnknownFields {
    let mut found = UnknownFields::new();
    if let Some((name, known)) = MESSAGES.get_key_value(message) {
        walk(name, known, bytes, kept, &mut found);
    }
    found
}

/// Known fields of a message by number, each with its message type, if it has one.
type Known = BTreeMap<u32, Option<String>>;

/// The messages of all dialects. `wire.proto` has all of them but declares some parts as bytes; `calls.proto` describes
/// those parts.
static MESSAGES: LazyLock<BTreeMap<String, Known>> = LazyLock::new(|| {
    let mut messages = BTreeMap::new();
    for file in described_wire().file.iter().chain(&described_calls().file) {
        for message in &file.message_type {
            describe("", message, &mut messages);
        }
    }
    messages
});

fn describe(outer: &str, message: &DescriptorProto, messages: &mut BTreeMap<String, Known>) {
    let name = format!("{outer}{}", message.name());
    for nested in &message.nested_type {
        describe(&format!("{name}."), nested, messages);
    }
    let fields = message.field.iter().map(|field| {
        let holds = field.type_name.as_deref().map(without_package);
        (field.number().unsigned_abs(), holds)
    });
    messages.insert(name, fields.collect());
}

/// Message names begin with a capital letter; the parts of a package do not.
fn without_package(name: &str) -> String {
    let is_of_package =
        |part: &&str| part.is_empty() || part.starts_with(|first: char| first.is_lowercase());
    let parts: Vec<&str> = name.split('.').skip_while(is_of_package).collect();
    parts.join(".")
}

fn walk(
    name: &'static str,
    known: &'static Known,
    mut bytes: &[u8],
    kept: Kept,
    found: &mut UnknownFields,
) {
    while let Ok((number, wire_type)) = decode_key(&mut bytes) {
        let nested = match known.get(&number) {
            None => {
                found.insert(UnknownField {
                    message: name,
                    number,
                });
                None
            }
            Some(holds) => holds.as_deref().filter(|holds| !kept.keeps(holds)),
        };
        let nested = nested.and_then(|holds| MESSAGES.get_key_value(holds));
        let (Some((holds, known)), WireType::LengthDelimited) = (nested, wire_type) else {
            if skip_field(wire_type, number, &mut bytes, DecodeContext::default()).is_err() {
                return;
            }
            continue;
        };
        let length = decode_varint(&mut bytes).ok();
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some((inner, rest)) = length.and_then(|length| bytes.split_at_checked(length)) else {
            return;
        };
        bytes = rest;
        // Field 1 holds the facts; the other book of this request is the prior history.
        let are_facts = (name, number) == ("FactRequest", 1);
        let kept = if are_facts { Kept::Snapshots } else { kept };
        walk(holds, known, inner, kept, found);
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldDescriptorProto;

    use super::*;

    /// A field that holds bytes.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("it is short");
        [&[number << 3 | 2, length], content].concat()
    }

    /// Field 15, which no message has, of each wire type.
    const UNKNOWN: [&[u8]; 5] = [
        &[0x78, 1],
        &[0x79, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x7a, 1, 7],
        &[0x7b, 0x08, 1, 0x7c],
        &[0x7d, 0, 0, 0, 0],
    ];

    fn texts(fields: &UnknownFields) -> Vec<String> {
        fields.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_field_of_any_wire_type_is_found() {
        for unknown in UNKNOWN {
            let found = unknown_in("EventBook", unknown, Kept::Parts);
            assert_eq!(texts(&found), ["field 15 of EventBook"], "{unknown:?}");
        }
    }

    #[test]
    fn unknown_fields_are_found_in_nested_messages_but_not_in_those_that_keep_their_bytes() {
        let unknown = UNKNOWN[0];
        let cover = field(1, &[unknown, &field(4, unknown)].concat());
        let page = field(3, &[unknown, &field(1, unknown)].concat());
        let snapshot = field(2, unknown);
        let book = [cover, page, snapshot].concat();
        let of_cover = ["field 15 of Cover", "field 15 of Edition"];
        let of_page = ["field 15 of EventPage", "field 15 of PageHeader"];
        let of_snapshot = ["field 15 of Snapshot"];
        let request = unknown_in_request("ProjectorService/Handle", &book);
        assert_eq!(texts(&request), of_cover);
        let reply = unknown_in_reply("CommandHandlerService/HandleFact", &book);
        assert_eq!(
            texts(&reply),
            [&of_cover[..], &of_page, &of_snapshot].concat()
        );
        let facts = unknown_in_request("CommandHandlerService/HandleFact", &field(1, &book));
        assert_eq!(texts(&facts), [&of_cover[..], &of_page].concat());
        let prior = unknown_in_request("CommandHandlerService/HandleFact", &field(2, &book));
        assert_eq!(texts(&prior), of_cover);
    }

    #[test]
    fn values_of_maps_and_details_are_walked() {
        let unknown = UNKNOWN[0];
        let notification = field(3, &field(4, unknown));
        assert_eq!(
            texts(&unknown_in_reply(
                "CommandHandlerService/Handle",
                &notification
            )),
            ["field 15 of Notification.MetadataEntry"]
        );
        let info = [&field(2, b"angzarr.io")[..], unknown].concat();
        let any = [field(1, b"/google.rpc.ErrorInfo"), field(2, &info)].concat();
        let details = [&field(3, &any)[..], unknown].concat();
        assert_eq!(
            texts(&unknown_in_details(&details)),
            ["field 15 of ErrorInfo", "field 15 of RpcStatus"]
        );
    }

    #[test]
    fn bytes_that_are_not_a_message_end_the_search() {
        for bytes in [&[0xff][..], &[0x0a, 9, 1], &[0x7a, 9], &[0x0a, 0xff], b""] {
            let _ = unknown_in("EventBook", bytes, Kept::Nothing);
        }
    }

    /// Otherwise a field that only one of the two files has would be reported, or not, at random.
    #[test]
    fn both_descriptions_of_a_message_have_the_same_fields() {
        let numbers = |message: &DescriptorProto| -> BTreeSet<i32> {
            message
                .field
                .iter()
                .map(FieldDescriptorProto::number)
                .collect()
        };
        let (wire, calls) = (described_wire(), described_calls());
        for message in calls.file.iter().flat_map(|file| &file.message_type) {
            let same = wire.file.iter().flat_map(|file| &file.message_type);
            for same in same.filter(|same| same.name() == message.name()) {
                assert_eq!(numbers(same), numbers(message), "{}", message.name());
            }
        }
    }
}
