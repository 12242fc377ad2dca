//! From a source to a fixture: what production has, and what failed there.

pub mod ticket;
