//! A change, and the changes that apply to every list.

use std::collections::HashMap;

/// A changed field of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedField {
    /// The payload's type and the path of field names, joined by dots.
    pub path: String,
    /// What was done to it.
    pub change: &'static str,
}

/// A longer list does not get every change on every element: with thousands of elements that would take hours.
pub(super) const LONG: usize = 16;
/// How many elements of a long list get the same change.
const ALIKE: usize = 4;

/// A value that was changed in one thing.
#[derive(Debug, Clone)]
pub(super) struct Change<T> {
    /// Description of the change.
    pub(super) what: String,
    /// The changed field, if the change is in a payload.
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

    /// The same change, described as a change of a part.
    pub(super) fn of(mut self, part: &str) -> Self {
        self.what = format!("{part}: {}", self.what);
        self
    }
}

/// Elements left out, repeated and in another order, and each element changed. In a long list, each change is made only on
/// the first few elements that it applies to, so every type of element still gets its changes.
pub(super) fn list<T: Clone + PartialEq>(
    items: &[T],
    part: &str,
    element: impl Fn(&T) -> Vec<Change<T>>,
) -> Vec<Change<Vec<T>>> {
    let mut found = Vec::new();
    let mut alike = HashMap::<String, usize>::new();
    let mut push = |change: Change<()>, edit: &dyn Fn(&mut Vec<T>)| {
        if items.len() > LONG {
            let alike = alike.entry(change.what.clone()).or_default();
            *alike += 1;
            if *alike > ALIKE {
                return;
            }
        }
        let mut items = items.to_vec();
        edit(&mut items);
        found.push(change.map(|()| items).of(part));
    };
    for (at, item) in items.iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_element_in_a_long_list_is_changed() {
        let mut items = vec!["a"; 50];
        items.extend(["b"; 50]);
        let changes = list(&items, "item", |item| {
            vec![Change::new(format!("{item} changed"), "c")]
        });
        let count = |what: &str| changes.iter().filter(|it| it.what == what).count();
        let counted = [
            "item: left out",
            "item: a changed",
            "item: b changed",
            "item: in another order",
        ];
        assert_eq!(counted.map(count), [ALIKE, ALIKE, ALIKE, 1]);

        let changes = list(&items[..LONG], "item", |_| {
            vec![Change::new("changed", "c")]
        });
        let each = changes.iter().filter(|it| it.what == "item: changed");
        assert_eq!(each.count(), LONG);
    }
}
