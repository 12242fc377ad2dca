//! `docs/replay-debugging.md` does what it says: its files are written, its commands run in order, and what they print is
//! what the page shows.

mod page;
mod shown;
mod walk;
