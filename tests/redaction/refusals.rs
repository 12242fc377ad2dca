//! What cannot be read is refused, with what to do; rules that make no sense are too.

use angzarr_replay::model::Payload;
use angzarr_replay::redact::{Action, Form, Key, Policy, RedactionRule, Redactor};

use super::{PERSON, person, policy, redactor, registry, rule, view, yaml};

fn refusal(rules: Vec<RedactionRule>, payload: &Payload) -> String {
    redactor(rules)
        .redact_payload(payload)
        .unwrap_err()
        .to_string()
}

const ADVICE: &str = "; what cannot be read cannot be redacted, so nothing is written: name its descriptors in \
                      replay.toml (`descriptors`), let a redaction rule drop the field that it is in, or say \
                      --unredacted";

#[test]
fn what_cannot_be_read_is_refused() {
    let unknown_type = Payload::new("people.Alien", Vec::new());
    assert_eq!(
        refusal(Vec::new(), &unknown_type),
        format!("the payload (`people.Alien`): there is no descriptor of `people.Alien`{ADVICE}")
    );
    let unknown_field = Payload::new(PERSON, b"\xaa\x06\x01x".to_vec());
    assert_eq!(
        refusal(Vec::new(), &unknown_field),
        format!(
            "the payload (`people.Person`): the descriptor of `people.Person` has no field 101 of that type{ADVICE}"
        )
    );
    let other_type = Payload::new(PERSON, b"\x2a\x02\x08\x01".to_vec());
    assert_eq!(
        refusal(Vec::new(), &other_type),
        format!(
            "the payload (`people.Person`): the descriptor of `people.Address` has no field 1 of that type, in \
             `address`{ADVICE}"
        )
    );
    let cut = Payload::new(PERSON, b"\x0a\x09cut".to_vec());
    assert_eq!(
        refusal(Vec::new(), &cut),
        format!(
            "the payload (`people.Person`): the bytes are no `people.Person` (a field ends early){ADVICE}"
        )
    );
}

#[test]
fn a_message_packed_into_another_is_refused_unless_a_rule_drops_it() {
    let payload = person(
        "{name: Alice, more: [{type: t/people.Address, value: {}}, {type: t/people.Alien, bytes: c2VjcmV0}]}",
    );
    assert_eq!(
        refusal(Vec::new(), &payload),
        format!(
            "the payload (`people.Person`): there is no descriptor of `people.Alien`, in `more`{ADVICE}"
        )
    );
    let without = redactor(vec![rule(PERSON, "more", Action::Drop)])
        .redact_payload(&payload)
        .unwrap();
    assert_eq!(view(&without.payload), yaml("{name: Alice}"));
}

#[test]
fn a_lenient_redactor_keeps_what_it_cannot_read_and_says_so() {
    let lenient = Policy {
        is_strict: false,
        ..policy(vec![rule(PERSON, "name", Action::Mask)])
    };
    let redactor = Redactor::new(registry().clone(), lenient).unwrap();
    let done = redactor
        .redact_payload(&Payload::new(PERSON, b"\x0a\x01a\xaa\x06\x01x".to_vec()))
        .unwrap();
    assert_eq!(done.payload.value, b"\x0a\x03***\xaa\x06\x01x");
    let unread: Vec<String> = done.report.unread.into_iter().collect();
    assert_eq!(
        unread,
        ["the descriptor of `people.Person` has no field 101 of that type"]
    );
}

#[test]
fn pseudonyms_need_a_key_and_the_key_is_never_shown() {
    let without_key = |rules| Policy {
        key: None,
        ..policy(rules)
    };
    let refused = |policy| {
        Redactor::new(registry().clone(), policy)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(without_key(vec![
            rule("*", "x", Action::Drop),
            rule(PERSON, "email", Action::Pseudonym)
        ])),
        "redaction rule 2 (email of people.Person, pseudonym) asks for pseudonyms and there is no key: name its \
         variable or its file with `key_env` or `key_file` under [redaction]"
    );
    let roots = Policy {
        roots: true,
        ..without_key(Vec::new())
    };
    assert!(refused(roots).starts_with("`roots` asks for pseudonyms and there is no key"));
    assert_eq!(
        Key::new(" short \n").unwrap_err().to_string(),
        "the key has 5 bytes and needs 16 or more; `openssl rand -hex 32` makes a good one"
    );
    assert!(!format!("{:?}", policy(Vec::new())).contains("tests have"));
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let refused = |type_pattern, field, action| {
        RedactionRule::new(type_pattern, field, action)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(" ", "name", Action::Drop),
        "a redaction rule needs a `type`"
    );
    assert_eq!(
        refused("*", "a..b", Action::Drop),
        "a redaction rule needs a `field`"
    );
    assert_eq!(
        refused("*", "labels.$key", Action::Mask),
        "`$key` takes `pseudonym`, `drop` or `keep`: masked keys would all be the same"
    );
    assert_eq!(
        refused("*", "labels.$key.x", Action::Drop),
        "`$key` is the last part of a path"
    );
    let drop = || rule("*", "name", Action::Drop);
    assert_eq!(
        drop().with_form(Form::Uuid).unwrap_err().to_string(),
        "`form` goes with `action = \"pseudonym\"`"
    );
    assert_eq!(
        drop().with_range(1, 2).unwrap_err().to_string(),
        "`range` goes with `action = \"pseudonym\"`"
    );
    assert_eq!(
        rule("*", "name", Action::Pseudonym)
            .with_range(3, 2)
            .unwrap_err()
            .to_string(),
        "`range` is [3, 2]: the first number is the lower one"
    );
    assert_eq!(
        "erase".parse::<Action>().unwrap_err(),
        "`erase` is none of keep, drop, mask, pseudonym"
    );
    assert_eq!(
        "guid".parse::<Form>().unwrap_err(),
        "`guid` is none of auto, uuid, email, digits, text"
    );
}
