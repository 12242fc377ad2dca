//! Descriptors of Angzarr's own messages, with the package and enum numbers of each dialect: messages inside payloads,
//! and the messages of recorded calls.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

use super::Dialect;

const FRAMEWORK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/framework.binpb"));
const CALLS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/calls.binpb"));
const WIRE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wire.binpb"));

/// Increase it when [`adapted`] changes.
const ADAPTED_BY: u32 = 1;

/// Enums whose numbers some dialects shift.
const SHIFTED: [&str; 2] = ["SyncMode", "MergeStrategy"];

/// An encoded descriptor set of the messages that Angzarr itself puts into payloads, such as `Notification` and
/// `RejectionNotification`, with the package and enum numbers of a dialect.
#[must_use]
pub fn framework_descriptors(dialect: Dialect) -> Vec<u8> {
    adapted(FRAMEWORK, dialect)
}

/// What [`framework_descriptors`] depends on, which takes much less time: if it is equal, the descriptors are equal.
#[must_use]
pub fn framework_origin(dialect: Dialect) -> Vec<u8> {
    let dialect = format!(
        "{ADAPTED_BY} {} {} {}\n",
        dialect.name(),
        dialect.package(),
        dialect.enum_base()
    );
    [dialect.as_bytes(), FRAMEWORK].concat()
}

/// [`framework_descriptors`], plus the requests and replies of recorded calls. If revisions of a message differ, the descriptor has the
/// fields of all of them.
#[must_use]
pub fn call_descriptors(dialect: Dialect) -> Vec<u8> {
    adapted(CALLS, dialect)
}

/// [`call_descriptors`] for every dialect.
pub fn all_call_descriptors() -> impl Iterator<Item = Vec<u8>> {
    Dialect::all().iter().copied().map(call_descriptors)
}

/// Descriptors of recorded calls, a superset of all dialects.
#[must_use]
pub fn described_calls() -> FileDescriptorSet {
    decoded(CALLS)
}

/// Descriptors of all messages that this crate reads, a superset of all dialects.
#[must_use]
pub fn described_wire() -> FileDescriptorSet {
    decoded(WIRE)
}

fn decoded(compiled: &[u8]) -> FileDescriptorSet {
    FileDescriptorSet::decode(compiled).expect("the build compiled this descriptor set")
}

fn adapted(compiled: &[u8], dialect: Dialect) -> Vec<u8> {
    let mut set = decoded(compiled);
    let names: HashMap<String, String> = set
        .file
        .iter()
        .filter(|file| file.package() == "angzarr")
        .map(|file| (file.name().to_owned(), own_name(file.name(), dialect)))
        .collect();
    for file in &mut set.file {
        for imported in &mut file.dependency {
            if let Some(name) = names.get(imported) {
                imported.clone_from(name);
            }
        }
        if let Some(name) = names.get(file.name()) {
            file.name = Some(name.clone());
            adapt(file, dialect);
        }
    }
    set.encode_to_vec()
}

/// A unique file name: a user's descriptors may contain Angzarr's own files under their usual names.
fn own_name(file: &str, dialect: Dialect) -> String {
    let stem = file.strip_suffix(".proto").unwrap_or(file);
    format!("angzarr_replay/{stem}/{}.proto", dialect.name())
}

fn adapt(file: &mut FileDescriptorProto, dialect: Dialect) {
    let package = dialect.package();
    file.package = Some(package.to_owned());
    for message in &mut file.message_type {
        rename(message, package);
        for described in &mut message.enum_type {
            if dialect.enum_base() > 0 && SHIFTED.contains(&described.name()) {
                shift(described, dialect.enum_base());
            }
        }
    }
}

fn rename(message: &mut DescriptorProto, package: &str) {
    for field in &mut message.field {
        if let Some(name) = field.type_name().strip_prefix(".angzarr.") {
            field.type_name = Some(format!(".{package}.{name}"));
        }
    }
    for nested in &mut message.nested_type {
        rename(nested, package);
    }
}

/// Shifts the enum's numbers by `base` and adds `UNSPECIFIED` as 0.
fn shift(described: &mut EnumDescriptorProto, base: i32) {
    for value in &mut described.value {
        value.number = Some(value.number() + base);
    }
    let unspecified = EnumValueDescriptorProto {
        name: Some("UNSPECIFIED".to_owned()),
        number: Some(0),
        options: None,
    };
    described.value.insert(0, unspecified);
}
