//! The documentation does what it says: commands parse, configuration and examples are read, links lead somewhere.
mod commands;
mod configuration;
mod examples;
mod layers;
mod links;
mod markdown;
