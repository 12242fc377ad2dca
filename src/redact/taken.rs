//! Values that were taken out of payloads, looked for in texts: error messages repeat what a command said.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::mask::MASK;
use super::spelling::{OF_BYTES, OF_FLOAT, OF_TEXT, Spelling, digits_of, of_number};
use crate::model::Root;
use crate::payload::FieldValue;

/// A shorter text is found everywhere by chance.
const SHORTEST_TEXT: usize = 3;
/// Fewer bytes too.
const FEWEST_BYTES: usize = 4;
/// A number below it too.
const SMALLEST_NUMBER: u32 = 100;
/// A text of fewer letters, or a number of fewer digits, counts only where it is a word by itself.
const WHOLE_WORDS_BELOW: usize = 6;
/// So many bytes of a word are searched for; what follows is compared.
const SEARCHED: usize = 64;

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
    /// The words behind the patterns, folded, with what stands in their place.
    words: Vec<(String, Option<String>)>,
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
            (FieldValue::Integer { value: old, .. }, None) => self.number(*old, None),
            (
                FieldValue::Integer { value: old, .. },
                Some(FieldValue::Integer { value: new, .. }),
            ) => {
                self.number(*old, Some(*new));
            }
            (FieldValue::Float(old), new) if old.abs() >= f64::from(SMALLEST_NUMBER) => {
                let new = new.map(|new| match new {
                    FieldValue::Float(new) => *new,
                    _ => 0.0,
                });
                for spell in OF_FLOAT {
                    self.word(spell(*old), new.map(spell));
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, old: i128, new: Option<i128>) {
        if old.unsigned_abs() < SMALLEST_NUMBER.into() {
            return;
        }
        let mut new = new.map(of_number);
        for old in of_number(old) {
            self.word(old, new.as_mut().and_then(Iterator::next));
        }
    }

    /// Remembers a root in its spellings.
    pub(super) fn root(&mut self, old: Root, new: Root) {
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
        for Spelling { spell, from } in OF_TEXT {
            if old.len() >= from {
                self.word(spell(old), new.map(spell));
            }
        }
        // As a field of a form leaves it.
        if old.trim() != old {
            self.text(old.trim(), new.map(str::trim));
        }
        // A telephone number without its signs.
        if let Some(digits) = digits_of(old) {
            let new = new.map(|new| digits_of(new).unwrap_or_else(|| MASK.to_owned()));
            self.word(digits, new);
        }
    }

    fn bytes(&mut self, old: &[u8], new: Option<&[u8]>) {
        if let Ok(root) = Root::from_slice(old) {
            self.spelt_root(root, NewRoot::of(new, |new| Root::from_slice(new).ok()));
        }
        if old.len() >= FEWEST_BYTES {
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
        let letters = old.chars().count();
        let is_too_short =
            letters < SHORTEST_TEXT && !(letters == 2 && old.chars().all(is_uncased));
        if is_too_short || new.as_ref() == Some(&old) {
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
            let folded =
                |(word, new): (&String, &Option<String>)| (Folded::of(word).text, new.clone());
            let words: Vec<_> = self.words.iter().map(folded).collect();
            let patterns = words
                .iter()
                .map(|(word, _)| &word.as_bytes()[..word.len().min(SEARCHED)]);
            let automaton = AhoCorasick::new(patterns).ok()?;
            Some(Search { automaton, words })
        });
        prepared.as_ref()
    }

    /// The text with what stands in their place. Where values overlap, that of the first and longest stands for all of
    /// them.
    pub(super) fn replaced_in(&self, text: &str) -> String {
        if text.is_empty() || self.words.is_empty() {
            return text.to_owned();
        }
        let Some(search) = self.search() else {
            return MASK.to_owned();
        };
        let folded = Folded::of(text);
        let mut found: Vec<(Range<usize>, usize)> = search
            .automaton
            .find_overlapping_iter(&folded.text)
            .filter_map(|found| {
                let pattern = found.pattern().as_usize();
                let word = &search.words[pattern].0;
                let is_whole = folded.text.as_bytes()[found.start()..].starts_with(word.as_bytes());
                let range = folded.original(found.start(), found.start() + word.len());
                (is_whole && counts(text, &range)).then_some((range, pattern))
            })
            .collect();
        // Of words that differ in case alone it is the very one, else the first.
        let is_other_case = |(range, pattern): &(Range<usize>, usize)| {
            self.words.get(&text[range.clone()]) != Some(&search.words[*pattern].1)
        };
        found.sort_by_key(|it| {
            (
                it.0.start,
                std::cmp::Reverse(it.0.end),
                is_other_case(it),
                it.1,
            )
        });
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for (range, pattern) in found {
            if range.start >= end {
                replaced += &text[end..range.start];
                replaced += search.words[pattern]
                    .1
                    .as_deref()
                    .unwrap_or(&text[range.clone()]);
            }
            end = end.max(range.end);
        }
        replaced + &text[end..]
    }
}

/// A text without upper and lower case, and where its parts come from.
struct Folded {
    text: String,
    /// For each byte the letter that it comes from, as its place in the original; then the original's length.
    places: Vec<usize>,
}

impl Folded {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len() + 1);
        for (at, letter) in original.char_indices() {
            // Some letters have one form of these and not the other.
            text.extend(letter.to_uppercase().flat_map(char::to_lowercase));
            places.resize(text.len(), at);
        }
        places.push(original.len());
        Self { text, places }
    }

    /// Whole letters of the original.
    fn original(&self, start: usize, end: usize) -> Range<usize> {
        let last = self.places[end - 1];
        let mut after = self.places[end..].iter();
        let end = after.find(|place| **place > last);
        self.places[start]..*end.expect("its length comes last")
    }
}

/// Letters of scripts that write no spaces between words, and know no upper case.
fn is_uncased(letter: char) -> bool {
    letter.is_alphabetic() && !letter.is_lowercase() && !letter.is_uppercase()
}

/// Whether a match is no part of something else. Short ones and short numbers have to be words by themselves; a long
/// number is one where no other digit adjoins it.
fn counts(text: &str, range: &Range<usize>) -> bool {
    static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
        let ends = r"(?:%[0-9A-Fa-f]{2}|\\(?:[abfnrtv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-7]{3}))$";
        Regex::new(ends).expect("the pattern is a constant")
    });
    let word = &text[range.clone()];
    let is_sign = |letter: char| matches!(letter, '-' | ',' | '_' | '\'' | '.' | ' ');
    let is_number = word.chars().all(|it| it.is_ascii_digit() || is_sign(it));
    let size = if is_number {
        word.chars().filter(char::is_ascii_digit).count()
    } else {
        word.chars().count()
    };
    let is_short = size < WHOLE_WORDS_BELOW;
    let after = text[range.end..].chars().next();
    let before = text[..range.start].chars().next_back();
    let is_part = |letter: char| match (is_short, is_number) {
        (true, _) => letter.is_alphanumeric() && !is_uncased(letter),
        (false, true) => letter.is_ascii_digit(),
        (false, false) => false,
    };
    // What comes before may be the end of an escape.
    let starts = |letter: char| !is_part(letter) || ends_escape(&ESCAPE, &text[..range.start]);
    before.is_none_or(starts) && !after.is_some_and(is_part)
}

fn ends_escape(escape: &Regex, before: &str) -> bool {
    let tail = before.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    escape.is_match(&before[tail..])
}
