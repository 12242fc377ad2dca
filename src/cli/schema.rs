//! `schema`: prints a published JSON Schema.

use clap::Args;

use super::say;
use crate::setup::PublishedSchema;

/// Print the JSON Schema of a file format, for editors and other programs.
///
/// `init --editor vscode` writes the schemas of fixtures and of replay.toml where the editor finds them. For another editor,
/// write them to a file, and name it in the first line of a fixture, `# yaml-language-server: $schema=FILE`, or of replay.toml,
/// `#:schema FILE`.
#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// The file format.
    format: PublishedSchema,
}

pub(super) fn run(arguments: &SchemaArguments) {
    say(arguments.format.text().trim_end());
}
