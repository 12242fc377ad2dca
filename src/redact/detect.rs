//! What looks like a secret or personal data in any text.
//!
//! Known forms, and checks where a form has one (Luhn, the check digits of an IBAN); random-looking texts only where
//! asked for. Says what and where, never the text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Name of the finding that says the least.
pub const RANDOM: &str = "random-looking text";

/// Something found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it looks like, in a word or two: `email`, `AWS access key`.
    pub what: &'static str,
    /// Bytes of the text.
    pub range: Range<usize>,
}

struct Form {
    what: &'static str,
    pattern: Regex,
    /// What a pattern cannot say.
    is_one: fn(&str) -> bool,
}

/// Forms that hardly anything else has.
static SURE: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let always: fn(&str) -> bool = |_| true;
    [
        (
            "private key",
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*-----|\z)",
            always,
        ),
        (
            "JWT",
            r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
            always,
        ),
        (
            "bearer token",
            r"(?i:\bbearer)[ =:]+[A-Za-z0-9._~+/-]{16,}=*",
            always,
        ),
        (
            "AWS access key",
            r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
            always,
        ),
        ("Google API key", r"\bAIza[0-9A-Za-z_-]{35}", always),
        ("Google OAuth token", r"\bya29\.[0-9A-Za-z_-]{20,}", always),
        ("Google service account", r#""private_key_id"\s*:"#, always),
        (
            "GitHub token",
            r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
            always,
        ),
        ("GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}", always),
        ("Slack token", r"\bxox[abposr]-[A-Za-z0-9-]{10,}", always),
        (
            "Stripe key",
            r"\b[srp]k_(?:live|test)_[0-9A-Za-z]{16,}",
            always,
        ),
        ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b", always),
        (
            "password in a URL",
            r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@[^\s/]",
            always,
        ),
        (
            "email",
            r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
            is_real_email,
        ),
        (
            "IBAN",
            r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
            is_iban,
        ),
        (
            "card number",
            r"\b[2-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{4}\b|\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
            is_luhn,
        ),
    ]
    .map(|(what, pattern, is_one)| Form {
        what,
        pattern: Regex::new(pattern).expect("the pattern is a constant"),
        is_one,
    })
    .into()
});

/// Forms that other things have too.
static LIKELY: LazyLock<Vec<Form>> = LazyLock::new(|| {
    [
        (
            "phone number",
            r"\+[1-9][0-9 ()./-]{7,18}[0-9]\b",
            is_phone as fn(&str) -> bool,
        ),
        (RANDOM, r"\b[A-Za-z0-9+/_-]{32,}\b", is_random),
    ]
    .map(|(what, pattern, is_one)| Form {
        what,
        pattern: Regex::new(pattern).expect("the pattern is a constant"),
        is_one,
    })
    .into()
});

/// What hardly can be anything else. In order; of two that overlap the first.
#[must_use]
pub fn sure(text: &str) -> Vec<Finding> {
    found(text, SURE.iter())
}

/// The same, and what is only likely: phone numbers, random-looking texts.
#[must_use]
pub fn likely(text: &str) -> Vec<Finding> {
    found(text, SURE.iter().chain(LIKELY.iter()))
}

fn found<'a>(text: &str, forms: impl Iterator<Item = &'a Form>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for form in forms {
        for found in form.pattern.find_iter(text) {
            let range = found.range();
            let is_free = !findings
                .iter()
                .any(|other| other.range.start < range.end && range.start < other.range.end);
            if is_free && (form.is_one)(found.as_str()) {
                findings.push(Finding {
                    what: form.what,
                    range,
                });
            }
        }
    }
    findings.sort_by_key(|finding| finding.range.start);
    findings
}

/// Domains that belong to nobody (RFC 2606, RFC 6761) hold no addresses of people.
fn is_real_email(text: &str) -> bool {
    let domain = text.rsplit('@').next().unwrap_or_default().to_lowercase();
    let is_of = |name: &str| {
        domain == name
            || domain
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    ![
        "example.com",
        "example.org",
        "example.net",
        "example",
        "test",
        "invalid",
        "localhost",
    ]
    .into_iter()
    .any(is_of)
}

/// ISO 13616: the remainder by 97 is 1.
fn is_iban(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    if !(15..=34).contains(&text.len()) {
        return false;
    }
    let (head, tail) = text.split_at(4);
    let remainder = tail.iter().chain(head).try_fold(0_u32, |rest, byte| {
        let digit = char::from(*byte).to_digit(36)?;
        Some((rest * if digit < 10 { 10 } else { 100 } + digit) % 97)
    });
    remainder == Some(1)
}

fn is_luhn(text: &str) -> bool {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|letter| letter.to_digit(10))
        .collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits)
}

/// Letters of both cases and digits, as evenly spread as chance does it.
fn is_random(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && entropy(text) > 4.5
}

/// Bits a letter.
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
fn entropy(text: &str) -> f64 {
    let mut counts = [0_usize; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = *count as f64 / length;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{likely, sure};

    fn whats(text: &str) -> Vec<&'static str> {
        likely(text).iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn each_form_is_found_and_named() {
        for (text, what) in [
            ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
            (
                concat!("x eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTYifQ.abc"),
                "JWT",
            ),
            ("Authorization: Bearer abcdefghijklmnop1234", "bearer token"),
            (concat!("AKIA", "IOSFODNN7EXAMPLE"), "AWS access key"),
            (
                concat!("AIza", "SyA-0123456789abcdefghijklmnopqrstu"),
                "Google API key",
            ),
            (
                concat!("ghp_", "0123456789abcdefghijABCDEFGHIJ012345"),
                "GitHub token",
            ),
            ("postgres://app:hunter2@db/x", "password in a URL"),
            ("mail alice@acme.io now", "email"),
            ("pay to DE89 3704 0044 0532 0130 00 today", "IBAN"),
            ("card 4111 1111 1111 1111", "card number"),
            ("call +49 170 1234567", "phone number"),
            (
                "key hT8kQz2LmW9xYvB4nR7sJ1cF6gD3pA5e",
                "random-looking text",
            ),
        ] {
            assert_eq!(whats(text), [what], "{text}");
        }
    }

    #[test]
    fn what_only_resembles_one_is_left_alone() {
        for text in [
            "alice@example.com, bob@mail.example.org, c@x.test",
            "6513270e-269e-4d37-b2a7-4de452e6b438",
            "DE89 3704 0044 0532 0130 01",
            "4111 1111 1111 1112",
            "0000 0000 0000 0000",
            "2026-11-23T00:01:30+01:00",
            "64e95f4ed9fae85d64e95f4ed9fae85d",
            "type.googleapis.com/examples.PlayerRegistered",
            "a_rather_long_name_of_a_field_that_is_nothing_but_a_name",
        ] {
            assert_eq!(whats(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn of_two_that_overlap_one_is_told() {
        let text = "https://alice:pw@acme.io/ and alice@acme.io";
        let found = sure(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(&text[found[1].range.clone()], "alice@acme.io");
    }
}
