//! What the tests of this workspace share: books and coordinators, programs without our environment, a server that keeps
//! what it is sent, and text that would act on a terminal.
//!
//! What only one test program uses stays beside it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod books;
pub mod coordinators;
pub mod demo;
pub mod hostile;
pub mod peer;
pub mod processes;
pub mod programs;
pub mod pty;
pub mod published;
pub mod raw_codec;
pub mod recorded;
pub mod revision;
pub mod stores;
