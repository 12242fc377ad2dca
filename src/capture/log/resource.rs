//! Attributes of the resource that wrote a record, as OpenTelemetry names them.

use serde_json::Value;

use super::Record;
use super::record::plain_key;
use crate::model::is_revision;

/// The build of the service.
pub(super) const SERVICE_VERSION: &str = "service.version";

/// The build of the service that wrote a record: beside its other fields, or among the attributes of its resource, which are a
/// map, or a list of keys and values as in OTLP.
pub(super) fn service_version(record: &Record) -> Option<String> {
    let fields = || record.iter();
    let own = fields().find_map(|(key, value)| of_field(key, value));
    own.or_else(|| {
        let mut resources = fields().filter(|(key, _)| plain_key(key).starts_with("resource"));
        resources.find_map(|(_, value)| of_resource(value))
    })
}

fn of_resource(resource: &Value) -> Option<String> {
    match resource {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            of_field(key, value).or_else(|| {
                let is_attributes = plain_key(key) == "attributes";
                is_attributes.then(|| of_resource(value))?
            })
        }),
        Value::Array(attributes) => attributes.iter().find_map(|attribute| {
            let value = attribute.get("value")?;
            let value = value.get("stringValue").unwrap_or(value);
            of_field(attribute.get("key")?.as_str()?, value)
        }),
        _ => None,
    }
}

fn of_field(key: &str, value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .filter(|_| plain_key(key) == "serviceversion")?;
    is_revision(text).then(|| text.to_owned())
}
