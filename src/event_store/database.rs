//! The one question that every database answers: the rows of a `SELECT`.
//!
//! Statements use `$1`, `$2` …, casts, `substr` and `length`: what SQLite and Postgres both understand.

use super::StoreError;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A value that a statement refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter<'a> {
    Text(&'a str),
    Integer(i64),
}

/// Receives the rows of a statement.
pub(super) type EachRow<'a> = &'a mut dyn FnMut(Vec<Field>) -> Result<(), StoreError>;

/// A database that is only read.
pub(super) trait Database {
    /// Runs a `SELECT`, and passes on one row after another without collecting them.
    fn select(
        &mut self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError>;

    /// The condition that a column of bytes contains this text.
    fn contains(&self, column: &str, text: &str) -> String;

    /// Closes a broken connection. The next statement makes a new one.
    fn disconnect(&mut self);

    /// The columns of a table, with whether each may be NULL; none if there is no such table.
    fn columns(&mut self, table: &str) -> Result<Vec<(String, bool)>, StoreError>;
}
