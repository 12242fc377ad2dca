//! Generated from `proto/wire.proto`.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
include!(concat!(env!("OUT_DIR"), "/angzarr_replay.wire.rs"));
