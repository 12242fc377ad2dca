//! Messages as a revision of the protocol describes them, written and read by an encoder that is not ours.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use angzarr_replay::internal::wire::Dialect;
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};

use crate::programs::repository;

/// A dialect and the `.proto` text of its revision.
pub struct Revision {
    /// Name of the revision.
    pub dialect: Dialect,
    pool: DescriptorPool,
}

impl Revision {
    /// Every revision that is spoken.
    #[must_use]
    pub fn all() -> Vec<Self> {
        Dialect::all().iter().copied().map(Self::of).collect()
    }

    /// Revision of a dialect. Its `.proto` text is compiled once.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        static POOLS: Mutex<BTreeMap<&'static str, DescriptorPool>> = Mutex::new(BTreeMap::new());

        let mut pools = POOLS.lock().unwrap();
        let pool = pools.entry(dialect.name()).or_insert_with(|| {
            let folder = repository().join("tests/suite/matrix/proto");
            let files = protox::compile([format!("{dialect}.proto")], [folder]).unwrap();
            DescriptorPool::from_file_descriptor_set(files).unwrap()
        });
        Self {
            dialect,
            pool: pool.clone(),
        }
    }

    /// Whether the revision has a field, as in `Cover.ext`, or a message.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let (message, field) = name.split_once('.').unwrap_or((name, ""));
        let message = self.pool.get_message_by_name(&self.full(message));
        message
            .is_some_and(|message| field.is_empty() || message.get_field_by_name(field).is_some())
    }

    /// Whether a field that the revision has holds any number of values.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        let (message, field) = name.split_once('.').unwrap();
        let message = self.pool.get_message_by_name(&self.full(message)).unwrap();
        message.get_field_by_name(field).unwrap().is_list()
    }

    fn full(&self, message: &str) -> String {
        format!("{}.{message}", self.dialect.package())
    }

    /// A message from its text format.
    #[must_use]
    pub fn message(&self, name: &str, text: &str) -> DynamicMessage {
        let described = self.pool.get_message_by_name(&self.full(name)).unwrap();
        DynamicMessage::parse_text_format(described, text)
            .unwrap_or_else(|error| panic!("{}: {name} {{ {text} }}: {error}", self.dialect))
    }

    /// A message in its encoding.
    #[must_use]
    pub fn encode(&self, name: &str, text: &str) -> Bytes {
        self.message(name, text).encode_to_vec().into()
    }

    /// The text of an `Any` that holds a message of the framework.
    #[must_use]
    pub fn any(&self, prefix: &str, name: &str, text: &str) -> String {
        let mut value = String::new();
        for byte in self.encode(name, text) {
            let _ = write!(value, "\\x{byte:02x}");
        }
        format!(
            r#"type_url: "{prefix}{}" value: "{value}""#,
            self.full(name)
        )
    }

    /// Compares field by field; a field that the revision does not have is a difference.
    pub fn assert_is(&self, what: &str, name: &str, received: &Bytes, expected: &str) {
        let read = |bytes: Bytes| {
            let described = self.pool.get_message_by_name(&self.full(name)).unwrap();
            DynamicMessage::decode(described, bytes).unwrap()
        };
        // Read back: a default that the text spells out is not there on the wire.
        let expected = read(self.encode(name, expected));
        let found = read(received.clone());
        let dialect = self.dialect;
        if let Some(unknown) = unknown_field(&found) {
            panic!("{dialect}, {what}: {name} has a field that is not in the dialect: {unknown}");
        }
        assert!(
            found == expected,
            "{dialect}, {what}: {name} is\n  {}\nand should be\n  {}",
            found.to_text_format(),
            expected.to_text_format()
        );
    }
}

/// The first field, however deep, that the descriptors do not have.
fn unknown_field(message: &DynamicMessage) -> Option<String> {
    if let Some(unknown) = message.unknown_fields().next() {
        let name = message.descriptor().name().to_owned();
        return Some(format!("{name}, field {}", unknown.number()));
    }
    let mut fields = message.fields().flat_map(|(_, value)| match value {
        Value::List(values) => values.clone(),
        value => vec![value.clone()],
    });
    fields.find_map(|value| value.as_message().and_then(unknown_field))
}
