//! Rules reach fields wherever they are, and what becomes of each kind of value.

use angzarr_replay::internal::model::{Payload, Redaction, RedactionAction};
use angzarr_replay::internal::redact::{Action, Form, RedactionRule, Redactor};

use super::{PERSON, person, policy, redacted, redactor, registry, rule, view, yaml};

const MOVED: &str = "
name: Alice
address: {street: Elm, city: Oslo, number: 7}
former: [{street: Oak, city: Rome}, {street: Fir, city: Bern}]
by_year:
  '2001': {street: Ash, city: Kyiv}
  '2002': {street: Yew, city: Lima}
details:
  type: type.googleapis.com/people.Person
  value:
    details:
      type: type.googleapis.com/people.Address
      value: {street: Bay, city: Nice}
";

#[test]
fn a_rule_by_type_reaches_lists_maps_and_messages_packed_into_others() {
    assert_eq!(
        redacted(vec![rule("people.Address", "street", Action::Mask)], MOVED),
        yaml(
            "
name: Alice
address: {street: '***', city: Oslo, number: 7}
former: [{street: '***', city: Rome}, {street: '***', city: Bern}]
by_year:
  '2001': {street: '***', city: Kyiv}
  '2002': {street: '***', city: Lima}
details:
  type: type.googleapis.com/people.Person
  value:
    details:
      type: type.googleapis.com/people.Address
      value: {street: '***', city: Nice}
"
        )
    );
}

#[test]
fn a_path_leads_through_lists_and_by_the_keys_of_maps() {
    let rules = vec![
        rule("people.*", "former.street", Action::Drop),
        rule("people.Person", "by_year.2002.city", Action::Mask),
        rule("people.Person", "address", Action::Drop),
        rule("people.Person", "details", Action::Mask),
    ];
    assert_eq!(
        redacted(rules, MOVED),
        yaml(
            "
name: Alice
former: [{city: Rome}, {city: Bern}]
by_year:
  '2001': {street: Ash, city: Kyiv}
  '2002': {street: Yew, city: '***'}
details: {type: type.googleapis.com/people.Person, value: {}}
"
        )
    );
}

#[test]
fn values_and_keys_of_maps_are_redacted_apart() {
    let labels = "labels: {alice@acme.io: hello, plain: world}";
    let values = redacted(vec![rule(PERSON, "labels", Action::Mask)], labels);
    assert_eq!(values, yaml("labels: {alice@acme.io: '***', plain: '***'}"));
    let one = redacted(vec![rule(PERSON, "labels.pl*", Action::Drop)], labels);
    assert_eq!(one, yaml("labels: {alice@acme.io: hello}"));
    let keys = redacted(vec![rule(PERSON, "labels.$key", Action::Pseudonym)], labels);
    let keys: Vec<String> = keys["labels"]
        .as_mapping()
        .unwrap()
        .iter()
        .map(|(key, _)| key.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].ends_with("@example.com"), "{keys:?}");
    assert!(keys[1].starts_with("p-"), "{keys:?}");
}

#[test]
fn the_first_rule_that_fits_decides_and_keep_is_a_decision() {
    let rules = vec![
        rule("people.Address", "city", Action::Keep),
        rule("people.Person", "address", Action::Mask),
        rule("people.Person", "former", Action::Pseudonym),
    ];
    let now = redacted(
        rules,
        "{address: {street: Elm, city: Oslo}, former: [{street: Oak, city: Rome, number: 12}]}",
    );
    assert_eq!(now["address"], yaml("{}"));
    assert_eq!(now["former"][0]["city"], yaml("Rome"));
    assert!(
        now["former"][0]["street"]
            .as_str()
            .unwrap()
            .starts_with("p-")
    );
    let number = now["former"][0]["number"].as_u64().unwrap();
    assert!((10..100).contains(&number), "{number}");
}

#[test]
fn every_kind_of_value_has_its_mask() {
    let all = "
name: Alice
id: 'uuid:6513270e-269e-4d37-b2a7-4de452e6b438'
balance: -500
score: 7
scores: [1, 2]
aliases: [Al, Ally]
phone: '12345'
is_member: true
level: GOLD
weight: 81.5
born: '1990-01-02T03:04:05Z'
fixed: 99
";
    let now = redacted(vec![rule(PERSON, "*", Action::Mask)], all);
    assert_eq!(
        now,
        yaml(
            "{name: '***', scores: [0, 0], aliases: ['***', '***'], phone: '***', born: '1970-01-01T00:00:00Z'}"
        )
    );
    let now = redacted(vec![rule(PERSON, "*", Action::Drop)], all);
    assert_eq!(now, yaml("{}"));
}

#[test]
fn what_the_descriptors_ask_for_is_redacted_without_a_rule() {
    let now = redacted(Vec::new(), "{name: Alice, passcode: hunter2}");
    assert!(now["passcode"].as_str().unwrap().starts_with("p-"));
    assert_eq!(now["name"], yaml("Alice"));
    let kept = redacted(
        vec![rule(PERSON, "passcode", Action::Keep)],
        "{passcode: hunter2}",
    );
    assert_eq!(kept["passcode"], yaml("hunter2"));
    let mut without_key = policy(Vec::new());
    without_key.key = None;
    let redactor = Redactor::new(registry().clone(), without_key).unwrap();
    assert!(!redactor.is_idle());
    let masked = redactor
        .redact_payload(&person("{passcode: hunter2}"))
        .unwrap();
    assert_eq!(view(&masked.payload), yaml("{passcode: '***'}"));
    // The keys of a map are part of it; masked they would all be the same.
    let maps = "{phones: {mina@corp.io: '+49 1'}, homes: {Wilhelmina: {street: Elm}}}";
    let now = serde_yaml::to_string(&redacted(Vec::new(), maps)).unwrap();
    for secret in ["mina", "+49 1", "Wilhelmina", "Elm"] {
        assert!(!now.contains(secret), "{now}");
    }
    assert!(now.contains("phones") && now.contains("street"), "{now}");
    let masked = redactor.redact_payload(&person(maps)).unwrap();
    assert_eq!(view(&masked.payload), yaml("{}"));
    // A rule about the values makes the keys no plainer.
    let ruled = redacted(vec![rule(PERSON, "phones", Action::Pseudonym)], maps);
    assert!(!serde_yaml::to_string(&ruled).unwrap().contains("mina"));
    let kept = redacted(vec![rule(PERSON, "phones", Action::Keep)], maps);
    assert_eq!(kept["phones"], yaml("{mina@corp.io: '+49 1'}"));
}

#[test]
fn pseudonyms_are_of_the_kind_of_their_value() {
    let uuid = "6513270e-269e-4d37-b2a7-4de452e6b438";
    let text = format!(
        "{{name: Alice, email: alice@acme.io, id: 'uuid:{uuid}', id_text: {uuid}, phone: '+49 170 1234567', \
         balance: 12345, signed: -7, weight: 81.5, is_member: true, level: GOLD, note: 6513270E269E4D37B2A74DE452E6B438}}"
    );
    let form = |field: &str, form| {
        RedactionRule::new(PERSON, field, Action::Pseudonym)
            .unwrap()
            .with_form(form)
            .unwrap()
    };
    let now = redacted(
        vec![
            form("note", Form::Uuid),
            rule(PERSON, "*", Action::Pseudonym),
        ],
        &text,
    );
    let of = |name: &str| now[name].as_str().unwrap().to_owned();
    assert!(of("name").starts_with("p-"));
    assert!(of("email").ends_with("@example.com") && !of("email").contains("alice"));
    assert_eq!(of("id"), format!("uuid:{}", of("id_text")));
    assert_ne!(of("id_text"), uuid);
    assert_eq!(&of("id_text")[14..15], "4", "the version stays");
    assert_eq!(
        of("note").to_lowercase(),
        of("id_text").replace('-', ""),
        "32 hex digits are the same UUID"
    );
    assert_eq!(of("note"), of("note").to_uppercase());
    let phone = of("phone");
    assert!(
        phone.starts_with('+') && phone.len() == 15 && phone != "+49 170 1234567",
        "{phone}"
    );
    let balance = now["balance"].as_i64().unwrap();
    assert!((10_000..100_000).contains(&balance) && balance != 12345);
    assert!((-9..0).contains(&now["signed"].as_i64().unwrap()));
    let weight = now["weight"].as_f64().unwrap();
    assert!((10.0..100.0).contains(&weight) && (weight - 81.5).abs() > 0.001);
    // One of few values would be the value under another name.
    assert!(now.get("is_member").is_none() && now.get("level").is_none());
}

#[test]
fn what_was_done_is_listed_by_field_and_never_by_value() {
    let rules = vec![
        rule("people.Address", "street", Action::Drop),
        rule("*", "by_year.*.city", Action::Mask),
        rule(PERSON, "level", Action::Pseudonym),
    ];
    let payload = person(
        "{address: {street: Elm}, by_year: {'2001': {city: Kyiv}}, level: GOLD, passcode: hunter2, email: a@acme.io, \
         note: 'call +1, or bob@acme.io', labels: {x: y}}",
    );
    let done = redactor(rules).redact_payload(&payload).unwrap();
    let touched: Vec<Redaction> = done.report.touched.iter().cloned().collect();
    let field = |type_name: &str, field: &str, action| Redaction {
        type_name: type_name.into(),
        field: field.into(),
        action,
    };
    assert_eq!(
        touched,
        [
            field("people.Address", "street", RedactionAction::Drop),
            field(PERSON, "by_year.*.city", RedactionAction::Mask),
            field(PERSON, "level", RedactionAction::Mask),
            field(PERSON, "passcode", RedactionAction::Pseudonym),
        ]
    );
    let suspects: Vec<_> = done
        .report
        .suspects
        .iter()
        .map(|suspect| (suspect.field.as_str(), suspect.looks_like))
        .collect();
    assert_eq!(suspects, [("email", "email"), ("note", "email")]);
    let shown = format!("{:?}", done.report);
    assert!(
        !shown.contains("hunter2") && !shown.contains("Elm"),
        "{shown}"
    );
}

#[test]
fn what_is_not_touched_stays_bit_for_bit() {
    // Field 2 before field 1, an odd varint, a default that is written, and map entries out of order.
    let odd = b"\x12\x01b\x0a\x01a\x50\x85\x00\x58\x00\x42\x06\x0a\x01z\x12\x01z\x42\x06\x0a\x01a\x12\x01a";
    let payload = Payload::new(PERSON, odd.to_vec());
    let same = redactor(vec![rule(PERSON, "note", Action::Drop)])
        .redact_payload(&payload)
        .unwrap();
    assert_eq!(same.payload.value, odd);
    let one = redactor(vec![rule(PERSON, "name", Action::Drop)])
        .redact_payload(&payload)
        .unwrap();
    let (before, after) = (&odd[..3], &odd[6..]);
    assert_eq!(one.payload.value, [before, after].concat());
}

#[test]
fn what_a_view_hides_is_redacted_too() {
    // `name` twice: readers take the last. `phone`, then `pager` of the same oneof: readers take the pager.
    let hidden = b"\x0a\x05first\x0a\x04last\x72\x06secret\x7a\x05pager";
    let rules = vec![
        rule(PERSON, "name", Action::Mask),
        rule(PERSON, "phone", Action::Mask),
    ];
    let done = redactor(rules)
        .redact_payload(&Payload::new(PERSON, hidden.to_vec()))
        .unwrap();
    assert_eq!(
        done.payload.value,
        b"\x0a\x03***\x0a\x03***\x72\x03***\x7a\x05pager"
    );
}
