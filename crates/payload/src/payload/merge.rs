//! Merges several sources of descriptors into one pool.
//!
//! Often a type is defined twice: in a vendored file, in protobuf's own files, in a descriptor set beside its protos. A
//! type that is already defined is removed from the later file, which imports it instead. A different definition is an
//! error.

use std::collections::HashMap;

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FieldOptions, MessageOptions,
    ServiceDescriptorProto,
};
use prost_reflect::{DescriptorPool, FileDescriptor};

use super::compile::in_file;
use super::error::DescriptorError;
use super::{subset, wire};

/// Field numbers in `FileDescriptorProto`.
mod number {
    pub(super) const NAME: u32 = 1;
    pub(super) const DEPENDENCY: u32 = 3;
    pub(super) const MESSAGE: u32 = 4;
    pub(super) const ENUM: u32 = 5;
    pub(super) const SERVICE: u32 = 6;
    pub(super) const EXTENSION: u32 = 7;
    pub(super) const PUBLIC_DEPENDENCY: u32 = 10;
    pub(super) const WEAK_DEPENDENCY: u32 = 11;
}

/// A type, extension or service that is already defined.
struct Symbol {
    file: String,
    origin: String,
    shape: Vec<u8>,
}

/// A pool under construction.
#[derive(Default)]
pub(super) struct Merge {
    pool: DescriptorPool,
    symbols: HashMap<String, Symbol>,
    /// Whether an existing definition silently wins over a different one.
    first_wins: bool,
}

impl Merge {
    /// Starts from an existing pool. Only definitions that it lacks will be added.
    pub(super) fn onto(origin: &str, pool: &DescriptorPool) -> Self {
        let mut merge = Self {
            pool: pool.clone(),
            symbols: HashMap::new(),
            first_wins: true,
        };
        for file in pool.files() {
            merge.note(origin, file.name(), symbols(&file));
        }
        merge
    }

    /// Adds all files of a source.
    pub(super) fn add(
        &mut self,
        origin: &str,
        pool: &DescriptorPool,
    ) -> Result<(), DescriptorError> {
        // The imports that replace a file of this source.
        let mut instead: HashMap<String, Vec<String>> = HashMap::new();
        for file in subset::dependencies_first(pool.files()) {
            let files = self.add_file(origin, &file, &instead)?;
            instead.insert(file.name().to_owned(), files);
        }
        Ok(())
    }

    /// The pool of everything added.
    pub(super) fn into_pool(self) -> DescriptorPool {
        self.pool
    }

    fn add_file(
        &mut self,
        origin: &str,
        file: &FileDescriptor,
        instead: &HashMap<String, Vec<String>>,
    ) -> Result<Vec<String>, DescriptorError> {
        let symbols = symbols(file);
        let mut owners: Vec<String> = Vec::new();
        let mut fresh = Vec::new();
        for (tag, name, shape) in symbols {
            match self.symbols.get(&name) {
                Some(known) => {
                    // Versions of protobuf's own files differ only in ways that do not affect payloads.
                    let is_vendored = file.package_name() == "google.protobuf";
                    if known.shape != shape && !is_vendored && !self.first_wins {
                        let (first, second) = (known.origin.clone(), origin.to_owned());
                        return Err(DescriptorError::Conflict {
                            name,
                            first,
                            second,
                        });
                    }
                    push_new(&mut owners, &known.file);
                }
                None => fresh.push((tag, name, shape)),
            }
        }
        let public = file
            .public_dependencies()
            .flat_map(|public| instead.get(public.name()).into_iter().flatten());
        let public: Vec<String> = public.cloned().collect();
        let mut visible = Vec::new();
        if !fresh.is_empty() || owners.is_empty() {
            let name = self.free_name(file.name());
            let keep: Vec<_> = fresh
                .iter()
                .map(|(tag, name, _)| (*tag, last_part(name)))
                .collect();
            let bytes = rewritten(file, &name, &keep, &owners, instead);
            self.pool
                .decode_file_descriptor_proto(bytes.as_slice())
                .map_err(|error| DescriptorError::NotADescriptorSet {
                    origin: origin.to_owned(),
                    reason: in_file(&error),
                })?;
            visible.push(name.clone());
            self.note(origin, &name, fresh);
        }
        for file in owners.iter().chain(&public) {
            push_new(&mut visible, file);
        }
        Ok(visible)
    }

    fn note(&mut self, origin: &str, file: &str, symbols: Vec<(u32, String, Vec<u8>)>) {
        for (_, symbol, shape) in symbols {
            let (file, origin) = (file.to_owned(), origin.to_owned());
            self.symbols.insert(
                symbol,
                Symbol {
                    file,
                    origin,
                    shape,
                },
            );
        }
    }

    fn free_name(&self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut count = 1;
        while self.pool.get_file_by_name(&free).is_some() {
            count += 1;
            free = format!(
                "{}~{count}.proto",
                name.strip_suffix(".proto").unwrap_or(name)
            );
        }
        free
    }
}

fn push_new(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn last_part(full: &str) -> &str {
    full.rsplit('.').next().unwrap_or(full)
}

/// Rewrites a file with a new name, new imports, and only the symbols to keep. Options are unchanged.
fn rewritten(
    file: &FileDescriptor,
    name: &str,
    keep: &[(u32, &str)],
    owners: &[String],
    instead: &HashMap<String, Vec<String>>,
) -> Vec<u8> {
    let mut dependencies: Vec<String> = Vec::new();
    let mut public: Vec<String> = Vec::new();
    for dependency in file.dependencies() {
        for file in instead.get(dependency.name()).into_iter().flatten() {
            push_new(&mut dependencies, file);
        }
    }
    for dependency in file.public_dependencies() {
        for file in instead.get(dependency.name()).into_iter().flatten() {
            push_new(&mut public, file);
        }
    }
    for owner in owners {
        push_new(&mut dependencies, owner);
    }

    let mut out = Vec::new();
    wire::Scalar::Text(name).write_field(number::NAME, &mut out);
    for dependency in &dependencies {
        wire::Scalar::Text(dependency).write_field(number::DEPENDENCY, &mut out);
    }
    for (index, dependency) in dependencies.iter().enumerate() {
        if public.contains(dependency) {
            wire::Scalar::Varint(index as u64).write_field(number::PUBLIC_DEPENDENCY, &mut out);
        }
    }
    for (number, whole, content) in wire::fields(&file.encode_to_vec()) {
        let stays = match number {
            number::NAME
            | number::DEPENDENCY
            | number::PUBLIC_DEPENDENCY
            | number::WEAK_DEPENDENCY => false,
            number::MESSAGE | number::ENUM | number::SERVICE | number::EXTENSION => {
                // In all four, field 1 is the name.
                let name = wire::fields(content).find(|(number, ..)| *number == number::NAME);
                keep.iter().any(|(tag, kept)| {
                    *tag == number && name.is_some_and(|(.., name)| name == kept.as_bytes())
                })
            }
            _ => true,
        };
        if stays {
            out.extend_from_slice(whole);
        }
    }
    out
}

/// All top-level definitions of a file: the field that contains it, its full name, and its comparable form.
fn symbols(file: &FileDescriptor) -> Vec<(u32, String, Vec<u8>)> {
    let proto = file.file_descriptor_proto();
    let full = |name: &str| match proto.package() {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    };
    let shape = |mut encoded: Vec<u8>| {
        encoded.extend_from_slice(proto.syntax().as_bytes());
        encoded
    };
    let mut symbols = Vec::new();
    for message in &proto.message_type {
        symbols.push((
            number::MESSAGE,
            full(message.name()),
            shape(plain_message(message).encode_to_vec()),
        ));
    }
    for enumeration in &proto.enum_type {
        symbols.push((
            number::ENUM,
            full(enumeration.name()),
            shape(plain_enum(enumeration).encode_to_vec()),
        ));
    }
    for extension in &proto.extension {
        symbols.push((
            number::EXTENSION,
            full(extension.name()),
            shape(plain_field(extension).encode_to_vec()),
        ));
    }
    for service in &proto.service {
        symbols.push((
            number::SERVICE,
            full(service.name()),
            plain_service(service).encode_to_vec(),
        ));
    }
    symbols
}

/// A message without anything that does not affect its encoding: most options, JSON names.
fn plain_message(message: &DescriptorProto) -> DescriptorProto {
    let options = message.options.as_ref();
    DescriptorProto {
        name: message.name.clone(),
        field: message.field.iter().map(plain_field).collect(),
        extension: message.extension.iter().map(plain_field).collect(),
        nested_type: message.nested_type.iter().map(plain_message).collect(),
        enum_type: message.enum_type.iter().map(plain_enum).collect(),
        oneof_decl: message.oneof_decl.clone(),
        options: options.map(|options| MessageOptions {
            map_entry: options.map_entry,
            message_set_wire_format: options.message_set_wire_format,
            ..MessageOptions::default()
        }),
        ..DescriptorProto::default()
    }
}

fn plain_field(field: &FieldDescriptorProto) -> FieldDescriptorProto {
    let packed = field.options.as_ref().and_then(|options| options.packed);
    FieldDescriptorProto {
        json_name: None,
        options: packed.map(|packed| FieldOptions {
            packed: Some(packed),
            ..FieldOptions::default()
        }),
        ..field.clone()
    }
}

fn plain_enum(enumeration: &EnumDescriptorProto) -> EnumDescriptorProto {
    let mut plain = EnumDescriptorProto {
        name: enumeration.name.clone(),
        ..EnumDescriptorProto::default()
    };
    plain.value.clone_from(&enumeration.value);
    for value in &mut plain.value {
        value.options = None;
    }
    plain
}

/// Services are not payloads, so only their names are compared.
fn plain_service(service: &ServiceDescriptorProto) -> ServiceDescriptorProto {
    ServiceDescriptorProto {
        name: service.name.clone(),
        ..ServiceDescriptorProto::default()
    }
}
