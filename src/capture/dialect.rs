//! Which dialect a case is of. A connection does not tell dialects of one package apart: somebody says which it is, or it
//! is assumed.

use super::CaptureError;
use crate::wire::{Dialect, SpokenDialect};

/// How the dialect of a case is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialectKnowledge {
    /// The connection or the configuration tells it.
    Source,
    /// The source does not say which of its package it speaks, but what was noted of the command does.
    Note,
    /// Nobody said it.
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
    /// Of a case without anything noted.
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

    /// Of a case of a source and of what was noted elsewhere. What is said counts, what was assumed does not.
    ///
    /// # Errors
    /// Where both say a dialect, and not the same.
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
