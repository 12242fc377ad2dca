//! Generated from `proto/wire.proto`, and from `proto/editions.proto` in `editions`.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
include!(concat!(env!("OUT_DIR"), "/angzarr_replay.wire.rs"));

pub mod editions {
    include!(concat!(env!("OUT_DIR"), "/angzarr_replay.local.v1.rs"));
}
