//! The demo's messages.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::Registry;
use prost::Message as _;
use walkdir::WalkDir;

use crate::programs::repository;

/// Descriptors of the demo's messages, compiled once.
#[must_use]
pub fn registry() -> Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        Registry::from_paths(&[repository().join("examples/poker/proto")]).unwrap()
    });
    REGISTRY.clone()
}

/// A file with the same descriptors as a descriptor set, for tests that start many processes of the tool: each would compile
/// the `.proto` files again. `folder` is one that the test program's processes share.
#[must_use]
pub fn descriptor_set_in(folder: &Path) -> PathBuf {
    let proto = repository().join("examples/poker/proto");
    let files = WalkDir::new(&proto).into_iter().map(Result::unwrap);
    let files = files.filter(|file| file.path().extension().is_some_and(|it| it == "proto"));
    let set = protox::compile(files.map(walkdir::DirEntry::into_path), [&proto]).unwrap();
    let file = folder.join("demo-descriptors.binpb");
    // Another process may read it or write it at the same time.
    let mut new = tempfile::NamedTempFile::new_in(folder).unwrap();
    new.write_all(&set.encode_to_vec()).unwrap();
    new.persist(&file).unwrap();
    file
}

/// A message of the demo, written as YAML; its name is without the package.
#[must_use]
pub fn payload(name: &str, view: &str) -> Payload {
    let type_name = format!("examples.{name}");
    let view = serde_yaml::from_str(view).unwrap();
    let bytes = registry().encode(&type_name, &view).unwrap();
    Payload::new(&type_name, bytes)
}
