//! Tokens of providers, as the rules of `nosecrets-rules` know them.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use nosecrets_rules::{Rule, load_builtin_rules};
use regex::Regex;

/// Rules that our own table has with more kinds, or with a check: of these one is enough.
const OWN: [&str; 9] = [
    "basic-auth",
    "generic-api-key",
    "generic-secret",
    "github-fine-grained-pat",
    "password-assignment",
    "private-key",
    "slack-token",
    "slack-webhook",
    "supabase-anon-key",
];

struct Provider {
    what: String,
    /// One that begins and ends words, and one that does not.
    patterns: [Regex; 2],
    /// The group that holds the token.
    capture: usize,
    /// Values that stand for one, such as `changeme`.
    placeholders: Vec<Regex>,
}

struct Providers {
    known: Vec<Provider>,
    /// Words of which a text has one where one of the rules may fit, each with its rule.
    words: AhoCorasick,
    of_word: Vec<usize>,
}

static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| {
    let rules = load_builtin_rules().expect("the library reads its own rules");
    let rules: Vec<Rule> = rules
        .into_iter()
        .filter(|rule| !OWN.contains(&rule.id.as_str()))
        // Passwords in addresses are found whatever the scheme.
        .filter(|rule| !rule.id.ends_with("-connection-uri"))
        .collect();
    let mut of_word = Vec::new();
    let mut words = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        // A rule without words is asked of every text: the empty word is in each.
        let own = if rule.keywords.is_empty() {
            vec![String::new()]
        } else {
            rule.keywords.clone()
        };
        of_word.extend(own.iter().map(|_| at));
        words.extend(own);
    }
    Providers {
        known: rules.into_iter().map(provider).collect(),
        words: AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)
            .expect("the words are few"),
        of_word,
    }
});

fn provider(rule: Rule) -> Provider {
    let compiled = |pattern: &str| Regex::new(pattern).expect("a test reads every rule");
    let has_prefix = rule
        .validate
        .as_ref()
        .is_some_and(|validate| !validate.prefix.is_empty());
    // What has a form of its own is no placeholder, whatever it ends with.
    let allowed = rule.allow.filter(|_| !has_prefix).unwrap_or_default();
    Provider {
        patterns: [
            compiled(&rule.pattern),
            compiled(&rule.pattern.replace(r"\b", "")),
        ],
        capture: rule.capture,
        placeholders: allowed
            .patterns
            .iter()
            .map(|pattern| compiled(&format!("(?i){pattern}")))
            .collect(),
        what: rule.name,
    }
}

pub(super) fn find(text: &str, is_glued: bool, add: &mut impl FnMut(&'static str, Range<usize>)) {
    let providers: &'static Providers = &PROVIDERS;
    let mut asked = vec![false; providers.known.len()];
    for word in providers.words.find_overlapping_iter(text) {
        asked[providers.of_word[word.pattern().as_usize()]] = true;
    }
    if !asked.contains(&true) {
        return;
    }
    // Some of the patterns want something after the token.
    let ended = format!("{text}\n");
    let known = providers.known.iter().zip(asked);
    for (provider, _) in known.filter(|(_, is_asked)| *is_asked) {
        let pattern = &provider.patterns[usize::from(is_glued)];
        for captures in pattern.captures_iter(&ended) {
            let Some(found) = captures.get(provider.capture) else {
                continue;
            };
            let is_placeholder = provider
                .placeholders
                .iter()
                .any(|placeholder| placeholder.is_match(found.as_str()));
            if !is_placeholder {
                add(&provider.what, found.range());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OWN, PROVIDERS};

    #[test]
    fn every_rule_of_the_library_is_read_and_the_left_out_ones_exist() {
        assert!(PROVIDERS.known.len() > 30);
        let all = nosecrets_rules::load_builtin_rules().unwrap();
        for id in OWN {
            assert!(all.iter().any(|rule| rule.id == id), "{id}");
        }
    }
}
