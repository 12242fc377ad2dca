//! Renders an outcome as a readable value, ready to be compared or written.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_yaml::{Mapping, Value};

use super::Rules;
use crate::model::{
    Body, Cover, EmittedBook, Failure, Header, Notification, ObservedEvent, Outcome, Page, Payload,
    Revocation,
};
use crate::payload::{Decoded, Registry};
use crate::replay::{HistoryReplay, Replay, ReplayNote};
use crate::yaml::to_yaml;

/// Key of the outcome with the full history, if it differs from the outcome with the stored snapshot.
pub const WITHOUT_SNAPSHOT: &str = "without_snapshot";

/// Renders outcomes, using descriptors and normalising rules.
pub struct Renderer<'a> {
    pub(super) descriptors: Vec<&'a Registry>,
    pub(super) rules: Vec<&'a Rules>,
    addressed: &'a Cover,
    head: u32,
}

impl<'a> Renderer<'a> {
    /// A renderer for a request to one aggregate at a head. The first registry that knows a type is used.
    #[must_use]
    pub const fn new(
        descriptors: Vec<&'a Registry>,
        rules: Vec<&'a Rules>,
        addressed: &'a Cover,
        head: u32,
    ) -> Self {
        Self {
            descriptors,
            rules,
            addressed,
            head,
        }
    }

    /// The outcome of a step.
    #[must_use]
    pub fn step(&self, replay: &Replay) -> Value {
        let without_sequence = replay.notes.iter().filter_map(|note| match note {
            ReplayNote::OddPlace {
                position,
                says: None,
                ..
            } => Some(*position),
            _ => None,
        });
        let mut fields = self.fields(&replay.outcome, &without_sequence.collect());
        if let Some(covers) = &replay.prepared {
            let covers = covers.iter().map(cover_view).collect();
            put(&mut fields, "prepared", Value::Sequence(covers));
        }
        // Real logic may differ there, so the outcome with the full history is part of its behaviour. They are compared
        // after normalising, because time passes between the two calls.
        let other = replay
            .outcome_without_snapshot
            .as_ref()
            .map(|other| self.outcome(other));
        if let Some(other) = other.filter(|other| *other != fields) {
            put(&mut fields, WITHOUT_SNAPSHOT, Value::Mapping(other));
        }
        Value::Mapping(fields)
    }

    /// The outcome of folding a history; none if the logic offers nothing to compare.
    #[must_use]
    pub fn history(&self, replay: &HistoryReplay) -> Option<Value> {
        if replay.state.is_none() && replay.upcast.is_none() {
            return None;
        }
        let part = |outcome: &Outcome| match outcome {
            Outcome::Folded(state) => self.typed("state", state),
            Outcome::Upcast(pages) => self.pages(pages),
            other => Value::Mapping(self.outcome(other)),
        };
        let state = replay.state.as_ref().map(part);
        let from_snapshot = replay.state_from_snapshot.as_ref().map(part);
        let mut fields = Mapping::new();
        let parts = [
            (
                "state_from_snapshot",
                from_snapshot.filter(|other| Some(other) != state.as_ref()),
            ),
            ("state", state),
            ("upcast", replay.upcast.as_ref().map(part)),
        ];
        for (key, view) in parts {
            if let Some(view) = view {
                put(&mut fields, key, view);
            }
        }
        Some(Value::Mapping(fields))
    }

    /// The text of a snapshot.
    #[must_use]
    pub fn text(value: &Value) -> String {
        to_yaml(value)
    }

    /// Stored events by type and content, in the form of [`Renderer::emission`].
    #[must_use]
    pub fn stored<'b>(&self, events: impl IntoIterator<Item = &'b Body>) -> Value {
        let events = Value::Sequence(
            events
                .into_iter()
                .map(|body| Value::Mapping(self.body(body)))
                .collect(),
        );
        Value::Mapping([(Value::from("events"), events)].into_iter().collect())
    }

    /// Events that production accepted, in the form of [`Renderer::emission`].
    #[must_use]
    pub fn observed(&self, events: &[ObservedEvent]) -> Value {
        let view = |(next, event): (u32, &ObservedEvent)| {
            let mut fields = Mapping::new();
            if let Some(sequence) = event.sequence.filter(|sequence| *sequence != next) {
                put(&mut fields, "sequence", sequence.into());
            }
            fields.extend(self.body(&event.body));
            Value::Mapping(fields)
        };
        let events = (self.head..=u32::MAX).zip(events).map(view).collect();
        Value::Mapping(Mapping::from_iter([(
            "events".into(),
            Value::Sequence(events),
        )]))
    }

    /// Events that logic emitted, including what a coordinator would reject: a foreign cover, unexpected sequences.
    #[must_use]
    pub fn emission(&self, book: &EmittedBook) -> Value {
        let mut fields = Mapping::new();
        self.emitted(&mut fields, book, &BTreeSet::new());
        Value::Mapping(fields)
    }

    /// Any outcome as a value.
    #[must_use]
    pub fn view(&self, outcome: &Outcome) -> Value {
        Value::Mapping(self.outcome(outcome))
    }

    /// The fields of any outcome: its name and its content.
    pub(crate) fn outcome(&self, outcome: &Outcome) -> Mapping {
        self.fields(outcome, &BTreeSet::new())
    }

    fn fields(&self, outcome: &Outcome, without_sequence: &BTreeSet<usize>) -> Mapping {
        let mut fields = Mapping::new();
        put(&mut fields, "outcome", outcome.word().into());
        match outcome {
            Outcome::Accepted(book) => self.emitted(&mut fields, book, without_sequence),
            Outcome::Revoked(revocation) => revoked(&mut fields, revocation),
            Outcome::Notified(notification) => self.notified(&mut fields, notification),
            Outcome::Rejected(failure)
            | Outcome::Crashed(failure)
            | Outcome::Unimplemented(failure)
            | Outcome::Refused(failure) => failed(&mut fields, failure),
            Outcome::Folded(state) => put(&mut fields, "state", self.typed("state", state)),
            Outcome::Upcast(pages) => put(&mut fields, "pages", self.pages(pages)),
            Outcome::Reacted(reaction) => self.reacted(&mut fields, reaction),
            Outcome::Projected(projection) => self.projected(&mut fields, projection),
            Outcome::Prepared(covers) => {
                let covers = covers.iter().map(cover_view).collect();
                put(&mut fields, "destinations", Value::Sequence(covers));
            }
        }
        fields
    }

    /// Omits from a book: `created_at` (the current time or nothing), `next_sequence` and the snapshot (stale or
    /// optional), the cover if it is that of the addressed aggregate (libraries fill it differently), and sequences if
    /// they are consecutive. `without_sequence` holds the positions of events that should have a sequence and have none.
    fn emitted(
        &self,
        fields: &mut Mapping,
        book: &EmittedBook,
        without_sequence: &BTreeSet<usize>,
    ) {
        if let Some(cover) = book.cover.as_ref().filter(|cover| self.is_foreign(cover)) {
            put(fields, "cover", cover_view(cover));
        }
        let mut next = self.head;
        let mut events = Vec::with_capacity(book.pages.len());
        for (position, page) in book.pages.iter().enumerate() {
            let mut event = Mapping::new();
            match &page.header {
                Header::Sequence(sequence) if *sequence == next => {}
                Header::Absent => {}
                Header::Sequence(sequence) => put(&mut event, "sequence", (*sequence).into()),
                Header::ExternalDeferred { external_id, .. } => {
                    put(&mut event, "external_deferred", external_id.as_str().into());
                }
                Header::AngzarrDeferred {
                    source_component, ..
                } => {
                    put(
                        &mut event,
                        "angzarr_deferred",
                        source_component.as_str().into(),
                    );
                }
            }
            next = next.saturating_add(1);
            event.extend(self.body(&page.body));
            if page.provisional {
                put(&mut event, "provisional", true.into());
            }
            if without_sequence.contains(&position) {
                put(&mut event, "sequence", "none".into());
            }
            events.push(Value::Mapping(event));
        }
        put(fields, "events", Value::Sequence(events));
    }

    /// Some coordinators store a book for another aggregate there, so it must be visible.
    pub(super) fn is_foreign(&self, cover: &Cover) -> bool {
        let addressed = self.addressed;
        (&cover.domain, &cover.root) != (&addressed.domain, &addressed.root)
            || (!cover.edition.is_main() && cover.edition.label() != addressed.edition.label())
    }

    pub(super) fn body(&self, body: &Body) -> Mapping {
        match body {
            Body::Event(payload) => self.typed_fields("event", payload),
            Body::External(reference) => {
                let mut fields = Mapping::new();
                put(&mut fields, "external", reference.uri.as_str().into());
                put(
                    &mut fields,
                    "content_hash",
                    STANDARD.encode(&reference.content_hash).into(),
                );
                fields
            }
            Body::Empty => Mapping::from_iter([("empty".into(), true.into())]),
        }
    }

    pub(super) fn pages(&self, pages: &[Page]) -> Value {
        let view = |page: &Page| {
            let mut fields = Mapping::new();
            put(&mut fields, "sequence", page.sequence.into());
            fields.extend(self.body(&page.body));
            // The logic receives a placeholder instead.
            if page.provisional {
                put(&mut fields, "provisional", true.into());
            }
            Value::Mapping(fields)
        };
        Value::Sequence(pages.iter().map(view).collect())
    }

    pub(super) fn notified(&self, fields: &mut Mapping, notification: &Notification) {
        if let Some(cover) = &notification.cover {
            put(fields, "cover", cover_view(cover));
        }
        if let Some(payload) = &notification.payload {
            put(fields, "notification", self.typed("payload", payload));
        }
        if !notification.metadata.is_empty() {
            put(fields, "metadata", pairs(&notification.metadata));
        }
    }

    fn typed(&self, key: &str, payload: &Payload) -> Value {
        Value::Mapping(self.typed_fields(key, payload))
    }

    /// A payload by type name (prefixes of type URLs differ between libraries) and content.
    pub(super) fn typed_fields(&self, key: &str, payload: &Payload) -> Mapping {
        let mut fields = Mapping::new();
        put(&mut fields, "type", payload.type_name().into());
        let registry = self
            .descriptors
            .iter()
            .find(|registry| registry.knows(payload.type_name()));
        match registry.map_or(Decoded::Undescribed, |registry| registry.decode(payload)) {
            Decoded::Exact(view) => put(&mut fields, key, self.ruled(payload, view)),
            // The order of fields and map entries does not change a message. Unknown fields do.
            Decoded::Inexact(view) => {
                put(&mut fields, key, self.ruled(payload, view));
                if registry.is_some_and(|registry| registry.has_unknown_fields(payload)) {
                    put(&mut fields, "bytes", STANDARD.encode(&payload.value).into());
                }
            }
            Decoded::Undescribed => {
                put(&mut fields, "bytes", STANDARD.encode(&payload.value).into());
            }
            Decoded::Malformed(reason) => {
                put(&mut fields, "malformed", reason.into());
                put(&mut fields, "bytes", STANDARD.encode(&payload.value).into());
            }
        }
        fields
    }

    fn ruled(&self, payload: &Payload, mut view: Value) -> Value {
        for rules in &self.rules {
            rules.apply(payload.type_name(), &mut view);
        }
        view
    }
}

pub(super) fn put(fields: &mut Mapping, key: &str, value: Value) {
    fields.insert(key.into(), value);
}

fn failed(fields: &mut Mapping, failure: &Failure) {
    put(fields, "code", failure.code.name().into());
    put(fields, "message", failure.message.as_str().into());
    if let Some(info) = &failure.info {
        put(fields, "reason", info.reason.as_str().into());
        if !info.metadata.is_empty() {
            put(fields, "metadata", pairs(&info.metadata));
        }
    }
}

fn revoked(fields: &mut Mapping, revocation: &Revocation) {
    put(fields, "reason", revocation.reason.as_str().into());
    let flags = [
        ("emit_system_revocation", revocation.emit_system_revocation),
        (
            "send_to_dead_letter_queue",
            revocation.send_to_dead_letter_queue,
        ),
        ("escalate", revocation.escalate),
        ("abort", revocation.abort),
    ];
    for (key, _) in flags.into_iter().filter(|(_, set)| *set) {
        put(fields, key, true.into());
    }
}

pub(super) fn cover_view(cover: &Cover) -> Value {
    let mut fields = Mapping::new();
    put(&mut fields, "domain", cover.domain.as_str().into());
    put(&mut fields, "root", cover.root.to_string().into());
    if !cover.edition.is_main() {
        put(&mut fields, "edition", cover.edition.label().into());
    }
    Value::Mapping(fields)
}

pub(super) fn pairs(pairs: &[(String, String)]) -> Value {
    Value::Mapping(
        pairs
            .iter()
            .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
            .collect(),
    )
}
