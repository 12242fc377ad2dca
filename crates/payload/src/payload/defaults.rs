//! Default values of fields that a view omits.

use serde_yaml::{Mapping, Value};

use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::show::default_of;

/// A position in a view: at a message, or at a list or map of messages.
#[derive(Clone, Copy)]
pub struct Position<'r> {
    layouts: &'r Layouts,
    at: At<'r>,
}

#[derive(Clone, Copy)]
enum At<'r> {
    Message(&'r Layout),
    /// A list or a map, identified by its field.
    Several(&'r Field),
}

impl<'r> Position<'r> {
    pub(super) const fn of_message(layouts: &'r Layouts, message: &'r Layout) -> Self {
        let at = At::Message(message);
        Self { layouts, at }
    }

    /// The position of this key's value; none if it contains no message.
    #[must_use]
    pub fn below(self, view: &Mapping, key: &Value) -> Option<Self> {
        let message = match self.at {
            At::Message(message) if message.well_known == Some(WellKnown::Any) => {
                let type_url = view.get("type").and_then(Value::as_str)?;
                let is_content = key.as_str() == Some("value");
                is_content.then(|| self.layouts.named(type_url.rsplit('/').next()?))?
            }
            At::Message(message) => {
                let field = field(message, key)?;
                if field.occurrence != Occurrence::Single {
                    let at = At::Several(field);
                    return Some(Self { at, ..self });
                }
                self.layouts.of_field(field)
            }
            At::Several(map) => {
                let (_, value) = self.layouts.of_entry(map)?;
                self.layouts.of_field(value)
            }
        };
        message.map(|message| Self::of_message(self.layouts, message))
    }

    /// The position of an element of a list.
    #[must_use]
    pub fn item(self) -> Option<Self> {
        let At::Several(list) = self.at else {
            return None;
        };
        let message = self.layouts.of_field(list)?;
        Some(Self::of_message(self.layouts, message))
    }

    /// The value of an absent key: zero, false, an empty text, list or map. None if absence differs from the default
    /// (`optional`, oneof members, messages), or if there is no such field.
    #[must_use]
    pub fn default_of(self, key: &Value) -> Option<Value> {
        let At::Message(message) = self.at else {
            return None;
        };
        if message.well_known == Some(WellKnown::Any) {
            return None;
        }
        let field = field(message, key)?;
        match field.occurrence {
            Occurrence::List => Some(Value::Sequence(Vec::new())),
            Occurrence::Map => Some(Value::Mapping(Mapping::new())),
            Occurrence::Single if field.presence => None,
            Occurrence::Single => default_of(&field.kind),
        }
    }
}

fn field<'r>(message: &'r Layout, key: &Value) -> Option<&'r Field> {
    let at = message.position(key.as_str()?, 0)?;
    message.fields.get(at)
}
