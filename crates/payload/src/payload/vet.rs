//! Checks descriptor sets before a pool is built from them. Reports input that would crash the pool builder, and leaves
//! out files in an unsupported edition or syntax.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::prost::{DecodeError, Message as _};
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, MessageOptions,
};

use super::error::{LeftOut, Unread, printable};
use super::reader::{Flaw, Reader, Wire};
use super::wire;

/// Most paths through public imports that are followed individually.
const MOST_PATHS: u64 = 100_000;

/// A set that no pool can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum VetError {
    #[error("{0}")]
    Wire(Flaw),
    #[error("its file {number} cannot be read: {error}")]
    File { number: usize, error: DecodeError },
    #[error("it contains two different files named `{name}`")]
    TwoFiles { name: String },
    #[error("its file `{file}` imports itself, by way of `{by_way_of}`")]
    ImportCycle { file: String, by_way_of: String },
    #[error("its files import each other publicly in more than {MOST_PATHS} ways")]
    PublicImports,
    #[error("its file `{file}`: {error}")]
    InFile {
        file: String,
        error: DefinitionError,
    },
}

/// A definition in a file that a pool would not survive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DefinitionError {
    /// The name is escaped and shortened.
    #[error("`{name}` is no {kind} name")]
    Name { name: String, kind: &'static str },
    #[error("the message `{message}` is marked as a map entry, but is not one")]
    MapEntry { message: String },
}

mod number {
    /// In `FileDescriptorSet`.
    pub(super) const FILE: u32 = 1;
    /// In `FileDescriptorProto`.
    pub(super) const SYNTAX: u32 = 12;
    pub(super) const EDITION: u32 = 14;
}

/// A set that is safe to build a pool from.
pub(super) struct Vetted {
    pub(super) set: Vec<u8>,
    pub(super) left_out: Vec<LeftOut>,
}

struct File {
    bytes: Vec<u8>,
    proto: FileDescriptorProto,
    unread: Option<Unread>,
}

/// Checks a set. `origin` names it in messages.
pub(super) fn vetted(origin: &str, bytes: &[u8]) -> Result<Vetted, VetError> {
    let mut files: Vec<File> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut reader = Reader::new(bytes);
    loop {
        let field = reader.field().map_err(VetError::Wire)?;
        let Some((number, wire)) = field else { break };
        let (number::FILE, Wire::Bytes(bytes)) = (number, wire) else {
            continue;
        };
        let file = file_of(bytes, files.len() + 1)?;
        match places.get(file.proto.name()) {
            // Concatenated sets contain their common files twice.
            Some(at) if files[*at].bytes == file.bytes => {}
            Some(_) => {
                let name = file.proto.name().to_owned();
                return Err(VetError::TwoFiles { name });
            }
            None => {
                places.insert(file.proto.name().to_owned(), files.len());
                files.push(file);
            }
        }
    }
    let order = imports_first(&files, &places)?;
    limit_public_imports(&files, &places, &order)?;
    leave_out(&mut files, &places, &order);
    let mut vetted = Vetted {
        set: Vec::with_capacity(bytes.len()),
        left_out: Vec::new(),
    };
    for file in files {
        match file.unread {
            None => {
                check(&file.proto).map_err(|error| VetError::InFile {
                    file: file.proto.name().to_owned(),
                    error,
                })?;
                wire::write_tag(number::FILE, wire::LENGTH_DELIMITED, &mut vetted.set);
                wire::write_bytes(&file.bytes, &mut vetted.set);
            }
            Some(unread) => vetted.left_out.push(LeftOut {
                file: format!("`{}` in {origin}", printable(file.proto.name())),
                unread,
                types: types_of(&file.proto),
            }),
        }
    }
    Ok(vetted)
}

/// Reads a file of a set and determines its syntax. An empty `syntax` means proto2.
fn file_of(bytes: &[u8], count: usize) -> Result<File, VetError> {
    let proto = FileDescriptorProto::decode(bytes).map_err(|error| VetError::File {
        number: count,
        error,
    })?;
    let mut edition = None;
    let mut kept = Vec::with_capacity(bytes.len());
    let mut reader = Reader::new(bytes);
    loop {
        let before = reader.rest();
        let field = reader.field().map_err(VetError::Wire)?;
        let Some((number, wire)) = field else { break };
        if let (number::EDITION, Wire::Varint(value)) = (number, wire) {
            edition = Some(value);
        }
        if !(number == number::SYNTAX && proto.syntax().is_empty()) {
            kept.extend_from_slice(&before[..before.len() - reader.rest().len()]);
        }
    }
    let unread = match (proto.syntax(), edition) {
        ("" | "proto2" | "proto3", None | Some(0 | 998 | 999)) => None,
        ("editions" | "" | "proto2" | "proto3", Some(edition)) => {
            Some(Unread::Edition(edition_name(edition)))
        }
        ("editions", None) => Some(Unread::Edition("without a number".to_owned())),
        (syntax, _) => Some(Unread::Syntax(syntax.to_owned())),
    };
    Ok(File {
        bytes: kept,
        proto,
        unread,
    })
}

/// The edition's name, from its number in `google.protobuf.Edition`.
fn edition_name(number: u64) -> String {
    match number {
        1000.. => number
            .checked_add(1023)
            .filter(|year| *year < 2100)
            .map_or_else(|| number.to_string(), |year| year.to_string()),
        _ => number.to_string(),
    }
}

/// Sorts files after their imports. A cycle is an error. A missing import is reported elsewhere.
fn imports_first(files: &[File], places: &HashMap<String, usize>) -> Result<Vec<usize>, VetError> {
    let mut order = Vec::with_capacity(files.len());
    let mut is_begun = vec![false; files.len()];
    let mut is_done = vec![false; files.len()];
    for first in 0..files.len() {
        let mut open = vec![(first, 0)];
        while let Some((at, next)) = open.pop() {
            if is_done[at] {
                continue;
            }
            is_begun[at] = true;
            let Some(import) = files[at].proto.dependency.get(next) else {
                is_done[at] = true;
                order.push(at);
                continue;
            };
            open.push((at, next + 1));
            match places.get(import) {
                Some(&import) if !is_done[import] && is_begun[import] => {
                    return Err(VetError::ImportCycle {
                        file: files[import].proto.name().to_owned(),
                        by_way_of: files[at].proto.name().to_owned(),
                    });
                }
                Some(&import) if !is_done[import] => open.push((import, 0)),
                _ => {}
            }
        }
    }
    Ok(order)
}

/// Limits the number of paths through public imports, because the pool builder follows each of them.
fn limit_public_imports(
    files: &[File],
    places: &HashMap<String, usize>,
    order: &[usize],
) -> Result<(), VetError> {
    let mut ways = vec![1_u64; files.len()];
    let mut all = 0_u64;
    for &at in order {
        let proto = &files[at].proto;
        let public = proto.public_dependency.iter();
        let named = public.filter_map(|index| {
            let import = proto.dependency.get(usize::try_from(*index).ok()?)?;
            places.get(import)
        });
        let more = named.map(|import| ways[*import]);
        ways[at] = more.fold(1, u64::saturating_add);
        let imports = proto
            .dependency
            .iter()
            .filter_map(|import| places.get(import));
        all = imports
            .map(|import| ways[*import])
            .fold(all, u64::saturating_add);
    }
    if all > MOST_PATHS {
        return Err(VetError::PublicImports);
    }
    Ok(())
}

/// Leaves out the files that import a file that is left out.
fn leave_out(files: &mut [File], places: &HashMap<String, usize>, order: &[usize]) {
    for &at in order {
        let imports = files[at].proto.dependency.iter();
        let unread = imports
            .filter_map(|import| places.get(import))
            .map(|import| &files[*import])
            .find_map(|import| {
                let unread = import.unread.as_ref()?;
                Some(unread.of_importer(import.proto.name()))
            });
        if files[at].unread.is_none() {
            files[at].unread = unread;
        }
    }
}

/// Checks one file.
fn check(file: &FileDescriptorProto) -> Result<(), DefinitionError> {
    if !file.package().is_empty() {
        for part in file.package().split('.') {
            name("package", part)?;
        }
    }
    for message in &file.message_type {
        check_message(message)?;
    }
    for enumeration in &file.enum_type {
        check_enum(enumeration)?;
    }
    for extension in &file.extension {
        name("extension", extension.name())?;
    }
    for service in &file.service {
        name("service", service.name())?;
        for method in &service.method {
            name("method", method.name())?;
        }
    }
    Ok(())
}

/// Prost's recursion limit is 100 levels.
fn check_message(message: &DescriptorProto) -> Result<(), DefinitionError> {
    name("message", message.name())?;
    for (what, fields) in [("field", &message.field), ("extension", &message.extension)] {
        for field in fields {
            name(what, field.name())?;
        }
    }
    for oneof in &message.oneof_decl {
        name("oneof", oneof.name())?;
    }
    for enumeration in &message.enum_type {
        check_enum(enumeration)?;
    }
    for nested in &message.nested_type {
        check_message(nested)?;
    }
    let is_entry = message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry);
    if is_entry && !is_map_entry(message) {
        let message = message.name().to_owned();
        return Err(DefinitionError::MapEntry { message });
    }
    Ok(())
}

fn check_enum(enumeration: &EnumDescriptorProto) -> Result<(), DefinitionError> {
    name("enum", enumeration.name())?;
    for value in &enumeration.value {
        name("value", value.name())?;
    }
    Ok(())
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    let is_single = |field: &FieldDescriptorProto, number| {
        field.number() == number && field.label() == Label::Optional && field.oneof_index.is_none()
    };
    let is_key = |field: &FieldDescriptorProto| {
        let is_of_keys = !matches!(
            field.r#type(),
            Type::Double | Type::Float | Type::Bytes | Type::Message | Type::Group | Type::Enum
        );
        field.type_name().is_empty() && is_of_keys
    };
    let mut fields: BTreeMap<i32, &FieldDescriptorProto> = BTreeMap::new();
    for field in &message.field {
        fields.insert(field.number(), field);
    }
    let (Some(key), Some(value)) = (fields.get(&1), fields.get(&2)) else {
        return false;
    };
    message.field.len() == 2
        && is_single(key, 1)
        && is_key(key)
        && is_single(value, 2)
        && value.r#type() != Type::Group
        && message.extension_range.is_empty()
        && message.oneof_decl.is_empty()
}

fn name(kind: &'static str, name: &str) -> Result<(), DefinitionError> {
    let mut letters = name.bytes();
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_name = letters.next().is_some_and(is_first)
        && letters.all(|byte| is_first(byte) || byte.is_ascii_digit());
    if is_name {
        return Ok(());
    }
    let name = name.escape_debug().take(60).collect();
    Err(DefinitionError::Name { name, kind })
}

/// Full names of the messages of a file.
fn types_of(file: &FileDescriptorProto) -> Vec<String> {
    let mut types = Vec::new();
    let mut waiting: Vec<(String, &DescriptorProto)> = Vec::new();
    let scope = |outer: &str, name: &str| match outer {
        "" => name.to_owned(),
        outer => format!("{outer}.{name}"),
    };
    for message in &file.message_type {
        waiting.push((scope(file.package(), message.name()), message));
    }
    while let Some((full, message)) = waiting.pop() {
        for nested in &message.nested_type {
            waiting.push((scope(&full, nested.name()), nested));
        }
        types.push(full);
    }
    types
}
