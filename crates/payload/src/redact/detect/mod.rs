//! Detects secrets and personal data in any text.
//!
//! Known forms, with a checksum where the form has one (Luhn, IBAN check digits). Random-looking texts are reported on
//! request only. A finding holds the kind and the position, never the text.
//!
//! `forms`: the table of detectors; `providers`: tokens that a library knows; `numbers`: account and card numbers;
//! `named`: values beside a name that marks them as secrets; `words`: the words in such names; `pattern`: patterns that are
//! compiled when a text may match them.

mod forms;
mod named;
mod numbers;
pub(super) mod pattern;
mod providers;
pub(super) mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use forms::{Detector, LIKELY, SURE};
pub use named::named;
use pattern::SearchedText;

/// Name of the least certain finding.
pub const RANDOM: &str = "random-looking text";
/// Name of a finding that is recognised only by the name beside it.
pub const NAMED: &str = "secret by its name";
/// Name of a password in an address.
pub(super) const IN_URL: &str = "password in a URL";

/// Something detected in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is, in a word or two: `email`, `JWT`.
    pub what: &'static str,
    /// Byte range in the text.
    pub range: Range<usize>,
}

/// Findings that are almost certainly right, in order. Of two that overlap, only the first is reported.
#[must_use]
pub fn sure(text: &str) -> Vec<Finding> {
    found(text, SURE.iter(), false)
}

/// Like [`sure`], for text embedded in binary data: the characters before and after a match may belong to the encoding,
/// such as a length byte.
#[must_use]
pub fn in_binary(text: &str) -> Vec<Finding> {
    found(text, SURE.iter(), true)
}

/// Everything that [`sure`] finds, and likely findings: phone numbers, random-looking texts.
#[must_use]
pub fn likely(text: &str) -> Vec<Finding> {
    found(text, SURE.iter().chain(LIKELY.iter()), false)
}

/// Ranges that do not overlap, as a map from start to end.
#[derive(Default)]
struct Apart(BTreeMap<usize, usize>);

impl Apart {
    /// Adds a range, unless it overlaps an existing one.
    fn add(&mut self, range: &Range<usize>) -> bool {
        // Since the ranges do not overlap, the last one to start is also the last one to end.
        let before = self.0.range(..range.end).next_back();
        let is_free = before.is_none_or(|(_, end)| *end <= range.start);
        if is_free {
            self.0.insert(range.start, range.end);
        }
        is_free
    }
}

fn found<'a>(
    text: &str,
    forms: impl Iterator<Item = &'a Detector>,
    is_in_binary: bool,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut apart = Apart::default();
    let mut add = |what, range: Range<usize>| {
        if apart.add(&range) {
            findings.push(Finding { what, range });
        }
    };
    let searched = SearchedText::new(text);
    for form in forms {
        form.find(text, &searched, is_in_binary, &mut add);
    }
    findings.sort_by_key(|finding| finding.range.start);
    findings
}

#[cfg(test)]
mod tests {
    use super::{in_binary, likely, named, sure};

    fn whats(text: &str) -> Vec<&'static str> {
        likely(text).iter().map(|finding| finding.what).collect()
    }

    /// Assembled at run time, so that secret scanners do not flag this file.
    fn joined(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn each_form_is_found_and_named() {
        for (text, what) in [
            ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
            (
                &joined(&["x eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTYifQ.abc"]),
                "JWT",
            ),
            // The base64 header begins with a line break.
            (
                &joined(&[
                    "ewogICJhbGciOiAiSFMyNTYiCn0",
                    ".ewogICJzdWIiOiAxCn0",
                    ".abcdefgh",
                ]),
                "JWT",
            ),
            ("Authorization: Bearer abcdefghijklmnop1234", "bearer token"),
            (
                &joined(&["Authorization: Basic ", "YWxpY2U6UzNjcmV0UHc5OQ=="]),
                "basic credentials",
            ),
            (
                "Authorization: token 0123456789abcdef0123456789abcdef01234567",
                "authorization header",
            ),
            ("x-api-key: 0123456789abcdef0123456789abcdef", "API key"),
            ("api-key=0123456789abcdef0123456789abcdef", "API key"),
            (&joined(&["AKIA", "IOSFODNN7EXAMPLE"]), "AWS Access Key ID"),
            (
                &joined(&["AIza", "SyA-0123456789abcdefghijklmnopqrstu"]),
                "Google Cloud API Key",
            ),
            (
                &joined(&["ghp_", "0123456789abcdefghijABCDEFGHIJ012345"]),
                "GitHub token",
            ),
            ("postgres://app:hunter2@db/x", "password in a URL"),
            ("redis://:S3cretPw99@redis:6379/0", "password in a URL"),
            ("postgres://app:pa:ss9@db:5432/x", "password in a URL"),
            ("amqp://app:p/a@ss@mq.acme.io", "password in a URL"),
            ("mail alice@acme.io now", "email"),
            ("mail jörg@acme.io now", "email"),
            ("in bob@acme.io.png", "email"),
            ("почта иван@пример.рф", "email"),
            ("mail jo\u{308}rg.o'neil+x@bücher.example.io", "email"),
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
    fn ibans_of_every_length_and_spelling_are_found_whole() {
        for (text, iban) in [
            ("NO93 8601 1117 947", "NO93 8601 1117 947"),
            ("to BE71 0961 2345 6769 was refused", "BE71 0961 2345 6769"),
            ("BE71 0961 2345 6769 REFUSED", "BE71 0961 2345 6769"),
            ("BE71096123456769 100 EUR", "BE71096123456769"),
            (
                "DE89 3704 0044 0532 0130 00 REFUSED",
                "DE89 3704 0044 0532 0130 00",
            ),
            (
                "ES91 2100 0418 4502 0005 1332 EUR 100",
                "ES91 2100 0418 4502 0005 1332",
            ),
            ("AT611904300234573201 OK", "AT611904300234573201"),
            (
                "PL61109010140000071219812874 2026",
                "PL61109010140000071219812874",
            ),
            (
                "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
                "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
            ),
            ("BE71-0961-2345-6769", "BE71-0961-2345-6769"),
            ("BE71,0961,2345,6769", "BE71,0961,2345,6769"),
            ("to BE71:0961:2345:6769, now", "BE71:0961:2345:6769"),
            ("BE71.0961.2345.6769, and more", "BE71.0961.2345.6769"),
            (
                "BE71\u{a0}0961\u{a0}2345\u{a0}6769",
                "BE71\u{a0}0961\u{a0}2345\u{a0}6769",
            ),
            ("iban=be71096123456769", "be71096123456769"),
            ("iban=be71 0961 2345 6769;", "be71 0961 2345 6769"),
        ] {
            let found = sure(text);
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert_eq!(
                (found[0].what, &text[found[0].range.clone()]),
                ("IBAN", iban)
            );
        }
    }

    #[test]
    fn card_numbers_of_every_length_and_spelling_are_found_whole() {
        for (text, card) in [
            ("card 4111 1111 1111 1111", "4111 1111 1111 1111"),
            ("4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
            ("4222222222222", "4222222222222"),
            ("378282246310005", "378282246310005"),
            ("3782-822463-10005", "3782-822463-10005"),
            ("30569309025904", "30569309025904"),
            ("3852 000002 3237", "3852 000002 3237"),
            ("4111.1111.1111.1111", "4111.1111.1111.1111"),
            ("4111_1111_1111_1111", "4111_1111_1111_1111"),
            ("4111/1111/1111/1111", "4111/1111/1111/1111"),
            (
                "4111\u{a0}1111\u{a0}1111\u{a0}1111",
                "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            ),
            ("4111 - 1111 - 1111 - 1111", "4111 - 1111 - 1111 - 1111"),
            ("4111,1111,1111,1111", "4111,1111,1111,1111"),
            ("4111, 1111, 1111, 1111, new", "4111, 1111, 1111, 1111"),
            ("card:4111:1111:1111:1111", "4111:1111:1111:1111"),
            ("4111|1111|1111|1111|12|27", "4111|1111|1111|1111"),
            ("7,4111,1111,1111,1111,12,27", "4111,1111,1111,1111"),
            ("4111;1111;1111;1111;027", "4111;1111;1111;1111"),
            (
                r#"["4111","1111","1111","1111"]"#,
                r#"4111","1111","1111","1111"#,
            ),
            ("3782,822463,10005", "3782,822463,10005"),
            ("3056;930902;5904", "3056;930902;5904"),
            ("6304000000000000000", "6304000000000000000"),
            ("2223003122003222.", "2223003122003222"),
            ("card_4111111111111111", "4111111111111111"),
        ] {
            let found = sure(text);
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert_eq!(
                (found[0].what, &text[found[0].range.clone()]),
                ("card number", card)
            );
        }
    }

    #[test]
    fn lookalikes_are_not_reported() {
        for text in [
            "alice@example.com, bob@mail.example.org, c@x.test",
            "cannot load Shape@3x.png, logo@dark.SVG",
            "6513270e-269e-4d37-b2a7-4de452e6b438",
            "DE89 3704 0044 0532 0130 01",
            "BE71    0961 2345 6769",
            "4111 1111 1111 1112",
            "4111,1111,1111,1112",
            // Lists and amounts.
            "4111,1111,1111,1111,1111",
            "1111,4111,1111,1111,1111",
            "4111,1111;1111,1111",
            "411,111,111,111,111",
            "0000 0000 0000 0000",
            "1764374400000000000 4.111111111111111 a4111111111111111",
            "2026-11-23T00:01:30+01:00",
            "64e95f4ed9fae85d64e95f4ed9fae85d",
            "type.googleapis.com/examples.PlayerRegistered",
            "a_rather_long_name_of_a_field_that_is_nothing_but_a_name",
            "http://host:8080/people/@home",
            "https://host/path?at=10:30 then mail@example.com",
            "redis://:***@redis:6379/0 redis://app:${PASSWORD}@redis",
            "Basic understanding of authorization: insufficient_permissions",
        ] {
            assert_eq!(whats(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn of_two_overlapping_findings_one_is_reported() {
        let text = "https://alice:pw@acme.io/ and alice@acme.io";
        let found = sure(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(&text[found[1].range.clone()], "alice@acme.io");
    }

    #[test]
    fn in_binary_data_word_boundaries_do_not_matter() {
        let key = joined(&["k", "AKIA", "IOSFODNN7EXAMPLE", "B"]);
        assert_eq!(sure(&key), []);
        assert_eq!(in_binary(&key).len(), 1);
    }

    #[test]
    fn a_value_is_recognised_as_a_secret_by_its_name() {
        for (text, value) in [
            ("password: hunter22", "hunter22"),
            ("pwd=hunter22", "hunter22"),
            ("db-password = hunter22 # old", "hunter22"),
            ("\"client-secret\": \"a, b} c\"", "a, b} c"),
            ("secret_key: 'it is long'", "it is long"),
            ("SECRET_KEY_BASE=abcdef", "abcdef"),
            ("access-key => \"abcdef\"", "abcdef"),
            ("token: 8f14e45fceea", "8f14e45fceea"),
            ("authToken:abcdef", "abcdef"),
            ("?user=a&password=hunter22&x=1", "hunter22"),
            ("run --db-password hunter22 now", "hunter22"),
            ("<password>hunter22</password>", "hunter22"),
            ("password: |\n  hunter22\nnext: 1", "hunter22"),
            ("a:\n  - pwd: >-\n\n      hunter22\n", "hunter22"),
            ("password: !!str |2-\n    hunter22", "hunter22"),
            ("password:\n  hunter22\n", "hunter22"),
            ("\"password\" :\r\n    \"hunter22\"", "hunter22"),
            ("- name: DB_PASSWORD\n  value: hunter22", "hunter22"),
            ("{\"name\":\"token\",\"value\":\"hunter22\"}", "hunter22"),
            ("password: correct horse battery", "correct"),
            ("mot de passe, Passwort: geheim12", "geheim12"),
        ] {
            let found = named(text);
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert_eq!(&text[found[0].range.clone()], value);
        }
        for text in [
            "the password: must not be empty",
            "token: expired",
            "max_tokens: 40960, token: 1234",
            "password: '***'",
            "password: ${PASSWORD}",
            "secret: \"{{ .Values.secret }}\"",
            "secret: p-0123456789abcdef",
            "api_token: 0123456789abcdef@example.com",
            "PWD=/home/alice",
            "password:\n  type: string\n",
            "passwords:\nother: 12345678\n",
            "tokenizer: something",
        ] {
            assert_eq!(named(text), [], "{text}");
        }
    }
}
