//! A SQLite file, opened so that nothing is written: neither to the file nor beside it.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreError;
use super::database::{Database, EachRow, Field, Parameter};

/// Beginning of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A SQLite file.
pub(super) struct SqliteDatabase {
    connection: Connection,
    file: PathBuf,
    place: String,
    patience: Duration,
    /// State of the file when it was opened, if SQLite was told that it does not change.
    unchanged: Option<FileState>,
}

/// Size, time and change counter of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    header: Vec<u8>,
}

impl SqliteDatabase {
    /// Opens a file. `patience` is how long to wait for a lock.
    pub(super) fn open(file: &Path, place: &str, patience: Duration) -> Result<Self, StoreError> {
        let state = FileState::of(file, place)?;
        let unchanged = match log_of(file, &state) {
            Log::None | Log::InUse => None,
            Log::NotInUse => Some(state),
            Log::Left => {
                let place = place.to_owned();
                return Err(StoreError::LeftLog { place });
            }
        };
        let name = percent_encode(file.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
        let immutable = if unchanged.is_some() {
            "&immutable=1"
        } else {
            ""
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(format!("file:{name}?mode=ro{immutable}"), flags);
        let failed = |error| failure(&error, place, patience);
        let connection = opened.map_err(failed)?;
        connection.busy_timeout(patience).map_err(failed)?;
        // The schema is foreign, too: it may not call functions that do more than compute.
        connection
            .execute_batch(
                "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
            )
            .map_err(failed)?;
        Ok(Self {
            connection,
            file: file.to_owned(),
            place: place.to_owned(),
            patience,
            unchanged,
        })
    }

    fn check_unchanged(&self) -> Result<(), StoreError> {
        match &self.unchanged {
            Some(before) if FileState::of(&self.file, &self.place)? != *before => {
                Err(StoreError::Changed {
                    place: self.place.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn read(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let failed = |error| failure(&error, &self.place, self.patience);
        let mut statement = self.connection.prepare(statement).map_err(failed)?;
        let width = statement.column_count();
        // To SQLite, `$2` is a name: its number is that of its first use.
        for (number, parameter) in (1..).zip(parameters) {
            let index = statement.parameter_index(&format!("${number}"));
            let Some(index) = index.map_err(failed)? else {
                continue;
            };
            match parameter {
                Parameter::Text(text) => statement.raw_bind_parameter(index, text),
                Parameter::Integer(number) => statement.raw_bind_parameter(index, number),
            }
            .map_err(failed)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            let mut fields = Vec::with_capacity(width);
            for column in 0..width {
                fields.push(field(row.get_ref(column).map_err(failed)?));
            }
            each(fields)?;
        }
        Ok(())
    }
}

impl Database for SqliteDatabase {
    fn select(
        &mut self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let read = self.read(statement, parameters, each);
        // A file that changed explains whatever went wrong.
        self.check_unchanged()?;
        read
    }

    fn contains(&self, column: &str, text: &str) -> String {
        let text = text.replace('\'', "''");
        format!("instr({column}, CAST('{text}' AS BLOB)) > 0")
    }

    fn disconnect(&mut self) {}

    fn columns(&mut self, table: &str) -> Result<Vec<(String, bool)>, StoreError> {
        let mut columns = Vec::new();
        // A view could compute without end, so only tables count.
        let statement = "SELECT substr(c.name, 1, 64), c.\"notnull\" FROM sqlite_schema s, pragma_table_info(s.name) c
                         WHERE s.type = 'table' AND s.name = $1";
        self.select(statement, &[Parameter::Text(table)], &mut |row| {
            if let [Field::Text(name), Field::Integer(not_null)] = row.as_slice() {
                columns.push((name.clone(), *not_null == 0));
            }
            Ok(())
        })?;
        Ok(columns)
    }
}

fn field(value: ValueRef<'_>) -> Field {
    match value {
        ValueRef::Null => Field::Null,
        ValueRef::Integer(number) => Field::Integer(number),
        // No column of a store holds one.
        ValueRef::Real(number) => Field::Text(number.to_string()),
        ValueRef::Text(text) => Field::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Field::Bytes(bytes.to_vec()),
    }
}

impl FileState {
    fn of(file: &Path, place: &str) -> Result<Self, StoreError> {
        let place = || place.to_owned();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Missing { place: place() },
            _ => StoreError::Unreadable {
                place: place(),
                reason: error.to_string(),
            },
        };
        // Opening a pipe would wait for its writer.
        let metadata: Metadata = std::fs::metadata(file).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(StoreError::NoFile { place: place() });
        }
        let mut header = Vec::new();
        let opened = File::open(file).map_err(unreadable)?;
        opened
            .take(100)
            .read_to_end(&mut header)
            .map_err(unreadable)?;
        if !header.starts_with(MAGIC) || header.len() < 100 {
            return Err(StoreError::NotSqlite { place: place() });
        }
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            header,
        })
    }

    /// Whether its changes go to a write-ahead log.
    fn has_log(&self) -> bool {
        self.header[18] == 2 || self.header[19] == 2
    }
}

/// The write-ahead log beside a file.
enum Log {
    /// Its changes are not logged.
    None,
    /// There is no log: no process has the file open. SQLite would create one, unless it is told that the file does not
    /// change.
    NotInUse,
    /// A process has the file open.
    InUse,
    /// A log was left behind, and SQLite would create its index.
    Left,
}

fn log_of(file: &Path, state: &FileState) -> Log {
    if !state.has_log() {
        return Log::None;
    }
    let beside = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(PathBuf::from(name)).ok()
    };
    match (beside("-wal"), beside("-shm")) {
        (Some(_), Some(_)) => Log::InUse,
        (Some(log), None) if log.len() > 0 => Log::Left,
        _ => Log::NotInUse,
    }
}

fn failure(error: &rusqlite::Error, place: &str, patience: Duration) -> StoreError {
    let place = place.to_owned();
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotSqlite { place },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked {
            place,
            seconds: patience.as_secs(),
        },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { place, reason },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            StoreError::Unreadable { place, reason }
        }
        _ => StoreError::Query {
            place,
            reason,
            advice: "",
        },
    }
}
