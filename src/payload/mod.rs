//! Payloads as readable values: descriptors, `Any` to YAML and back, byte for byte or not at all.
//!
//! Knows nothing of fixtures, snapshots or gRPC.

mod registry;

pub use registry::{Decoded, DescriptorError, DescriptorSet, Registry, UnknownType, ViewError};
