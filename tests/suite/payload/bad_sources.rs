//! Descriptors that nothing can be made of, wholly or in part: one clear error that names the file, and the rest works.

use std::fs;
use std::path::Path;

use angzarr_replay::internal::payload::{DescriptorError, Registry};
use prost::Message as _;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MessageOptions,
};

use crate::payload::value;

fn message(name: &str) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.into()),
        ..DescriptorProto::default()
    }
}

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    let mut field = FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        ..FieldDescriptorProto::default()
    };
    field.set_type(kind);
    field.set_label(Label::Optional);
    field
}

fn file(name: &str, package: &str, imports: &[&str]) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.into()),
        package: Some(package.into()),
        syntax: Some("proto3".into()),
        dependency: imports.iter().map(|import| (*import).to_owned()).collect(),
        message_type: vec![message("M")],
        ..FileDescriptorProto::default()
    }
}

fn set(files: &[FileDescriptorProto]) -> Vec<u8> {
    let file = files.to_vec();
    FileDescriptorSet { file }.encode_to_vec()
}

/// The field `edition` of a file, at the end of a set with one file or more, put into the last.
fn with_edition(files: &[FileDescriptorProto], edition: u64) -> Vec<u8> {
    let (last, first) = files.split_last().unwrap();
    let mut bytes = set(first);
    let mut file = FileDescriptorProto {
        syntax: Some("editions".into()),
        ..last.clone()
    }
    .encode_to_vec();
    file.push(0x70);
    prost::encoding::encode_varint(edition, &mut file);
    bytes.push(0x0a);
    prost::encoding::encode_varint(file.len() as u64, &mut bytes);
    bytes.extend(file);
    bytes
}

fn error_of(bytes: &[u8]) -> String {
    Registry::from_descriptor_set(bytes)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_set_with_a_file_of_an_edition_describes_the_rest() {
    let plain = file("plain.proto", "plain", &[]);
    let new = file("new.proto", "new", &["plain.proto"]);
    for (edition, name) in [
        (1000, "2023"),
        (1001, "2024"),
        (7, "7"),
        (u64::MAX, "18446744073709551615"),
    ] {
        let bytes = with_edition(&[plain.clone(), new.clone()], edition);
        let registry = Registry::from_descriptor_set(&bytes).unwrap();
        assert_eq!(registry.type_names(), ["plain.M"]);
        let said = registry.resolve("new.M").unwrap_err().to_string();
        let expected = format!(
            "`new.proto` in the data uses protobuf edition {name}, and only proto2 and proto3 can be read: describe"
        );
        assert!(said.contains(&expected), "{said}");
        assert_eq!(registry.left_out().len(), 1);
        // What is unknown for another reason has nothing to do with it.
        let said = registry.resolve("Nope").unwrap_err().to_string();
        assert_eq!(said, "there is no descriptor of `Nope`");
        let bytes = with_edition(std::slice::from_ref(&new), edition);
        assert!(error_of(&bytes).starts_with("`new.proto` in the data uses protobuf edition"));
    }
    // Those that are proto2 and proto3 by other names.
    let bytes = with_edition(&[plain.clone(), new.clone()], 999);
    assert!(Registry::from_descriptor_set(&bytes).is_ok_and(|it| it.left_out().len() == 1));
}

#[test]
fn what_imports_a_file_of_an_edition_is_left_out_with_it() {
    let mut files = vec![
        file("c.proto", "c", &["b.proto"]),
        file("b.proto", "b", &["a.proto"]),
        file("plain.proto", "plain", &[]),
        file("a.proto", "a", &[]),
    ];
    let registry = Registry::from_descriptor_set(&with_edition(&files, 1000)).unwrap();
    assert_eq!(registry.type_names(), ["plain.M"]);
    let said = registry.resolve("c.M").unwrap_err().to_string();
    assert!(
        said.contains("`c.proto` in the data imports `a.proto`, which uses protobuf edition 2023"),
        "{said}"
    );
    // A filled registry knows both.
    files.truncate(0);
    let own = Registry::from_descriptor_set(&set(&[file("own.proto", "own", &[])])).unwrap();
    let filled = registry
        .filled_from(&set(&[file("own.proto", "own", &[])]))
        .unwrap();
    assert!(filled.knows("own.M") && filled.left_out().len() == 3 && own.left_out().is_empty());
}

#[test]
fn a_syntax_that_is_none_is_told_and_an_empty_one_is_none() {
    let syntax = |syntax: &str| FileDescriptorProto {
        syntax: Some(syntax.into()),
        ..file("odd.proto", "odd", &[])
    };
    for odd in ["<unknown:0>", "proto9", "proto\0", "editions"] {
        let bytes = set(&[syntax(odd), file("plain.proto", "plain", &[])]);
        let registry = Registry::from_descriptor_set(&bytes).unwrap();
        assert!(registry.knows("plain.M") && !registry.knows("odd.M"));
        let said = error_of(&set(&[syntax(odd)]));
        assert!(said.starts_with("`odd.proto` in the data uses "), "{said}");
        assert!(!said.contains('\0'), "{said}");
    }
    for known in ["", "proto2", "proto3"] {
        assert!(
            Registry::from_descriptor_set(&set(&[syntax(known)]))
                .unwrap()
                .knows("odd.M")
        );
    }
}

#[test]
fn files_that_are_there_twice_are_one_where_they_agree() {
    let a = file("a.proto", "a", &[]);
    assert!(Registry::from_descriptor_set(&set(&[a.clone(), a.clone()])).is_ok());
    let other = FileDescriptorProto {
        message_type: vec![message("N")],
        ..a.clone()
    };
    let said = error_of(&set(&[a, other]));
    assert!(
        said.contains("it contains two different files named `a.proto`"),
        "{said}"
    );
}

#[test]
fn what_a_pool_would_not_survive_is_refused_with_its_file() {
    let with = |change: &dyn Fn(&mut FileDescriptorProto)| {
        let mut file = file("bad.proto", "bad", &[]);
        change(&mut file);
        file
    };
    let entry = |fields: Vec<FieldDescriptorProto>| {
        with(&|file| {
            let mut entry = message("E");
            entry.field.clone_from(&fields);
            entry.options = Some(MessageOptions {
                map_entry: Some(true),
                ..MessageOptions::default()
            });
            let mut map = field("m", 1, Type::Message);
            map.set_label(Label::Repeated);
            map.type_name = Some(".bad.M.E".into());
            file.message_type[0].nested_type.push(entry);
            file.message_type[0].field.push(map);
        })
    };
    let key = |kind| field("key", 1, kind);
    let val = || field("value", 2, Type::String);
    for bad in [
        entry(vec![]),
        entry(vec![key(Type::String)]),
        entry(vec![key(Type::Double), val()]),
        entry(vec![key(Type::Bytes), val()]),
        entry(vec![field("key", 3, Type::String), val()]),
        entry(vec![
            key(Type::String),
            val(),
            field("more", 3, Type::String),
        ]),
    ] {
        let said = error_of(&set(&[bad]));
        assert!(
            said.contains("its file `bad.proto`: the message `E` is marked as a map entry"),
            "{said}"
        );
    }
    for (bad, reason) in [
        (
            with(&|file| file.package = Some("a..b".into())),
            "`` is no package name",
        ),
        (
            with(&|file| file.message_type[0].name = None),
            "`` is no message name",
        ),
        (
            with(&|file| file.message_type[0].name = Some("a.b".into())),
            "`a.b` is no message name",
        ),
        (
            with(&|file| file.message_type[0].field.push(field("1", 1, Type::Bool))),
            "`1` is no field name",
        ),
        (
            with(&|file| file.enum_type.push(EnumDescriptorProto::default())),
            "`` is no enum name",
        ),
        (
            with(&|file| file.message_type[0].field.push(field("f", 0, Type::Bool))),
            "its file `bad.proto`: ",
        ),
        (
            with(&|file| {
                file.message_type[0]
                    .field
                    .push(field("f", 1, Type::Message));
            }),
            "its file `bad.proto`: ",
        ),
        (
            with(&|file| file.message_type.push(message("M"))),
            "its file `bad.proto`: ",
        ),
        (
            with(&|file| file.public_dependency.push(7)),
            "is not a descriptor set (",
        ),
        (
            with(&|file| file.dependency.push("gone\n.proto".into())),
            "its file `bad.proto`: imported file 'gone\\n.proto'",
        ),
    ] {
        let said = error_of(&set(&[file("fine.proto", "fine", &[]), bad]));
        assert!(said.contains(reason) && !said.contains('\n'), "{said}");
    }
}

#[test]
fn imports_that_go_round_or_multiply_are_refused() {
    let public = |name: &str, imports: &[&str]| {
        let mut file = file(name, name.trim_end_matches(".proto"), imports);
        file.public_dependency = (0..i32::try_from(imports.len()).unwrap()).collect();
        file
    };
    for files in [
        vec![public("a.proto", &["a.proto"])],
        vec![
            public("a.proto", &["b.proto"]),
            public("b.proto", &["a.proto"]),
        ],
        vec![
            file("a.proto", "a", &["b.proto"]),
            file("b.proto", "b", &["a.proto"]),
        ],
    ] {
        let said = error_of(&set(&files));
        assert!(said.contains("imports itself, by way of"), "{said}");
    }
    let mut files = vec![public("a0.proto", &[]), public("b0.proto", &[])];
    for level in 1..60 {
        let below = [
            format!("a{}.proto", level - 1),
            format!("b{}.proto", level - 1),
        ];
        let below = [below[0].as_str(), below[1].as_str()];
        files.push(public(&format!("a{level}.proto"), &below));
        files.push(public(&format!("b{level}.proto"), &below));
    }
    let said = error_of(&set(&files));
    assert!(
        said.contains("import each other publicly in more than"),
        "{said}"
    );
    // A long chain is no harm.
    let mut files = vec![file("p0.proto", "p0", &[])];
    for level in 1..3000 {
        let below = format!("p{}.proto", level - 1);
        files.push(file(
            &format!("p{level}.proto"),
            &format!("p{level}"),
            &[&below],
        ));
    }
    assert!(Registry::from_descriptor_set(&set(&files)).is_ok());
}

/// Options of another time, which contradict those that everyone knows.
#[test]
fn a_set_whose_own_options_contradict_protobufs_is_an_error() {
    let mut options = message("FieldOptions");
    options.field.push(field("packed", 2, Type::String));
    let own = FileDescriptorProto {
        message_type: vec![options],
        ..file("google/protobuf/descriptor.proto", "google.protobuf", &[])
    };
    let mut user = file("user.proto", "user", &["google/protobuf/descriptor.proto"]);
    let mut list = field("list", 1, Type::Int32);
    list.set_label(Label::Repeated);
    list.options = Some(prost_reflect::prost_types::FieldOptions {
        packed: Some(true),
        ..Default::default()
    });
    user.message_type[0].field.push(list);
    let said = error_of(&set(&[own, user]));
    assert!(said.contains("the data"), "{said}");
}

fn write(folder: &Path, name: &str, text: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn of_folder(folder: &Path) -> Result<Registry, DescriptorError> {
    Registry::from_paths(&[folder.to_owned()])
}

#[test]
fn a_folder_with_files_of_an_edition_describes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "new.proto",
        b"// old\nedition = \"2023\";\npackage new;\nmessage N {}\n",
    );
    write(
        root,
        "deep/user.proto",
        b"syntax = \"proto3\"; package user; import \"new.proto\"; message U { new.N n = 1; }",
    );
    write(root, "plain.proto", b"syntax = \"proto3\"; package plain; /* edition = \"2023\"; */ message M { string edition = 1; }");
    let registry = of_folder(root).unwrap();
    assert_eq!(registry.type_names(), ["plain.M"]);
    let said = registry.resolve("user.U").unwrap_err().to_string();
    let new = root.join("new.proto").display().to_string();
    let user = root.join("deep/user.proto").display().to_string();
    assert!(
        said.contains(&format!("`{new}` uses protobuf edition 2023, ")),
        "{said}"
    );
    assert!(
        said.contains(&format!(
            "`{user}` imports `new.proto`, which uses protobuf edition 2023, "
        )),
        "{said}"
    );
    // One by itself, and beside others.
    for file in ["new.proto", "deep/user.proto"] {
        let said = Registry::from_paths(&[root.join(file)])
            .unwrap_err()
            .to_string();
        assert!(said.contains("protobuf edition 2023"), "{said}");
    }
    let both = Registry::from_paths(&[root.join("new.proto"), root.join("plain.proto")]).unwrap();
    assert_eq!(both.type_names(), ["plain.M"]);
}

#[test]
fn texts_are_taken_as_protoc_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "b.proto",
        b"\xef\xbb\xbfsyntax = \"proto3\";\npackage b;\nmessage M { string a = 1; }\n",
    );
    write(root, "c.proto", b"syntax = \"proto3\";\npackage c; /* \xe9 */\nimport \"b.proto\";\n// caf\xe9 \xff\nmessage M { b.M a = 1; }\n");
    let registry = of_folder(root).unwrap();
    assert_eq!(
        registry.encode("c.M", &value("a: {a: x}")).unwrap(),
        [10, 3, 10, 1, b'x']
    );
    assert!(Registry::from_paths(&[root.join("c.proto")]).is_ok());
    for (text, said) in [
        (
            &b"\xef\xbb\xbfsyntax = \"proto3\";\nmessage M { strin a = 1; }\n"[..],
            ":2:13: name 'strin' is not defined",
        ),
        (
            b"syntax = \"proto3\";\nmessage \xe9 {}\n",
            ":2:9: outside of comments, a .proto file is UTF-8",
        ),
        (
            b"\xff\xfes\0y\0",
            ":1:1: the file is UTF-16: save it as UTF-8",
        ),
    ] {
        write(root, "d.proto", text);
        let error = of_folder(root).unwrap_err().to_string();
        let expected = format!("{}{said}", root.join("d.proto").display());
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_text_that_nests_without_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "message A {".repeat(100_000),
        format!("option (a) = {};", "{ a: ".repeat(100_000)),
        format!("option (a) = {{ a: {} }};", "[".repeat(100_000)),
        format!("option (a) = {{ a {} }};", "<a ".repeat(100_000)),
    ] {
        write(folder.path(), "deep.proto", text.as_bytes());
        let error = of_folder(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("deep.proto:1:") && error.contains("nested deeper than 100 levels"),
            "{error}"
        );
    }
    // A chain of imports is none.
    fs::remove_file(folder.path().join("deep.proto")).unwrap();
    for level in 0..500 {
        let text = format!(
            "syntax = \"proto3\"; package p{level}; import \"p{}.proto\"; message M {{}}",
            level + 1
        );
        write(folder.path(), &format!("p{level}.proto"), text.as_bytes());
    }
    write(folder.path(), "p500.proto", b"syntax = \"proto3\";");
    assert!(of_folder(folder.path()).unwrap().knows("p0.M"));
}
