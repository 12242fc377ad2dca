//! Any path and value for any message: no panic, an exact message stays exact, setting a field twice is the same as once, and a
//! string field gets exactly the given text.
//!
//! `cargo +nightly fuzz run set_field`; two bytes choose the type and the kind of edit; the message and the text follow.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Edit, Registry, split_assignment};
use libfuzzer_sys::fuzz_target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});
static TYPES: LazyLock<Vec<String>> = LazyLock::new(|| REGISTRY.type_names());

fuzz_target!(|data: (u8, u8, &[u8], &str)| {
    let (choice, action, bytes, text) = data;
    let Ok((path, value)) = split_assignment(text) else {
        return;
    };
    let quoted: Vec<String> = path
        .iter()
        .map(|step| format!("\"{}\"", step.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    assert_eq!(
        split_assignment(&quoted.join(".")),
        Ok((path.clone(), None))
    );

    let value = value.unwrap_or_default();
    let edit = match action % 3 {
        0 => Edit::Text(value.to_owned()),
        1 => match serde_yaml::from_str(value) {
            Ok(view) => Edit::View(view),
            Err(_) => return,
        },
        _ => Edit::Unset,
    };
    let type_name = &TYPES[usize::from(choice) % TYPES.len()];
    let before = Payload::new(type_name, bytes.to_vec());
    let changed = match REGISTRY.edit(&before, &path, &edit) {
        Ok(changed) => Payload::new(type_name, changed),
        Err(error) => {
            assert!(!error.message.is_empty());
            return;
        }
    };
    let view = match REGISTRY.decode(&changed) {
        Decoded::Exact(view) => view,
        Decoded::Inexact(view) => {
            assert!(!matches!(REGISTRY.decode(&before), Decoded::Exact(_)));
            view
        }
        other => panic!("{other:?}"),
    };
    if edit != Edit::Unset {
        let again = REGISTRY.edit(&changed, &path, &edit);
        assert_eq!(again.as_ref(), Ok(&changed.value));
    }
    if let ("sample.Scalars", [field], Edit::Text(text)) =
        (type_name.as_str(), path.as_slice(), &edit)
        && field == "string_field"
    {
        assert_eq!(
            view.get(field)
                .and_then(|it| it.as_str())
                .unwrap_or_default(),
            text
        );
    }
});
