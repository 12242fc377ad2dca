//! What coordinators write on the commands and facts of a reaction before they deliver them.

use crate::model::{CommandBook, Cover, Edition, EmittedBook, EmittedCommand, Header};
use crate::wire::Dialect;

/// Who reacts, to what.
pub(super) struct Provenance<'a> {
    /// Name of the saga or process manager.
    pub(super) component: &'a str,
    /// The aggregate whose events it reacts to; of a process manager its own stream.
    pub(super) source: &'a Cover,
    /// Last sequence of the triggering events.
    pub(super) sequence: u32,
    /// Dialect of the coordinators.
    pub(super) dialect: Dialect,
}

impl Provenance<'_> {
    /// A command as it is delivered: deferred, whatever sequence the logic wrote on it. None where it has no
    /// addressee.
    pub(super) fn command(&self, emitted: &EmittedCommand, index: usize) -> Option<CommandBook> {
        let mut book = emitted.addressed()?;
        self.fill(&mut book.cover);
        for page in &mut book.pages {
            page.header = self.header(&page.header, index);
        }
        Some(book)
    }

    /// Facts as they are delivered; they keep their headers, which are the key of idempotency.
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

    /// Newer logic writes its own provenance, which the coordinator completes; older is overwritten.
    fn header(&self, emitted: &Header, index: usize) -> Header {
        let completes = self.dialect.rules().completes_provenance;
        let basis = match emitted {
            Header::AngzarrDeferred { basis_sequence, .. } if completes => *basis_sequence,
            _ => None,
        };
        let own = (
            Some(Box::new(self.source.clone())),
            self.sequence,
            self.component.to_owned(),
            u32::try_from(index).unwrap_or(u32::MAX),
            basis,
        );
        let (source, source_sequence, source_component, command_index, basis_sequence) =
            match emitted {
                Header::AngzarrDeferred {
                    source: Some(source),
                    source_sequence,
                    source_component,
                    command_index,
                    basis_sequence,
                } if completes => {
                    let component = if source_component.is_empty() {
                        own.2
                    } else {
                        source_component.clone()
                    };
                    let source = Some(source.clone());
                    (
                        source,
                        *source_sequence,
                        component,
                        *command_index,
                        *basis_sequence,
                    )
                }
                _ => own,
            };
        Header::AngzarrDeferred {
            source,
            source_sequence,
            source_component,
            command_index,
            basis_sequence,
        }
    }
}
