//! What this repository's own tests, benchmarks and programs use beyond the public door. It changes without notice.

pub mod audit {
    pub use crate::audit::*;
}
pub mod auditing {
    pub use crate::auditing::*;
}
pub mod capture {
    pub use crate::capture::*;
}
pub mod coordination {
    pub use crate::coordination::*;
}
pub mod coordinator {
    pub use crate::coordinator::*;
}
pub mod diagram {
    pub use crate::diagram::*;
}
pub mod documentation {
    pub use crate::documentation::*;
}
pub mod event_store {
    pub use crate::event_store::*;
}
pub mod finding {
    pub use crate::finding::*;
}
pub mod fixture {
    pub use crate::fixture::*;
}
pub mod harness {
    pub use crate::harness::*;
}
pub mod listing {
    pub use crate::listing::*;
}
pub mod mutation {
    pub use crate::mutation::*;
}
pub mod project {
    pub use crate::project::*;
}
pub mod record {
    pub use crate::record::*;
}
pub mod recording {
    pub use crate::recording::*;
}
pub mod replay {
    pub use crate::replay::*;
}
pub mod serving {
    pub use crate::serving::*;
}
pub mod showing {
    pub use crate::showing::*;
}
pub mod snapshot {
    pub use crate::snapshot::*;
}

pub use angzarr_replay_grpc as grpc;
pub use angzarr_replay_payload::{payload, redact};
pub use angzarr_replay_processes as processes;
pub use angzarr_replay_wire::{model, ticket, wire};
pub use angzarr_replay_yaml as yaml;
