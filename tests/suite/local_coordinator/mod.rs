//! The local coordinator over real gRPC on loopback: what it answers is what the real one was seen to answer.
mod commands;
mod demo;
mod editions;
mod facts;
mod logic;
mod own_events;
mod queries;
mod reactions;
mod recorded;
mod replies;
mod speculation;
mod store;
mod support;
mod upcasting;
