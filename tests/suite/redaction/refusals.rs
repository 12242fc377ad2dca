//! What cannot be read is refused, with what to do; rules that make no sense are too.

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::redact::{
    Action, Form, Key, Policy, RedactionRule, Redactor, RedactorError,
};

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
            "the payload (`people.Person`): the bytes are not a valid `people.Person` (a field ends early){ADVICE}"
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

/// Why a rule is refused, after what is said of each; none where it is not.
fn misfit(type_pattern: &str, field: &str) -> Option<String> {
    let drops = policy(vec![rule(type_pattern, field, Action::Drop)]);
    let Err(RedactorError::UnmatchedRules { rules }) = Redactor::new(registry().clone(), drops)
    else {
        return None;
    };
    let said = format!(
        "redaction rule 1 ({field} of {type_pattern}, drop) matches no field, so the values it is meant for would be \
         written unredacted: "
    );
    Some(rules[0].strip_prefix(&said).unwrap().to_owned())
}

/// Type, path, and why it matches nothing.
type Unmatched = &'static [(&'static str, &'static str, &'static str)];

const NO_FIELDS: Unmatched = &[
    (
        PERSON,
        "emial",
        "`people.Person` has no field `emial`; did you mean `email`?",
    ),
    (
        PERSON,
        "idText",
        "`people.Person` has no field `idText`; did you mean `id_text`?",
    ),
    (
        PERSON,
        "emial*",
        "`people.Person` has no field `emial*`; did you mean `email`?",
    ),
    (
        PERSON,
        "contact",
        "`people.Person` has no field `contact`: that is a oneof; name one of its fields: `phone`, `pager`",
    ),
    (
        "people.Address",
        "token",
        "`people.Address` has no field `token`: it has `city`, `number`, `street`",
    ),
    (
        "people.*",
        "emial",
        "no type that fits `people.*` has a field `emial`; did you mean `email`?",
    ),
    (
        "*",
        "*_tokn_of_nobody",
        "no type that fits `*` has a field `*_tokn_of_nobody`",
    ),
    (
        PERSON,
        "[people.nick]",
        "`people.Person` has no field `[people.nick]`",
    ),
    // Through messages, lists, maps.
    (
        PERSON,
        "address.stret",
        "`people.Address` has no field `stret`; did you mean `street`?",
    ),
    (
        PERSON,
        "former.stret",
        "`people.Address` has no field `stret`; did you mean `street`?",
    ),
    (
        PERSON,
        "former.0.street",
        "`people.Address` has no field `0`: it has `city`, `number`, `street`",
    ),
    (
        PERSON,
        "by_year.*.stret",
        "`people.Address` has no field `stret`; did you mean `street`?",
    ),
    (
        PERSON,
        "add*.stret",
        "`people.Address` has no field `stret`; did you mean `street`?",
    ),
    (
        PERSON,
        "by_year.street.city.x",
        "`city` of `people.Address` is not a message, so it has no field `x`",
    ),
    (
        PERSON,
        "labels.*.x",
        "`labels` of `people.Person` is not a message, so it has no field `x`",
    ),
    (
        PERSON,
        "name.first",
        "`name` of `people.Person` is not a message, so it has no field `first`",
    ),
    (
        PERSON,
        "name.$key",
        "`name` of `people.Person` is not a map, so it has no `$key`",
    ),
    (
        PERSON,
        "$key",
        "`people.Person` has no field `$key`: `$key` may only follow the name of a map",
    ),
    // Into what is packed.
    (
        PERSON,
        "details.value.stret",
        "none of the 3 types that `details.value` leads to has a field `stret`; did you mean `street`?",
    ),
    (
        PERSON,
        "details.street",
        "a message packed in an `Any` is reached through `value`, not through `street` of `details.street`: write `value` \
         and then the name of a field of the packed message",
    ),
    (
        PERSON,
        "more.type_url",
        "a message packed in an `Any` is reached through `value`, not through `type_url` of `more.type_url`: write `value` \
         and then the name of a field of the packed message",
    ),
    (
        PERSON,
        "details.value",
        "`details.value` means the whole message packed in an `Any`: end the path with the name of the `Any` field, or with \
         a field of the packed message",
    ),
];

/// The same before what is said of descriptors.
const NO_TYPES: Unmatched = &[
    (
        "people.Persn",
        "name",
        "there is no descriptor of `people.Persn`; did you mean `people.Person`?",
    ),
    (
        "Person",
        "name",
        "there is no descriptor of `Person`; did you mean `people.Person`?",
    ),
    (
        ".people.Person",
        "name",
        "there is no descriptor of `.people.Person`; did you mean `people.Person`?",
    ),
    (
        "t/people.Person",
        "name",
        "there is no descriptor of `t/people.Person`; did you mean `people.Person`?",
    ),
    (
        "peopel.*",
        "name",
        "no described type fits `peopel.*`; did you mean `people.*`?",
    ),
    (
        "people.Pers*m",
        "name",
        "no described type fits `people.Pers*m`; did you mean `people.Person`?",
    ),
    (
        "people.Person.LabelsEntry",
        "value",
        "there is no descriptor of `people.Person.LabelsEntry`",
    ),
    (
        "elsewhere.*",
        "name",
        "no described type fits `elsewhere.*`",
    ),
];

#[test]
fn a_rule_about_a_field_that_no_type_has_is_refused() {
    for (type_pattern, field, words) in NO_FIELDS {
        let found = misfit(type_pattern, field);
        assert_eq!(found.as_deref(), Some(*words), "{field} of {type_pattern}");
    }
    for (type_pattern, field, words) in NO_TYPES {
        let words = format!(
            "{words} (where its descriptors are missing, name them in replay.toml: `descriptors`)"
        );
        assert_eq!(
            misfit(type_pattern, field),
            Some(words),
            "{field} of {type_pattern}"
        );
    }
    for (type_pattern, field) in [
        ("*", "street"),
        ("*", "*"),
        (PERSON, "em*l"),
        (PERSON, "by_year"),
        (PERSON, "by_year.2002"),
        (PERSON, "by_year.$key"),
        (PERSON, "by_year.20*.street"),
        (PERSON, "former.street"),
        (PERSON, "*.street"),
        (PERSON, "details"),
        (PERSON, "details.value.street"),
        (PERSON, "details.value.details.value.address.street"),
        (PERSON, "details.*.street"),
        ("google.protobuf.Any", "value.street"),
        (PERSON, "born.seconds"),
        (PERSON, "pager"),
    ] {
        assert_eq!(
            misfit(type_pattern, field),
            None,
            "{field} of {type_pattern}"
        );
    }
}

#[test]
fn all_rules_about_nothing_are_told_at_once_and_a_lenient_redactor_bears_types_that_nobody_described()
 {
    let rules = vec![
        rule(PERSON, "emial", Action::Keep),
        rule(PERSON, "name", Action::Mask),
        rule("elsewhere.Person", "name", Action::Mask),
    ];
    let told = Redactor::new(registry().clone(), policy(rules.clone())).unwrap_err();
    let told = told.to_string();
    assert!(
        told.contains("redaction rule 1 (") && told.contains("redaction rule 3 ("),
        "{told}"
    );
    assert!(!told.contains("redaction rule 2"), "{told}");
    let lenient = |rules: &[RedactionRule]| {
        let policy = Policy {
            is_strict: false,
            ..policy(rules.to_vec())
        };
        Redactor::new(registry().clone(), policy)
    };
    // What is described has no such field, whatever else is not described.
    let told = lenient(&rules).unwrap_err().to_string();
    assert!(
        told.contains("redaction rule 1 (") && !told.contains("redaction rule 3"),
        "{told}"
    );
    let unfitting: Vec<String> = lenient(&rules[1..]).unwrap().unfitting().collect();
    assert_eq!(unfitting.len(), 1);
    assert!(
        unfitting[0]
            .starts_with("redaction rule 2 (name of elsewhere.Person, mask) matches no field"),
        "{unfitting:?}"
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
            rule("*", "note", Action::Drop),
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
        "`form` requires `action = \"pseudonym\"`"
    );
    assert_eq!(
        drop().with_range(1, 2).unwrap_err().to_string(),
        "`range` requires `action = \"pseudonym\"`"
    );
    assert_eq!(
        rule("*", "name", Action::Pseudonym)
            .with_range(3, 2)
            .unwrap_err()
            .to_string(),
        "`range` is [3, 2]: the first number is the lower one"
    );
    assert_eq!(
        "erase".parse::<Action>().unwrap_err().to_string(),
        "`erase` is none of keep, drop, mask, pseudonym"
    );
    assert_eq!(
        "guid".parse::<Form>().unwrap_err().to_string(),
        "`guid` is none of auto, uuid, email, digits, text; did you mean `uuid`?"
    );
}
