//! Makes a production bug of an Angzarr system a regression test.

pub mod audit;
pub mod capture;
mod cli;
pub mod client_tickets;
pub mod coordination;
pub mod coordinator;
pub mod diagram;
mod files;
pub mod fixture;
pub mod harness;
pub mod model;
pub mod mutation;
pub mod payload;
mod plain;
pub mod project;
pub mod record;
pub mod redact;
pub mod replay;
pub mod snapshot;
mod terminal;
pub mod ticket;
pub mod wire;

pub use project::App;
