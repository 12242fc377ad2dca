//! Logic that is started by a command, once for all cases, and its last output.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Logics;
use crate::processes::{LaunchError, LineListener, ServerCommand, StartedServer};
use crate::project::CommandConfig;
use crate::project::readiness::readiness;
use crate::terminal::complain;

/// Started logic, or why it did not start.
pub(super) type Launched = Result<Arc<StartedServer>, Arc<LaunchError>>;

impl Logics {
    /// The running logic with this name, started at the first request. If it does not start, all its cases fail with
    /// the same error.
    pub(super) fn started(&self, name: &str, launch: &dyn Fn() -> Launched) -> Launched {
        match self.started.get(name) {
            Some(slot) => slot
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(launch)
                .clone(),
            None => launch(),
        }
    }

    /// Whether the logic with this name was started.
    pub(crate) fn has_started(&self, name: &str) -> bool {
        self.running(name).is_some()
    }

    /// Whether the logic with this name was started and has ended.
    pub(crate) fn has_ended(&self, name: &str) -> bool {
        self.running(name).is_some_and(|server| server.has_ended())
    }

    fn running(&self, name: &str) -> Option<Arc<StartedServer>> {
        let slot = self.started.get(name)?;
        let started = slot.lock().unwrap_or_else(PoisonError::into_inner);
        started.as_ref()?.as_ref().ok().cloned()
    }

    /// Forgets started logic. The next case that needs it starts it again.
    pub(crate) fn forget(&self, name: &str) {
        if let Some(slot) = self.started.get(name) {
            let forgotten = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(forgotten);
        }
    }

    /// Ends all started logic. The next case that needs it starts it again.
    pub(crate) fn end_started(&self) {
        for slot in self.started.values() {
            let ended = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(ended);
        }
    }

    /// The last output of started logic, and whether it still runs; `None` if it was not started.
    #[must_use]
    pub fn last_output(&self, name: &str) -> Option<String> {
        // Waits for a moment, so nothing is locked meanwhile: many cases may fail at once.
        let (output, ended) = self.running(name)?.last_words();
        let output = if self.is_output_hidden.load(Ordering::Relaxed) {
            "; its output is not shown, as it was also asked with what redaction took out"
                .to_owned()
        } else {
            output.to_string()
        };
        Some(self.masked(&match ended {
            Some(status) => format!("logic `{name}` ended with {status}{output}"),
            None => format!("logic `{name}` is still running{output}"),
        }))
    }

    /// From now on, shows no output of started logic, because it is asked with values that redaction removes.
    pub(crate) fn hide_output(&self) {
        self.is_output_hidden.store(true, Ordering::Relaxed);
    }

    /// Output of started logic, with secrets masked if redaction is configured.
    pub(super) fn masked(&self, text: &str) -> String {
        if self.is_redacting {
            crate::redact::masked(text)
        } else {
            text.to_owned()
        }
    }
}

/// Starts logic as it is configured.
pub(super) fn launched(name: &str, start: &CommandConfig) -> Result<StartedServer, LaunchError> {
    StartedServer::launch(&command(name, start), &readiness)
}

fn command(name: &str, start: &CommandConfig) -> ServerCommand {
    let words = start.command.iter();
    ServerCommand {
        label: format!("logic `{name}`"),
        command: words
            .map(|word| in_directory(word, &start.directory))
            .collect(),
        build: start.build.clone(),
        directory: start.directory.clone(),
        environment: start.environment.clone(),
        port: start.port,
        start_timeout: Some(Duration::from_secs(start.start_timeout)),
        listener: None,
    }
}

/// The command that starts logic under its debugger, and what to tell the developer; `None` if no debug command is
/// configured.
pub(crate) fn debug_command(
    name: &str,
    start: &CommandConfig,
    port: u16,
    debug_port: u16,
) -> Option<(ServerCommand, String)> {
    let debug = start.debug.as_ref()?;
    let port = start.port.unwrap_or(port);
    let fill = |text: &String| {
        text.replace("{debug_port}", &debug_port.to_string())
            .replace("{port}", &port.to_string())
    };
    let shown_name = name.to_owned();
    let words = debug.command.iter().map(fill);
    let command = ServerCommand {
        command: words
            .map(|word| in_directory(&word, &start.directory))
            .collect(),
        port: Some(port),
        start_timeout: None,
        listener: Some(LineListener::new(move |line| {
            complain(format_args!("{shown_name} | {line}"));
        })),
        ..command(name, start)
    };
    Some((command, fill(&debug.attach)))
}

/// Resolves a relative program path in the logic's directory; the system would resolve it in ours.
pub(in crate::project) fn in_directory(word: &str, directory: &Path) -> String {
    let is_relative_path =
        word.contains('/') && !word.starts_with('/') && directory.join(word).is_file();
    if is_relative_path {
        directory.join(word).display().to_string()
    } else {
        word.to_owned()
    }
}
