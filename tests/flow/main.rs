//! Flows across domains: order, effects, refusals, editions, bounds, and how they are told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod editions;
mod facts;
mod order;
mod process_managers;
mod property;
mod refusals;
mod support;
mod telling;
