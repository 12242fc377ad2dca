//! The keys of a ticket, version 1, in the order of writing.

use serde::{Deserialize, Serialize};

use super::RedactionV1;
#[cfg(feature = "schema")]
use super::schema;
use crate::model::Fingerprints;

// Doc comments here become part of the published schema.
/// A command that production did not accept, as one line of a log: the command as it was sent, and the status that came back.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    schemars(title = "angzarr-replay failure ticket, version 1", rename = "Ticket")
)]
pub(super) struct Line {
    /// Version of the format: 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1)))]
    pub(super) ticket: u64,
    /// Domain of the aggregate that the command is for.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) domain: Option<String>,
    /// Root of the aggregate: a UUID.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) root: Option<String>,
    /// Edition of the aggregate: `main` or a name.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) edition: Option<String>,
    /// Sequence of the command's first page; null if the command is numbered on arrival.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) sequence: Option<Expected>,
    /// Correlation id of the command; empty if it has none.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) correlation_id: Option<String>,
    /// gRPC's name of the status code, such as `FAILED_PRECONDITION`. `OK` means that the command was accepted.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) code: Option<String>,
    /// Message of the status.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) message: Option<String>,
    /// Dialect of Angzarr's protocol in which the command is encoded.
    #[cfg_attr(
        feature = "schema",
        schemars(required, schema_with = "schema::dialect")
    )]
    pub(super) dialect: Option<String>,
    /// Whether the dialect was assumed, because several share the package and none of them was configured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) dialect_assumed: bool,
    /// The encoded `CommandBook`, in base64. The other keys have to agree with it.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(super) command: Option<String>,
    /// When the command failed, in the format of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
    /// Next sequence of the aggregate when the command failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) head: Option<u32>,
    /// How many events an accepted command stored. Only with the code `OK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) persisted: Option<u32>,
    /// `logic`: a code that usually comes from the transport, such as `RESOURCE_EXHAUSTED`, came from the logic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::answered_by"))]
    pub(super) answered_by: Option<String>,
    /// The build of the logic that answered, as OpenTelemetry's `service.version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service_version: Option<String>,
    /// The trace of the request, as in a `traceparent`: 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<String>,
    /// The redacted fields of the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) redacted: Vec<RedactionV1>,
    /// Fingerprints of the rules, key and descriptors that redacted them, by full name of the payload type.
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    pub(super) redacted_by: Fingerprints,
}

/// A sequence that may be null: the command is numbered on arrival.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(super) struct Expected(pub(super) Option<u32>);

/// Distinguishes null from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Expected>, D::Error> {
    Expected::deserialize(reader).map(Some)
}
