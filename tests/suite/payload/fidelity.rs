//! Random messages and random bytes: exact means exact.

use std::collections::HashMap;

use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::yaml::to_yaml;
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

use crate::payload::yaml_read::{edited, edits};
use crate::payload::{decode, registry, value};

const TYPES: [&str; 4] = [
    "sample.Everything",
    "sample.Legacy",
    "sample.Maps",
    "sample.WellKnown",
];

fn pool() -> DescriptorPool {
    let names = registry().type_names();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    DescriptorPool::decode(registry().subset(&names).unwrap().bytes.as_slice()).unwrap()
}

/// Random bytes read as decisions, so that fewer bytes make a smaller message.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        match self.byte() % 5 {
            0 => u64::from(self.byte()),
            1 => u64::MAX,
            2 => 1 << (self.byte() % 64),
            3 => u64::from(self.byte()).wrapping_neg(),
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
        }
    }

    fn text(&mut self) -> String {
        let letters = [
            'a',
            'B',
            ' ',
            ':',
            '#',
            '\n',
            '0',
            'ä',
            '\u{1f600}',
            '"',
            '\\',
            '\t',
            '-',
            '\u{85}',
        ];
        (0..self.byte() % 6)
            .map(|_| letters[usize::from(self.byte()) % letters.len()])
            .collect()
    }

    fn scalar(&mut self, kind: &Kind) -> Value {
        let number = self.number();
        match kind {
            Kind::Double => Value::F64(f64::from_bits(number)),
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            Kind::Float => Value::F32(f32::from_bits(number as u32)),
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number.cast_signed()),
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
            Kind::Bool => Value::Bool(number % 2 == 1),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(
                (0..number % 18)
                    .map(|_| self.byte())
                    .collect::<Vec<_>>()
                    .into(),
            ),
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            Kind::Enum(_) => Value::EnumNumber(if number.is_multiple_of(3) {
                number as i32
            } else {
                (number % 3) as i32
            }),
            Kind::Message(_) => unreachable!(),
        }
    }

    fn element(&mut self, kind: &Kind, depth: u8) -> Value {
        match kind {
            Kind::Message(message) => Value::Message(self.message(message, depth + 1)),
            scalar => self.scalar(scalar),
        }
    }

    fn field(&mut self, field: &FieldDescriptor, depth: u8) -> Value {
        let kind = field.kind();
        if field.is_map() {
            let entry = kind.as_message().unwrap().clone();
            let value_kind = entry.map_entry_value_field().kind();
            let key_kind = entry.map_entry_key_field().kind();
            let mut entries: HashMap<MapKey, Value> = HashMap::new();
            for _ in 0..self.byte() % 4 {
                let key = self.scalar(&key_kind).into_map_key().unwrap();
                entries.insert(key, self.element(&value_kind, depth));
            }
            return Value::Map(entries);
        }
        if field.is_list() {
            return Value::List(
                (0..self.byte() % 4)
                    .map(|_| self.element(&kind, depth))
                    .collect(),
            );
        }
        self.element(&kind, depth)
    }

    fn message(&mut self, message: &MessageDescriptor, depth: u8) -> DynamicMessage {
        let mut built = DynamicMessage::new(message.clone());
        if message.full_name() == "google.protobuf.Any" && self.byte().is_multiple_of(2) {
            let types = [
                "sample.Money",
                "sample.Maps",
                "google.protobuf.Timestamp",
                "other.Thing",
            ];
            let name = types[usize::from(self.byte()) % types.len()];
            let inner = message
                .parent_pool()
                .get_message_by_name(name)
                .filter(|_| depth < 6);
            let bytes = inner
                .map(|inner| self.message(&inner, depth + 1).encode_to_vec())
                .unwrap_or_default();
            built.set_field_by_name("type_url", Value::String(format!("/{name}")));
            built.set_field_by_name("value", Value::Bytes(bytes.into()));
            return built;
        }
        for field in message.fields() {
            if depth < 6 && self.byte() % 3 == 1 {
                let value = self.field(&field, depth);
                built.set_field(&field, value);
            }
        }
        for extension in message.extensions() {
            if depth < 6 && self.byte() % 3 == 1 {
                let one = self.element(&extension.kind(), depth);
                let value = if extension.is_list() {
                    Value::List(vec![one])
                } else {
                    one
                };
                built.set_extension(&extension, value);
            }
        }
        built
    }
}

/// What `prost-reflect` makes of bytes, as text: it has its own decoder and knows nothing of views. NaN equals NaN here.
fn meaning(message: &MessageDescriptor, bytes: &[u8]) -> String {
    fn sorted(message: &DynamicMessage) -> String {
        let shown = |value: &Value| match value {
            Value::Message(inner) => sorted(inner),
            Value::List(values) => format!("{:?}", values.iter().map(one).collect::<Vec<_>>()),
            Value::Map(entries) => {
                let mut entries: Vec<_> = entries
                    .iter()
                    .map(|(k, v)| format!("{k:?}: {}", one(v)))
                    .collect();
                entries.sort();
                format!("{entries:?}")
            }
            other => one(other),
        };
        let fields = message
            .fields()
            .map(|(field, value)| format!("{}={}", field.number(), shown(value)));
        let extensions = message
            .extensions()
            .map(|(field, value)| format!("{}={}", field.number(), shown(value)));
        format!(
            "{{{}}}",
            fields.chain(extensions).collect::<Vec<_>>().join(",")
        )
    }
    fn one(value: &Value) -> String {
        match value {
            Value::Message(inner) => sorted(inner),
            other => format!("{other:?}"),
        }
    }
    sorted(&DynamicMessage::decode(message.clone(), bytes).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_message_keeps_its_meaning_and_its_canonical_bytes_are_exact(
        dice in prop::collection::vec(any::<u8>(), 0..600),
        which in 0..TYPES.len(),
    ) {
        let pool = pool();
        let message = pool.get_message_by_name(TYPES[which]).unwrap();
        let built = Dice(dice.iter()).message(&message, 0);
        let bytes = built.encode_to_vec();
        let (Decoded::Exact(view) | Decoded::Inexact(view)) = decode(TYPES[which], &bytes) else {
            panic!("not decoded");
        };
        let canonical = registry().encode(TYPES[which], &view).unwrap();
        prop_assert_eq!(meaning(&message, &canonical), meaning(&message, &bytes));
        prop_assert_eq!(decode(TYPES[which], &canonical), Decoded::Exact(view.clone()));
        let text = to_yaml(&view);
        let read = value(&text);
        prop_assert_eq!(registry().encode(TYPES[which], &read).unwrap(), canonical, "{}", text);
    }

    #[test]
    fn lines_give_the_bytes_that_their_value_gives(
        dice in prop::collection::vec(any::<u8>(), 0..600),
        which in 0..TYPES.len(),
        edits in edits(),
    ) {
        let message = pool().get_message_by_name(TYPES[which]).unwrap();
        let bytes = Dice(dice.iter()).message(&message, 0).encode_to_vec();
        let (Decoded::Exact(view) | Decoded::Inexact(view)) = decode(TYPES[which], &bytes) else {
            panic!("not decoded");
        };
        let lines = edited(&to_yaml(&view), &edits);
        if let Some(encoded) = registry().encode_lines(TYPES[which], &lines) {
            let value: serde_yaml::Value = serde_yaml::from_str(&lines)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{lines}")))?;
            prop_assert_eq!(registry().encode(TYPES[which], &value).ok(), Some(encoded), "{}", lines);
        }
    }

    #[test]
    fn random_bytes_never_panic_and_exact_means_exact(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        which in 0..TYPES.len(),
    ) {
        exact_means_exact(TYPES[which], &bytes);
    }

    #[test]
    fn damaged_message_never_panics_and_exact_means_exact(
        dice in prop::collection::vec(any::<u8>(), 0..300),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
        which in 0..TYPES.len(),
    ) {
        let message = pool().get_message_by_name(TYPES[which]).unwrap();
        let mut bytes = Dice(dice.iter()).message(&message, 0).encode_to_vec();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at),
            }
        }
        exact_means_exact(TYPES[which], &bytes);
    }
}

fn exact_means_exact(type_name: &str, bytes: &[u8]) {
    let decoded = decode(type_name, bytes);
    if let Decoded::Exact(view) | Decoded::Inexact(view) = &decoded {
        let read = value(&to_yaml(view));
        let encoded = registry().encode(type_name, &read).unwrap();
        assert_eq!(encoded == bytes, matches!(decoded, Decoded::Exact(_)));
    }
}
