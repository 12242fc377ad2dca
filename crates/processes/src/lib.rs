//! Starts processes and ends them: servers under test, tunnels to sources, commands that print a secret.
//!
//! Whatever is started has a process group of its own. Dropping its owner, or interrupting this process, ends the whole
//! group, and every descendant that left it. This crate prints nothing and knows no gRPC: callers say when a server is ready and what happens to its output.
//!
//! An internal part of `angzarr-replay`: its API may change without notice.

mod environment;
mod group;
mod interrupt;
mod launch_error;
mod output;
mod port;
mod private_output;
mod server;
mod strays;
mod tunnel;

pub use environment::withhold;
pub use interrupt::{Interrupts, end_all_on_interrupt, end_all_on_interrupt_once_started};
pub use launch_error::{LaunchError, LaunchFailure};
pub use output::{LastOutput, LineListener};
pub use port::free_port;
pub use private_output::{PrivateOutputError, private_output};
pub use server::{Readiness, ReadinessCheck, ServerCommand, StartedServer};
pub use tunnel::{ConnectCheck, Tunnel, TunnelCommand, TunnelError};
