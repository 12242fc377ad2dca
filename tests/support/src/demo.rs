//! The demo's messages.

use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::Registry;

use crate::programs::repository;

/// Descriptors of the demo's messages, compiled once.
#[must_use]
pub fn registry() -> Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        Registry::from_paths(&[repository().join("examples/poker/proto")]).unwrap()
    });
    REGISTRY.clone()
}

/// A message of the demo, written as YAML; its name is without the package.
#[must_use]
pub fn payload(name: &str, view: &str) -> Payload {
    let type_name = format!("examples.{name}");
    let view = serde_yaml::from_str(view).unwrap();
    let bytes = registry().encode(&type_name, &view).unwrap();
    Payload::new(&type_name, bytes)
}
