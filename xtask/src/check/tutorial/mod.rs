//! Follows `docs/tutorial.md` as its readers do: types the commands, writes and edits the files, and compares what is printed.
//!
//! [`session`] does what [`page`] says, in one of two worlds: [`python`] has the installed wheel and no cargo, [`rust`] has
//! a workspace that `init` extends.

mod compare;
mod page;
mod python;
mod rust;
mod session;
mod wheel;

pub(super) use python::check as in_python;
pub(super) use rust::check as in_rust;
