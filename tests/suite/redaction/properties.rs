//! Pseudonyms are the same each time, of their value's kind, and nothing of the value is left.

use angzarr_replay::internal::model::{Payload, Root};
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use proptest::prelude::*;
use serde_yaml::{Mapping, Value};

use super::{PERSON, policy, redactor, registry, rule, view};

fn everything() -> Redactor {
    redactor(vec![rule("people.*", "*", Action::Pseudonym)])
}

fn person_of(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Payload {
    let fields: Mapping = fields
        .into_iter()
        .map(|(key, value)| (Value::from(key), value))
        .collect();
    let bytes = registry().encode(PERSON, &Value::Mapping(fields)).unwrap();
    Payload::new(PERSON, bytes)
}

fn after(redactor: &Redactor, payload: &Payload) -> Value {
    view(&redactor.redact_payload(payload).unwrap().payload)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equal_values_are_equal_everywhere_and_different_keys_differ(name in "[A-Za-z][ -~]{4,30}") {
        let alone = after(&everything(), &person_of([("name", Value::from(name.as_str()))]));
        let inside = serde_yaml::from_str::<Value>("{type: t/people.Person, value: {}}").unwrap();
        let mut inside = inside;
        inside["value"]["aliases"] = Value::Sequence(vec![Value::from(name.as_str())]);
        let nested = after(&everything(), &person_of([("details", inside)]));
        prop_assert_eq!(&alone["name"], &nested["details"]["value"]["aliases"][0]);
        let other = Policy {
            key: Some(Key::new("another key than the others have").unwrap()),
            ..policy(vec![rule("people.*", "*", Action::Pseudonym)])
        };
        let other = Redactor::new(registry().clone(), other).unwrap();
        let other = after(&other, &person_of([("name", Value::from(name.as_str()))]));
        if name.bytes().filter(u8::is_ascii_digit).count() != name.trim().len() {
            prop_assert_ne!(&alone["name"], &other["name"]);
        }
        prop_assert_ne!(alone["name"].as_str().unwrap(), name.as_str());
    }

    #[test]
    fn uuids_stay_uuids_in_text_and_in_bytes(bytes in any::<[u8; 16]>()) {
        prop_assume!(bytes != [0; 16]);
        let root = Root::new(bytes);
        let now = after(&everything(), &person_of([
            ("id", Value::from(format!("uuid:{root}"))),
            ("id_text", Value::from(root.to_string())),
        ]));
        let text = now["id_text"].as_str().unwrap();
        let new: Root = text.parse().unwrap();
        prop_assert_eq!(now["id"].as_str().unwrap(), format!("uuid:{new}"));
        prop_assert_ne!(new, root);
        prop_assert_eq!(new.as_bytes()[6] >> 4, bytes[6] >> 4);
        prop_assert_eq!(new.as_bytes()[8] >> 6, bytes[8] >> 6);
    }

    #[test]
    fn emails_stay_emails(local in "[a-z.]{1,12}", domain in "[a-z]{1,10}\\.(com|de|io)") {
        let email = format!("{local}@{domain}");
        let now = after(&everything(), &person_of([("email", Value::from(email.as_str()))]));
        let new = now["email"].as_str().unwrap();
        prop_assert!(new.ends_with("@example.com") && new.len() > 16);
        prop_assert_ne!(new, email.as_str());
    }

    #[test]
    fn numbers_keep_sign_and_digits_or_stay_in_range(
        balance in any::<i64>(), score in any::<i32>(), fixed in any::<u64>(), small in any::<u32>(),
    ) {
        let payload = person_of([
            ("balance", balance.into()), ("signed", balance.into()), ("score", score.into()), ("fixed", fixed.into()),
            ("small", small.into()),
        ]);
        let now = after(&everything(), &payload);
        let number = |key: &str| now.get(key).map_or(0, |value| {
            value.as_i64().map_or_else(|| i128::from(value.as_u64().unwrap()), i128::from)
        });
        let (score, balance) = (i128::from(score), i128::from(balance));
        for (old, new) in [
            (balance, number("balance")), (score, number("score")), (fixed.into(), number("fixed")),
            (small.into(), number("small")),
        ] {
            prop_assert_eq!(old.signum(), new.signum());
            prop_assert_eq!(old.abs().to_string().len(), new.abs().to_string().len());
        }
        prop_assert_eq!(number("balance"), number("signed"));
        let within = RedactionRule::new(PERSON, "*", Action::Pseudonym).unwrap().with_range(18, 99).unwrap();
        let now = after(&redactor(vec![within]), &payload);
        for key in ["balance", "score", "fixed", "small"] {
            if let Some(value) = now.get(key) {
                prop_assert!((18..=99).contains(&value.as_i64().unwrap()), "{:?}", value);
            }
        }
    }

    #[test]
    fn any_bytes_are_redacted_or_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let payload = Payload::new(PERSON, bytes);
        let redactor = everything();
        if let Ok(done) = redactor.redact_payload(&payload) {
            let again = redactor.redact_payload(&payload).unwrap();
            prop_assert_eq!(done.payload, again.payload);
        }
    }

    #[test]
    fn a_rule_that_keeps_changes_no_bit(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let keep = redactor(vec![rule("*", "*", Action::Keep)]);
        let payload = Payload::new(PERSON, bytes);
        if let Ok(done) = keep.redact_payload(&payload) {
            prop_assert_eq!(done.payload, payload);
        }
    }

    /// Letters that change their length with their case, escapes, and words that begin within others.
    #[test]
    fn texts_lose_whole_words_whatever_letters_they_have(
        words in prop::collection::vec("[İßẞſςΣσıIié王🙂ŉǰﬁȺ\u{301}\u{307}ghk .'\"\\\\%&]{1,9}", 1..5),
        parts in prop::collection::vec((0..8_usize, any::<bool>()), 0..12),
    ) {
        let aliases = words.iter().map(|word| Value::from(word.as_str())).collect();
        let redactor = everything();
        let mut session = redactor.session();
        session.payload(&person_of([("aliases", Value::Sequence(aliases))]), "it").unwrap();
        let fillers = ["%20", "\\n", " ", "g", "王", "İ", "1"];
        let text: String = parts
            .iter()
            .map(|(at, is_upper)| {
                let part = words.get(*at).map_or(fillers[at % 7], String::as_str);
                if *is_upper { part.to_uppercase() } else { part.to_owned() }
            })
            .collect();
        let written = session.text(&text);
        for word in words.iter().filter(|word| word.chars().filter(|it| it.is_alphabetic()).count() >= 6) {
            prop_assert!(!written.contains(word.as_str()), "{word:?} of {words:?} is in {written:?}, of {text:?}");
        }
    }
}
