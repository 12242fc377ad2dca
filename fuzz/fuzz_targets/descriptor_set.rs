//! Any bytes as a descriptor set and as a `.proto` file: either an error, or descriptors that can be used without a panic and
//! whose subsets are valid descriptors.
//!
//! `cargo +nightly fuzz run descriptor_set fuzz/corpus/descriptor_set fixtures/descriptors tests/protos/sample`
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Edit, Registry};
use libfuzzer_sys::fuzz_target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("descriptor_set-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be created");
    folder.join("file.proto")
});

fuzz_target!(|data: &[u8]| {
    check(Registry::from_descriptor_set(data), data);
    check(REGISTRY.filled_from(data), data);
    std::fs::write(&*FILE, data).expect("a temporary file can be written");
    check(Registry::from_paths(&[FILE.clone()]), data);
});

fn check<E: std::error::Error>(read: Result<Registry, E>, data: &[u8]) {
    let registry = match read {
        Ok(registry) => registry,
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            return;
        }
    };
    let _ = registry
        .resolve("Nothing")
        .map_err(|error| error.to_string());
    let names = registry.type_names();
    for name in names.iter().rev().take(8) {
        let known = registry.skeleton(name).expect("the type is described");
        let _ = registry.encode(name, &known);
        let _ = registry.shape(name).expect("the type is described");
        for bytes in [&[][..], data] {
            let payload = Payload::new(name, bytes.to_vec());
            if let Decoded::Exact(view) | Decoded::Inexact(view) = registry.decode(&payload) {
                registry.encode(name, &view).expect("a view encodes");
                let _ = registry.has_unknown_fields(&payload);
                let _ = registry.nested_any_types(&payload);
                let _ = registry.edit(&payload, &["a".to_owned()], &Edit::Text("1".into()));
            }
        }
        let variations = registry.variations(&Payload::new(name, Vec::new()));
        for variation in variations.iter().take(8) {
            let _ = registry.decode(&Payload::new(name, variation.value.clone()));
        }
        let subset = registry.subset(&[name]).expect("the type is described");
        let again = Registry::from_descriptor_set(&subset.bytes).expect("a subset is a valid set");
        assert_eq!(again.shape(name), registry.shape(name));
    }
}
