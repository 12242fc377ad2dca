//! What a view means by a field that it leaves out.

use serde_yaml::{Mapping, Value};

use super::layout::{Field, Form, Layout, Layouts, WellKnown};
use super::show::default_of;

/// Where one is in a view: at a message, or at a list or map of them.
#[derive(Clone, Copy)]
pub struct Position<'r> {
    layouts: &'r Layouts,
    at: At<'r>,
}

#[derive(Clone, Copy)]
enum At<'r> {
    Message(&'r Layout),
    /// A list or a map, by its field.
    Several(&'r Field),
}

impl<'r> Position<'r> {
    pub(super) const fn of_message(layouts: &'r Layouts, message: &'r Layout) -> Self {
        let at = At::Message(message);
        Self { layouts, at }
    }

    /// The position at a key of this view; none where no message lies below it.
    #[must_use]
    pub fn below(self, view: &Mapping, key: &Value) -> Option<Self> {
        let message = match self.at {
            At::Message(message) if message.well_known == Some(WellKnown::Any) => {
                let type_url = view.get("type").and_then(Value::as_str)?;
                let is_content = key.as_str() == Some("value");
                is_content.then(|| self.layouts.of(type_url.rsplit('/').next()?))?
            }
            At::Message(message) => {
                let field = field(message, key)?;
                if field.form != Form::Single {
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

    /// The position at an item of a list.
    #[must_use]
    pub fn item(self) -> Option<Self> {
        let At::Several(list) = self.at else {
            return None;
        };
        let message = self.layouts.of_field(list)?;
        Some(Self::of_message(self.layouts, message))
    }

    /// What an absent key means: zero, false, an empty text, list or map. None where absence is a value of its own, as in
    /// an `optional`, a oneof and a message, or where there is no such field.
    #[must_use]
    pub fn default_of(self, key: &Value) -> Option<Value> {
        let At::Message(message) = self.at else {
            return None;
        };
        if message.well_known == Some(WellKnown::Any) {
            return None;
        }
        let field = field(message, key)?;
        match field.form {
            Form::List => Some(Value::Sequence(Vec::new())),
            Form::Map => Some(Value::Mapping(Mapping::new())),
            Form::Single if field.presence => None,
            Form::Single => default_of(&field.kind),
        }
    }
}

fn field<'r>(message: &'r Layout, key: &Value) -> Option<&'r Field> {
    let at = message.position(key.as_str()?, 0)?;
    message.fields.get(at)
}
