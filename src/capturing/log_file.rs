//! Logs that hold failures among other things, read for a capture or a list.

use std::path::Path;

use super::OperationError;
use crate::capture::LOOKED_FOR;
use crate::project::{Failures, ReadingProgress, WatchedFile};
use crate::terminal::words;

/// Reads a log; `-` is standard input.
pub(crate) fn read_log(
    file: &Path,
    progress: &mut ReadingProgress<'_>,
) -> Result<(Failures, String), OperationError> {
    let mut failures = Failures::default();
    if file == Path::new("-") {
        let name = "standard input";
        let log = std::io::stdin().lock();
        failures
            .read(
                WatchedFile {
                    file: log,
                    progress,
                },
                name,
            )
            .map_err(|error| {
                OperationError::Failed(format!("cannot read {name}: {}", words(&error)))
            })?;
        return Ok((failures, name.into()));
    }
    failures.read_file(file, progress)?;
    Ok((failures, file.display().to_string()))
}

/// Refuses a log without any failure, and says what was looked for.
pub(crate) fn demand_some(failures: &Failures, name: &str) -> Result<(), OperationError> {
    if !failures.entries.is_empty() {
        return Ok(());
    }
    let unusable = match failures.unusable.as_slice() {
        [] => String::new(),
        [first, more @ ..] => format!(
            "\nnot usable: {first}{}",
            if more.is_empty() {
                String::new()
            } else {
                format!(" (and {} more)", more.len())
            }
        ),
    };
    Err(OperationError::Failed(format!(
        "{name}: no failure in {} lines; looked for {LOOKED_FOR}{unusable}",
        failures.lines
    )))
}
