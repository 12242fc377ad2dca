//! The published JSON Schemas, which the program carries: its users need no clone.

/// A file format with a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PublishedSchema {
    /// A fixture, version 1.
    Fixture,
    /// replay.toml and replay.local.toml.
    Config,
    /// One line of a failure log, version 1.
    Ticket,
}

impl PublishedSchema {
    /// Name of its file.
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Fixture => "fixture-1.schema.json",
            Self::Config => "replay-toml.schema.json",
            Self::Ticket => "ticket-1.schema.json",
        }
    }

    /// The schema itself, ending with a line break.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Fixture => include_str!("../../schema/fixture-1.schema.json"),
            Self::Config => include_str!("../../schema/replay-toml.schema.json"),
            Self::Ticket => include_str!("../../schema/ticket-1.schema.json"),
        }
    }
}
