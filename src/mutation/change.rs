//! One change, and the changes that every list may have.

/// A field of a payload that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedField {
    /// The payload's type and the names of the fields from it down, joined by dots.
    pub path: String,
    /// What was done to it.
    pub change: &'static str,
}

/// As many elements at each end of a list are changed; of a history of thousands, each alone would take days.
const ENDS: usize = 16;

/// A value that differs from another one in one thing.
#[derive(Debug, Clone)]
pub(super) struct Change<T> {
    /// What is different, in words.
    pub(super) what: String,
    /// The field of a payload, where it is one that is different.
    pub(super) field: Option<ChangedField>,
    /// The changed value.
    pub(super) value: T,
}

impl<T> Change<T> {
    pub(super) fn new(what: impl Into<String>, value: T) -> Self {
        Self {
            what: what.into(),
            field: None,
            value,
        }
    }

    pub(super) fn map<U>(self, put: impl FnOnce(T) -> U) -> Change<U> {
        Change {
            what: self.what,
            field: self.field,
            value: put(self.value),
        }
    }

    /// The same change of a part that is called so.
    pub(super) fn of(mut self, part: &str) -> Self {
        self.what = format!("{part}: {}", self.what);
        self
    }
}

/// Elements left out, repeated and in another order, and each element changed; of a long list those at its ends.
pub(super) fn list<T: Clone + PartialEq>(
    items: &[T],
    part: &str,
    element: impl Fn(&T) -> Vec<Change<T>>,
) -> Vec<Change<Vec<T>>> {
    let mut found = Vec::new();
    let mut push = |change: Change<()>, edit: &dyn Fn(&mut Vec<T>)| {
        let mut items = items.to_vec();
        edit(&mut items);
        found.push(change.map(|()| items).of(part));
    };
    let middle = ENDS..items.len().saturating_sub(ENDS);
    let ends = items.iter().enumerate();
    for (at, item) in ends.filter(|(at, _)| !middle.contains(at)) {
        push(Change::new("left out", ()), &|items| {
            items.remove(at);
        });
        push(Change::new("repeated", ()), &|items| {
            items.insert(at, item.clone());
        });
        if items.get(at + 1).is_some_and(|next| next != item) {
            push(Change::new("in another order", ()), &|items| {
                items.swap(at, at + 1);
            });
        }
        for change in element(item) {
            let value = change.value.clone();
            push(change.map(|_| ()), &|items| items[at] = value.clone());
        }
    }
    found
}
