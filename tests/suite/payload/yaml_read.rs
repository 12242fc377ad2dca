//! The quick way back from canonical YAML: what it takes means the same to a whole YAML reader.

use std::collections::BTreeMap;

use angzarr_replay::internal::yaml::{View, from_canonical_yaml, to_yaml};
use proptest::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use crate::payload::value;

fn quick(text: &str) -> Option<Value> {
    from_canonical_yaml(text)
}

#[test]
fn canonical_text_is_taken() {
    let text = "a: word\nb:\n  - c: 1\n    d:\n      - - x\n        - \"no\"\n      - {}\n  - -7\n  - 1.5\n\"e f\": true\ng: Ćarol & co\nh: []\n";
    assert_eq!(quick(text), Some(value(text)));
}

#[test]
fn a_typed_value_is_taken() {
    let text =
        "name: a\nkind: two\ncount: 3\nextra:\n  x: 1\nevent:\n  u:\n    - a\nwords:\n  k: v\n";
    let expected = Typed {
        name: "a".into(),
        kind: Kind::Two,
        count: Some(3),
        flag: false,
        extra: Some(value("x: 1")),
        event: Some(value("u: [a]")),
        events: Vec::new(),
        words: BTreeMap::from([("k".into(), "v".into())]),
    };
    assert_eq!(from_canonical_yaml(text), Some(expected));
}

#[test]
fn views_are_taken_wherever_they_stand() {
    let read: Option<Typed> = from_canonical_yaml(TYPED);
    let read = read.expect("canonical");
    assert_eq!(read.event, Some(value("{x: [{u: 1, z: é}, [w]], v: {}}")));
    let events: Vec<_> = read.events.into_iter().map(|page| page.event).collect();
    assert_eq!(events, [Some(value("x: 1")), Some(value("[]"))]);
    // A view that only the complete reader understands is left to it, with the whole text.
    let text = TYPED.replace("      z: é", "      z: 'é'");
    assert_eq!(from_canonical_yaml::<Typed>(&text), None);
}

#[test]
fn committed_fixtures_are_taken() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/player");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(quick(&text), Some(value(&text)), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 0);
}

#[test]
fn what_only_a_whole_reader_understands_is_left_to_it() {
    for text in [
        "",
        "a",
        "a: b",
        "a: b # c\n",
        "# c\na: b\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !t b\n",
        "a: |\n  b\n",
        "a: 'b'\n",
        "a: \"\\n\"\n",
        "a: [b]\n",
        "a: null\n",
        "a: no\n",
        "a: 007\n",
        "a: -0\n",
        "a: 1e3\n",
        "a: 0x1f\n",
        "a: 2026-11-23\n",
        "a:\n",
        "a:\nb: 1\n",
        "a:\n- b\n",
        "a:\n   b: 1\n",
        "a: b\n  c\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: b\r\n",
        "a:\tb\n",
        "a: b \n",
        "a : b\n",
        "? a\n: b\n",
        "1: a\n",
        "<<: {}\n",
        "a: b\n\nc: d\n",
        "---\na: b\n",
        "a: b\n...\n",
        "a: b\na: c\n",
        " a: b\n",
        "a: 18446744073709551616\n",
    ] {
        assert_eq!(quick(text), None, "{text:?}");
    }
    // An infinity to some readers, and a text to others.
    assert_eq!(quick(&format!("a: 1{}.0\n", "0".repeat(310))), None);
    let deep = (0..200).fold(String::new(), |text, level| {
        text + &"  ".repeat(level) + "a:\n"
    });
    assert_eq!(quick(&format!("{deep}{}b: 1\n", "  ".repeat(200))), None);
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    One,
    Two,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    kind: Kind,
    count: Option<u32>,
    #[serde(default)]
    flag: bool,
    extra: Option<Value>,
    #[serde(default, deserialize_with = "view")]
    event: Option<Value>,
    #[serde(default)]
    events: Vec<Page>,
    #[serde(default)]
    words: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(deserialize_with = "view")]
    event: Option<Value>,
    at: u32,
}

fn view<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let view = View::deserialize(deserializer)?;
    let value = view.value().map_err(D::Error::custom)?;
    Ok(Some(value.into_owned()))
}

const TYPED: &str = "name: a b\nkind: one\ncount: 12\nflag: true\nextra:\n  - x: 1.5\n    u: \"12\"\n  - z\n\
    event:\n  x:\n    - u: 1\n      z: é\n    - - w\n  v: {}\nevents:\n  - event:\n      x: 1\n    at: 1\n  - event: []\n    at: 2\n\
    words:\n  k: v\n  \"l 1\": w\n";

fn tame() -> impl Strategy<Value = Value> {
    let text = || prop_oneof!["[a-z/_é]{1,4}[a-z .:#'é-]{0,4}", "[0-9:.-]{1,6}"];
    let leaf = prop_oneof![
        any::<i8>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Sequence),
            prop::collection::vec((text().prop_map(Value::from), inner), 0..4)
                .prop_map(|entries| Value::Mapping(entries.into_iter().collect())),
        ]
    })
}

/// A change that a person or a merge makes: something typed in, taken out, or a line moved.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize),
    Swap(usize),
    Shift(usize, usize),
}

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let typed = prop::sample::select(vec![
        " ", "  ", "\n", ":", ": ", " #", "- ", "-", "\"", "'", "\t", "\\", "\r", "0", ".", "&a ",
        "*a", "|", ">", "!t ", "{", "}", "[", "]", ",", "~", "null", "true", "no", "? ", "%",
        "---\n", "x: y\n", "\u{85}", "\u{feff}", "\u{2028}", "é", "1e3", "<<", "_", "/", "@", "`",
    ]);
    let at = || any::<usize>();
    let edit = prop_oneof![
        4 => (at(), typed).prop_map(|(at, text)| Edit::Insert(at, text)),
        2 => (at(), 1..4usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => at().prop_map(Edit::Repeat),
        1 => at().prop_map(Edit::Swap),
        2 => (at(), 1..4usize).prop_map(|(at, by)| Edit::Shift(at, by)),
    ];
    prop::collection::vec(edit, 0..4)
}

pub(crate) fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits {
        let chars: Vec<char> = text.chars().collect();
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if lines.is_empty() {
            break;
        }
        let (place, row) = (chars.len() + 1, lines.len());
        match *edit {
            Edit::Insert(at, typed) => {
                let (before, after) = chars.split_at(at % place);
                text =
                    before.iter().collect::<String>() + typed + &after.iter().collect::<String>();
                continue;
            }
            Edit::Remove(at, count) => {
                let at = at % place;
                text = chars
                    .iter()
                    .take(at)
                    .chain(chars.iter().skip(at + count))
                    .collect();
                continue;
            }
            Edit::Repeat(at) => lines.insert(at % row, lines[at % row].clone()),
            Edit::Swap(at) => lines.swap(at % row, (at + 1) % row),
            Edit::Shift(at, by) => lines[at % row].insert_str(0, &" ".repeat(by)),
        }
        text = lines.concat();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_what_a_whole_reader_takes(written in tame(), edits in edits()) {
        let text = edited(&to_yaml(&written), &edits);
        if let Some(quick) = quick(&text) {
            let whole: Value = serde_yaml::from_str(&text)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(&quick, &whole, "{}", text);
            prop_assert_eq!(to_yaml(&quick), to_yaml(&whole), "{}", text);
        }
    }

    #[test]
    fn what_is_taken_by_type_is_too(edits in edits()) {
        let text = edited(TYPED, &edits);
        if let Some(quick) = from_canonical_yaml::<Typed>(&text) {
            let whole: Typed = serde_yaml::from_str(&text)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(quick, whole, "{}", text);
        }
    }
}
