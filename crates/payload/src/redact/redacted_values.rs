//! Values that were redacted in payloads, and the search for them in texts: error messages repeat what a command
//! contained.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;

use super::decoded::DecodedText;
use super::mask::MASK;
use super::spelling::{OF_BYTES, OF_FLOAT, OF_TEXT, Spelling, digits_of, of_number};
use crate::model::Root;
use crate::payload::FieldValue;

/// Shorter texts would match by chance.
const SHORTEST_TEXT: usize = 3;
/// So would fewer bytes.
const FEWEST_BYTES: usize = 4;
/// So would smaller numbers.
const SMALLEST_NUMBER: u32 = 100;
/// A text with fewer letters, or a number with fewer digits, matches only as a whole word.
const WHOLE_WORDS_BELOW: usize = 6;
/// Length in bytes of the search pattern. The rest of a word is compared separately.
const SEARCHED: usize = 64;

/// Redacted values and their replacements.
#[derive(Clone, Default)]
pub(super) struct RedactedValues {
    /// Words in all spellings, with their replacements. None if the word is a pseudonym that stays.
    words: BTreeMap<String, Option<String>>,
    search: OnceLock<Option<Search>>,
}

/// Prints no value.
impl std::fmt::Debug for RedactedValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedactedValues({} words)", self.words.len())
    }
}

/// Search automaton for all words, built on first use.
#[derive(Clone)]
struct Search {
    automaton: AhoCorasick,
    /// The case-folded word of each pattern, with its replacement.
    words: Vec<(String, Option<String>)>,
}

/// The replacement of a root.
#[derive(Clone, Copy)]
enum NewRoot {
    Same,
    Root(Root),
    /// The replacement is not a root.
    Nothing,
}

impl NewRoot {
    fn of<T: ?Sized>(new: Option<&T>, root: impl Fn(&T) -> Option<Root>) -> Self {
        new.map_or(Self::Same, |new| {
            root(new).map_or(Self::Nothing, Self::Root)
        })
    }
}

impl RedactedValues {
    /// Adds a value in every spelling that a message may use.
    pub(super) fn add(&mut self, old: &FieldValue<'_>, new: &FieldValue<'_>) {
        self.value(old, Some(new));
    }

    /// Adds an existing pseudonym, so that it is not replaced as if it were a value that happens to be equal.
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

    /// Adds a root in all its spellings.
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
        // The value as a form field trims it.
        if old.trim() != old {
            self.text(old.trim(), new.map(str::trim));
        }
        // A phone number without its punctuation.
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

    /// Adds one word. A word that stays takes precedence over a word that is replaced.
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
            // The texts of a call are short, and other automata take far longer to build.
            let automaton = AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::NoncontiguousNFA))
                .prefilter(false)
                .build(patterns)
                .ok()?;
            Some(Search { automaton, words })
        });
        prepared.as_ref()
    }

    /// Whether there are no values.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Replaces the values in a text.
    pub(super) fn replaced_in(&self, text: &str) -> String {
        self.replaced(text).0
    }

    /// Replaces the values in a text, and returns the ranges of the replacements. Where matches overlap, the first and
    /// longest one supplies the replacement for all of them.
    pub(super) fn replaced(&self, text: &str) -> (String, Vec<Range<usize>>) {
        if text.is_empty() || self.words.is_empty() {
            return (text.to_owned(), Vec::new());
        }
        let Some(search) = self.search() else {
            return (MASK.to_owned(), Vec::new());
        };
        let mut found: Vec<Match> = Vec::new();
        for (number, decoded) in DecodedText::all(text).iter().enumerate() {
            found.extend(self.found_in(search, decoded, number));
        }
        // A match in the plain text precedes a match in decoded text.
        found.sort_by_key(|it| (it.range.start, std::cmp::Reverse(it.range.end), it.order));
        let mut replaced = String::with_capacity(text.len());
        let mut replacements = Vec::new();
        let mut end = 0;
        for Match { range, new, .. } in found {
            if range.start >= end {
                replaced += &text[end..range.start];
                let start = replaced.len();
                replaced += new.as_deref().unwrap_or(&text[range.clone()]);
                replacements.push(start..replaced.len());
            }
            end = end.max(range.end);
        }
        (replaced + &text[end..], replacements)
    }

    fn found_in<'s>(
        &'s self,
        search: &'s Search,
        decoded: &'s DecodedText,
        number: usize,
    ) -> impl Iterator<Item = Match> + 's {
        let folded = Folded::of(&decoded.text);
        let found: Vec<_> = search
            .automaton
            .find_overlapping_iter(&folded.text)
            .map(|found| (found.pattern().as_usize(), found.start()))
            .collect();
        found.into_iter().filter_map(move |(pattern, start)| {
            let (word, new) = &search.words[pattern];
            let is_whole = folded.text.as_bytes()[start..].starts_with(word.as_bytes());
            if !is_whole {
                return None;
            }
            let range = folded.original(start, start + word.len());
            // Of words that differ only in case, prefer the exact one, then the first.
            let is_other_case = self.words.get(&decoded.text[range.clone()]) != Some(new);
            counts(&decoded.text, &range).then(|| Match {
                range: decoded.original(&range),
                order: (number, is_other_case, pattern),
                new: new.as_deref().map(|new| decoded.encode(new)),
            })
        })
    }
}

/// A match in a text.
struct Match {
    range: Range<usize>,
    /// Tie-breaker among matches of the same range: the lowest is used.
    order: (usize, bool, usize),
    /// The replacement; none if the text stays.
    new: Option<String>,
}

/// A case-folded text, with a map back to the original.
struct Folded {
    text: String,
    /// Offset in the original of the letter each byte comes from, followed by the length of the original.
    places: Vec<usize>,
}

impl Folded {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len() + 1);
        for (at, letter) in original.char_indices() {
            // Some letters have only one of the two case mappings.
            text.extend(letter.to_uppercase().flat_map(char::to_lowercase));
            places.resize(text.len(), at);
        }
        places.push(original.len());
        Self { text, places }
    }

    /// The range in the original, extended to whole letters.
    fn original(&self, start: usize, end: usize) -> Range<usize> {
        let last = self.places[end - 1];
        let mut after = self.places[end..].iter();
        let end = after.find(|place| **place > last);
        self.places[start]..*end.expect("its length comes last")
    }
}

/// Letters of scripts that have no upper case and put no spaces between words.
fn is_uncased(letter: char) -> bool {
    letter.is_alphabetic() && !letter.is_lowercase() && !letter.is_uppercase()
}

/// Whether a match is not part of something longer. Short words and short numbers must be whole words; a long number
/// must not adjoin another digit.
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
    // The characters before the match may be the end of an escape sequence.
    let starts = |letter: char| !is_part(letter) || ends_escape(&ESCAPE, &text[..range.start]);
    before.is_none_or(starts) && !after.is_some_and(is_part)
}

fn ends_escape(escape: &Regex, before: &str) -> bool {
    let tail = before.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    escape.is_match(&before[tail..])
}
