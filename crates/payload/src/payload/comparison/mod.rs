//! Compares two registries type by type: what changed, and which rules of `buf breaking` a change breaks.
//!
//! Messages and enums are matched by full name, fields and values by number. A type that has moved to another package is
//! compared with the moved one. Protobuf's own types and extensions are not compared.

mod enums;
mod field;
mod message;
mod reserved;
mod rule;

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, Kind, MessageDescriptor};

use super::registry::Registry;
pub use rule::{Breaks, Rule};

/// How a type changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Something is there that was not.
    Added,
    /// Something is there no more.
    Removed,
    /// A field or value has another name.
    Renamed,
    /// A field or value has another number.
    Renumbered,
    /// A field has another type.
    Retyped,
    /// A field is singular, repeated, required, optional or a map, and was not.
    Relabelled,
    /// A field moved into a oneof, out of one or to another one.
    Oneof,
    /// A field has another default value.
    Default,
    /// A number or name is no longer reserved.
    Unreserved,
    /// A type is in another package.
    Moved,
}

impl ChangeKind {
    /// The word for it in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Renumbered => "renumbered",
            Self::Retyped => "retyped",
            Self::Relabelled => "relabelled",
            Self::Oneof => "oneof",
            Self::Default => "default",
            Self::Unreserved => "unreserved",
            Self::Moved => "moved",
        }
    }
}

/// One change of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeChange {
    /// Full name of the message or enum, as it was before.
    pub type_name: String,
    /// How it changed.
    pub kind: ChangeKind,
    /// What changed, in words.
    pub description: String,
    /// The rules that the change breaks; none if it is compatible.
    pub rules: Vec<Rule>,
}

impl TypeChange {
    /// The worst that the change does.
    #[must_use]
    pub fn breaks(&self) -> Breaks {
        // buf sees a new name only, but the bytes of one field are read as those of another one.
        let is_reused = |rule: &Rule| matches!(rule, Rule::FieldSameName | Rule::EnumValueSameName);
        if self.kind == ChangeKind::Renumbered && self.rules.iter().any(is_reused) {
            return Breaks::Wire;
        }
        let worst = self.rules.iter().map(|rule| rule.breaks()).max();
        worst.unwrap_or(Breaks::Nothing)
    }
}

/// The changes of one type, while they are found.
struct Changes<'a> {
    type_name: &'a str,
    found: Vec<TypeChange>,
}

impl<'a> Changes<'a> {
    const fn of(type_name: &'a str) -> Self {
        Self {
            type_name,
            found: Vec::new(),
        }
    }

    fn add(
        &mut self,
        kind: ChangeKind,
        description: String,
        rules: impl IntoIterator<Item = Rule>,
    ) {
        self.found.push(TypeChange {
            type_name: self.type_name.to_owned(),
            kind,
            description,
            rules: rules.into_iter().collect(),
        });
    }
}

/// What is different in `after`, sorted by type; within a type, by number.
///
/// A type that `after` lacks because its file could not be used is left out; see [`Registry::not_comparable`].
#[must_use]
pub fn changes(before: &Registry, after: &Registry) -> Vec<TypeChange> {
    let mut found = Vec::new();
    let skipped: BTreeSet<String> = not_comparable(before, after).into_iter().collect();
    for message in messages(before.pool()) {
        let name = message.full_name();
        if skipped.contains(name) {
            continue;
        }
        match counterpart(&message, after.pool()) {
            Some(now) => found.extend(message::changes(&message, &now)),
            // An entry is removed with its field.
            None if message.is_map_entry() => {}
            None => found.push(TypeChange {
                type_name: name.to_owned(),
                kind: ChangeKind::Removed,
                description: "the message was removed".to_owned(),
                rules: vec![Rule::MessageNoDelete],
            }),
        }
    }
    for own in enums(before.pool()) {
        if let Some(now) = enum_counterpart(&own, after.pool()) {
            found.extend(enums::changes(&own, &now));
        } else {
            found.push(TypeChange {
                type_name: own.full_name().to_owned(),
                kind: ChangeKind::Removed,
                description: "the enum was removed".to_owned(),
                rules: Vec::new(),
            });
        }
    }
    found.extend(added(before.pool(), after.pool()));
    // The order within a type stays.
    found.sort_by(|a, b| a.type_name.cmp(&b.type_name));
    found
}

/// Messages of `before` that cannot be compared, because `after` lacks them and files that may define them could not be
/// used.
pub(super) fn not_comparable(before: &Registry, after: &Registry) -> Vec<String> {
    let is_left_out = |message: &MessageDescriptor| {
        let name = message.full_name();
        counterpart(message, after.pool()).is_none() && after.may_be_left_out(name)
    };
    let lost = messages(before.pool()).filter(is_left_out);
    lost.map(|message| message.full_name().to_owned()).collect()
}

/// The messages and enums that values of these types can contain, with the types themselves.
pub(super) fn types_within(pool: &DescriptorPool, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<MessageDescriptor> = names
        .iter()
        .filter_map(|name| pool.get_message_by_name(name))
        .collect();
    while let Some(message) = waiting.pop() {
        if !found.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            match field.kind() {
                Kind::Message(inner) => waiting.push(inner),
                Kind::Enum(words) => {
                    found.insert(words.full_name().to_owned());
                }
                _ => {}
            }
        }
    }
    found
}

fn is_compared(package: &str) -> bool {
    package != "google.protobuf" && !package.starts_with("google.protobuf.")
}

fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    let all = pool.all_messages();
    all.filter(|message| is_compared(message.package_name()))
}

fn enums(pool: &DescriptorPool) -> impl Iterator<Item = EnumDescriptor> {
    let all = pool.all_enums();
    all.filter(|words| is_compared(words.package_name()))
}

/// A type's name without its package.
fn within_package<'a>(full_name: &'a str, package: &str) -> &'a str {
    let rest = full_name.strip_prefix(package).unwrap_or(full_name);
    rest.strip_prefix('.').unwrap_or(rest)
}

/// The same message today: that of the same name, or else that of the same file or the only one of its name in other
/// packages.
fn counterpart(message: &MessageDescriptor, after: &DescriptorPool) -> Option<MessageDescriptor> {
    after
        .get_message_by_name(message.full_name())
        .or_else(|| moved(message, after))
}

fn moved(message: &MessageDescriptor, after: &DescriptorPool) -> Option<MessageDescriptor> {
    let own = message.package_name();
    let name = within_package(message.full_name(), own);
    let is_same = |other: &MessageDescriptor| {
        let package = other.package_name();
        package != own && within_package(other.full_name(), package) == name
    };
    let candidates: Vec<_> = messages(after).filter(is_same).collect();
    let file = message.parent_file();
    let of_file = candidates
        .iter()
        .find(|other| other.parent_file().name() == file.name());
    of_file.cloned().or_else(|| match candidates.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    })
}

fn enum_counterpart(words: &EnumDescriptor, after: &DescriptorPool) -> Option<EnumDescriptor> {
    let own = words.package_name();
    let name = within_package(words.full_name(), own);
    after.get_enum_by_name(words.full_name()).or_else(|| {
        let mut others = enums(after).filter(|other| {
            let package = other.package_name();
            package != own && within_package(other.full_name(), package) == name
        });
        let first = others.next()?;
        others.next().is_none().then_some(first)
    })
}

/// Messages and enums that are new in files that were there before.
fn added(before: &DescriptorPool, after: &DescriptorPool) -> Vec<TypeChange> {
    let mut found = Vec::new();
    let files = before.files().filter(|it| is_compared(it.package_name()));
    let files = files.filter_map(|file| {
        let now = after.get_file_by_name(file.name())?;
        (now.package_name() == file.package_name()).then_some(now)
    });
    for file in files {
        let mut add = |name: &str, words: &str| {
            found.push(TypeChange {
                type_name: name.to_owned(),
                kind: ChangeKind::Added,
                description: words.to_owned(),
                rules: Vec::new(),
            });
        };
        for message in file.messages() {
            if before.get_message_by_name(message.full_name()).is_none() {
                add(message.full_name(), "the message is new");
            }
        }
        for words in file.enums() {
            if before.get_enum_by_name(words.full_name()).is_none() {
                add(words.full_name(), "the enum is new");
            }
        }
    }
    found
}
