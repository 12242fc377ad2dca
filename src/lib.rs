//! Makes a production bug of an Angzarr system a regression test.

pub mod capture;
pub mod coordinator;
pub mod model;
pub mod payload;
pub mod replay;
pub mod wire;
