//! The smallest descriptor set for some types, reproducible byte for byte.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};
use sha2::{Digest as _, Sha256};

use super::registry::DescriptorSet;
use super::wire;

/// Field of `FileDescriptorProto` with comments and positions.
const SOURCE_CODE_INFO: u32 = 9;
/// Field of `FileDescriptorSet`.
const FILE: u32 = 1;

/// The files of these messages and everything they import; none if there are no messages.
pub(super) fn subset(
    pool: &DescriptorPool,
    messages: &[MessageDescriptor],
) -> Option<DescriptorSet> {
    if messages.is_empty() {
        return None;
    }
    let mut files = BTreeMap::new();
    for message in messages {
        with_imports(message.parent_file(), &mut files);
    }
    with_extensions(pool, &mut files);
    let bytes = set_of(dependencies_first(files.into_values()));
    let digest = Sha256::digest(&bytes);
    let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
    let hash = format!("{:016x}", u64::from_be_bytes(*first));
    Some(DescriptorSet { hash, bytes })
}

/// An encoded set of these files, without comments and positions.
pub(super) fn set_of(files: impl IntoIterator<Item = FileDescriptor>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in files {
        wire::write_tag(FILE, wire::LENGTH_DELIMITED, &mut bytes);
        wire::write_bytes(&without_source_info(&file.encode_to_vec()), &mut bytes);
    }
    bytes
}

fn with_imports(file: FileDescriptor, files: &mut BTreeMap<String, FileDescriptor>) {
    if files.contains_key(file.name()) {
        return;
    }
    let imports: Vec<_> = file.dependencies().collect();
    files.insert(file.name().to_owned(), file);
    for import in imports {
        with_imports(import, files);
    }
}

/// Adds the files with extensions of these messages. Extensions of protobuf's own messages are options, which payloads
/// do not contain.
fn with_extensions(pool: &DescriptorPool, files: &mut BTreeMap<String, FileDescriptor>) {
    loop {
        let missing = pool.all_extensions().find(|extension| {
            let extended = extension.containing_message();
            extended.package_name() != "google.protobuf"
                && files.contains_key(extended.parent_file().name())
                && !files.contains_key(extension.parent_file().name())
        });
        let Some(extension) = missing else { return };
        with_imports(extension.parent_file(), files);
    }
}

/// Sorts files after their imports, otherwise by name. Imports that are not in the set are ignored.
pub(super) fn dependencies_first(
    files: impl Iterator<Item = FileDescriptor>,
) -> Vec<FileDescriptor> {
    let mut waiting: BTreeMap<String, FileDescriptor> =
        files.map(|file| (file.name().to_owned(), file)).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    // A pool has no import cycles, so some file is always ready.
    while let Some(ready) = waiting
        .values()
        .find(|file| {
            !file
                .dependencies()
                .any(|import| waiting.contains_key(import.name()))
        })
        .map(|file| file.name().to_owned())
    {
        ordered.extend(waiting.remove(&ready));
    }
    ordered
}

fn without_source_info(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(file.len());
    for (number, whole, _) in wire::fields(file) {
        if number != SOURCE_CODE_INFO {
            out.extend_from_slice(whole);
        }
    }
    out
}
