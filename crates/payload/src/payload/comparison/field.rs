//! Compares two versions of a field with the same number: type, label, oneof and default value.

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind};

use super::super::error::printable;
use super::{ChangeKind, Changes, Rule};

/// Characters of a default value or a JSON name that a description shows.
const LONGEST_TEXT: usize = 60;

pub(super) fn compare(before: &FieldDescriptor, now: &FieldDescriptor, changes: &mut Changes<'_>) {
    let field = format!("field `{}` ({})", now.name(), now.number());
    let is_retyped = compare_types(&field, before, now, changes);
    compare_labels(&field, before, now, changes);
    compare_oneofs(&field, before, now, changes);
    if !is_retyped {
        compare_defaults(&field, before, now, changes);
    }
}

/// A text that a `.proto` file chooses freely, short enough for a line and without control characters.
pub(super) fn bounded(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_TEXT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    printable(&shown)
}

/// Whether the type changed.
fn compare_types(
    field: &str,
    before: &FieldDescriptor,
    now: &FieldDescriptor,
    changes: &mut Changes<'_>,
) -> bool {
    let (old, new) = (type_name(before), type_name(now));
    // A type that moved together with the field's own package is the same one.
    if old == new || own_type(before).is_some_and(|own| own_type(now) == Some(own)) {
        return false;
    }
    let fit = Fit::of(before, now);
    let mut rules = Vec::new();
    if !fit.wire {
        rules.push(Rule::FieldWireCompatibleType);
    }
    if !fit.json {
        rules.push(Rule::FieldWireJsonCompatibleType);
    }
    let description = format!("{field} has the type {new}, it was {old}");
    changes.add(ChangeKind::Retyped, description, rules);
    true
}

/// The type as a `.proto` file has it. The entry of a map has no name there.
fn type_name(field: &FieldDescriptor) -> String {
    if field.is_map()
        && let Kind::Message(entry) = field.kind()
    {
        // The types of key and value are compared as fields of the entry.
        return format!("map ({})", entry.full_name());
    }
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(words) => words.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    if field.is_group() {
        format!("group {kind}")
    } else {
        kind
    }
}

/// The name of a type in the field's own package, without the package.
fn own_type(field: &FieldDescriptor) -> Option<String> {
    let name = match field.kind() {
        Kind::Message(message) if !field.is_group() => message.full_name().to_owned(),
        Kind::Enum(words) => words.full_name().to_owned(),
        _ => return None,
    };
    let package = field.parent_message().package_name();
    let rest = name.strip_prefix(package)?.strip_prefix('.')?;
    Some(rest.to_owned())
}

/// Whether two types read the same bytes, and the same JSON.
struct Fit {
    wire: bool,
    json: bool,
}

impl Fit {
    const NONE: Self = Self {
        wire: false,
        json: false,
    };

    fn of(before: &FieldDescriptor, now: &FieldDescriptor) -> Self {
        match (before.kind(), now.kind()) {
            (Kind::Enum(before), Kind::Enum(now)) => {
                let fits = has_all_values(&before, &now);
                Self {
                    wire: fits,
                    json: fits,
                }
            }
            (Kind::Message(_) | Kind::Enum(_), _) | (_, Kind::Message(_) | Kind::Enum(_)) => {
                Self::NONE
            }
            (Kind::String, Kind::Bytes) => Self {
                wire: true,
                json: false,
            },
            (before, now) => Self {
                wire: wire_group(&before).is_some_and(|group| wire_group(&now) == Some(group)),
                json: json_group(&before).is_some_and(|group| json_group(&now) == Some(group)),
            },
        }
    }
}

/// As buf sees it, an enum of the same short name with all the values is the same enum.
fn has_all_values(before: &EnumDescriptor, now: &EnumDescriptor) -> bool {
    before.name() == now.name()
        && before.values().all(|value| {
            let today = now.get_value_by_name(value.name());
            today.is_some_and(|today| today.number() == value.number())
        })
}

/// Scalars with equal groups read each other's bytes.
const fn wire_group(kind: &Kind) -> Option<u8> {
    match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool => Some(0),
        Kind::Sint32 | Kind::Sint64 => Some(1),
        Kind::Fixed32 | Kind::Sfixed32 => Some(2),
        Kind::Fixed64 | Kind::Sfixed64 => Some(3),
        _ => None,
    }
}

/// Scalars with equal groups read each other's JSON and bytes.
const fn json_group(kind: &Kind) -> Option<u8> {
    match kind {
        Kind::Int32 | Kind::Uint32 => Some(0),
        Kind::Int64 | Kind::Uint64 => Some(1),
        Kind::Fixed32 | Kind::Sfixed32 => Some(2),
        Kind::Fixed64 | Kind::Sfixed64 => Some(3),
        _ => None,
    }
}

/// The label of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Singular,
    Optional,
    Required,
    Repeated,
    Map,
}

impl Label {
    fn of(field: &FieldDescriptor) -> Self {
        match field.cardinality() {
            Cardinality::Required => Self::Required,
            Cardinality::Repeated if field.is_map() => Self::Map,
            Cardinality::Repeated => Self::Repeated,
            Cardinality::Optional if field.supports_presence() => Self::Optional,
            Cardinality::Optional => Self::Singular,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Singular => "singular",
            Self::Optional => "optional",
            Self::Required => "required",
            Self::Repeated => "repeated",
            Self::Map => "a map",
        }
    }

    /// Labels with equal groups read each other's bytes.
    const fn wire_group(self) -> u8 {
        match self {
            Self::Singular | Self::Optional => 0,
            Self::Required => 1,
            Self::Repeated | Self::Map => 2,
        }
    }
}

fn compare_labels(
    field: &str,
    before: &FieldDescriptor,
    now: &FieldDescriptor,
    changes: &mut Changes<'_>,
) {
    let (old, new) = (Label::of(before), Label::of(now));
    // A oneof and a message always have presence; that change has its own line.
    let is_implied = old.wire_group() == new.wire_group()
        && old.wire_group() == 0
        && (before.kind().as_message().is_some() != now.kind().as_message().is_some()
            || oneof(before).is_some() != oneof(now).is_some());
    if old == new || is_implied {
        return;
    }
    let mut rules = Vec::new();
    if old.wire_group() != new.wire_group() {
        rules.push(Rule::FieldWireCompatibleCardinality);
        rules.push(Rule::FieldWireJsonCompatibleCardinality);
    } else if old.wire_group() == 2 {
        rules.push(Rule::FieldWireJsonCompatibleCardinality);
    }
    if before.is_required() != now.is_required() {
        rules.push(Rule::MessageSameRequiredFields);
    }
    let description = format!("{field} is {}, it was {}", new.word(), old.word());
    changes.add(ChangeKind::Relabelled, description, rules);
}

/// Name of the oneof that a field is in; none for the one that `optional` makes.
fn oneof(field: &FieldDescriptor) -> Option<String> {
    let oneof = field.containing_oneof()?;
    (!oneof.is_synthetic()).then(|| oneof.name().to_owned())
}

fn compare_oneofs(
    field: &str,
    before: &FieldDescriptor,
    now: &FieldDescriptor,
    changes: &mut Changes<'_>,
) {
    let description = match (oneof(before), oneof(now)) {
        (None, Some(new)) => format!("{field} moved into the oneof `{new}`"),
        (Some(old), None) => format!("{field} moved out of the oneof `{old}`"),
        (Some(old), Some(new)) if old != new => {
            format!("{field} is in the oneof `{new}`, it was in `{old}`")
        }
        _ => return,
    };
    changes.add(ChangeKind::Oneof, description, [Rule::FieldSameOneof]);
}

fn compare_defaults(
    field: &str,
    before: &FieldDescriptor,
    now: &FieldDescriptor,
    changes: &mut Changes<'_>,
) {
    let has_one = |field: &FieldDescriptor| field.field_descriptor_proto().default_value.is_some();
    if !has_one(before) && !has_one(now) || before.default_value() == now.default_value() {
        return;
    }
    let shown = |field: &FieldDescriptor| {
        let written = field.field_descriptor_proto().default_value.as_deref();
        written.map_or_else(|| "not given".to_owned(), bounded)
    };
    let description = format!(
        "the default value of {field} is {}, it was {}",
        shown(now),
        shown(before)
    );
    changes.add(ChangeKind::Default, description, [Rule::FieldSameDefault]);
}
