//! Descriptors of Angzarr's own messages that stand inside payloads, as each dialect names and numbers them.

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

use super::Dialect;

const COMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/framework.binpb"));

/// The enums whose numbers a dialect may shift.
const SHIFTED: [&str; 2] = ["SyncMode", "MergeStrategy"];

/// An encoded descriptor set of the messages that Angzarr itself puts into payloads, such as `Notification` and
/// `RejectionNotification`, under the package and with the enum numbers of a dialect.
#[must_use]
pub fn framework_descriptors(dialect: Dialect) -> Vec<u8> {
    let mut set =
        FileDescriptorSet::decode(COMPILED).expect("the build compiled this descriptor set");
    for file in &mut set.file {
        if file.package() == "angzarr" {
            adapt(file, dialect);
        }
    }
    set.encode_to_vec()
}

fn adapt(file: &mut FileDescriptorProto, dialect: Dialect) {
    let package = dialect.package();
    file.package = Some(package.to_owned());
    // A name of its own: a user's descriptors may have a file of any name that Angzarr's sources use.
    file.name = Some(format!("angzarr_replay/framework/{}.proto", dialect.name()));
    for message in &mut file.message_type {
        rename(message, package);
        for described in &mut message.enum_type {
            if dialect.enum_base() > 0 && SHIFTED.contains(&described.name()) {
                shift(described, dialect.enum_base());
            }
        }
    }
}

fn rename(message: &mut DescriptorProto, package: &str) {
    for field in &mut message.field {
        if let Some(name) = field.type_name().strip_prefix(".angzarr.") {
            field.type_name = Some(format!(".{package}.{name}"));
        }
    }
    for nested in &mut message.nested_type {
        rename(nested, package);
    }
}

/// Moves the words up, and gives 0 the word for nothing said.
fn shift(described: &mut EnumDescriptorProto, base: i32) {
    for value in &mut described.value {
        value.number = Some(value.number() + base);
    }
    let unspecified = EnumValueDescriptorProto {
        name: Some("UNSPECIFIED".to_owned()),
        number: Some(0),
        options: None,
    };
    described.value.insert(0, unspecified);
}
