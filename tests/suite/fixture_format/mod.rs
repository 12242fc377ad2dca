//! The fixture format at its public edge: what is written is read back, mistakes are named with their place, and
//! nothing is overwritten or half written.

mod examples;
mod folder;
mod framework;
mod hostile;
mod kind_examples;
mod kind_mistakes;
mod kinds;
mod mistakes;
mod round_trip;
mod schema;
mod support;
