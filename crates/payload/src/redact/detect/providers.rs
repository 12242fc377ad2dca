//! Provider tokens, from the rules of the `nosecrets-rules` library.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use nosecrets_rules::{Rule, load_builtin_rules};

use super::pattern::Pattern;

/// Library rules that are replaced by our own table, which covers more kinds or adds a check.
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
    /// The pattern with word boundaries, and the pattern without.
    patterns: [Pattern; 2],
    /// Index of the capture group that holds the token.
    capture: usize,
    /// Placeholder values such as `changeme`.
    placeholders: Vec<Pattern>,
}

struct Providers {
    known: Vec<Provider>,
    /// Keywords to search first. A rule is tried only if the text contains one of its keywords.
    words: AhoCorasick,
    of_word: Vec<usize>,
}

static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| {
    let rules = load_builtin_rules().expect("the library reads its own rules");
    let rules: Vec<Rule> = rules
        .into_iter()
        .filter(|rule| !OWN.contains(&rule.id.as_str()))
        // Passwords in URLs are found by our own table, whatever the scheme.
        .filter(|rule| !rule.id.ends_with("-connection-uri"))
        .collect();
    let mut of_word = Vec::new();
    let mut words = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        // A rule without keywords is always tried: every text contains the empty string.
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
            // A DFA searches faster, but building it takes longer than a short run searches.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .expect("the words are few"),
        of_word,
    }
});

fn provider(rule: Rule) -> Provider {
    let has_prefix = rule
        .validate
        .as_ref()
        .is_some_and(|validate| !validate.prefix.is_empty());
    // A token with a distinctive prefix is never a placeholder, whatever its suffix.
    let allowed = rule.allow.filter(|_| !has_prefix).unwrap_or_default();
    Provider {
        patterns: [
            Pattern::new(rule.pattern.clone(), &[]),
            Pattern::new(rule.pattern.replace(r"\b", ""), &[]),
        ],
        capture: rule.capture,
        placeholders: allowed
            .patterns
            .iter()
            .map(|pattern| Pattern::new(format!("(?i){pattern}"), &[]))
            .collect(),
        what: rule.name,
    }
}

pub(super) fn find(
    text: &str,
    is_in_binary: bool,
    add: &mut impl FnMut(&'static str, Range<usize>),
) {
    let providers: &'static Providers = &PROVIDERS;
    let mut asked = vec![false; providers.known.len()];
    for word in providers.words.find_overlapping_iter(text) {
        asked[providers.of_word[word.pattern().as_usize()]] = true;
    }
    if !asked.contains(&true) {
        return;
    }
    // Some patterns require a character after the token.
    let ended = format!("{text}\n");
    let known = providers.known.iter().zip(asked);
    for (provider, _) in known.filter(|(_, is_asked)| *is_asked) {
        let pattern = &provider.patterns[usize::from(is_in_binary)];
        for captures in pattern.get().captures_iter(&ended) {
            let Some(found) = captures.get(provider.capture) else {
                continue;
            };
            let is_placeholder = provider
                .placeholders
                .iter()
                .any(|placeholder| placeholder.get().is_match(found.as_str()));
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
    fn every_library_rule_compiles_and_every_replaced_rule_exists() {
        assert!(PROVIDERS.known.len() > 30);
        for provider in &PROVIDERS.known {
            for pattern in provider.patterns.iter().chain(&provider.placeholders) {
                pattern.get();
            }
        }
        let all = nosecrets_rules::load_builtin_rules().unwrap();
        for id in OWN {
            assert!(all.iter().any(|rule| rule.id == id), "{id}");
        }
    }
}
