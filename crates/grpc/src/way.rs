//! The way to a source that has to be kept open, such as a port forward: it may end between two queries.

use std::fmt::Debug;

/// A way that may end, and that can be opened again at the same address.
pub trait Way: Debug + Send + Sync {
    /// A query was answered, so the way works.
    fn note_success(&self);

    /// Opens the way again if it has ended, or if it is open but may lead nowhere any more. `failures` is the number of
    /// failed tries of the query that is waiting.
    fn restore(&self, failures: u32);

    /// Why nobody can be reached, if the way has ended.
    fn ended(&self) -> Option<String>;
}
