//! Values in written files that the current rules would redact.

use angzarr_replay::internal::model::{Payload, Redaction, RedactionAction};
use angzarr_replay::internal::redact::{Action, LeftoverRules, MessageRole};

use super::{PERSON, person, registry, rule};

/// What is left in a person, whose fields are listed as redacted or not.
fn left(payload: Payload, listed: &[Redaction]) -> Vec<String> {
    let rules = vec![
        rule(PERSON, "email", Action::Mask),
        rule(PERSON, "name", Action::Pseudonym),
    ];
    let rules = LeftoverRules::new(registry().clone(), rules, None);
    let found = rules.in_payloads(&[payload], MessageRole::Payload, listed, None);
    assert!(found.unread.is_empty(), "{:?}", found.unread);
    found.left.iter().map(ToString::to_string).collect()
}

#[test]
fn a_leftover_is_named_by_its_field_and_the_number_of_the_rule() {
    let payload = person("{name: Alice, note: plain, passcode: hunter2}");
    assert_eq!(
        left(payload, &[]),
        [
            "name of people.Person, redaction rule 2",
            "passcode of people.Person, `debug_redact` of its descriptor",
        ]
    );
}

#[test]
fn what_is_redacted_is_no_leftover() {
    let name = Redaction {
        type_name: PERSON.into(),
        field: "name".into(),
        action: RedactionAction::Pseudonym,
    };
    let masked = person("{email: '***', name: p-0123456789abcdef}");
    assert_eq!(left(masked, &[]), Vec::<String>::new());
    // A pseudonym of a UUID looks like any UUID.
    let uuid = person("{name: 6513270e-269e-4d37-b2a7-4de452e6b438}");
    assert_eq!(left(uuid.clone(), &[name]), Vec::<String>::new());
    assert_eq!(left(uuid, &[]), ["name of people.Person, redaction rule 2"]);
}

#[test]
fn in_an_envelope_only_what_is_packed_is_searched() {
    let envelope = person(
        "{name: Envelope, details: {type: t/people.Person, value: {name: Alice, address: {street: Elm}}}}",
    );
    let left = |field: &str| {
        let rules = vec![rule("people.*", field, Action::Mask)];
        let rules = LeftoverRules::new(registry().clone(), rules, None);
        let payloads = [envelope.clone()];
        let found = rules.in_payloads(&payloads, MessageRole::Envelope, &[], None);
        let values = found.left.iter().map(|left| left.value().to_owned());
        values.collect::<Vec<_>>()
    };
    assert_eq!(left("name"), ["Alice"]);
    assert_eq!(left("*.street"), ["Elm"]);
    // No path begins in the envelope or in the wrapper.
    assert_eq!(left("details.*.name"), Vec::<String>::new());
}

#[test]
fn no_rule_begins_at_the_wrapper_of_a_payload() {
    let envelope = person("{details: {type: t/people.Person, value: {name: Alice}}}");
    let rules = vec![rule("*", "*.name", Action::Mask)];
    let rules = LeftoverRules::new(registry().clone(), rules, None);
    let found = rules.in_payloads(&[envelope], MessageRole::Envelope, &[], None);
    assert!(found.left.is_empty(), "{:?}", found.left);
}
