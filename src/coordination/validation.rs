//! What the validation of core 0.5.1 refuses. Its exact words are not known.

use crate::model::{CommandBook, Failure, MAX_CORRELATION_ID_LENGTH, is_correlation_id};

/// Most pages of a command book.
pub const COMMAND_PAGES: usize = 100;
/// Most bytes of a command's payload.
pub const COMMAND_BYTES: usize = 262_144;

/// Checks a command as the coordinator's own validation does, before anything is looked up.
pub fn validate(command: &CommandBook) -> Result<(), Failure> {
    let id = &command.cover.correlation_id;
    // Redaction once put stand-ins there that no coordinator would take.
    if !id.contains("***") {
        validate_correlation_id(id)?;
    }
    let sizes = command.pages.iter().map(|page| {
        page.command
            .as_ref()
            .map_or(0, |payload| payload.value.len())
    });
    validate_size(sizes)
}

/// Checks the number of pages, and the bytes of each payload.
pub fn validate_size(payloads: impl ExactSizeIterator<Item = usize>) -> Result<(), Failure> {
    let pages = payloads.len();
    if pages > COMMAND_PAGES {
        return Err(Failure::refused(format!(
            "the command book has {pages} pages, at most {COMMAND_PAGES} are taken"
        )));
    }
    for size in payloads {
        if size > COMMAND_BYTES {
            return Err(Failure::refused(format!(
                "a command has {size} bytes, at most {COMMAND_BYTES} are taken"
            )));
        }
    }
    Ok(())
}

/// Checks the spelling of a correlation id; an empty one is none.
pub fn validate_correlation_id(id: &str) -> Result<(), Failure> {
    if is_correlation_id(id) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "`{id}` is not a correlation id: at most {MAX_CORRELATION_ID_LENGTH} characters, letters, digits, _ and -"
    )))
}
