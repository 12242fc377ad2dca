//! The registry of message descriptors, which decodes and encodes payloads.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use serde_yaml::Value;

use super::compile::Sources;
use super::defaults::Position;
use super::edit::{self, Edit};
use super::error::{DescriptorError, LeftOut, UnknownType, ViewError, ends_in};
use super::field_path::{self, FieldPathError};
use super::guard::{Broken, guarded};
use super::layout::{Layout, Layouts};
use super::lazy_pool::LazyPool;
use super::likely::{self, LikelyMessage};
use super::rewrite::{self, Rewriter, Rewritten, Unreadable};
use super::variation::{self, Variation};
use super::{
    canonical, canonical_lines, comparison, compile, shape, skeleton, subset, unknown, view,
};
use crate::model::Payload;

/// Descriptors of message types. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry {
    layouts: Arc<Layouts>,
    /// Slow to build, and needed for few things.
    pool: Arc<LazyPool>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({} types)", self.layouts.names.len())
    }
}

/// The result of decoding a payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// Encoding the view gives exactly the same bytes.
    Exact(Value),
    /// The view is correct, but encoding it gives different bytes, so the bytes must be kept.
    Inexact(Value),
    /// The type has no descriptor.
    Undescribed,
    /// The bytes are not a message of this type, or cannot be shown; with the reason.
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
    /// Loads descriptors from `.proto` folders, `.proto` files and descriptor-set files.
    ///
    /// Every folder is an include root for all sources. Without paths, the registry is empty.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self, DescriptorError> {
        let shown: Vec<_> = paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        Self::built(&shown.join(" with "), || compile::sources_of_paths(paths))
    }

    /// Loads an encoded descriptor set.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, DescriptorError> {
        let origin = "the data";
        Self::built(origin, || compile::sources_of_set(origin, bytes))
    }

    /// Adds an encoded descriptor set. Existing definitions win.
    pub fn filled_from(&self, descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        Self::built("the added descriptors", || {
            let mut filled = compile::filled(self.pool(), descriptor_set)?;
            let own = self.layouts.left_out.iter().cloned();
            filled.left_out.splice(..0, own);
            Ok(filled)
        })
    }

    /// Turns panics of the loading code into errors.
    pub(super) fn built(
        origin: &str,
        sources: impl FnOnce() -> Result<Sources, DescriptorError> + Send,
    ) -> Result<Self, DescriptorError> {
        guarded(|| sources().map(Self::new)).unwrap_or_else(|Broken| {
            Err(DescriptorError::Contradiction {
                origin: origin.to_owned(),
            })
        })
    }

    /// Like [`Registry::filled_from`], for several sets. Skips a set that conflicts with these descriptors.
    #[must_use]
    pub fn filled_where_free(&self, descriptor_sets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let sets = descriptor_sets.into_iter();
        sets.fold(self.clone(), |all, set| {
            all.filled_from(&set).unwrap_or(all)
        })
    }

    fn new(sources: Sources) -> Self {
        let Sources { pool, left_out } = sources;
        Self::of(Layouts::new(&pool, left_out), LazyPool::built(pool))
    }

    /// The registry of these layouts, which are those of the pool.
    pub(super) fn of(layouts: Layouts, pool: LazyPool) -> Self {
        Self {
            layouts: Arc::new(layouts),
            pool: Arc::new(pool),
        }
    }

    /// Source files that were left out: those that use a protobuf edition, and those that import them.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.layouts.left_out
    }

    /// Whether no type is described.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layouts.names.is_empty()
    }

    /// Full names of all described messages, sorted.
    #[must_use]
    pub fn type_names(&self) -> Vec<String> {
        let names = self.layouts.names.iter();
        names.map(ToString::to_string).collect()
    }

    /// Whether a type, given by its full name, is described.
    #[must_use]
    pub fn knows(&self, type_name: &str) -> bool {
        self.layout(type_name).is_some()
    }

    /// The root position of a type's views, for looking up the defaults of absent fields.
    #[must_use]
    pub fn position(&self, type_name: &str) -> Option<Position<'_>> {
        let message = self.layout(type_name)?;
        Some(Position::of_message(&self.layouts, message))
    }

    fn message(&self, type_name: &str) -> Option<MessageDescriptor> {
        self.pool()
            .get_message_by_name(type_name)
            .filter(|message| !message.is_map_entry())
    }

    fn layout(&self, type_name: &str) -> Option<&Layout> {
        self.layouts
            .named(type_name)
            .filter(|message| !message.is_map_entry)
    }

    /// Decodes a payload into a readable view.
    ///
    /// Whether the view is exact is always verified by encoding it.
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

    /// Encodes a view canonically: fields ordered by number, map keys sorted, defaults omitted.
    pub fn encode(&self, type_name: &str, view: &Value) -> Result<Vec<u8>, ViewError> {
        match self.layout(type_name) {
            Some(message) => canonical::encode(&self.layouts, message, view),
            None => Err(ViewError::new(self.missing(type_name).to_string())),
        }
    }

    /// Encodes the lines of a view in canonical YAML, like [`Self::encode`]. `None` if the type is not described, or the lines have to
    /// be read as a value first: because they are wrong, or of a shape that is rare.
    #[must_use]
    pub fn encode_lines(&self, type_name: &str, lines: &str) -> Option<Vec<u8>> {
        canonical_lines::encode(&self.layouts, self.layout(type_name)?, lines)
    }

    /// Rewrites the fields that the rewriter chooses, and leaves everything else unchanged, bit for bit.
    ///
    /// A payload with an exact view keeps one: if a map key changes, the map's entries are sorted again.
    pub fn rewrite<R: Rewriter>(
        &self,
        payload: &Payload,
        rewriter: &mut R,
    ) -> Result<Vec<u8>, Unreadable> {
        let Some(rewritten) = self.walk(payload, rewriter)? else {
            return Ok(payload.value.clone());
        };
        let bytes = rewritten.bytes;
        // Two views are expensive.
        if !rewritten.may_be_inexact
            || bytes == payload.value
            || !matches!(self.decode(payload), Decoded::Exact(_))
        {
            return Ok(bytes);
        }
        let written = Payload {
            type_url: payload.type_url.clone(),
            value: bytes,
        };
        Ok(match self.decode(&written) {
            Decoded::Inexact(view) => self
                .encode(payload.type_name(), &view)
                .unwrap_or(written.value),
            _ => written.value,
        })
    }

    /// Shows a rewriter the fields of a payload, and writes nothing.
    pub fn visit<R: Rewriter>(
        &self,
        payload: &Payload,
        rewriter: &mut R,
    ) -> Result<(), Unreadable> {
        self.walk(payload, rewriter).map(drop)
    }

    /// Shows a rewriter all fields of a payload. `None` if its type has no descriptor and the rewriter accepts that.
    fn walk<R: Rewriter>(
        &self,
        payload: &Payload,
        rewriter: &mut R,
    ) -> Result<Option<Rewritten>, Unreadable> {
        let Some(message) = self.layout(payload.type_name()) else {
            rewriter.unreadable(Unreadable::Undescribed {
                type_name: payload.type_name().to_owned(),
                path: String::new(),
                left_out: self.layouts.left_out_for(payload.type_name()),
            })?;
            return Ok(None);
        };
        rewrite::rewrite(&self.layouts, message, &payload.value, rewriter).map(Some)
    }

    /// Sets or removes one field, and leaves everything else as it was, including unknown fields. An empty path means
    /// the whole payload.
    ///
    /// Setting a member of a oneof clears the other members.
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
                "the bytes are not a valid {}: {flaw}",
                message.name
            ))),
        }
    }

    /// Full names of the messages with a field marked `debug_redact`.
    pub fn types_with_debug_redact(&self) -> impl Iterator<Item = &str> {
        self.layouts
            .names
            .iter()
            .map(|name| &**name)
            .filter(|name| {
                self.layout(name)
                    .is_some_and(|message| message.fields.iter().any(|field| field.debug_redact))
            })
    }

    /// Checks that a path of names or `*` patterns matches a field in at least one type that matches the type pattern.
    /// Follows lists, map keys, and the `value` of an `Any`.
    pub fn check_field_path(
        &self,
        type_pattern: &str,
        path: &[String],
    ) -> Result<(), FieldPathError> {
        field_path::check(&self.layouts, &self.layouts.names, type_pattern, path)
    }

    /// Types of all `Any` values at any depth of a payload, sorted, including types without a descriptor. Empty if the
    /// payload cannot be decoded.
    #[must_use]
    pub fn nested_any_types(&self, payload: &Payload) -> Vec<String> {
        let message = self.layout(payload.type_name());
        let found = message.map(|message| view::any_types(&self.layouts, message, &payload.value));
        found.into_iter().flatten().collect()
    }

    /// Whether payloads of this type can contain an `Any`. Only then is it worth looking for some.
    #[must_use]
    pub fn may_hold_any(&self, type_name: &str) -> bool {
        self.layout(type_name)
            .is_some_and(|message| message.may_hold_any)
    }

    /// Whether a payload contains unknown fields, which a view does not show.
    #[must_use]
    pub fn has_unknown_fields(&self, payload: &Payload) -> bool {
        let bytes = &payload.value;
        let message = self.layouts.named(payload.type_name());
        if !message.is_some_and(|message| unknown::may_be_in(&self.layouts, message, bytes)) {
            return false;
        }
        let descriptor = self.pool().get_message_by_name(payload.type_name());
        descriptor.is_some_and(|descriptor| unknown::are_in(descriptor, bytes))
    }

    /// One variation of the payload for each field of its type, also in nested messages. Empty if the type is not
    /// described or the bytes are malformed.
    #[must_use]
    pub fn variations(&self, payload: &Payload) -> Vec<Variation> {
        self.message(payload.type_name())
            .map(|message| variation::variations(message, &payload.value))
            .unwrap_or_default()
    }

    /// A description of the type and of all message types in its fields: field numbers, names, kinds and
    /// `debug_redact`. If two descriptions are equal, all payloads decode equally. None without a descriptor.
    #[must_use]
    pub fn shape(&self, type_name: &str) -> Option<String> {
        let message = self.layout(type_name)?;
        Some(shape::shape(&self.layouts, message))
    }

    /// The smallest set of files that describes these types. None if none of them is described.
    ///
    /// Types without a descriptor are skipped. Types packed in an `Any` must be listed too: see
    /// [`Self::nested_any_types`].
    #[must_use]
    pub fn subset(&self, type_names: &[&str]) -> Option<DescriptorSet> {
        let messages: Vec<_> = type_names
            .iter()
            .filter_map(|name| self.message(name))
            .collect();
        subset::subset(self.pool(), &messages)
    }

    pub(super) fn layouts(&self) -> &Layouts {
        &self.layouts
    }

    /// The descriptors themselves. The first call may have to build them.
    pub(super) fn pool(&self) -> &DescriptorPool {
        self.pool.pool()
    }

    /// Whether a type that is not described may be in a file that was left out.
    pub(super) fn may_be_left_out(&self, type_name: &str) -> bool {
        !self.layouts.left_out_for(type_name).is_empty()
    }

    /// Full names of the messages and enums that values of these types can contain, with the types themselves. Types
    /// packed in an `Any` must be listed too: see [`Self::nested_any_types`].
    #[must_use]
    pub fn types_within(&self, type_names: &BTreeSet<String>) -> BTreeSet<String> {
        comparison::types_within(self.pool(), type_names)
    }

    /// Messages that [`changes`](super::changes) cannot compare with `today`, because `today` lacks them and files that
    /// may define them were left out.
    #[must_use]
    pub fn not_comparable(&self, today: &Self) -> Vec<String> {
        comparison::not_comparable(self, today)
    }

    /// Resolves a full name, a type URL, or an unambiguous last part of a name to the full name.
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
            (Some(only), None) => Ok(only.to_string()),
            _ => Err(self.missing(name)),
        }
    }

    /// Hints about a type that is not described: similar names, and files left out that may define it.
    #[must_use]
    pub fn missing(&self, type_name: &str) -> UnknownType {
        self.layouts.missing(type_name)
    }

    /// The message that most likely led to an event, filled with what the event has. `named` is its type, if it is known; `events`
    /// are types that are events. `None` if no message is similar enough, or the event cannot be decoded.
    #[must_use]
    pub fn likely_message(
        &self,
        event: &Payload,
        named: Option<&str>,
        events: &BTreeSet<&str>,
    ) -> Option<LikelyMessage> {
        let descriptor = self.message(event.type_name())?;
        let (Decoded::Exact(Value::Mapping(view)) | Decoded::Inexact(Value::Mapping(view))) =
            self.decode(event)
        else {
            return None;
        };
        if let Some(named) = named {
            let message = self.message(named)?;
            return Some(likely::filled(&message, &[], &descriptor, &view));
        }
        let messages = self.pool().all_messages();
        let candidates = likely::candidates(&descriptor, messages, events);
        let (message, others) = candidates.split_first()?;
        Some(likely::filled(message, others, &descriptor, &view))
    }

    /// A view of a type with an example value in every field.
    pub fn skeleton(&self, type_name: &str) -> Result<Value, UnknownType> {
        match self.message(type_name) {
            Some(message) => Ok(skeleton::skeleton(&message)),
            None => Err(self.missing(type_name)),
        }
    }
}
