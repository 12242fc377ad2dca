//! What a file holds: lines of text, the base64 in them, and texts amid bytes.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use crate::payload;
use crate::redact::detect::{self, likely, sure};

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

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Line and column, from 1.
    Line(usize, usize),
    /// A byte of a file that is no text, from 0.
    Byte(usize),
}

/// Something found in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it looks like: `email`, `JWT`.
    pub what: &'static str,
    /// Where it is.
    pub spot: Spot,
    text: String,
}

impl Finding {
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

/// What may be base64.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/]{12,}={0,2}"));
/// A value whose key says that it is a secret.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b[\w-]*(?:passwor[dt]|passwd|passphrase|secret|api_?key|access_?key|private_?key|credential|[a-z]_?token)["']?\s*[:=]\s*["']?([^\s"',}]{4,})"#,
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Everything that is found in the content of a file.
pub(super) fn findings(bytes: &[u8]) -> Vec<Finding> {
    match std::str::from_utf8(bytes) {
        Ok(text) => (1..)
            .zip(text.lines())
            .flat_map(|(number, line)| in_line(number, line))
            .collect(),
        Err(_) => amid_bytes(bytes),
    }
}

fn in_line(number: usize, line: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let at = |range: &Range<usize>| Spot::Line(number, line[..range.start].chars().count() + 1);
    let mut add = |what, range: &Range<usize>, text: &str| {
        let spot = at(range);
        // What is found twice, as it is and by its name, is told once.
        if !found.iter().any(|other| other.spot == spot) {
            found.push(Finding {
                what,
                spot,
                text: text.to_owned(),
            });
        }
    };
    for finding in likely(line) {
        let is_by_nature = finding.what == detect::RANDOM
            && (is_encoding(&line[..finding.range.start])
                || is_message(&line[finding.range.start..]));
        if !is_by_nature {
            add(finding.what, &finding.range, &line[finding.range.clone()]);
        }
    }
    for token in ENCODED.find_iter(line) {
        let decoded = BASE64.decode(token.as_str()).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded);
        for finding in sure(&decoded) {
            add(
                finding.what,
                &token.range(),
                &decoded[finding.range.clone()],
            );
        }
    }
    for captures in NAMED.captures_iter(line) {
        if let Some(value) = captures.get(1).filter(|value| !is_redacted(value.as_str())) {
            add("secret by its name", &value.range(), value.as_str());
        }
    }
    found.sort_by_key(|finding| finding.spot);
    found
}

/// Whether what comes next is the value of a key that has an encoding.
fn is_encoding(before: &str) -> bool {
    static KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z_]+)"?\s*:\s*"?[^\s":]*$"#));
    let key = KEY.captures(before).and_then(|captures| captures.get(1));
    key.is_some_and(|key| ENCODINGS.contains(&key.as_str()))
}

/// Whether base64 begins here that is a whole protobuf message: what is in it was looked for already.
fn is_message(text: &str) -> bool {
    let token = ENCODED.find(text).filter(|token| token.start() == 0);
    let decoded = token.and_then(|token| BASE64.decode(token.as_str()).ok());
    decoded.is_some_and(|bytes| payload::is_a_message(&bytes))
}

/// Whether a value says nothing any more: a mask, a stand-in, or the reason of a normalising rule.
fn is_redacted(value: &str) -> bool {
    static STAND_IN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^p-[0-9a-f]{16}$"));
    let is_nothing = ["null", "true", "false", "none"].contains(&value);
    is_nothing || value.starts_with("***") || value.starts_with('[') || STAND_IN.is_match(value)
}

/// Texts of a file that is none: runs of letters.
fn amid_bytes(bytes: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut start = 0;
    for run in bytes.split(|byte| !matches!(byte, b' '..=b'~')) {
        let text = std::str::from_utf8(run).unwrap_or_default();
        found.extend(sure(text).into_iter().map(|finding| Finding {
            what: finding.what,
            spot: Spot::Byte(start + finding.range.start),
            text: text[finding.range].to_owned(),
        }));
        start += run.len() + 1;
    }
    found
}
