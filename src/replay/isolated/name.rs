//! Names of debugging editions.

use crate::model::EditionName;

/// Maximum length of a name on the wire.
const LENGTH: usize = 64;
const PREFIX: &str = "debug";
/// Maximum length of a time; an instant with nanoseconds and an offset is shorter.
const TIME: usize = 36;
/// Maximum length of a person's name.
const WHO: usize = 12;

/// The edition `debug-{what}-{who}-{time}`, in the characters that the wire allows: lower-case letters, digits and dashes,
/// at most 64. The time is kept whole; the parts before it are cut.
#[must_use]
pub fn debug_edition(what: &str, who: &str, time: &str) -> EditionName {
    let time = cut(&worded(time), TIME);
    let who = cut(&worded(who), WHO);
    let dashes = 3;
    let left = LENGTH - PREFIX.len() - dashes - who.len() - time.len();
    let what = cut(&worded(what), left);
    let parts = [PREFIX, &what, &who, &time];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    EditionName::new(parts.join("-"))
        .expect("lower-case letters, digits and dashes within the limit")
}

/// Lower-case letters, digits and single dashes, with no dash at either end.
fn worded(text: &str) -> String {
    let mut worded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            worded.push(c.to_ascii_lowercase());
        } else if !worded.is_empty() && !worded.ends_with('-') {
            worded.push('-');
        }
    }
    worded.trim_end_matches('-').to_owned()
}

fn cut(text: &str, length: usize) -> String {
    let end = text.len().min(length);
    text[..end].trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(what: &str, who: &str, time: &str) -> String {
        debug_edition(what, who, time).to_string()
    }

    #[test]
    fn an_issue_and_an_iso_time_become_valid() {
        assert_eq!(
            name("JIRA-12", "Alice", "2026-11-25T18:00:05.250Z"),
            "debug-jira-12-alice-2026-11-25t18-00-05-250z"
        );
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_its_time() {
        let time = "2026-11-25T18:00:05.123456789+01:00";
        let named = name(
            &"deposit-funds ".repeat(20),
            "somebody.with.a.long.name",
            time,
        );
        assert_eq!(named.len(), 64);
        assert!(
            named.ends_with("-somebody-wit-2026-11-25t18-00-05-123456789-01-00"),
            "{named}"
        );
        assert!(named.starts_with("debug-deposi"), "{named}");
    }

    #[test]
    fn whatever_it_is_made_of_it_is_valid() {
        let odd = [
            "",
            "-",
            "../../Ünicode?",
            "ALL CAPS",
            "12",
            "main",
            &"x".repeat(200),
        ];
        for what in odd {
            for who in odd {
                for time in odd {
                    let named = name(what, who, time);
                    assert!(named.starts_with("debug"), "{named}");
                    assert!(!named.ends_with('-'), "{named}");
                    assert!(!named.contains("--"), "{named}");
                }
            }
        }
        assert_eq!(name("", "", ""), "debug");
    }
}
