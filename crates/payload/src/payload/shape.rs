//! Describes how a type's bytes are decoded, as text. If two descriptions are equal, all bytes decode equally.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::layout::{Layout, Layouts};

/// Describes a message and all message types in its fields, sorted by name. Types packed in an `Any` are not known
/// here.
pub(super) fn shape(layouts: &Layouts, message: &Layout) -> String {
    let mut found = BTreeMap::new();
    let mut waiting = vec![message];
    while let Some(message) = waiting.pop() {
        if found.contains_key(&message.name) {
            continue;
        }
        let mut fields = String::new();
        for field in &message.fields {
            let _ = writeln!(
                fields,
                "{} {:?} {:?} {:?} {} {}",
                field.number,
                field.name,
                field.kind,
                field.occurrence,
                field.group,
                field.debug_redact
            );
        }
        found.insert(&message.name, fields);
        waiting.extend(message.fields.iter().filter_map(|it| layouts.of_field(it)));
    }
    let one = |(name, fields): (&Arc<str>, String)| format!("{name}\n{fields}");
    found.into_iter().map(one).collect()
}
