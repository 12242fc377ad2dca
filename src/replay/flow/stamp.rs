//! The headers and covers that coordinators put on a reaction's commands and facts before delivery.

use crate::model::{CommandBook, Cover, Edition, EmittedBook, EmittedCommand, Header};
use crate::wire::Dialect;

/// What a coordinator knows about the reaction that it stamps.
pub(super) struct Stamp<'a> {
    /// Name of the saga or process manager.
    pub(super) component: &'a str,
    /// The aggregate whose events it reacts to; for a process manager, its own stream.
    pub(super) source: &'a Cover,
    /// Last sequence of the triggering events.
    pub(super) sequence: u32,
    /// Dialect of the coordinators.
    pub(super) dialect: Dialect,
}

impl Stamp<'_> {
    /// A command as it is delivered: deferred, whatever header the logic gave it. `None` if it has no addressee.
    pub(super) fn command(&self, emitted: &EmittedCommand, index: usize) -> Option<CommandBook> {
        let mut book = emitted.addressed()?;
        self.fill(&mut book.cover);
        for page in &mut book.pages {
            page.header = self.header(&page.header, index);
        }
        Some(book)
    }

    /// Facts as they are delivered. They keep their headers, which hold the idempotency key.
    pub(super) fn facts(&self, emitted: &EmittedBook) -> EmittedBook {
        let mut facts = emitted.clone();
        if let Some(cover) = &mut facts.cover {
            self.fill(cover);
        }
        facts
    }

    fn fill(&self, cover: &mut Cover) {
        if cover.correlation_id.is_empty() {
            cover.correlation_id.clone_from(&self.source.correlation_id);
        }
        let keeps_own = self.dialect.rules().keeps_emitted_edition;
        if !keeps_own || cover.edition == Edition::Main {
            cover.edition.clone_from(&self.source.edition);
        }
    }

    /// The header of a command: the coordinator's own provenance. Newer coordinators keep the provenance that the logic
    /// wrote and only complete it.
    fn header(&self, emitted: &Header, index: usize) -> Header {
        let completes = self.dialect.rules().completes_provenance;
        let own = |basis_sequence| Header::AngzarrDeferred {
            source: Some(Box::new(self.source.clone())),
            source_sequence: self.sequence,
            source_component: self.component.to_owned(),
            command_index: u32::try_from(index).unwrap_or(u32::MAX),
            basis_sequence,
        };
        match emitted {
            Header::AngzarrDeferred {
                source: None,
                basis_sequence,
                ..
            } if completes => own(*basis_sequence),
            Header::AngzarrDeferred {
                source: Some(source),
                source_sequence,
                source_component,
                command_index,
                basis_sequence,
            } if completes => Header::AngzarrDeferred {
                source: Some(source.clone()),
                source_sequence: *source_sequence,
                source_component: if source_component.is_empty() {
                    self.component.to_owned()
                } else {
                    source_component.clone()
                },
                command_index: *command_index,
                basis_sequence: *basis_sequence,
            },
            Header::Absent
            | Header::Sequence(_)
            | Header::ExternalDeferred { .. }
            | Header::AngzarrDeferred { .. } => own(None),
        }
    }
}
