//! Values that were taken out of payloads, looked for in texts: error messages repeat what a command said.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::mask::MASK;
use super::spelling::{OF_BYTES, OF_TEXT, of_number};
use crate::model::Root;
use crate::payload::FieldValue;

/// A shorter text is found everywhere by chance.
const SHORTEST_TEXT: usize = 3;
/// A number below it too.
const SMALLEST_NUMBER: i128 = 100;
/// A text of fewer letters counts only where it is a word by itself.
const WHOLE_WORDS_BELOW: usize = 6;

/// What was taken, and what stands in its place.
#[derive(Clone, Default)]
pub(super) struct Taken {
    /// Nothing stands in the place of what stays: it is a stand-in already.
    words: BTreeMap<String, Option<String>>,
    search: OnceLock<Option<Search>>,
}

/// Shows no value.
impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Taken({} words)", self.words.len())
    }
}

/// Prepared for all words.
#[derive(Clone)]
struct Search {
    automaton: AhoCorasick,
    /// What the patterns stand for.
    replacements: Vec<Option<String>>,
}

/// What stands in the place of a root.
#[derive(Clone, Copy)]
enum NewRoot {
    Same,
    Root(Root),
    /// Something that is no root.
    Nothing,
}

impl NewRoot {
    fn of<T: ?Sized>(new: Option<&T>, root: impl Fn(&T) -> Option<Root>) -> Self {
        new.map_or(Self::Same, |new| {
            root(new).map_or(Self::Nothing, Self::Root)
        })
    }
}

impl Taken {
    /// Remembers a value in every spelling that a message may have of it.
    pub(super) fn add(&mut self, old: &FieldValue<'_>, new: &FieldValue<'_>) {
        self.value(old, Some(new));
    }

    /// Remembers a stand-in that came, so that it is not taken for a value that happens to be equal.
    pub(super) fn keep(&mut self, value: &FieldValue<'_>) {
        self.value(value, None);
    }

    fn value(&mut self, old: &FieldValue<'_>, new: Option<&FieldValue<'_>>) {
        match (old, new) {
            (FieldValue::Text(old), None) => self.text(old, None),
            (FieldValue::Text(old), Some(FieldValue::Text(new))) => self.text(old, Some(new)),
            (FieldValue::Bytes(old), None) => self.bytes(old, None),
            (FieldValue::Bytes(old), Some(FieldValue::Bytes(new))) => self.bytes(old, Some(new)),
            (FieldValue::Integer { value: old, .. }, new) if old.abs() >= SMALLEST_NUMBER => {
                let mut new = new.map(|new| match new {
                    FieldValue::Integer { value, .. } => of_number(*value),
                    _ => of_number(0),
                });
                for old in of_number(*old) {
                    let new = new.as_mut().and_then(Iterator::next);
                    self.word(old, new);
                }
            }
            (FieldValue::Float(old), None) => self.word(old.to_string(), None),
            (FieldValue::Float(old), Some(FieldValue::Float(new))) => {
                self.word(old.to_string(), Some(new.to_string()));
            }
            _ => {}
        }
    }

    /// Remembers a root in its spellings, and by the digits that titles and names of files have of it.
    pub(super) fn root(&mut self, old: Root, new: Root) {
        self.root_alone(old, new);
        self.word(old.hex()[..8].to_owned(), Some(new.hex()[..8].to_owned()));
    }

    /// Remembers a root in its spellings.
    pub(super) fn root_alone(&mut self, old: Root, new: Root) {
        self.spelt_root(old, NewRoot::Root(new));
    }

    fn spelt_root(&mut self, old: Root, new: NewRoot) {
        let new = |spell: &dyn Fn(Root) -> String| match new {
            NewRoot::Same => None,
            NewRoot::Root(new) => Some(spell(new)),
            NewRoot::Nothing => Some(MASK.to_owned()),
        };
        self.word(old.to_string(), new(&|root| root.to_string()));
        for spell in OF_BYTES {
            let spell = |root: Root| spell(root.as_bytes());
            self.word(spell(old), new(&spell));
        }
    }

    fn text(&mut self, old: &str, new: Option<&str>) {
        if let Ok(root) = old.parse() {
            self.spelt_root(root, NewRoot::of(new, |new| new.parse().ok()));
        }
        let is_long = old.len() >= WHOLE_WORDS_BELOW;
        for (at, spell) in OF_TEXT.into_iter().enumerate() {
            let is_encoding = at + 2 >= OF_TEXT.len();
            if is_long || !is_encoding {
                self.word(spell(old), new.map(spell));
            }
        }
    }

    fn bytes(&mut self, old: &[u8], new: Option<&[u8]>) {
        if let Ok(root) = Root::from_slice(old) {
            self.spelt_root(root, NewRoot::of(new, |new| Root::from_slice(new).ok()));
        }
        if old.len() >= SHORTEST_TEXT {
            for spell in OF_BYTES {
                self.word(spell(old), new.map(spell));
            }
        }
        if let Ok(text) = std::str::from_utf8(old) {
            let new = new.map(|new| OF_BYTES[1](new));
            self.word(text.to_owned(), new);
        }
    }

    /// What stays goes before what is replaced.
    fn word(&mut self, old: String, new: Option<String>) {
        if old.chars().count() < SHORTEST_TEXT || new.as_ref() == Some(&old) {
            return;
        }
        match self.words.get_mut(&old) {
            Some(known) if new.is_none() && known.is_some() => *known = None,
            Some(_) => return,
            None => {
                self.words.insert(old, new);
            }
        }
        self.search = OnceLock::new();
    }

    fn search(&self) -> Option<&Search> {
        let prepared = self.search.get_or_init(|| {
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(self.words.keys().map(|word| Lowered::of(word).text))
                .ok()?;
            Some(Search {
                automaton,
                replacements: self.words.values().cloned().collect(),
            })
        });
        prepared.as_ref()
    }

    /// The text with what stands in their place.
    pub(super) fn replaced_in(&self, text: &str) -> String {
        if text.is_empty() || self.words.is_empty() {
            return text.to_owned();
        }
        let Some(search) = self.search() else {
            return MASK.to_owned();
        };
        let lowered = Lowered::of(text);
        let mut replaced = String::with_capacity(text.len());
        let (mut from, mut end) = (0, 0);
        while let Some(found) = search
            .automaton
            .find(Input::new(&lowered.text).range(from..))
        {
            let range = lowered.original(found.start(), found.end());
            let word = &text[range.clone()];
            if range.start < end || !counts(text, range.start, range.end) {
                // A longer word may begin within it.
                from = lowered.next(found.start());
                continue;
            }
            // Of words that differ in case alone it is the very one, else the first.
            let new = self.words.get(word);
            let new = new.unwrap_or(&search.replacements[found.pattern().as_usize()]);
            replaced += &text[end..range.start];
            replaced += new.as_deref().unwrap_or(word);
            end = range.end;
            from = found.end();
        }
        replaced + &text[end..]
    }
}

/// A text in lower case, and where its parts come from.
struct Lowered {
    text: String,
    /// For each byte the letter that it comes from, as its place in the original; then the original's length.
    places: Vec<usize>,
}

impl Lowered {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len() + 1);
        for (at, letter) in original.char_indices() {
            text.extend(letter.to_lowercase());
            places.resize(text.len(), at);
        }
        places.push(original.len());
        Self { text, places }
    }

    /// Whole letters of the original.
    fn original(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let last = self.places[end - 1];
        let mut after = self.places[end..].iter();
        let end = after.find(|place| **place > last);
        self.places[start]..*end.expect("its length comes last")
    }

    /// Where the next letter begins.
    fn next(&self, start: usize) -> usize {
        let here = self.places[start];
        let mut after = (start..).zip(&self.places[start..]);
        let next = after.find(|(_, place)| **place > here);
        next.expect("the original's length comes last").0
    }
}

/// Whether a match is no part of something else. Short ones and short numbers have to be words by themselves; a long
/// number is one where no other digit adjoins it.
fn counts(text: &str, start: usize, end: usize) -> bool {
    let word = &text[start..end];
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = word.chars().count() < WHOLE_WORDS_BELOW;
    let adjoins = |test: fn(char) -> bool| {
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        [before, after].into_iter().flatten().any(test)
    };
    // Eight digits of a root are as good as a word.
    match (is_short, is_number) {
        (true, _) => !adjoins(char::is_alphanumeric),
        (false, true) => !adjoins(|it| it.is_ascii_digit()),
        (false, false) => true,
    }
}
