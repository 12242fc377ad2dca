//! The table of detectors. A provider's token is listed here only if `providers` does not cover it, or not all its
//! kinds.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::pattern::{Pattern, SearchedText};
use super::words::is_placeholder;
use super::{IN_URL, RANDOM, numbers, providers};

/// One detector.
pub(super) enum Detector {
    /// A regular expression, and a check for what the expression cannot express.
    Pattern {
        what: &'static str,
        pattern: Pattern,
        is_one: fn(&str) -> bool,
    },
    /// A hand-written search.
    Scan {
        what: &'static str,
        scan: fn(&str) -> Vec<Range<usize>>,
    },
    /// The provider tokens known to the `nosecrets-rules` library.
    Providers,
}

impl Detector {
    pub(super) fn find(
        &self,
        text: &str,
        searched: &SearchedText,
        is_in_binary: bool,
        add: &mut impl FnMut(&'static str, Range<usize>),
    ) {
        match self {
            Self::Pattern {
                what,
                pattern,
                is_one,
            } => {
                let Some(pattern) = pattern.for_text(searched) else {
                    return;
                };
                for captures in pattern.captures_iter(text) {
                    // The first capture group if the pattern has one, otherwise the whole match.
                    let found = captures.get(1).or_else(|| captures.get(0));
                    if let Some(found) = found.filter(|found| is_one(found.as_str())) {
                        add(what, found.range());
                    }
                }
            }
            Self::Scan { what, scan } => {
                for range in scan(text) {
                    add(what, range);
                }
            }
            Self::Providers => providers::find(text, is_in_binary, add),
        }
    }
}

const ANY: fn(&str) -> bool = |_| true;

/// Forms that are almost certainly secrets or personal data. Tokens need not start at a word boundary: they have
/// distinctive prefixes, and in binary data the letter before one may be a length byte.
pub(super) static SURE: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let tokens: [Form; 14] = [
        (
            "private key",
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*-----|\z)|PuTTY-User-Key-File-[0-9]",
            &["private key", "putty-user-key"],
            ANY,
        ),
        (
            "JWT",
            r"(?:ey[AJ]|ew[0o])[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}",
            &["eya", "eyj", "ew0", "ewo"],
            is_jwt,
        ),
        (
            "bearer token",
            r#"(?i:\bbearer)["']?[ =:\t]+["']?[A-Za-z0-9._~+/-]{16,}=*"#,
            &["bearer"],
            ANY,
        ),
        (
            "basic credentials",
            r"(?i:\bbasic[ =:\t]+)[A-Za-z0-9+/_-]{6,}={0,2}",
            &["basic"],
            is_basic,
        ),
        (
            "Google OAuth token",
            r"ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}",
            &["ya29.", "gocspx-"],
            ANY,
        ),
        (
            "Google service account",
            r#"\bprivate_key_id["']?\s*:"#,
            &["private_key_id"],
            ANY,
        ),
        (
            "GitHub token",
            r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}",
            &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
            ANY,
        ),
        (
            "GitLab token",
            r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct|oas)-[A-Za-z0-9_.-]{20,}",
            &["gl"],
            ANY,
        ),
        (
            "Slack token",
            r"xox[abceoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}",
            &["xox", "xapp-"],
            ANY,
        ),
        (
            "Slack webhook",
            r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,}",
            &["hooks.slack"],
            ANY,
        ),
        (
            "Stripe key",
            r"[srp]k_(?:live|test|prod)_[0-9A-Za-z]{16,}|whsec_[A-Za-z0-9+/]{24,}",
            &["_live_", "_test_", "_prod_", "whsec_"],
            ANY,
        ),
        (
            "Shopify token",
            r"shp[a-z]{2,3}_[A-Za-z0-9]{32,}",
            &["shp"],
            ANY,
        ),
        (
            "DigitalOcean token",
            r"do[opr]_v1_[a-f0-9]{64}",
            &["_v1_"],
            ANY,
        ),
        (
            "Azure key",
            r"(?i:(?:account|sharedaccess)key)=[A-Za-z0-9+/]{40,}={0,2}|[?&]sig=[A-Za-z0-9%+/]{40,}|[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}",
            &["key=", "sig=", "7q~", "8q~"],
            ANY,
        ),
    ];
    let others: [Form; 4] = [
        (
            "authorization header",
            r#"(?i:\bauthorization)["']?\s*[:=]\s*["']?(?:[A-Za-z-]+[ \t]+)?([A-Za-z0-9._~+/=-]{16,})"#,
            &["authorization"],
            has_digit,
        ),
        (
            "API key",
            r#"(?i:\b(?:x-)?(?:api|auth|access)[-_ ]?(?:key|token))["']?\s*[:=]\s*["']?([A-Za-z0-9._~+/=-]{16,})"#,
            &["key", "token"],
            has_digit,
        ),
        (
            IN_URL,
            r#"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@"'<>]*:[^\s"'<>]+@[^\s/@]"#,
            &["://"],
            has_password,
        ),
        (
            "email",
            r"[\p{L}\p{M}\p{N}._%+'-]*[\p{L}\p{M}\p{N}_%+-]@[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)*\.(?:\p{L}[\p{L}\p{M}]+|xn--[A-Za-z0-9-]+)",
            &["@"],
            is_real_email,
        ),
    ];
    let mut forms: Vec<Detector> = tokens.map(pattern).into();
    forms.push(Detector::Providers);
    forms.extend(others.map(pattern));
    forms.push(Detector::Scan {
        what: "IBAN",
        scan: numbers::ibans,
    });
    forms.push(Detector::Scan {
        what: "card number",
        scan: numbers::cards,
    });
    forms
});

/// Forms that harmless text can have too.
pub(super) static LIKELY: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let forms: [Form; 2] = [
        (
            "phone number",
            r"\+[1-9][0-9 ()./-]{7,18}[0-9]\b",
            &["+"],
            is_phone,
        ),
        (RANDOM, r"\b[A-Za-z0-9+/_-]{32,}\b", &[], is_random),
    ];
    forms.map(pattern).into()
});

/// What is found, its pattern, the words of the pattern, and the check.
type Form = (
    &'static str,
    &'static str,
    &'static [&'static str],
    fn(&str) -> bool,
);

fn pattern((what, pattern, words, is_one): Form) -> Detector {
    Detector::Pattern {
        what,
        pattern: Pattern::new(pattern, words),
        is_one,
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let text = text.replace('+', "-").replace('/', "_");
    LENIENT.decode(text).ok()
}

/// Whether the header is JSON and names its signing algorithm.
fn is_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (header, body) = (parts.next(), parts.next());
    let begins = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ"));
    if begins(header) && begins(body) {
        return true;
    }
    let header = header.and_then(decoded).unwrap_or_default();
    String::from_utf8_lossy(&header).contains("\"alg\"")
}

/// Whether the token decodes to `name:password`.
fn is_basic(text: &str) -> bool {
    let token = text.rsplit([' ', ':', '\t']).next().unwrap_or_default();
    // The match may begin with the equals sign that precedes the token.
    let token = token.trim_start_matches('=');
    let token = if text.contains([' ', ':', '\t']) {
        token
    } else {
        token.split_once('=').map_or(token, |(_, token)| token)
    };
    let plain = decoded(token).and_then(|bytes| String::from_utf8(bytes).ok());
    plain.is_some_and(|plain| plain.contains(':') && !plain.contains(char::is_control))
}

/// File extensions that are not top-level domains.
const ENDINGS_OF_FILES: [&str; 22] = [
    "avif", "bmp", "css", "csv", "gif", "gz", "heic", "html", "ico", "jpeg", "jpg", "js", "json",
    "pdf", "png", "svg", "tgz", "tif", "tiff", "ttf", "webp", "woff",
];

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether the URL contains a password, and not just a port, a path or a placeholder.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let password = rest
        .split_once(':')
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .map_or("", |(password, _)| password);
    let digits = password.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = digits > 0 && password[digits..].starts_with(['/', '?', '#']);
    !is_port && !is_placeholder(password)
}

/// Reserved domains (RFC 2606, RFC 6761) contain no real addresses. A file name such as `Shape@3x.png` is not an
/// address either; `bob@acme.io.txt` is a file name that contains one.
fn is_real_email(text: &str) -> bool {
    let domain = text.rsplit('@').next().unwrap_or_default().to_lowercase();
    let mut labels = domain.split('.');
    if let (Some(_), Some(ending), None) = (labels.next(), labels.next(), labels.next())
        && ENDINGS_OF_FILES.contains(&ending)
    {
        return false;
    }
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

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits)
}

/// Whether the text mixes upper case, lower case and digits about as evenly as random data does.
fn is_random(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && entropy(text) > 4.5
}

/// Entropy in bits per letter.
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
    use super::super::pattern::check_words;
    use super::{Detector, LIKELY, SURE};

    #[test]
    fn every_match_contains_one_of_its_words() {
        for form in SURE.iter().chain(&*LIKELY) {
            if let Detector::Pattern { pattern, .. } = form {
                check_words(pattern);
            }
        }
    }
}
