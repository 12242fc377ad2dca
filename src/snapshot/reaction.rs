//! Renders the answers of sagas, process managers and projectors as readable values.

use serde_yaml::{Mapping, Value};

use super::render::{Renderer, cover_view, put};
use crate::model::{
    CommandPage, Cover, EmittedBook, EmittedCommand, Header, MergeStrategy, Page, Projection,
    Reaction, Worded,
};

impl Renderer<'_> {
    /// A reaction alone, as it is compared with production's.
    pub(super) fn reaction(&self, reaction: &Reaction) -> Value {
        let mut fields = Mapping::new();
        self.reacted(&mut fields, reaction);
        Value::Mapping(fields)
    }

    /// A projection alone, as it is compared with production's.
    pub(super) fn projection(&self, projection: &Projection) -> Value {
        let mut fields = Mapping::new();
        self.projected(&mut fields, projection);
        Value::Mapping(fields)
    }

    /// Upcast pages alone, as they are compared with production's.
    pub(super) fn upcast(&self, pages: &[Page]) -> Value {
        let mut fields = Mapping::new();
        put(&mut fields, "pages", self.pages(pages));
        Value::Mapping(fields)
    }

    /// Fields of a reaction. Lists are in the order of the logic. Empty lists are omitted, except for commands, because
    /// their absence is significant.
    pub(super) fn reacted(&self, fields: &mut Mapping, reaction: &Reaction) {
        let books = |books: &[EmittedBook], view: fn(&Self, &EmittedBook) -> Value| {
            Value::Sequence(books.iter().map(|book| view(self, book)).collect())
        };
        if !reaction.process_events.is_empty() {
            let own = |renderer: &Self, book: &EmittedBook| renderer.emission(book);
            put(
                fields,
                "process_events",
                books(&reaction.process_events, own),
            );
        }
        let commands = reaction.commands.iter().map(|book| self.sent(book));
        put(fields, "commands", Value::Sequence(commands.collect()));
        if !reaction.facts.is_empty() {
            put(fields, "facts", books(&reaction.facts, Self::fact));
        }
        if let Some(notification) = &reaction.notification {
            let mut view = Mapping::new();
            self.notified(&mut view, notification);
            put(fields, "notification", Value::Mapping(view));
        }
    }

    /// An emitted command. The correlation id is omitted: some libraries generate a missing one, and a coordinator
    /// fills it in.
    pub(crate) fn sent(&self, book: &EmittedCommand) -> Value {
        let mut fields = Mapping::new();
        put(&mut fields, "to", addressee(book.cover.as_ref()));
        match book.pages.as_slice() {
            [] => put(&mut fields, "empty", true.into()),
            [page] => fields.extend(self.command_page(page)),
            pages => {
                let pages = pages.iter().map(|page| self.command_page(page));
                let pages = pages.map(Value::Mapping).collect();
                put(&mut fields, "pages", Value::Sequence(pages));
            }
        }
        Value::Mapping(fields)
    }

    fn command_page(&self, page: &CommandPage) -> Mapping {
        let mut fields = Mapping::new();
        put(&mut fields, "header", header(&page.header));
        if page.merge_strategy != MergeStrategy::default() {
            put(&mut fields, "merge_strategy", word(page.merge_strategy));
        }
        if let Some(mode) = page.sync_mode {
            put(&mut fields, "sync_mode", word(mode));
        }
        match (&page.command, &page.external) {
            (Some(command), _) => fields.extend(self.typed_fields("command", command)),
            (None, Some(reference)) => {
                put(&mut fields, "external", reference.uri.as_str().into());
            }
            (None, None) => put(&mut fields, "empty", true.into()),
        }
        fields
    }

    /// An emitted fact.
    fn fact(&self, book: &EmittedBook) -> Value {
        let mut fields = Mapping::new();
        put(&mut fields, "to", addressee(book.cover.as_ref()));
        let pages = book.pages.iter().map(|page| {
            let mut fields = Mapping::new();
            put(&mut fields, "header", header(&page.header));
            fields.extend(self.body(&page.body));
            Value::Mapping(fields)
        });
        let pages = pages.collect();
        put(&mut fields, "events", Value::Sequence(pages));
        Value::Mapping(fields)
    }

    /// Fields of a projection.
    pub(super) fn projected(&self, fields: &mut Mapping, projection: &Projection) {
        let foreign = projection.cover.as_ref();
        if let Some(cover) = foreign.filter(|cover| self.is_foreign(cover)) {
            put(fields, "cover", cover_view(cover));
        }
        put(fields, "projector", projection.projector.as_str().into());
        put(fields, "sequence", projection.sequence.into());
        if let Some(payload) = &projection.payload {
            fields.extend(self.typed_fields("projection", payload));
        }
    }
}

/// The word for a value, or its number if it is unknown.
fn word(value: impl Worded) -> Value {
    value.word().map_or_else(Value::from, Value::from)
}

fn addressee(cover: Option<&Cover>) -> Value {
    cover.map_or_else(|| "nobody".into(), cover_view)
}

/// What a header specifies: nothing, a sequence, or assignment on arrival.
fn header(header: &Header) -> Value {
    match header {
        Header::Absent => "none".into(),
        Header::Sequence(sequence) => Value::Mapping(
            [("sequence".into(), (*sequence).into())]
                .into_iter()
                .collect(),
        ),
        Header::ExternalDeferred { external_id, .. } => {
            let mut fields = Mapping::new();
            put(
                &mut fields,
                "external_deferred",
                external_id.as_str().into(),
            );
            Value::Mapping(fields)
        }
        Header::AngzarrDeferred {
            source,
            source_sequence,
            source_component,
            command_index,
            ..
        } => {
            let mut deferred = Mapping::new();
            if let Some(source) = source {
                put(&mut deferred, "source", cover_view(source));
            }
            put(&mut deferred, "source_sequence", (*source_sequence).into());
            if !source_component.is_empty() {
                let component = source_component.as_str().into();
                put(&mut deferred, "source_component", component);
            }
            if *command_index > 0 {
                put(&mut deferred, "command_index", (*command_index).into());
            }
            let mut fields = Mapping::new();
            put(&mut fields, "deferred", Value::Mapping(deferred));
            Value::Mapping(fields)
        }
    }
}
