//! Servers that did not start.

use std::process::ExitStatus;

use crate::output::LastOutput;

/// A server that did not start.
#[derive(Debug, thiserror::Error)]
#[error("{server}: {failure}")]
pub struct LaunchError {
    /// Label of the server, as in ``logic `player` ``.
    pub server: String,
    /// What went wrong.
    pub failure: LaunchFailure,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchFailure {
    /// The command has no program.
    #[error("its command is empty")]
    EmptyCommand,
    /// The program cannot be run.
    #[error("cannot run `{program}` in {directory}: {reason}")]
    CannotRun {
        /// The program.
        program: String,
        /// Its working directory.
        directory: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The build step failed.
    #[error("its build step ended with {status}{output}")]
    Build {
        /// Exit status of the build step.
        status: ExitStatus,
        /// Its last output.
        output: LastOutput,
    },
    /// It ended before it was ready.
    #[error("it ended with {status} before it served{output}")]
    Exited {
        /// Its exit status.
        status: ExitStatus,
        /// Its last output.
        output: LastOutput,
    },
    /// It runs, but was not ready in time.
    #[error("it did not serve on port {port} within {seconds} s{output}")]
    Hangs {
        /// The port that it should serve on.
        port: u16,
        /// The time limit, in seconds.
        seconds: u64,
        /// Its last output.
        output: LastOutput,
    },
    /// Another process has its fixed port.
    #[error(
        "something else is already listening on port {port}; end it, or leave `port` out of the configuration so that a free \
         one is taken"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// What answers on its port is not a gRPC server.
    #[error("what listens on port {port} is no gRPC server{output}")]
    NotGrpc {
        /// The port.
        port: u16,
        /// Its last output.
        output: LastOutput,
    },
    /// No port is free.
    #[error("no free port on 127.0.0.1: {0}")]
    NoPort(std::io::Error),
}

impl LaunchFailure {
    /// The failure of the server with this label.
    #[must_use]
    pub fn of(self, server: &str) -> LaunchError {
        LaunchError {
            server: server.to_owned(),
            failure: self,
        }
    }
}
