//! Determines the dialect of a case. Dialects with the same package cannot be distinguished on a connection, so the
//! dialect is either configured or assumed.

use super::CaptureError;
use crate::wire::{Dialect, SpokenDialect};

/// How the dialect of a case is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialectKnowledge {
    /// From the connection or the configuration.
    Source,
    /// From the ticket or recording of the command; the source does not determine it.
    Note,
    /// It is assumed.
    Assumed,
}

/// The dialect of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseDialect {
    /// The dialect.
    pub dialect: Dialect,
    /// How it is known.
    pub known: DialectKnowledge,
}

impl CaseDialect {
    /// The dialect of a case without a ticket or recording.
    #[must_use]
    pub const fn of(source: SpokenDialect) -> Self {
        Self {
            dialect: source.dialect,
            known: if source.is_assumed {
                DialectKnowledge::Assumed
            } else {
                DialectKnowledge::Source
            },
        }
    }

    /// Combines the dialect of the source with that of a ticket or recording. A stated dialect takes precedence over an
    /// assumed one.
    ///
    /// # Errors
    /// If both state a dialect and they differ.
    pub fn settle(
        source: SpokenDialect,
        noted: Option<SpokenDialect>,
    ) -> Result<Self, CaptureError> {
        let Some(noted) = noted else {
            return Ok(Self::of(source));
        };
        let source_dialect = source.dialect;
        if noted.dialect.package() != source_dialect.package() {
            return Err(CaptureError::OtherDialect {
                ticket: noted.dialect,
                source_dialect,
            });
        }
        match (source.is_assumed, noted.is_assumed) {
            (_, true) => Ok(Self::of(source)),
            (true, false) => Ok(Self {
                dialect: noted.dialect,
                known: DialectKnowledge::Note,
            }),
            (false, false) if noted.dialect == source_dialect => Ok(Self::of(source)),
            (false, false) => Err(CaptureError::SaidOtherwise {
                noted: noted.dialect,
                source_dialect,
            }),
        }
    }
}
