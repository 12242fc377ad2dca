//! The types of a payload and of everything packed in it.

use std::collections::BTreeSet;

use crate::model::Payload;
use crate::payload::{Choice, FieldLocation, FieldValue, Registry, Rewriter, Unreadable};

/// The type of a payload and of all payloads packed in it, including those that a readable view does not decode.
pub(super) fn packed_types(registry: &Registry, payload: &Payload) -> BTreeSet<String> {
    let mut types = Types(BTreeSet::from([payload.type_name().to_owned()]));
    // Unreadable payloads are reported by the redaction itself.
    let _ = registry.visit(payload, &mut types);
    types.0
}

struct Types(BTreeSet<String>);

impl Rewriter for Types {
    fn choose(&mut self, _: &FieldLocation<'_>, _: Option<Choice>) -> Option<Choice> {
        None
    }

    fn replace(
        &mut self,
        _: &FieldLocation<'_>,
        _: Choice,
        value: &FieldValue<'_>,
    ) -> FieldValue<'static> {
        value.to_static()
    }

    fn kept(&mut self, _: Choice, _: &FieldValue<'_>) {}

    fn unchosen(
        &mut self,
        _: &FieldLocation<'_>,
        _: &FieldValue<'_>,
    ) -> Option<FieldValue<'static>> {
        None
    }

    fn packed(&mut self, type_name: &str) {
        self.0.insert(type_name.to_owned());
    }

    fn unreadable(&mut self, _: Unreadable) -> Result<(), Unreadable> {
        Ok(())
    }
}
