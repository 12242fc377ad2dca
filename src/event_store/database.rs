//! The one question that every database answers: the rows of a `SELECT`.
//!
//! Statements use `$1`, `$2` … in this order, casts, `substr` and `length`: what SQLite and Postgres both understand.

use std::ops::ControlFlow;

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

/// Receives the rows of a statement, until it breaks off.
pub(super) type EachRow<'a> = &'a mut dyn FnMut(Vec<Field>) -> Result<ControlFlow<()>, StoreError>;

/// A database that is only read.
pub(super) trait Database {
    /// Runs a `SELECT`, and passes on one row after another without collecting them.
    fn select(
        &mut self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError>;

    /// The columns of a table, with whether each may be NULL; none if there is no such table.
    fn columns(&mut self, table: &str) -> Result<Vec<(String, bool)>, StoreError>;
}
