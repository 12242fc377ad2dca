//! Which types a payload's bytes are of, as a redactor meets them.

use std::collections::BTreeSet;

use crate::model::Payload;
use crate::payload::{Choice, FieldValue, Place, Registry, Rewriter, Unreadable};

/// The type of a payload, and those of all that is packed within it, also where a view would not show it.
pub(super) fn packed_types(registry: &Registry, payload: &Payload) -> BTreeSet<String> {
    let mut types = Types(BTreeSet::from([payload.type_name().to_owned()]));
    // What cannot be read is for the redaction to tell.
    let _ = registry.rewrite(payload, &mut types);
    types.0
}

struct Types(BTreeSet<String>);

impl Rewriter for Types {
    fn choose(&mut self, _: &Place<'_>, _: Option<Choice>) -> Option<Choice> {
        None
    }

    fn replace(&mut self, _: &Place<'_>, _: Choice, value: &FieldValue<'_>) -> FieldValue<'static> {
        value.to_static()
    }

    fn kept(&mut self, _: Choice, _: &FieldValue<'_>) {}

    fn unchosen(&mut self, _: &Place<'_>, _: &FieldValue<'_>) -> Option<FieldValue<'static>> {
        None
    }

    fn packed(&mut self, type_name: &str) {
        self.0.insert(type_name.to_owned());
    }

    fn unreadable(&mut self, _: Unreadable) -> Result<(), Unreadable> {
        Ok(())
    }
}
