//! What descriptors make of a type's bytes, as text: equal texts read all bytes alike.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prost_reflect::Kind;

use super::layout::{Layout, Layouts};

/// A message and all that its fields may hold, sorted by name. What is packed into an `Any` is not known here.
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
                "{} {:?} {} {:?} {} {}",
                field.number,
                field.name,
                kind(&field.kind),
                field.form,
                field.group,
                field.debug_redact
            );
        }
        found.insert(&message.name, fields);
        waiting.extend(message.fields.iter().filter_map(|it| layouts.of_field(it)));
    }
    let one = |(name, fields): (&String, String)| format!("{name}\n{fields}");
    found.into_iter().map(one).collect()
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(words) => words.full_name().to_owned(),
        scalar => format!("{scalar:?}"),
    }
}
