//! The registry of message descriptors: what is described, and both directions of a payload.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use serde_yaml::Value;

use super::compile::Sources;
use super::defaults::Position;
use super::edit::{self, Edit};
use super::error::{DescriptorError, LeftOut, UnknownType, ViewError, ends_in};
use super::guard::{Broken, guarded};
use super::layout::{Layout, Layouts};
use super::lead::{self, LeadsNowhere};
use super::rewrite::{self, Rewriter, Unreadable};
use super::variation::{self, Variation};
use super::{canonical, compile, shape, skeleton, subset, unknown, view};
use crate::model::Payload;

/// Descriptors of the message types that payloads may have. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry {
    pool: DescriptorPool,
    layouts: Arc<Layouts>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({} types)", self.layouts.names.len())
    }
}

/// What a registry makes of a payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// Encoding the view gives back the very same bytes.
    Exact(Value),
    /// The view is right, but encoding it would give other bytes: the bytes are the truth.
    Inexact(Value),
    /// There is no descriptor of this type.
    Undescribed,
    /// The bytes are no message of this type, or cannot be shown; the reason.
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

impl Registry {
    /// Descriptors from `.proto` folders, `.proto` files and descriptor-set files, together.
    ///
    /// Every folder is an include root, for the other folders and files too. No path at all is an empty registry.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self, DescriptorError> {
        let shown: Vec<_> = paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        Self::built(&shown.join(" with "), || compile::sources_of_paths(paths))
    }

    /// Descriptors from an encoded descriptor set.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, DescriptorError> {
        let origin = "the data";
        Self::built(origin, || compile::sources_of_set(origin, bytes))
    }

    /// These descriptors, and beyond them those of an encoded descriptor set. What both describe stays as it is here.
    pub fn filled_from(&self, descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        Self::built("the added descriptors", || {
            let mut filled = compile::filled(&self.pool, descriptor_set)?;
            let own = self.layouts.left_out.iter().cloned();
            filled.left_out.splice(..0, own);
            Ok(filled)
        })
    }

    /// Whatever the sources say, it is no panic.
    fn built(
        origin: &str,
        sources: impl FnOnce() -> Result<Sources, DescriptorError> + Send,
    ) -> Result<Self, DescriptorError> {
        guarded(|| sources().map(Self::new)).unwrap_or_else(|Broken| {
            Err(DescriptorError::Contradiction {
                origin: origin.to_owned(),
            })
        })
    }

    /// The same with each of several sets; one that does not go with these descriptors is left out.
    #[must_use]
    pub fn filled_where_free(&self, descriptor_sets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let sets = descriptor_sets.into_iter();
        sets.fold(self.clone(), |all, set| {
            all.filled_from(&set).unwrap_or(all)
        })
    }

    fn new(sources: Sources) -> Self {
        let Sources { pool, left_out } = sources;
        let layouts = Arc::new(Layouts::new(&pool, left_out));
        Self { pool, layouts }
    }

    /// Files of the sources that are not read: those of protobuf's editions, and those that import them.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.layouts.left_out
    }

    /// Whether no type is described.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layouts.names.is_empty()
    }

    /// Full names of all messages that are described, sorted.
    #[must_use]
    pub fn type_names(&self) -> Vec<String> {
        self.layouts.names.clone()
    }

    /// Whether a full type name is described.
    #[must_use]
    pub fn knows(&self, type_name: &str) -> bool {
        self.layout(type_name).is_some()
    }

    /// The position at the top of a type's views, to ask what their absent fields mean.
    #[must_use]
    pub fn position(&self, type_name: &str) -> Option<Position<'_>> {
        let message = self.layout(type_name)?;
        Some(Position::of_message(&self.layouts, message))
    }

    fn message(&self, type_name: &str) -> Option<MessageDescriptor> {
        self.pool
            .get_message_by_name(type_name)
            .filter(|message| !message.is_map_entry())
    }

    fn layout(&self, type_name: &str) -> Option<&Layout> {
        self.layouts
            .of(type_name)
            .filter(|message| !message.is_map_entry)
    }

    /// Makes a payload readable.
    ///
    /// Whether the view is exact is found out by encoding it, never assumed.
    #[must_use]
    pub fn decode(&self, payload: &Payload) -> Decoded {
        let Some(message) = self.layout(payload.type_name()) else {
            return Decoded::Undescribed;
        };
        let view = match view::view(&self.layouts, message, &payload.value) {
            Ok(view) => view,
            Err(flaw) => return Decoded::Malformed(flaw.to_string()),
        };
        match canonical::encode(&self.layouts, message, &view) {
            Ok(bytes) if bytes == payload.value => Decoded::Exact(view),
            _ => Decoded::Inexact(view),
        }
    }

    /// Encodes a view canonically: fields by number, map keys sorted, defaults left out.
    pub fn encode(&self, type_name: &str, view: &Value) -> Result<Vec<u8>, ViewError> {
        match self.layout(type_name) {
            Some(message) => canonical::encode(&self.layouts, message, view),
            None => Err(ViewError::new(self.missing(type_name).to_string())),
        }
    }

    /// A payload with the fields changed that a rewriter chooses, and everything else as it was, bit for bit.
    ///
    /// A payload whose view was exact stays one: where a key of a map changed, the entries are put in order again.
    pub fn rewrite<R: Rewriter>(
        &self,
        payload: &Payload,
        rewriter: &mut R,
    ) -> Result<Vec<u8>, Unreadable> {
        let Some(message) = self.layout(payload.type_name()) else {
            rewriter.unreadable(Unreadable::Undescribed {
                type_name: payload.type_name().to_owned(),
                path: String::new(),
                left_out: self.layouts.left_out_for(payload.type_name()),
            })?;
            return Ok(payload.value.clone());
        };
        let bytes = rewrite::rewrite(&self.layouts, message, &payload.value, rewriter)?;
        if bytes == payload.value || !matches!(self.decode(payload), Decoded::Exact(_)) {
            return Ok(bytes);
        }
        let written = Payload {
            type_url: payload.type_url.clone(),
            value: bytes,
        };
        Ok(match self.decode(&written) {
            Decoded::Inexact(view) => {
                canonical::encode(&self.layouts, message, &view).unwrap_or(written.value)
            }
            _ => written.value,
        })
    }

    /// The bytes of a payload with one field set or taken away, and everything else as it was: also fields that its
    /// descriptor does not have. No path at all is the payload as a whole.
    ///
    /// A member of a oneof that is set takes the place of the others.
    pub fn edit(
        &self,
        payload: &Payload,
        path: &[String],
        edit: &Edit,
    ) -> Result<Vec<u8>, ViewError> {
        let Some(message) = self.layout(payload.type_name()) else {
            return Err(ViewError::new(
                self.missing(payload.type_name()).to_string(),
            ));
        };
        let value = edit::edit(&self.layouts, message, &payload.value, path, edit)?;
        match view::view(&self.layouts, message, &value) {
            Ok(_) => Ok(value),
            Err(flaw) => Err(ViewError::new(format!(
                "the bytes are no {}: {flaw}",
                message.name
            ))),
        }
    }

    /// Full names of the messages with a field that its descriptor asks to keep out of sight (`debug_redact`).
    pub fn with_debug_redact(&self) -> impl Iterator<Item = &str> {
        self.layouts
            .names
            .iter()
            .map(String::as_str)
            .filter(|name| {
                self.layout(name)
                    .is_some_and(|message| message.fields.iter().any(|field| field.debug_redact))
            })
    }

    /// Whether a path of names, patterns with `*` too, leads to a field of at least one type that fits a pattern: through
    /// lists, by the keys of maps, and by `value` into what is packed into an `Any`.
    pub fn leads(&self, type_pattern: &str, path: &[String]) -> Result<(), LeadsNowhere> {
        lead::leads(&self.layouts, &self.layouts.names, type_pattern, path)
    }

    /// Types of the `Any` values found anywhere in a payload that decodes, sorted; also types without a descriptor.
    #[must_use]
    pub fn nested_any_types(&self, payload: &Payload) -> Vec<String> {
        let message = self.layout(payload.type_name());
        let found = message.map(|message| view::any_types(&self.layouts, message, &payload.value));
        found.into_iter().flatten().collect()
    }

    /// Whether a payload holds fields that its descriptor does not have: a view of it says less than its bytes.
    #[must_use]
    pub fn has_unknown_fields(&self, payload: &Payload) -> bool {
        self.pool
            .get_message_by_name(payload.type_name())
            .is_some_and(|descriptor| unknown::are_in(descriptor, &payload.value))
    }

    /// The payload with one field changed, once for each field that its type has, in messages within it too. None where
    /// the type is not described or the bytes are no such message.
    #[must_use]
    pub fn variations(&self, payload: &Payload) -> Vec<Variation> {
        self.message(payload.type_name())
            .map(|message| variation::variations(message, &payload.value))
            .unwrap_or_default()
    }

    /// What the descriptors make of a type, with all that its fields may hold: fields by number with their names, kinds
    /// and `debug_redact`. Equal texts mean that all bytes are read alike. None without a descriptor.
    #[must_use]
    pub fn shape(&self, type_name: &str) -> Option<String> {
        let message = self.layout(type_name)?;
        Some(shape::shape(&self.layouts, message))
    }

    /// The smallest set of files that describes these types; none where no type is described.
    ///
    /// Types without a descriptor are passed over. What is inside an `Any` is not known here: see
    /// [`Self::nested_any_types`].
    #[must_use]
    pub fn subset(&self, type_names: &[&str]) -> Option<DescriptorSet> {
        let messages: Vec<_> = type_names
            .iter()
            .filter_map(|name| self.message(name))
            .collect();
        subset::subset(&self.pool, &messages)
    }

    /// Full name of a type given in full, as a type URL, or by an unambiguous last part.
    pub fn resolve(&self, name: &str) -> Result<String, UnknownType> {
        let name = name.rsplit('/').next().unwrap_or(name);
        if self.knows(name) {
            return Ok(name.to_owned());
        }
        let mut fits = self
            .layouts
            .names
            .iter()
            .filter(|full| !name.is_empty() && ends_in(full, name));
        match (fits.next(), fits.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => Err(self.missing(name)),
        }
    }

    /// What can be said of a type that is not described: names like it, and files left out that may describe it.
    #[must_use]
    pub fn missing(&self, type_name: &str) -> UnknownType {
        self.layouts.missing(type_name)
    }

    /// A view of a type with every field at an example value.
    pub fn skeleton(&self, type_name: &str) -> Result<Value, UnknownType> {
        match self.message(type_name) {
            Some(message) => Ok(skeleton::skeleton(&message)),
            None => Err(self.missing(type_name)),
        }
    }
}
