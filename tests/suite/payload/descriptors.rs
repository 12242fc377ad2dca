//! Where descriptors come from, what is refused, and what is handed on.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, DescriptorError, Registry};
use prost_reflect::DescriptorPool;

use crate::payload::{protos, registry, value};

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn set_of(registry: &Registry) -> Vec<u8> {
    let names = registry.type_names();
    registry
        .subset(&names.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap()
        .bytes
}

/// Files of a descriptor set, in its order.
fn files(bytes: &[u8]) -> Vec<String> {
    let pool = DescriptorPool::decode(bytes).unwrap();
    pool.files().map(|file| file.name().to_owned()).collect()
}

#[test]
fn registry_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Registry>();
}

#[test]
fn no_path_is_an_empty_registry() {
    let empty = Registry::from_paths(&[]).unwrap();
    assert!(empty.is_empty() && !empty.knows("sample.Money") && !registry().is_empty());
    assert_eq!(
        empty.decode(&Payload::new("sample.Money", vec![])),
        Decoded::Undescribed
    );
    assert_eq!(empty.subset(&["sample.Money"]), None);
}

#[test]
fn folder_describes_all_that_is_below_it() {
    let names = registry().type_names();
    assert!(names.is_sorted());
    for name in [
        "sample.Everything.Inner",
        "sample.Legacy.Part.Piece",
        "google.protobuf.Timestamp",
    ] {
        assert!(
            registry().knows(name) && names.iter().any(|known| known == name),
            "{name}"
        );
    }
    assert!(!registry().knows("sample.Maps.ByIntEntry") && !registry().knows("sample.Suit"));
}

#[test]
fn name_resolves_in_full_as_a_url_or_by_its_last_part() {
    for name in [
        "sample.Money",
        "Money",
        "type.googleapis.com/sample.Money",
        "/sample.Money",
    ] {
        assert_eq!(registry().resolve(name).unwrap(), "sample.Money", "{name}");
    }
    assert_eq!(
        registry().resolve("Everything.Inner").unwrap(),
        "sample.Everything.Inner"
    );
    let error = registry().resolve("Mony").unwrap_err();
    assert_eq!(error.similar, ["sample.Money"]);
    assert_eq!(
        error.to_string(),
        "there is no descriptor of `Mony`; did you mean `sample.Money`?"
    );
    assert!(registry().resolve("").is_err() && registry().resolve("oney").is_err());
}

#[test]
fn ambiguous_last_part_lists_the_types() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "a.proto",
        "syntax = \"proto3\"; package a; message Thing {}",
    );
    write(
        folder.path(),
        "b.proto",
        "syntax = \"proto3\"; package b; message Thing {}",
    );
    let registry = Registry::from_paths(&[folder.path().to_owned()]).unwrap();
    let error = registry.resolve("Thing").unwrap_err();
    assert_eq!(error.similar, ["a.Thing", "b.Thing"]);
    assert_eq!(
        error.to_string(),
        "`Thing` is the name of 2 types, give one in full: `a.Thing`, `b.Thing`"
    );
}

#[test]
fn single_file_finds_its_imports() {
    let registry = Registry::from_paths(&[protos().join("sample/money.proto")]).unwrap();
    assert!(registry.knows("sample.Money") && !registry.knows("sample.Everything"));
}

#[test]
fn descriptor_set_file_describes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.binpb");
    fs::write(&path, set_of(registry())).unwrap();
    let read = Registry::from_paths(&[path]).unwrap();
    assert_eq!(read.type_names(), registry().type_names());
    assert_eq!(set_of(&read), set_of(registry()));
}

#[test]
fn folders_are_include_roots_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (own, vendor) = (folder.path().join("own"), folder.path().join("own/vendor"));
    write(
        &own,
        "a.proto",
        "syntax = \"proto3\"; package a; import \"dep/b.proto\"; message A { b.B b = 1; }",
    );
    write(
        &vendor,
        "dep/b.proto",
        "syntax = \"proto3\"; package b; message B { int32 n = 1; }",
    );
    let registry = Registry::from_paths(&[own, vendor]).unwrap();
    assert_eq!(
        registry.encode("a.A", &value("b: {n: 1}")).unwrap(),
        [0x0a, 2, 8, 1]
    );
}

#[test]
fn sources_that_agree_become_one() {
    let folder = tempfile::tempdir().unwrap();
    // The same type in a file of another name, with a comment, beside one that is new and uses it.
    let other = "syntax = \"proto3\"; package sample; /* ours */ message Money { int64 amount = 1; string currency = 2; }
        message Purse { Money money = 1; repeated Money more = 2; }";
    write(folder.path(), "other.proto", other);
    let user = "syntax = \"proto3\"; package shop; import \"other.proto\";
        message Till { sample.Purse purse = 1; sample.Money money = 2; }";
    write(folder.path(), "till.proto", user);
    let set = folder.path().join("set.binpb");
    fs::write(&set, set_of(registry())).unwrap();
    let merged = Registry::from_paths(&[protos(), set, folder.path().to_owned()]).unwrap();
    let view = value("{purse: {money: {amount: 1}}, money: {currency: a}}");
    let bytes = merged.encode("shop.Till", &view).unwrap();
    assert_eq!(
        merged.decode(&Payload::new("shop.Till", bytes)),
        Decoded::Exact(view)
    );
    let subset = merged.subset(&["shop.Till"]).unwrap();
    assert!(
        Registry::from_descriptor_set(&subset.bytes)
            .unwrap()
            .knows("shop.Till")
    );
    assert_eq!(
        files(&subset.bytes),
        [
            "google/protobuf/descriptor.proto",
            "sample/marks.proto",
            "sample/money.proto",
            "other.proto",
            "till.proto"
        ]
    );
}

#[test]
fn files_of_one_name_and_other_types_live_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    for package in ["a", "b"] {
        let text = format!(
            "syntax = \"proto3\"; package {package}; message Thing {{ int32 {package} = 1; }}"
        );
        write(&folder.path().join(package), "types.proto", &text);
        let text = format!(
            "syntax = \"proto3\"; package {package}; import \"types.proto\"; message User {{ Thing thing = 1; }}"
        );
        write(
            &folder.path().join(package),
            &format!("{package}.proto"),
            &text,
        );
    }
    // Compiled apart, as each has a `types.proto` of its own.
    let mut sets = Vec::new();
    for package in ["a", "b"] {
        let set = folder.path().join(format!("{package}.binpb"));
        fs::write(
            &set,
            set_of(&Registry::from_paths(&[folder.path().join(package)]).unwrap()),
        )
        .unwrap();
        sets.push(set);
    }
    let merged = Registry::from_paths(&sets).unwrap();
    assert!(merged.encode("a.User", &value("thing: {a: 1}")).is_ok());
    assert!(merged.encode("b.User", &value("thing: {b: 1}")).is_ok());
    assert_eq!(
        files(&merged.subset(&["b.User"]).unwrap().bytes),
        ["types~2.proto", "b.proto"]
    );
}

#[test]
fn sources_that_disagree_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "m.proto",
        "syntax = \"proto3\"; package sample; message Money { int32 amount = 1; }",
    );
    let error = Registry::from_paths(&[protos(), folder.path().to_owned()]).unwrap_err();
    let expected = format!(
        "`sample.Money` is defined differently in `{}` and in `{}`: leave one of the two out",
        protos().display(),
        folder.path().display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn missing_path_and_empty_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    assert_eq!(
        Registry::from_paths(std::slice::from_ref(&gone))
            .unwrap_err()
            .to_string(),
        format!(
            "`{}` does not exist: descriptors come from a folder of .proto files, a .proto file or a descriptor set",
            gone.display()
        )
    );
    assert_eq!(
        Registry::from_paths(&[folder.path().to_owned()])
            .unwrap_err()
            .to_string(),
        format!(
            "there is no .proto file below `{}`: give the folder that imports are relative to",
            folder.path().display()
        )
    );
}

#[test]
fn file_that_is_no_descriptor_set_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "set.binpb", "this is text");
    let error = Registry::from_paths(std::slice::from_ref(&path)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("`{}` is not a descriptor set (", path.display())),
        "{text}"
    );
    assert!(
        text.ends_with("): make one with `protoc --include_imports --descriptor_set_out=FILE`"),
        "{text}"
    );
    let error = Registry::from_descriptor_set(&[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data is not a descriptor set (it contains no file): \
         make one with `protoc --include_imports --descriptor_set_out=FILE`"
    );
}

#[test]
fn descriptor_set_without_its_imports_is_refused() {
    let mut pool = DescriptorPool::decode(set_of(registry()).as_slice())
        .unwrap()
        .file_descriptor_protos()
        .cloned()
        .collect::<Vec<_>>();
    pool.retain(|file| file.name() == "sample/money.proto");
    let set = prost_reflect::prost_types::FileDescriptorSet { file: pool };
    let bytes = prost::Message::encode_to_vec(&set);
    let text = Registry::from_descriptor_set(&bytes)
        .unwrap_err()
        .to_string();
    assert!(text.contains("sample/marks.proto"), "{text}");
}

#[test]
fn syntax_error_says_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        "deep/a.proto",
        "syntax = \"proto3\";\n\nmessage A {\n  int32 = 1;\n}\n",
    );
    let text = Registry::from_paths(&[folder.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with(&format!("{}:4:9: expected ", path.display())),
        "{text}"
    );
    // The same for a file given by itself.
    let text = Registry::from_paths(std::slice::from_ref(&path))
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with(&format!("{}:4:9: expected ", path.display())),
        "{text}"
    );
}

#[test]
fn unknown_type_and_missing_import_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        "a.proto",
        "syntax = \"proto3\";\nmessage A {\n  Nothing n = 1;\n}\n",
    );
    let text = Registry::from_paths(std::slice::from_ref(&path))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        format!("{}:3:3: name 'Nothing' is not defined", path.display())
    );
    write(
        folder.path(),
        "a.proto",
        "syntax = \"proto3\";\nimport \"gone.proto\";\n",
    );
    let text = Registry::from_paths(std::slice::from_ref(&path))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        format!("{}:2:1: import 'gone.proto' not found", path.display())
    );
}

#[cfg(unix)]
#[test]
fn unreadable_file_is_refused_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    // A socket is no file that can be read, whoever runs the test.
    let path = folder.path().join("set.binpb");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let error = Registry::from_paths(std::slice::from_ref(&path)).unwrap_err();
    assert!(matches!(error, DescriptorError::Unreadable { .. }));
    assert_eq!(
        error.to_string(),
        format!("`{}` cannot be read", path.display())
    );
    assert!(error.source().is_some());
}

#[test]
fn subset_is_small_ordered_and_the_same_each_time() {
    let money = registry().subset(&["sample.Money", "no.Such"]).unwrap();
    assert_eq!(
        files(&money.bytes),
        [
            "google/protobuf/descriptor.proto",
            "sample/marks.proto",
            "sample/money.proto"
        ]
    );
    assert_eq!(Some(&money), registry().subset(&["sample.Money"]).as_ref());
    let again = Registry::from_paths(&[protos()]).unwrap();
    assert_eq!(again.subset(&["sample.Money"]).unwrap(), money);
    let read = Registry::from_descriptor_set(&money.bytes).unwrap();
    assert_eq!(read.subset(&["sample.Money"]).unwrap(), money);
    assert!(money.hash.len() == 16 && money.hash.chars().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(registry().subset(&["no.Such"]), None);
    assert_eq!(registry().subset(&[]), None);
}

#[test]
fn subset_brings_the_extensions_that_a_payload_may_carry() {
    let set = registry().subset(&["sample.Legacy"]).unwrap();
    assert_eq!(
        files(&set.bytes),
        ["sample/legacy.proto", "sample/legacy_more.proto"]
    );
}

#[test]
fn subset_keeps_custom_options_and_drops_comments() {
    let set = registry().subset(&["sample.Money"]).unwrap();
    let pool = DescriptorPool::decode(set.bytes.as_slice()).unwrap();
    let money = pool.get_message_by_name("sample.Money").unwrap();
    let mark = pool.get_extension_by_name("sample.sensitive").unwrap();
    let sensitive = |field: &str| {
        money
            .get_field_by_name(field)
            .unwrap()
            .options()
            .get_extension(&mark)
            .as_bool()
            .unwrap()
    };
    assert!(sensitive("currency") && !sensitive("amount"));
    assert!(
        pool.file_descriptor_protos()
            .all(|file| file.source_code_info.is_none())
    );
}
