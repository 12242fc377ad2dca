//! Generated from `proto/wire.proto`, and in `local` from the services of the local coordinator.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
include!(concat!(env!("OUT_DIR"), "/angzarr_replay.wire.rs"));

pub mod local {
    include!(concat!(env!("OUT_DIR"), "/angzarr_replay.local.v1.rs"));
}
