//! Searches the content of a file: lines of text, the base64 in them, messages and their texts, and text embedded in
//! binary data; all of them also nested.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use super::escapes::without_escapes;
use super::text_decoding::as_text;
use crate::redact::detect::{self, in_binary, likely, named, sure};
use crate::{payload, plain};

/// Keys in fixtures, tickets and history files whose values are encodings, which always look random.
const ENCODINGS: [&str; 6] = [
    "book",
    "bytes",
    "command",
    "content_hash",
    "page",
    "snapshot",
];

/// Accepts missing padding and non-zero trailing bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Deepest nesting that is decoded.
const LEVELS: usize = 40;
/// Limit for the bytes searched in a file with nested content, as a multiple of its size.
const MOST_TIMES_SIZE: usize = 64;
/// The limit for small files.
const SMALLEST_BUDGET: usize = 1 << 24;

/// A location in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Line and column, from 1.
    Line(usize, usize),
    /// Byte offset in a binary file, from 0.
    Byte(usize),
    /// The whole file, if the location is unknown.
    File,
}

/// Something detected in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is: `email`, `JWT`.
    pub what: &'static str,
    /// A detail, such as the field it was found in; never the detected text.
    pub about: Option<String>,
    /// Where it is.
    pub spot: Spot,
    text: String,
}

impl Finding {
    /// A finding with a detail.
    #[must_use]
    pub fn about(what: &'static str, about: String, spot: Spot, text: String) -> Self {
        Self {
            what,
            about: Some(about),
            spot,
            text,
        }
    }

    /// The detected text, to be compared with allowances. Must not be printed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:?}", self.what, self.spot)
    }
}

/// Anything that may be base64 or base64url.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/_-]{12,}={0,2}"));
/// Base64 over several lines.
static WRAPPED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9+/_-]{40,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,}={0,2})+"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Everything detected in the content of a file, and descriptions of what could not be read.
pub(super) fn findings(bytes: &[u8]) -> (Vec<Finding>, Vec<String>) {
    let mut search = Search {
        left: bytes
            .len()
            .saturating_mul(MOST_TIMES_SIZE)
            .max(SMALLEST_BUDGET),
        unread: BTreeSet::new(),
    };
    let mut found: Vec<Finding> = search
        .in_file(bytes)
        .into_iter()
        .map(|(spot, found)| Finding {
            what: found.what,
            about: None,
            spot,
            text: found.text,
        })
        .collect();
    found.sort_by_key(|finding| finding.spot);
    (found, search.unread.into_iter().collect())
}

/// A match in a text or in bytes.
struct Match {
    what: &'static str,
    range: Range<usize>,
    text: String,
    /// Whether it was found in nested encoded data rather than in the text itself.
    is_nested: bool,
}

/// Distinct matches.
#[derive(Default)]
struct DistinctMatches {
    all: Vec<Match>,
    /// Indices of the matches in each part of the content, so that only neighbours are compared.
    in_part: HashMap<usize, Vec<usize>>,
}

impl DistinctMatches {
    const PART: usize = 1 << 10;

    fn add(&mut self, found: Match) {
        let parts = found.range.start / Self::PART..=found.range.end / Self::PART;
        let neighbours = parts.clone().filter_map(|part| self.in_part.get(&part));
        let is_known = neighbours.flatten().map(|at| &self.all[*at]).any(|other| {
            let overlaps =
                other.range.start < found.range.end && found.range.start < other.range.end;
            let is_same = other.text.contains(&found.text) || found.text.contains(&other.text);
            let is_least_certain = found.what == detect::RANDOM;
            overlaps && (is_same || is_least_certain || !(other.is_nested || found.is_nested))
        });
        if !is_known {
            for part in parts {
                self.in_part.entry(part).or_default().push(self.all.len());
            }
            self.all.push(found);
        }
    }

    fn of_text(&mut self, text: &str, findings: Vec<detect::Finding>) {
        for finding in findings {
            self.add(Match {
                what: finding.what,
                text: text[finding.range.clone()].to_owned(),
                range: finding.range,
                is_nested: false,
            });
        }
    }
}

struct Search {
    /// Bytes that may still be searched.
    left: usize,
    unread: BTreeSet<String>,
}

impl Search {
    /// Whether nested content may be searched: the limits are not exceeded.
    fn may_search(&mut self, size: usize, level: usize) -> bool {
        let may = level < LEVELS && size <= self.left;
        self.left = self.left.saturating_sub(size);
        if !may {
            self.unread
                .insert("the content is nested too deeply to be searched completely".to_owned());
        }
        may
    }

    fn in_file(&mut self, bytes: &[u8]) -> Vec<(Spot, Match)> {
        if let Some(unpacked) = plain::unpacked(bytes, plain::LARGEST) {
            self.unread
                .extend(unpacked.flaw.map(|flaw| flaw.to_string()));
            self.left = self
                .left
                .max(unpacked.bytes.len().saturating_mul(MOST_TIMES_SIZE));
            return self.in_plain_file(&unpacked.bytes);
        }
        self.in_plain_file(bytes)
    }

    fn in_plain_file(&mut self, bytes: &[u8]) -> Vec<(Spot, Match)> {
        self.unread.extend(not_read(bytes));
        let has_controls = bytes
            .iter()
            .any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r'));
        let is_message = has_controls && payload::is_a_message(bytes);
        if let Some(text) = as_text(bytes).filter(|_| !is_message) {
            let mut found = self.in_text(&text, 0, likely);
            found.sort_by_key(|found| found.range.start);
            let mut lines = LineCounter::new(&text);
            let found = found.into_iter();
            return found
                .map(|found| (lines.spot(found.range.start), found))
                .collect();
        }
        let found = self.in_bytes(bytes, 0);
        found
            .into_iter()
            .map(|found| (Spot::Byte(found.range.start), found))
            .collect()
    }

    /// Searches a text: its plain form, values beside names, its unescaped form, and the data encoded in it.
    fn in_text(
        &mut self,
        text: &str,
        level: usize,
        looked_for: fn(&str) -> Vec<detect::Finding>,
    ) -> Vec<Match> {
        let mut once = DistinctMatches::default();
        if !self.may_search(text.len(), level) {
            return once.all;
        }
        let mut random = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let mut findings = looked_for(line.trim_end_matches(['\n', '\r']));
            let is_random = |finding: &detect::Finding| finding.what == detect::RANDOM;
            findings.retain(|finding| {
                let (before, rest) = line.split_at(finding.range.start);
                !(is_random(finding) && (is_encoding(before) || is_message(rest)))
            });
            for finding in &mut findings {
                finding.range = start + finding.range.start..start + finding.range.end;
            }
            random.extend(findings.extract_if(.., |finding| is_random(finding)));
            once.of_text(text, findings);
            start += line.len();
        }
        once.of_text(text, named(text));
        for found in self.encoded(text, level) {
            once.add(found);
        }
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some(plain) = without_escapes(line) {
                for found in self.in_text(&plain.text, level + 1, sure) {
                    let range = plain.original(&found.range);
                    once.add(Match {
                        range: start + range.start..start + range.end,
                        ..found
                    });
                }
            }
            start += line.len();
        }
        once.of_text(text, random);
        once.all
    }

    /// Searches the base64 in a text.
    fn encoded(&mut self, text: &str, level: usize) -> Vec<Match> {
        let mut all = Vec::new();
        let whole = WRAPPED.find_iter(text);
        for token in ENCODED.find_iter(text).chain(whole) {
            for bytes in decoded(token.as_str()) {
                let found = self.in_bytes(&bytes, level + 1);
                all.extend(found.into_iter().map(|found| Match {
                    range: token.range(),
                    is_nested: true,
                    ..found
                }));
            }
        }
        all
    }

    /// Searches bytes of any kind: text, a message, compressed data, or other data with text in it.
    fn in_bytes(&mut self, bytes: &[u8], level: usize) -> Vec<Match> {
        let mut once = DistinctMatches::default();
        if bytes.len() < 4 || !self.may_search(bytes.len(), level) {
            return once.all;
        }
        let all = 0..bytes.len();
        let within = |range: &Range<usize>, found: Match| Match {
            range: range.clone(),
            is_nested: true,
            ..found
        };
        // Data that merely begins like compressed data is not an error.
        if let Some(unpacked) = plain::unpacked(bytes, plain::LARGEST) {
            for found in self.in_bytes(&unpacked.bytes, level + 1) {
                once.add(within(&all, found));
            }
        }
        for place in payload::delimited(bytes).unwrap_or_default() {
            for found in self.in_bytes(&bytes[place.clone()], level + 1) {
                let start = place.start + found.range.start;
                once.add(Match {
                    range: start..start + found.range.len(),
                    ..found
                });
            }
        }
        let text = as_text(bytes);
        if let Some(text) = &text {
            let is_as_it_is = text.as_bytes() == bytes;
            for found in self.in_text(text, level + 1, sure) {
                once.add(if is_as_it_is {
                    found
                } else {
                    within(&all, found)
                });
            }
        }
        // Searches text embedded in binary data, and text without the length byte before it.
        let mut start = 0;
        for chunk in bytes.utf8_chunks() {
            for run in chunk.valid().split_inclusive(char::is_control) {
                let letters = run.trim_end_matches(char::is_control);
                let found = match (&text, letters.len()) {
                    (_, ..6) => Vec::new(),
                    (Some(_), _) => {
                        let mut embedded = DistinctMatches::default();
                        embedded.of_text(letters, in_binary(letters));
                        embedded.all
                    }
                    (None, _) => self.in_text(letters, level + 1, in_binary),
                };
                for found in found {
                    once.add(Match {
                        range: start + found.range.start..start + found.range.end,
                        ..found
                    });
                }
                start += run.len();
            }
            start += chunk.invalid().len();
        }
        once.all
    }
}

/// Why the content of a file cannot be searched.
fn not_read(bytes: &[u8]) -> Option<String> {
    const ELSEWHERE: [(&[u8], &str); 3] = [
        (b"Salted__", "it is encrypted"),
        (b"age-encryption.org/", "it is encrypted"),
        (
            b"version https://git-lfs.github.com/spec/",
            "it is a Git LFS pointer, and the file itself is not here",
        ),
    ];
    let mut elsewhere = ELSEWHERE.iter();
    let found = elsewhere.find(|(first, _)| bytes.starts_with(first));
    let packed =
        plain::not_unpacked(bytes).map(|name| format!("it is {name}, which is not supported"));
    packed.or_else(|| found.map(|(_, reason)| (*reason).to_owned()))
}

/// Decodes base64. Tries a second start if a separator precedes the token.
fn decoded(token: &str) -> Vec<Vec<u8>> {
    let plain: String = token
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            letter => letter,
        })
        .collect();
    let mut found = Vec::new();
    // The last character may carry fewer bits than a byte.
    let bytes = BASE64.decode(&plain).or_else(|_| {
        let letters = plain.trim_end_matches('=');
        BASE64.decode(&letters[..letters.len() / 4 * 4])
    });
    found.extend(bytes);
    // The token may follow `key-` or `path/`.
    for (at, _) in token.match_indices(['-', '_', '/']) {
        let rest = &plain[(at + 1).min(plain.len())..];
        if rest.len() >= 12 && found.len() < 8 {
            found.extend(BASE64.decode(rest));
        }
    }
    found
}

/// Whether the next value belongs to a key whose values are encodings.
fn is_encoding(before: &str) -> bool {
    static KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z_]+)"?\s*:\s*"?[^\s":]*$"#));
    let key = KEY.captures(before).and_then(|captures| captures.get(1));
    key.is_some_and(|key| ENCODINGS.contains(&key.as_str()))
}

/// Whether a complete base64-encoded protobuf message begins here, whose content is searched separately.
fn is_message(text: &str) -> bool {
    let token = ENCODED.find(text).filter(|token| token.start() == 0);
    let decoded = token.and_then(|token| BASE64.decode(token.as_str()).ok());
    decoded.is_some_and(|bytes| payload::is_a_message(&bytes))
}

/// Converts offsets to lines and columns. Offsets must be in increasing order.
struct LineCounter<'a> {
    text: &'a str,
    number: usize,
    start: usize,
}

impl<'a> LineCounter<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            text,
            number: 1,
            start: 0,
        }
    }

    fn spot(&mut self, at: usize) -> Spot {
        while let Some(end) = self.text[self.start..at].find('\n') {
            self.start += end + 1;
            self.number += 1;
        }
        Spot::Line(self.number, self.text[self.start..at].chars().count() + 1)
    }
}
