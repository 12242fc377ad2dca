//! `docs/replay-debugging.md` does what it says: its files are written, its commands run in order, and what they print is
//! what the page shows.

pub(crate) mod page;
pub(crate) mod shown;
mod walk;
