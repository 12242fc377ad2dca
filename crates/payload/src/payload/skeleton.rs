//! Skeletons: a view with every field of a type, to be filled in.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_yaml::{Mapping, Value};

use super::layout::{WellKnown, well_known};

/// Most fields. After that, messages stay empty: a skeleton should be readable.
const MOST_FIELDS: usize = 1000;

/// A view of a message with an example value in every field.
pub(super) fn skeleton(message: &MessageDescriptor) -> Value {
    Skeleton {
        open: Vec::new(),
        fields: 0,
    }
    .message(message)
}

struct Skeleton {
    /// The messages that enclose the current one.
    open: Vec<String>,
    fields: usize,
}

impl Skeleton {
    fn message(&mut self, message: &MessageDescriptor) -> Value {
        match well_known(message.full_name()) {
            Some(WellKnown::Timestamp) => return "1970-01-01T00:00:00Z".into(),
            Some(WellKnown::Duration) => return "0s".into(),
            Some(WellKnown::Any) => {
                let parts = [("type", ""), ("bytes", "")];
                return Value::Mapping(
                    parts
                        .into_iter()
                        .map(|(key, value)| (key.into(), value.into()))
                        .collect(),
                );
            }
            None => {}
        }
        self.open.push(message.full_name().to_owned());
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        let mut chosen: Vec<String> = Vec::new();
        let mut view = Mapping::new();
        for field in fields {
            if self.fields >= MOST_FIELDS || self.recurses(&field) {
                continue;
            }
            if let Some(oneof) = field
                .containing_oneof()
                .filter(|oneof| !oneof.is_synthetic())
            {
                if chosen.iter().any(|name| name == oneof.name()) {
                    continue;
                }
                chosen.push(oneof.name().to_owned());
            }
            self.fields += 1;
            view.insert(field.name().into(), self.field(&field));
        }
        self.open.pop();
        Value::Mapping(view)
    }

    /// Whether a singular message field would recurse. Lists and maps stay empty, so they do not.
    fn recurses(&self, field: &FieldDescriptor) -> bool {
        let single = !field.is_list() && !field.is_map();
        single
            && field
                .kind()
                .as_message()
                .is_some_and(|message| self.open.iter().any(|open| open == message.full_name()))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            return Value::Mapping(Mapping::new());
        }
        if field.is_list() {
            return Value::Sequence(Vec::new());
        }
        match field.kind() {
            Kind::Message(message) => self.message(&message),
            Kind::Enum(descriptor) => descriptor.default_value().name().into(),
            Kind::Bool => false.into(),
            Kind::Bytes if is_identity(field.name()) => {
                "uuid:00000000-0000-0000-0000-000000000000".into()
            }
            Kind::String | Kind::Bytes => "".into(),
            Kind::Float | Kind::Double => Value::from(0.0),
            _ => Value::from(0),
        }
    }
}

/// Whether a bytes field with this name is probably a root.
fn is_identity(name: &str) -> bool {
    name == "id" || name == "root" || name.ends_with("_id") || name.ends_with("_root")
}
