//! The registry of message descriptors.

use std::path::PathBuf;

use serde_yaml::Value;

use crate::model::Payload;

/// Descriptors of the message types that payloads may have. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry {}

/// What a registry makes of a payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// Encoding the view gives back the very same bytes.
    Exact(Value),
    /// The view is right, but encoding it would give other bytes: the bytes are the truth.
    Inexact(Value),
    /// There is no descriptor of this type.
    Undescribed,
    /// The bytes are no message of this type; the reason.
    Malformed(String),
}

/// A descriptor set with its content hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorSet {
    /// First 16 hex digits of the SHA-256 of `bytes`.
    pub hash: String,
    /// An encoded `google.protobuf.FileDescriptorSet`.
    pub bytes: Vec<u8>,
}

/// Descriptors that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DescriptorError(pub String);

/// A type without a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no descriptor of `{name}`")]
pub struct UnknownType {
    /// The type asked for.
    pub name: String,
    /// Types of a similar name, best first.
    pub similar: Vec<String>,
}

/// A view that is no message of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ViewError {
    /// Where in the view: keys and indices as text, outermost first.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl Registry {
    /// Descriptors from `.proto` folders, `.proto` files and descriptor-set files, together.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self, DescriptorError> {
        let _ = paths;
        todo!()
    }

    /// Descriptors from an encoded descriptor set.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, DescriptorError> {
        let _ = bytes;
        todo!()
    }

    /// Whether a full type name is described.
    #[must_use]
    pub fn knows(&self, type_name: &str) -> bool {
        let _ = type_name;
        todo!()
    }

    /// Makes a payload readable.
    #[must_use]
    pub fn decode(&self, payload: &Payload) -> Decoded {
        let _ = payload;
        todo!()
    }

    /// Encodes a view canonically: fields by number, map keys sorted, defaults left out.
    pub fn encode(&self, type_name: &str, view: &Value) -> Result<Vec<u8>, ViewError> {
        let _ = (type_name, view);
        todo!()
    }

    /// The smallest set of files that describes these types; none where no type is described.
    #[must_use]
    pub fn subset(&self, type_names: &[&str]) -> Option<DescriptorSet> {
        let _ = type_names;
        todo!()
    }

    /// Full name of a type given in full or by an unambiguous last part.
    pub fn resolve(&self, name: &str) -> Result<String, UnknownType> {
        let _ = name;
        todo!()
    }

    /// A view of a type with every field at an example value.
    pub fn skeleton(&self, type_name: &str) -> Result<Value, UnknownType> {
        let _ = type_name;
        todo!()
    }
}
