//! Input that the validation of core 0.5.1 refuses. Its exact messages are not known.

use crate::model::{CommandBook, Failure, MAX_CORRELATION_ID_LENGTH, is_correlation_id};

/// Maximum number of pages in a command book.
pub const COMMAND_PAGES: usize = 100;
/// Maximum size of a command's payload, in bytes.
pub const COMMAND_BYTES: usize = 262_144;

/// Checks a command like the coordinator's own validation, which comes before any lookup.
pub fn validate(command: &CommandBook) -> Result<(), Failure> {
    let id = &command.cover.correlation_id;
    // Earlier versions of redaction wrote pseudonyms that no coordinator would accept.
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

/// Checks the number of pages and the size of each payload.
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

/// Checks the format of a correlation id. An empty one is valid: there is none.
pub fn validate_correlation_id(id: &str) -> Result<(), Failure> {
    if is_correlation_id(id) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "`{id}` is not a correlation id: at most {MAX_CORRELATION_ID_LENGTH} characters, letters, digits, _ and -"
    )))
}
