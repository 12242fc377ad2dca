//! Idempotency keys of facts: facts with the same key are stored once.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Append, Part, Store, StoreError, StoredPage, Stream};

impl Store {
    /// The pages that were stored for an idempotency key in a stream; none if the key is new.
    pub fn pages_of_fact(
        &self,
        stream: &Stream,
        external_id: &str,
    ) -> Result<Option<Vec<StoredPage>>, StoreError> {
        let range: Option<(u32, u32)> = {
            let connection = self.connection();
            let mut statement = connection.prepare_cached(
                "SELECT first, last FROM facts
                 WHERE domain = ?1 AND edition = ?2 AND root = ?3 AND external_id = ?4",
            )?;
            let key = params![
                stream.domain.as_str(),
                stream.edition_text(),
                stream.root.as_bytes(),
                external_id
            ];
            statement
                .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
        };
        range
            .map(|(first, last)| self.pages(stream, Part::Range(first, last)))
            .transpose()
    }
}

/// Stores the key of an append, if it has one.
pub(super) fn remember(
    connection: &Connection,
    stream: &Stream,
    append: &Append,
) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (append.pages.first(), append.pages.last()) else {
        return Ok(());
    };
    if append.external_id.is_empty() {
        return Ok(());
    }
    connection.execute(
        "INSERT INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            stream.domain.as_str(),
            stream.edition_text(),
            stream.root.as_bytes(),
            append.external_id,
            first.sequence,
            last.sequence
        ],
    )?;
    Ok(())
}
