//! A command that prints a secret: a token, a password.
//!
//! Only the caller gets its output. Nothing of it is kept, shown, or part of an error.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

use crate::group::OwnedGroup;

/// A command that printed no secret.
#[derive(Debug, thiserror::Error)]
pub enum PrivateOutputError {
    /// There is no command.
    #[error("its command is empty")]
    Empty,
    /// The program cannot be run.
    #[error("cannot run `{program}`: {reason}")]
    CannotRun {
        /// The program.
        program: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// It failed.
    #[error(
        "`{program}` ended with {status}; what it printed may be secret and is not shown, so run it by hand to see why"
    )]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: ExitStatus,
    },
    /// It did not end in time.
    #[error(
        "`{program}` did not end within {seconds} s; it gets no input, so it must not ask for any"
    )]
    Hangs {
        /// The program.
        program: String,
        /// The time limit, in seconds.
        seconds: u64,
    },
    /// Its output is not UTF-8.
    #[error("`{program}` printed something that is no text")]
    NoText {
        /// The program.
        program: String,
    },
}

/// More than any token: endless output must not fill the memory.
const MOST_BYTES: u64 = 1 << 20;

/// Runs a command to its end and returns its standard output.
pub fn private_output(
    words: &[String],
    directory: &Path,
    limit: Duration,
) -> Result<String, PrivateOutputError> {
    let (name, arguments) = words.split_first().ok_or(PrivateOutputError::Empty)?;
    let program = || name.clone();
    let hangs = || PrivateOutputError::Hangs {
        program: program(),
        seconds: limit.as_secs(),
    };
    let mut command = Command::new(name);
    command.args(arguments).current_dir(directory);
    let (group, stdout) =
        OwnedGroup::spawn_private(command).map_err(|reason| PrivateOutputError::CannotRun {
            program: program(),
            reason,
        })?;
    // A process that it started may keep its output open, so the time limit applies to reading too.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.map(|stdout| stdout.take(MOST_BYTES).read_to_end(&mut bytes));
        let _ = sender.send(bytes);
    });
    let bytes = receiver.recv_timeout(limit).map_err(|_| hangs())?;
    let status = group.ends_within(Some(limit)).ok_or_else(hangs)?;
    if !status.success() {
        return Err(PrivateOutputError::Failed {
            program: program(),
            status,
        });
    }
    String::from_utf8(bytes).map_err(|_| PrivateOutputError::NoText { program: program() })
}
