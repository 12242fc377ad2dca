//! What is searched for, and whether a thing matches.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_yaml::Value;

use super::FindRequest;
use super::occurrence::Cause;
use crate::capture::{RootPart, RootSpec};
use crate::model::{CommandBook, Domain, Header, Payload, Root, trace_id};
use crate::payload::{Decoded, Registry};
use crate::project::{OperationError, Project};

/// Fewest digits of a root without a domain.
const FEWEST_DIGITS: usize = 4;

/// Why something matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// Its root.
    Root,
    /// Its correlation id.
    CorrelationId,
    /// Its trace id.
    TraceId,
    /// An external id: the key of a fact, or a value in the extension of a cover.
    ExternalId,
    /// Its number among the dead letters.
    DeadLetter,
    /// The value of a field.
    Field,
    /// The name of its edition.
    Edition,
}

impl Matched {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::CorrelationId => "correlation id",
            Self::TraceId => "trace id",
            Self::ExternalId => "external id",
            Self::DeadLetter => "number",
            Self::Field => "field",
            Self::Edition => "edition",
        }
    }
}

/// A field of a command or event that has a value, as `Type.field=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldClue {
    place: String,
    value: String,
}

/// Why a text cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: expected Type.field=value, as in WithdrawFunds.amount.amount=600")]
pub struct ClueError(String);

impl FromStr for FieldClue {
    type Err = ClueError;

    fn from_str(text: &str) -> Result<Self, ClueError> {
        match text.split_once('=') {
            Some((place, value)) if place.contains('.') => Ok(Self {
                place: place.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(ClueError(text.to_owned())),
        }
    }
}

/// All that a request searches for.
pub(super) struct Clues {
    pub(super) ids: Vec<Id>,
    field: Option<Field>,
    registry: Registry,
}

/// A text that may be an id of several kinds.
pub(super) struct Id {
    pub(super) text: String,
    pub(super) trace: Option<String>,
    pub(super) root: Option<RootSpec>,
    pub(super) letter: Option<i64>,
}

impl Id {
    fn of(text: &str) -> Self {
        let root = text.parse::<RootSpec>().ok().filter(|spec| {
            let is_short =
                matches!(&spec.root, RootPart::Prefix(digits) if digits.len() < FEWEST_DIGITS);
            spec.domain.is_some() || !is_short
        });
        Self {
            trace: trace_id(text),
            letter: text.parse().ok().filter(|number| *number >= 0),
            root,
            text: text.to_owned(),
        }
    }

    /// Whether it may be a correlation id. A full root or a trace id may be one too; the number of a dead letter hardly is.
    pub(super) fn may_be_workflow(&self) -> bool {
        let is_prefix = self
            .root
            .as_ref()
            .is_some_and(|spec| spec.domain.is_some() || matches!(spec.root, RootPart::Prefix(_)));
        !is_prefix && !self.is_only_number()
    }

    /// Whether it can only be the number of a dead letter.
    pub(super) const fn is_only_number(&self) -> bool {
        self.letter.is_some() && self.root.is_none()
    }
}

/// A field whose type is described.
struct Field {
    type_name: String,
    path: Vec<String>,
    value: String,
}

impl Clues {
    pub(super) fn of(project: &Project, request: &FindRequest) -> Result<Self, OperationError> {
        if request.ids.is_empty() && request.field.is_none() {
            return Err(OperationError::Usage(
                "name what to find: an id, or a field with --where".into(),
            ));
        }
        if let Some(empty) = request.ids.iter().find(|id| id.trim().is_empty()) {
            return Err(OperationError::Usage(format!("`{empty}` is no id")));
        }
        let registry = project.registry()?.clone();
        let field = request.field.as_ref();
        Ok(Self {
            ids: request.ids.iter().map(|id| Id::of(id.trim())).collect(),
            field: field.map(|clue| Field::of(clue, &registry)).transpose()?,
            registry,
        })
    }

    pub(super) const fn has_field(&self) -> bool {
        self.field.is_some()
    }

    /// The type whose field is searched for.
    pub(super) fn field_type(&self) -> Option<&str> {
        self.field.as_ref().map(|field| field.type_name.as_str())
    }

    /// Whether a payload has the field with the value.
    pub(super) fn has_value(&self, payload: &Payload) -> bool {
        let field = self.field.as_ref();
        field.is_some_and(|field| field.is_in(payload, &self.registry))
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Vec<Matched> {
        let mut found = BTreeSet::new();
        for id in &self.ids {
            let is_of_domain = |spec: &RootSpec| match (&spec.domain, candidate.domain) {
                (Some(wanted), Some(domain)) => wanted == domain,
                _ => true,
            };
            let root = id.root.as_ref().filter(|spec| is_of_domain(spec));
            if let (Some(spec), Some(own)) = (root, &candidate.root)
                && spec.fits(own)
            {
                found.insert(Matched::Root);
            }
            if candidate.correlation_id == id.text {
                found.insert(Matched::CorrelationId);
            }
            if id.trace.is_some() && id.trace.as_deref() == candidate.trace_id {
                found.insert(Matched::TraceId);
            }
            if candidate.external_ids.contains(&id.text.as_str())
                || candidate.ext.is_some_and(|ext| self.ext_has(ext, &id.text))
            {
                found.insert(Matched::ExternalId);
            }
            if id.letter.is_some() && id.letter == candidate.letter {
                found.insert(Matched::DeadLetter);
            }
        }
        let mut payloads = candidate.payloads.iter();
        if payloads.any(|payload| self.has_value(payload)) {
            found.insert(Matched::Field);
        }
        found.into_iter().collect()
    }

    /// Whether the extension of a cover has the text as the value of a field.
    fn ext_has(&self, ext: &Payload, text: &str) -> bool {
        decoded(ext, &self.registry).is_some_and(|view| any_scalar(&view, text))
    }
}

impl Field {
    /// The type is the longest beginning that the descriptors know; the rest is the path of the field.
    fn of(clue: &FieldClue, registry: &Registry) -> Result<Self, OperationError> {
        let dots = clue.place.match_indices('.').map(|(at, _)| at);
        for at in dots.collect::<Vec<_>>().into_iter().rev() {
            if let Ok(type_name) = registry.resolve(&clue.place[..at]) {
                let path = clue.place[at + 1..].split('.').map(str::to_owned);
                return Ok(Self {
                    type_name,
                    path: path.collect(),
                    value: clue.value.clone(),
                });
            }
        }
        let type_name = clue.place.split('.').next().unwrap_or_default();
        Err(OperationError::Usage(format!(
            "--where {}: {}",
            clue.place,
            registry.missing(type_name)
        )))
    }

    fn is_in(&self, payload: &Payload, registry: &Registry) -> bool {
        payload.type_name() == self.type_name
            && decoded(payload, registry).is_some_and(|view| has_at(&view, &self.path, &self.value))
    }
}

fn decoded(payload: &Payload, registry: &Registry) -> Option<Value> {
    match registry.decode(payload) {
        Decoded::Exact(view) | Decoded::Inexact(view) => Some(view),
        Decoded::Undescribed | Decoded::Malformed(_) => None,
    }
}

fn is_scalar(view: &Value, text: &str) -> bool {
    match view {
        Value::String(own) => own == text,
        Value::Number(own) => own.to_string() == text,
        Value::Bool(own) => own.to_string() == text,
        _ => false,
    }
}

/// Whether a view has a value at a path. Every item of a list is tried.
fn has_at(view: &Value, path: &[String], value: &str) -> bool {
    match (view, path) {
        (Value::Sequence(items), _) => items.iter().any(|item| has_at(item, path, value)),
        (Value::Mapping(fields), [first, rest @ ..]) => fields
            .get(first.as_str())
            .is_some_and(|inner| has_at(inner, rest, value)),
        (scalar, []) => is_scalar(scalar, value),
        _ => false,
    }
}

fn any_scalar(view: &Value, text: &str) -> bool {
    match view {
        Value::Sequence(items) => items.iter().any(|item| any_scalar(item, text)),
        Value::Mapping(fields) => fields.values().any(|inner| any_scalar(inner, text)),
        scalar => is_scalar(scalar, text),
    }
}

/// What one pass over the haystacks searches for.
pub(super) enum Wanted<'a> {
    /// What the request names.
    Clues(&'a Clues),
    /// What is around that: the rest of its workflows, and other failures of its aggregates.
    Around(&'a Around),
}

/// What belongs to something that was found.
#[derive(Default)]
pub(super) struct Around {
    /// Correlation ids.
    pub(super) workflows: BTreeSet<String>,
    /// Roots of aggregates.
    pub(super) roots: BTreeSet<Root>,
}

impl Wanted<'_> {
    /// Why a candidate matches, without a reason if it is only around what does; `None` if it is not wanted.
    pub(super) fn matches(&self, candidate: &Candidate<'_>) -> Option<Vec<Matched>> {
        match self {
            Self::Clues(clues) => {
                let matched = clues.matches(candidate);
                (!matched.is_empty()).then_some(matched)
            }
            Self::Around(around) => {
                // Without a correlation id, its header may still say which aggregate caused it.
                let cause = candidate
                    .caused_by
                    .filter(|_| candidate.correlation_id.is_empty());
                let mut roots = candidate.root.into_iter().chain(cause);
                let is_around = around.workflows.contains(candidate.correlation_id)
                    || (candidate.is_failure && roots.any(|root| around.roots.contains(&root)));
                is_around.then(Vec::new)
            }
        }
    }
}

/// The parts of a thing that may match.
#[derive(Default)]
pub(super) struct Candidate<'a> {
    pub(super) domain: Option<&'a Domain>,
    pub(super) root: Option<Root>,
    pub(super) correlation_id: &'a str,
    pub(super) trace_id: Option<&'a str>,
    pub(super) external_ids: Vec<&'a str>,
    pub(super) ext: Option<&'a Payload>,
    pub(super) letter: Option<i64>,
    pub(super) payloads: Vec<&'a Payload>,
    /// The aggregate whose event caused it.
    pub(super) caused_by: Option<Root>,
    pub(super) is_failure: bool,
}

impl<'a> Candidate<'a> {
    /// Of a command.
    pub(super) fn of_command(book: &'a CommandBook) -> Self {
        Self {
            domain: Some(&book.cover.domain),
            root: Some(book.cover.root),
            correlation_id: &book.cover.correlation_id,
            external_ids: book
                .pages
                .iter()
                .filter_map(|page| external_id(&page.header))
                .collect(),
            ext: book.cover.ext.as_ref(),
            caused_by: Cause::of_command(book).map(|cause| cause.root),
            payloads: book
                .pages
                .iter()
                .filter_map(|page| page.command.as_ref())
                .collect(),
            ..Self::default()
        }
    }
}

/// The idempotency key of a fact.
pub(super) fn external_id(header: &Header) -> Option<&str> {
    match header {
        Header::ExternalDeferred { external_id, .. } => Some(external_id),
        _ => None,
    }
}
