//! Values beside a name that marks them as secrets.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::pattern::{Pattern, SearchedText};
use super::words::{KEYS, KEYS_IN_FILES, PASSWORDS, is_placeholder};
use super::{Apart, Finding, NAMED};

/// Names of secrets, as configurations, logs and headers write them.
static NAME: LazyLock<String> = LazyLock::new(|| {
    format!(
        r"(?:[\w.-]*[_.-])?\w*?(?:{PASSWORDS}|passwort|pwd|[_-]pass|credentials?|token|(?:{KEYS}|{KEYS_IN_FILES})[_-]?key)(?:[_-]?(?:key|value|text|plain|base|hash|b64|base64|[0-9]+))*"
    )
});
/// The value, quoted or not.
const VALUE: &str = r#"(?:"(?<double>(?:[^"\\\n]|\\.){4,})"|'(?<single>[^'\n]{4,})'|(?<plain>[^\s"'`,;&}\])<]{4,}))"#;

/// Every name contains one of these.
const WORDS: [&str; 6] = ["pass", "secret", "pwd", "credential", "token", "key"];

struct Patterns {
    /// `name: value`, `"name" = "value"`, `name=value&`.
    assigned: Pattern,
    /// `--name value`.
    option: Pattern,
    /// `<name>value</name>`.
    element: Pattern,
    /// A name whose value is on the lines below it.
    block: Pattern,
    /// `name: …, value: …`, an object that holds one name and one value.
    pair: Pattern,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let named = |pattern: String| Pattern::new(pattern, &WORDS);
    let name = &*NAME;
    Patterns {
        assigned: named(format!(
            r#"(?i)\b(?<name>{name})["'`]?[ \t]*(?::=|=>|[:=])[ \t]*(?:![^\s]*[ \t]+)?{VALUE}"#
        )),
        option: Pattern::new(format!(r"(?i)--(?<name>{name})[ \t]+{VALUE}"), &["--"]),
        element: Pattern::new(
            format!(r"(?i)<(?<name>{name})(?:\s[^<>]*)?>\s*(?<plain>[^\s<>][^<>]{{3,}})</"),
            &["</"],
        ),
        block: named(format!(
            r#"(?im)^(?<before>[ \t]*(?:-[ \t]+)*)["']?(?<name>{name})["']?[ \t]*:[ \t]*(?:[!&][^\s]*[ \t]+)*(?:[|>][0-9+-]*)?[ \t]*(?:#.*)?\r?\n(?:[ \t]*\r?\n)*(?<indent>[ \t]+)(?<line>[^\s].*)$"#
        )),
        pair: named(format!(
            r#"(?i)\b(?:name|key)["']?[ \t]*[:=][ \t]*["']?(?<name>{name})["']?\s*,?\s*["']?value["']?[ \t]*[:=][ \t]*{VALUE}"#
        )),
    }
});

/// Values beside names of secrets. The names are not part of the findings.
#[must_use]
pub fn named(text: &str) -> Vec<Finding> {
    let patterns = &*PATTERNS;
    let searched = SearchedText::new(text);
    let mut found: Vec<Finding> = Vec::new();
    let mut apart = Apart::default();
    let mut add = |range: std::ops::Range<usize>| {
        if apart.add(&range) {
            found.push(Finding { what: NAMED, range });
        }
    };
    for pattern in [
        &patterns.assigned,
        &patterns.option,
        &patterns.element,
        &patterns.pair,
    ] {
        let Some(pattern) = pattern.for_text(&searched) else {
            continue;
        };
        for captures in pattern.captures_iter(text) {
            if let Some(range) = value_of(text, &captures) {
                add(range);
            }
        }
    }
    if let Some(block) = patterns.block.for_text(&searched) {
        for range in block.captures_iter(text).filter_map(|it| below(&it)) {
            add(range);
        }
    }
    found.sort_by_key(|finding| finding.range.start);
    found
}

fn value_of(text: &str, captures: &Captures<'_>) -> Option<std::ops::Range<usize>> {
    let name = captures.name("name")?;
    let plain = captures.name("plain");
    let value = ["double", "single", "plain"]
        .into_iter()
        .find_map(|group| captures.name(group))?;
    let is_prose = plain.is_some() && is_prose(text, name.start(), value.range());
    let is_one =
        !is_prose && !is_placeholder(value.as_str()) && fits(name.as_str(), value.as_str());
    is_one.then(|| value.range())
}

/// The value on the first line below a name, if it is indented more than the name.
fn below(captures: &Captures<'_>) -> Option<std::ops::Range<usize>> {
    static MAPPING: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r#"^(?:-[ \t]+)?["']?[\w.$ -]+["']?[ \t]*:(?:\s|$)"#;
        Regex::new(pattern).expect("the pattern is a constant")
    });
    let before = captures.name("before")?.as_str();
    let is_deeper = captures.name("indent")?.len() > before.len();
    let line = captures.name("line")?;
    let text = line.as_str().trim_end();
    let begin = text.len() - text.trim_start_matches(['-', ' ', '"', '\'']).len();
    let value = text[begin..].trim_end_matches(['"', '\'', ',']);
    let name = captures.name("name")?.as_str();
    let is_one = is_deeper
        && value.len() >= 4
        && !MAPPING.is_match(text)
        && !is_placeholder(value)
        && fits(name, value);
    is_one.then(|| line.start() + begin..line.start() + begin + value.len())
}

/// Whether the name and value are part of a sentence: the line does not begin with the name, and more words follow, as
/// in `the password: must be longer`.
fn is_prose(text: &str, name: usize, value: std::ops::Range<usize>) -> bool {
    let line = text[..name].rfind('\n').map_or(0, |at| at + 1);
    let is_key = text[line..name]
        .chars()
        .all(|letter| letter.is_whitespace() || matches!(letter, '-' | '"' | '\''));
    let word = &text[value.clone()];
    let after = text[value.end..].trim_start_matches([' ', '\t']);
    let goes_on = after.len() < text.len() - value.end && after.starts_with(char::is_alphabetic);
    !is_key && goes_on && word.chars().all(|it| it.is_lowercase() || it == '-')
}

/// Whether the value can be what the name says.
fn fits(name: &str, value: &str) -> bool {
    let name = name.to_lowercase();
    let is_folder = name.ends_with("pwd") && value.starts_with('/');
    // Token counts.
    let is_count = name.ends_with("token") && value.len() < 6 && value.parse::<u64>().is_ok();
    !is_folder && !is_count
}

#[cfg(test)]
mod tests {
    use super::super::pattern::check_words;
    use super::PATTERNS;

    #[test]
    fn every_match_contains_one_of_its_words() {
        let patterns = &*PATTERNS;
        for pattern in [
            &patterns.assigned,
            &patterns.option,
            &patterns.element,
            &patterns.block,
            &patterns.pair,
        ] {
            check_words(pattern);
        }
    }
}
