//! Flows across domains: order, effects, refusals, editions, bounds, and how they are told.
mod bounds;
mod editions;
mod facts;
mod order;
mod process_managers;
mod property;
mod refusals;
mod support;
mod telling;
