//! Credentials in free text, recognised by their context: an authorization header, a URL, a telling name beside them.
//!
//! Matches the value only, so that the redacted text still shows which request it was. Findings use the audit's names.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::Captures;

use super::detect::pattern::{Pattern, SearchedText};
use super::detect::words::{KEYS, PASSWORDS, is_placeholder_in_message};
use super::detect::{Finding, IN_URL, NAMED};

const BASIC: &str = "Basic credentials";
const AUTHORIZATION: &str = "authorization";
const COOKIE: &str = "cookie";

struct CredentialForm {
    what: &'static str,
    /// The value is the last capture group that matched.
    pattern: Pattern,
    is_one: fn(&Captures<'_>, &str) -> bool,
}

/// Every name of a secret contains one of these.
const NAMES: [&str; 8] = [
    "pass",
    "secret",
    "pw",
    "key",
    "token",
    "credential",
    "sig",
    "sas",
];

static FORMS: LazyLock<Vec<CredentialForm>> = LazyLock::new(|| {
    let always: fn(&Captures<'_>, &str) -> bool = |_, _| true;
    let named = format!(
        r#"(?ix)
        \b(?: (?<password> [\w.-]*(?: {PASSWORDS}) | (?:[\w.]*[-_.])?(?: pwd | pass | pw))
            | [\w.-]*(?: (?:{KEYS})[-_]?key | secret[-_]?id | token | credentials? | signature)
            | (?:[\w.]*[-_.])?(?: sig | sas)
        )
        (?<closed>["'\]]*) (?<separator> \s*(?: => | [:=,])\s*) [\[(]*
        (?: "([^"\r\n]+)" | '([^'\r\n]+)' | ([^\s"',;&)\]}}<>]+) )"#
    );
    [
        (
            BASIC,
            Pattern::new(r"(?i:\bbasic)[ =:]+([A-Za-z0-9+/_-]{4,}={0,2})", &["basic"]),
            (|_, value| is_user_and_password(value)) as fn(&Captures<'_>, &str) -> bool,
        ),
        // For schemes with parameters, all the parameters.
        (
            AUTHORIZATION,
            Pattern::new(r#"(?i)\bauthorization["'\]]*\s*(?:=>|[:=,])\s*[\["'(]*(?:digest|oauth|hawk|signature|hmac[\w-]*|aws4-[\w-]+)\s+([\w-]+=[^\r\n]*)"#, &["authorization"]),
            always,
        ),
        (
            AUTHORIZATION,
            Pattern::new(r#"(?i)\bauthorization["'\]]*\s*(?:=>|[:=,])\s*[\["'(]*[a-z][\w-]*[ =:]+([^\s"',;)\]}<>]+)"#, &["authorization"]),
            |_, value| looks_secret(value, 6),
        ),
        (
            AUTHORIZATION,
            Pattern::new(r#"(?i)\bauthorization["'\]]*\s*(?:=>|[:=,])\s*[\["'(]*([^\s"',;)\]}<>]+)"#, &["authorization"]),
            // The name of an HMAC scheme is not a secret, whatever digits it contains.
            |_, value| looks_secret(value, 8) && !value.to_lowercase().contains("-hmac-"),
        ),
        (
            COOKIE,
            Pattern::new(r#"(?i)\b(?:set-)?cookie["'\]]*\s*(?:=>|[:=,])\s*[\["'(]*([\w.-]+=[^\s;"']+(?:;\s*[\w.-]+(?:=[^\s;"']*)?)*)"#, &["cookie"]),
            always,
        ),
        (
            IN_URL,
            Pattern::new(r#"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:"'<>]*:([^\s/?#"'<>]+)@[^\s@/]"#, &["://"]),
            always,
        ),
        // A password that was not percent-encoded. A port number is not a password.
        (
            IN_URL,
            Pattern::new(r#"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:"'<>]*:([^\s@"'<>]+)@[^\s@/]"#, &["://"]),
            |_, value| !is_port(value) && !value.contains("://"),
        ),
        (
            IN_URL,
            Pattern::new(r#"\b[A-Za-z][A-Za-z0-9+.-]*://([^\s/?#@:"'<>]+)@[^\s@/]"#, &["://"]),
            |_, value| looks_secret(value, 16),
        ),
        (
            NAMED,
            Pattern::new(r#"(?:\s-u|--user|--proxy-user)[ =]+["']?([^\s"':]+:[^\s"']+)"#, &["-u"]),
            always,
        ),
        (
            NAMED,
            Pattern::new(named, &NAMES),
            is_named_secret,
        ),
    ]
    .map(|(what, pattern, is_one)| CredentialForm {
        what,
        pattern,
        is_one,
    })
    .into()
});

/// Finds the values of credentials in a text. Ranges may overlap.
pub(super) fn found(text: &str) -> Vec<Finding> {
    // Every form except the first contains one of these characters.
    let is_worth_it =
        text.contains([':', '=', ',']) || text.contains("asic") || text.contains("ASIC");
    if !is_worth_it {
        return Vec::new();
    }
    let searched = SearchedText::new(text);
    let forms = FORMS.iter();
    let tried = forms.filter_map(|form| Some((form, form.pattern.for_text(&searched)?)));
    let findings = tried.flat_map(|(form, pattern)| {
        pattern.captures_iter(text).filter_map(|captures| {
            let value = captures.iter().flatten().last()?;
            let is_one = (form.is_one)(&captures, value.as_str());
            (is_one && !is_placeholder_in_message(value.as_str())).then(|| Finding {
                what: form.what,
                range: value.range(),
            })
        })
    });
    findings.collect()
}

/// Whether the value mixes digits and letters, or contains characters that words do not.
fn looks_secret(value: &str, shortest: usize) -> bool {
    let has = |is: fn(&char) -> bool| value.chars().any(|letter| is(&letter));
    let length = value.chars().count();
    let is_mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    let is_long = length >= 16
        && value.is_ascii()
        && (has(char::is_ascii_digit)
            || (has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)));
    (length >= shortest && is_mixed) || is_long
}

fn is_named_secret(captures: &Captures<'_>, value: &str) -> bool {
    let part = |name: &str| captures.name(name).map_or("", |part| part.as_str());
    let is_quoted = captures[0].ends_with(['"', '\'']);
    let (closed, separator) = (part("closed"), part("separator"));
    let is_list = separator.contains(',');
    if is_list && (closed.is_empty() || !is_quoted) {
        return false;
    }
    // Written by a program rather than in prose.
    let is_structured = is_quoted || separator == "=";
    let length = value.chars().count();
    match (is_structured, captures.name("password").is_some()) {
        (true, true) => length >= 4,
        (true, false) | (false, true) => looks_secret(value, 6),
        (false, false) => looks_secret(value, 8),
    }
}

fn is_port(value: &str) -> bool {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let after = value[digits..].chars().next();
    (1..=5).contains(&digits) && after.is_none_or(|it| matches!(it, '/' | '?' | '#'))
}

/// Whether the value is the base64 of `user:password`.
fn is_user_and_password(value: &str) -> bool {
    let decoded = |alphabet: &Alphabet| {
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        GeneralPurpose::new(alphabet, config).decode(value).ok()
    };
    let bytes = decoded(&STANDARD).or_else(|| decoded(&URL_SAFE));
    bytes.is_some_and(|bytes| {
        bytes.contains(&b':') && bytes.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::ops::Range;

    use super::super::detect::pattern::check_words;

    fn values(text: &str) -> Vec<&str> {
        let mut ranges: Vec<Range<usize>> =
            super::found(text).into_iter().map(|it| it.range).collect();
        ranges.sort_by_key(|range| (range.start, Reverse(range.end)));
        ranges.dedup_by(|next, before| next.start < before.end);
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn every_match_contains_one_of_its_words() {
        for form in &*super::FORMS {
            check_words(&form.pattern);
        }
    }

    #[test]
    fn credentials_are_found_by_their_context() {
        for (text, value) in [
            (
                "Authorization: Basic YWxpY2U6UzNjcmV0UHc5OQ==",
                "YWxpY2U6UzNjcmV0UHc5OQ==",
            ),
            ("sent basic YTpi to it", "YTpi"),
            (
                "Authorization: token 0123456789abcdef0123456789abcdef01234567",
                "0123456789abcdef0123456789abcdef01234567",
            ),
            ("authorization=ApiKey s3cr3t", "s3cr3t"),
            ("Proxy-Authorization: 0123abcd", "0123abcd"),
            ("('authorization', 'Bearer s3cr3t')", "s3cr3t"),
            (
                "Authorization: Digest username=\"alice\", response=\"6629\"",
                "username=\"alice\", response=\"6629\"",
            ),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AK/x, Signature=ab",
                "Credential=AK/x, Signature=ab",
            ),
            (
                "x-api-key: 0123456789abcdef0123456789abcdef",
                "0123456789abcdef0123456789abcdef",
            ),
            ("X-API-KEY: [abcdef12]", "abcdef12"),
            (
                "api-key=0123456789abcdef0123456789abcdef",
                "0123456789abcdef0123456789abcdef",
            ),
            ("{\"x-api-key\": \"k3y-of-shop\"}", "k3y-of-shop"),
            ("headers: ('x-auth-token', 'abc12345')", "abc12345"),
            ("GET /a?access_token=tok12345&x=1", "tok12345"),
            ("https://s.example/b?sv=1&sig=Ab0%2Bcd%3D", "Ab0%2Bcd%3D"),
            ("host=db user=app password=hunter dbname=x", "hunter"),
            ("Server=db;Password=hun/ter;", "hun/ter"),
            ("{\"password\":\"open sesame\"}", "open sesame"),
            ("dbPassword: hunter22", "hunter22"),
            ("clientSecret => 's3cret'", "s3cret"),
            ("AWS_SECRET_ACCESS_KEY=abcdEFGH1234", "abcdEFGH1234"),
            ("Cookie: session=abc; theme=dark", "session=abc; theme=dark"),
            ("redis://:S3cretPw99@redis:6379/0", "S3cretPw99"),
            ("redis://app:S3cretPw99@redis:6379/0", "S3cretPw99"),
            ("postgres://app:pa:ss9@db:5432/x", "pa:ss9"),
            ("postgres://app:p@ss@db:5432/x", "p@ss"),
            ("amqp://app:pa/ss@mq", "pa/ss"),
            ("jdbc:mysql://db/x?user=a&password=topsecret", "topsecret"),
            (
                "https://0123456789abcdef@sentry.acme.io/1",
                "0123456789abcdef",
            ),
            ("curl -u alice:hunter https://x", "alice:hunter"),
        ] {
            assert_eq!(values(text), [value], "{text}");
        }
    }

    #[test]
    fn words_about_credentials_are_not_credentials() {
        for text in [
            "Basic authentication required",
            // Base64 of `a:`, a control character and `b`.
            "sent basic YToBYg to it",
            "sent basic YTp/Yg to it",
            "authorization: denied",
            "Authorization: Bearer token expired",
            "password: must have 8 letters and a sign",
            "password=required",
            "invalid token: expected }",
            "unexpected token=EOF",
            "token_count=12345678",
            "compass=north2west",
            "password=p-0123456789abcdef",
            "password: ***",
            "redis://:***@redis:6379/0",
            "http://db:5432/path?mail=x@y",
            "http://db:5432",
            "ssh://git@github.com/a/b",
            "Pwd: wrong",
            "pass=${PASSWORD}",
            "the signature, which is old",
            "secret, then 'abcd1234' came",
        ] {
            assert_eq!(values(text), Vec::<&str>::new(), "{text}");
        }
    }
}
