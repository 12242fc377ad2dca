//! What a file holds: lines of text, the base64 in them, messages and their texts, and texts amid bytes; each of them in
//! each other.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use super::letters::as_text;
use super::spelled::without_escapes;
use crate::redact::detect::{self, in_binary, likely, named, sure};
use crate::{payload, plain};

/// Keys of fixtures, tickets and history files that have an encoding as their value: it is random-looking by nature.
const ENCODINGS: [&str; 6] = [
    "book",
    "bytes",
    "command",
    "content_hash",
    "page",
    "snapshot",
];

/// Read with padding or without, and with odd bits at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// So many things in each other are taken apart.
const LEVELS: usize = 40;
/// So many times its size is looked at of a file that holds much in each other.
const TIMES: usize = 64;
/// Files are not so small that this were much.
const AT_LEAST: usize = 1 << 24;

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Line and column, from 1.
    Line(usize, usize),
    /// A byte of a file that is no text, from 0.
    Byte(usize),
    /// The file, where a place cannot be told.
    File,
}

/// Something found in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it looks like: `email`, `JWT`.
    pub what: &'static str,
    /// What it is about, where that says more; never what was found.
    pub about: Option<String>,
    /// Where it is.
    pub spot: Spot,
    text: String,
}

impl Finding {
    /// Something that was found by what it is about.
    #[must_use]
    pub fn about(what: &'static str, about: String, spot: Spot, text: String) -> Self {
        Self {
            what,
            about: Some(about),
            spot,
            text,
        }
    }

    /// What was found, to be held against allowances. Not to be shown.
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

/// What may be base64, also that for addresses.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/_-]{12,}={0,2}"));
/// Base64 over several lines.
static WRAPPED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9+/_-]{40,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,}={0,2})+"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Everything that is found in the content of a file, and what of it could not be read.
pub(super) fn findings(bytes: &[u8]) -> (Vec<Finding>, Vec<String>) {
    let mut search = Search {
        left: bytes.len().saturating_mul(TIMES).max(AT_LEAST),
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

/// Something found in a text or in bytes.
struct Found {
    what: &'static str,
    range: Range<usize>,
    text: String,
    /// Whether it is not there itself, but in what is encoded there.
    is_within: bool,
}

/// What was found so far, each thing once.
#[derive(Default)]
struct Once {
    all: Vec<Found>,
    /// What is found in each part of the content, so that only neighbours are compared.
    in_part: HashMap<usize, Vec<usize>>,
}

impl Once {
    const PART: usize = 1 << 10;

    fn add(&mut self, found: Found) {
        let parts = found.range.start / Self::PART..=found.range.end / Self::PART;
        let neighbours = parts.clone().filter_map(|part| self.in_part.get(&part));
        let is_known = neighbours.flatten().map(|at| &self.all[*at]).any(|other| {
            let overlaps =
                other.range.start < found.range.end && found.range.start < other.range.end;
            let is_same = other.text.contains(&found.text) || found.text.contains(&other.text);
            let says_least = found.what == detect::RANDOM;
            overlaps && (is_same || says_least || !(other.is_within || found.is_within))
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
            self.add(Found {
                what: finding.what,
                text: text[finding.range.clone()].to_owned(),
                range: finding.range,
                is_within: false,
            });
        }
    }
}

struct Search {
    /// Bytes that are still looked at.
    left: usize,
    unread: BTreeSet<String>,
}

impl Search {
    /// Whether it goes on.
    fn may(&mut self, size: usize, level: usize) -> bool {
        let may = level < LEVELS && size <= self.left;
        self.left = self.left.saturating_sub(size);
        if !may {
            self.unread.insert(
                "so much is encoded within each other that not all was looked at".to_owned(),
            );
        }
        may
    }

    fn in_file(&mut self, bytes: &[u8]) -> Vec<(Spot, Found)> {
        if let Some(unpacked) = plain::unpacked(bytes, plain::LARGEST) {
            self.unread
                .extend(unpacked.flaw.map(|flaw| flaw.to_string()));
            self.left = self.left.max(unpacked.bytes.len().saturating_mul(TIMES));
            return self.in_plain_file(&unpacked.bytes);
        }
        self.in_plain_file(bytes)
    }

    fn in_plain_file(&mut self, bytes: &[u8]) -> Vec<(Spot, Found)> {
        self.unread.extend(not_read(bytes));
        let has_controls = bytes
            .iter()
            .any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r'));
        let is_message = has_controls && payload::is_a_message(bytes);
        if let Some(text) = as_text(bytes).filter(|_| !is_message) {
            let mut found = self.in_text(&text, 0, likely);
            found.sort_by_key(|found| found.range.start);
            let mut lines = Lines::new(&text);
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

    /// What is found in a text: by itself, by names, in what it quotes and in what is encoded in it.
    fn in_text(
        &mut self,
        text: &str,
        level: usize,
        looked_for: fn(&str) -> Vec<detect::Finding>,
    ) -> Vec<Found> {
        let mut once = Once::default();
        if !self.may(text.len(), level) {
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
                    once.add(Found {
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

    /// What is found in the base64 of a text.
    fn encoded(&mut self, text: &str, level: usize) -> Vec<Found> {
        let mut all = Vec::new();
        let whole = WRAPPED.find_iter(text);
        for token in ENCODED.find_iter(text).chain(whole) {
            for bytes in decoded(token.as_str()) {
                let found = self.in_bytes(&bytes, level + 1);
                all.extend(found.into_iter().map(|found| Found {
                    range: token.range(),
                    is_within: true,
                    ..found
                }));
            }
        }
        all
    }

    /// What is found in bytes, whatever they are: text, a message, something packed, or something else with texts in it.
    fn in_bytes(&mut self, bytes: &[u8], level: usize) -> Vec<Found> {
        let mut once = Once::default();
        if bytes.len() < 4 || !self.may(bytes.len(), level) {
            return once.all;
        }
        let all = 0..bytes.len();
        let within = |range: &Range<usize>, found: Found| Found {
            range: range.clone(),
            is_within: true,
            ..found
        };
        // What only begins like packed bytes is no flaw of the file.
        if let Some(unpacked) = plain::unpacked(bytes, plain::LARGEST) {
            for found in self.in_bytes(&unpacked.bytes, level + 1) {
                once.add(within(&all, found));
            }
        }
        for place in payload::delimited(bytes).unwrap_or_default() {
            for found in self.in_bytes(&bytes[place.clone()], level + 1) {
                let start = place.start + found.range.start;
                once.add(Found {
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
        // Texts amid bytes, and of a text what stands right beside its length.
        let mut start = 0;
        for chunk in bytes.utf8_chunks() {
            for run in chunk.valid().split_inclusive(char::is_control) {
                let letters = run.trim_end_matches(char::is_control);
                let found = match (&text, letters.len()) {
                    (_, ..6) => Vec::new(),
                    (Some(_), _) => {
                        let mut glued_only = Once::default();
                        glued_only.of_text(letters, in_binary(letters));
                        glued_only.all
                    }
                    (None, _) => self.in_text(letters, level + 1, in_binary),
                };
                for found in found {
                    once.add(Found {
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

/// Why what a file holds cannot be looked at.
fn not_read(bytes: &[u8]) -> Option<String> {
    const ELSEWHERE: [(&[u8], &str); 3] = [
        (b"Salted__", "it is encrypted"),
        (b"age-encryption.org/", "it is encrypted"),
        (
            b"version https://git-lfs.github.com/spec/",
            "it stands for a file of Git LFS, which is not here",
        ),
    ];
    let mut elsewhere = ELSEWHERE.iter();
    let found = elsewhere.find(|(first, _)| bytes.starts_with(first));
    let packed = plain::not_unpacked(bytes).map(|name| format!("it is {name}, which is not read"));
    packed.or_else(|| found.map(|(_, reason)| (*reason).to_owned()))
}

/// What base64 says; both where it may begin after a sign that is none of its own.
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
    // The last letter may say too little for a byte.
    let bytes = BASE64.decode(&plain).or_else(|_| {
        let letters = plain.trim_end_matches('=');
        BASE64.decode(&letters[..letters.len() / 4 * 4])
    });
    found.extend(bytes);
    // `key-` or `path/` may stand before it.
    for (at, _) in token.match_indices(['-', '_', '/']) {
        let rest = &plain[(at + 1).min(plain.len())..];
        if rest.len() >= 12 && found.len() < 8 {
            found.extend(BASE64.decode(rest));
        }
    }
    found
}

/// Whether what comes next is the value of a key that has an encoding.
fn is_encoding(before: &str) -> bool {
    static KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z_]+)"?\s*:\s*"?[^\s":]*$"#));
    let key = KEY.captures(before).and_then(|captures| captures.get(1));
    key.is_some_and(|key| ENCODINGS.contains(&key.as_str()))
}

/// Whether base64 begins here that is a whole protobuf message: what is in it is looked for by itself.
fn is_message(text: &str) -> bool {
    let token = ENCODED.find(text).filter(|token| token.start() == 0);
    let decoded = token.and_then(|token| BASE64.decode(token.as_str()).ok());
    decoded.is_some_and(|bytes| payload::is_a_message(&bytes))
}

/// Places in a text as lines and columns; asked for in order.
struct Lines<'a> {
    text: &'a str,
    number: usize,
    start: usize,
}

impl<'a> Lines<'a> {
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
