//! Rows as values of the model. What a row holds is foreign: it is bounded, checked, and named if it makes no sense.

use std::cell::RefCell;
use std::sync::Arc;

use super::StoreError;
use super::database::Field;
use super::search::StoredCause;
use super::streams::stream_name;
use crate::capture::{PageCause, PageNote};
use crate::model::{Cover, Domain, Edition, Page, Root, Snapshot, Timestamp};
use crate::wire::decode;

/// Maximum size of one page or snapshot. A coordinator sends at most 10 MiB in one message.
pub(super) const PAGE_LIMIT: i64 = 64 << 20;

/// Sequence, size, and content unless it is too large. `column` is that of the content.
pub(super) fn content(column: &str) -> String {
    format!(
        "CAST(sequence AS BIGINT), CAST(length({column}) AS BIGINT), \
         CASE WHEN length({column}) <= {PAGE_LIMIT} THEN {column} END"
    )
}

/// A short text. Longer ones are cut, and then make no sense.
pub(super) fn text(column: &str) -> String {
    format!("substr(CAST({column} AS TEXT), 1, 200)")
}

/// The stream that was named last. Successive events are often caused by the same aggregate, whose name is then held once.
#[derive(Default)]
pub(super) struct KnownStream(RefCell<Arc<str>>);

impl KnownStream {
    fn named(&self, name: &str) -> Arc<str> {
        let mut known = self.0.borrow_mut();
        if **known != *name {
            *known = name.into();
        }
        Arc::clone(&known)
    }
}

/// Fields of one row, taken one after another.
pub(super) struct Fields<'a> {
    place: &'a str,
    row: String,
    values: std::vec::IntoIter<Field>,
}

impl<'a> Fields<'a> {
    /// `row` says which row it is, as far as it is known.
    pub(super) fn new(place: &'a str, row: String, fields: Vec<Field>) -> Self {
        Self {
            place,
            row,
            values: fields.into_iter(),
        }
    }

    /// Says more exactly which row it is.
    pub(super) fn named(&mut self, row: String) {
        self.row = row;
    }

    pub(super) fn wrong(&self, reason: &(impl ToString + ?Sized)) -> StoreError {
        StoreError::Row {
            place: self.place.to_owned(),
            row: self.row.clone(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn text(&mut self, column: &str) -> Result<String, StoreError> {
        match self.values.next() {
            Some(Field::Text(text)) => Ok(text),
            _ => Err(self.wrong(&format!("its `{column}` is no text"))),
        }
    }

    pub(super) fn text_or_null(&mut self) -> Option<String> {
        match self.values.next() {
            Some(Field::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&mut self, column: &str) -> Result<u32, StoreError> {
        match self.values.next() {
            Some(Field::Integer(number)) => u32::try_from(number).map_err(|_| {
                self.wrong(&format!(
                    "its `{column}` is {number}, not from 0 to 4294967295"
                ))
            }),
            _ => Err(self.wrong(&format!("its `{column}` is no number"))),
        }
    }

    pub(super) fn number_or_null(&mut self) -> Option<i64> {
        match self.values.next() {
            Some(Field::Integer(number)) => Some(number),
            _ => None,
        }
    }

    pub(super) fn root(&mut self) -> Result<Root, StoreError> {
        let text = self.text("root")?;
        text.parse().map_err(|error| self.wrong(&error))
    }

    /// A root, also as it is written.
    pub(super) fn written_root(&mut self) -> Result<(String, Root), StoreError> {
        let text = self.text("root")?;
        let root = text.parse().map_err(|error| self.wrong(&error))?;
        Ok((text, root))
    }

    /// Domain, root and edition.
    pub(super) fn cover(&mut self) -> Result<Cover, StoreError> {
        let (domain, root, edition) = (self.domain()?, self.root()?, self.edition()?);
        let cover = Cover {
            edition,
            ..Cover::main(domain, root)
        };
        self.row = stream_name(&cover);
        Ok(cover)
    }

    pub(super) fn domain(&mut self) -> Result<Domain, StoreError> {
        let text = self.text("domain")?;
        Domain::new(text).map_err(|error| self.wrong(&error))
    }

    pub(super) fn edition(&mut self) -> Result<Edition, StoreError> {
        let text = self.text_or_null().unwrap_or_default();
        Edition::from_name(&text).map_err(|error| self.wrong(&error))
    }

    /// The fields of [`content`].
    fn bytes(&mut self, column: &str) -> Result<(u32, Vec<u8>), StoreError> {
        let sequence = self.number("sequence")?;
        self.row = format!("{}, sequence {sequence}", self.row);
        let size = self.number_or_null();
        match self.values.next() {
            Some(Field::Bytes(bytes)) => Ok((sequence, bytes)),
            Some(Field::Null) if size.is_some_and(|size| size > PAGE_LIMIT) => {
                Err(self.wrong(&format!(
                    "its `{column}` has {} MiB, and at most {} are read",
                    size.unwrap_or_default() >> 20,
                    PAGE_LIMIT >> 20
                )))
            }
            _ => Err(self.wrong(&format!("its `{column}` holds no bytes"))),
        }
    }

    /// A page, and the size of its bytes.
    pub(super) fn page(&mut self) -> Result<(Page, usize), StoreError> {
        let (sequence, bytes) = self.bytes("event_data")?;
        let size = bytes.len();
        let page = decode::page(&bytes.into())
            .map_err(|error| self.wrong(&format!("its `event_data` is no event page: {error}")))?;
        if page.sequence != sequence {
            let said = page.sequence;
            return Err(self.wrong(&format!("the page in it says sequence {said}")));
        }
        Ok((page, size))
    }

    /// A snapshot, and the size of its bytes.
    pub(super) fn snapshot(&mut self) -> Result<(Snapshot, usize), StoreError> {
        let (sequence, bytes) = self.bytes("state_data")?;
        let size = bytes.len();
        let snapshot = decode::snapshot(&bytes.into())
            .map_err(|error| self.wrong(&format!("its `state_data` is no snapshot: {error}")))?;
        if snapshot.sequence != sequence {
            let said = snapshot.sequence;
            return Err(self.wrong(&format!("the snapshot in it says sequence {said}")));
        }
        Ok((snapshot, size))
    }

    /// What is noted about a page: sequence, insert time, and who caused it.
    pub(super) fn note(&mut self, streams: &KnownStream) -> Result<PageNote, StoreError> {
        let sequence = self.number("sequence")?;
        let inserted_at = self.time();
        let caused_by = self
            .cause_columns()
            .map(|(domain, root, sequence)| PageCause {
                stream: streams.named(&format!("{domain}/{root}")),
                sequence,
            });
        Ok(PageNote {
            sequence,
            inserted_at,
            caused_by,
        })
    }

    /// An insert time; `None` if the column holds no time.
    pub(super) fn time(&mut self) -> Option<Timestamp> {
        self.text_or_null().and_then(|text| time(&text))
    }

    /// The event that caused an event; `None` if the row does not say or makes no sense.
    pub(super) fn cause(&mut self) -> Option<StoredCause> {
        let (domain, root, number) = self.cause_columns()?;
        Some(StoredCause {
            domain: Domain::new(domain).ok()?,
            root: root.parse().ok()?,
            sequence: u32::try_from(number).ok()?,
        })
    }

    /// The columns of [`Layout::cause`](super::layout::Layout::cause).
    fn cause_columns(&mut self) -> Option<(String, String, i64)> {
        let (domain, root, number) = (
            self.text_or_null(),
            self.text_or_null(),
            self.number_or_null(),
        );
        Some((domain?, root?, number?))
    }
}

/// An insert time: RFC 3339, with `T` or, from Postgres, a space.
fn time(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    })
}

/// The name of an edition in a column; main is written in two ways, and none of them is a name.
pub(super) fn edition_name(edition: &Edition) -> Option<&str> {
    match edition {
        Edition::Main => None,
        Edition::Named { name, .. } => Some(name.as_str()),
    }
}
