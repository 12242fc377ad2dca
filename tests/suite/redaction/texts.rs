//! What is taken out of texts beside payloads, and what stays in them.

use angzarr_replay::internal::model::Failure;
use angzarr_replay::internal::redact::{Action, Allowed, RedactionRule, Redactor, masked};

use super::{PERSON, person, redactor, rule};

const NOTE: &str = "p!ss/w+rd=9 ok";
const STREET: &str = "Jörg-Straße 5/7";

fn said_after(redactor: &Redactor, view: &str, message: &str) -> String {
    let mut session = redactor.session();
    session.payload(&person(view), "the payload").unwrap();
    session.failure(&Failure::rejected(message)).message
}

fn rules() -> Vec<RedactionRule> {
    vec![
        rule(PERSON, "email", Action::Pseudonym),
        rule(PERSON, "name", Action::Pseudonym),
        rule(PERSON, "note", Action::Mask),
    ]
}

#[test]
fn a_value_is_found_in_every_spelling_that_a_message_may_have_of_it() {
    let view = format!("{{email: al+ice@acme.io, name: '{STREET}', note: '{NOTE}'}}");
    let redactor = redactor(rules());
    for (message, left) in [
        (r#"{"n":"p!ss\/w+rd=9 ok"}"#, r#"{"n":"***"}"#),
        (r#"{"n":"p!ss/w+rd\u003d9 ok"}"#, r#"{"n":"***"}"#),
        (
            r#"{"n":"p\u0021ss\/w\u002Brd\u003D9\u0020ok"}"#,
            r#"{"n":"***"}"#,
        ),
        (
            r#"{"b":"{\"n\":\"p!ss\\/w+rd\\u003d9 ok\"}"}"#,
            r#"{"b":"{\"n\":\"***\"}"}"#,
        ),
        (
            "n=p%2521ss%252Fw%252Brd%253D9%2520ok;",
            "n=%252A%252A%252A;",
        ),
        ("n=p&#33;ss&#x2f;w&plus;rd&#061;9&nbsp;ok;", "n=***;"),
        (
            "n=p&amp;#33;ss&amp;#47;w&amp;#43;rd&amp;#61;9 ok;",
            "n=***;",
        ),
    ] {
        assert_eq!(said_after(&redactor, &view, message), left, "{message}");
    }
    for spelt in [
        r"J\u00f6rg-Stra\u00dfe 5\/7",
        r"J\u00F6rg-Stra\u00DFe\u00205\/7",
        "J%25C3%25B6rg-Stra%25C3%259Fe%25205%252F7",
        "J%F6rg-Stra%DFe%205/7",
        "J&ouml;rg-Stra&szlig;e 5&sol;7",
        "al%252Bice%2540acme.io",
        "al&#43;ice&#64;acme.io",
        r"al\u002bice\u0040acme.io",
    ] {
        let message = format!("a <{spelt}> b");
        let left = said_after(&redactor, &view, &message);
        assert!(left.starts_with("a <") && left.ends_with("> b"), "{left}");
        assert!(!left.contains("rg") && !left.contains("ice"), "{left}");
        // The same value has the same stand-in, in the same spelling.
        assert!(
            left.contains("p-") || left.contains("example.com"),
            "{left}"
        );
    }
}

#[test]
fn credentials_are_taken_out_of_texts_and_what_they_were_for_stays() {
    let redactor = redactor(Vec::new());
    for (message, left) in [
        (
            "connect redis://:S3cretPw99@redis:6379/0 failed; Authorization: Basic YWxpY2U6UzNjcmV0UHc5OQ==",
            "connect redis://:***@redis:6379/0 failed; Authorization: Basic ***",
        ),
        (
            "x-api-key: 0123456789abcdef0123456789abcdef",
            "x-api-key: ***",
        ),
        (
            "postgres://app:pa:ss9@db:5432/x",
            "postgres://app:***@db:5432/x",
        ),
        (
            r#"{\"password\":\"hunter22\"}"#,
            r#"{\"password\":\"***\"}"#,
        ),
        (
            "to=redis%3A%2F%2F%3AS3cretPw99%40redis",
            "to=redis%3A%2F%2F%3A***%40redis",
        ),
        (
            "password: must have 8 letters",
            "password: must have 8 letters",
        ),
    ] {
        assert_eq!(redactor.redact_text(message), left);
    }
}

/// A hostile message, as long as messages may be, must not take the square of its length.
#[test]
fn a_message_with_very_many_secrets_is_masked() {
    // In quadratic time this would take minutes.
    let left = masked(&"a@b.cc password=a1b2c3x%20&+".repeat(5_000));
    assert!(!left.contains('@') && !left.contains("a1b2c3x"));
}

/// Logic that is sent the stand-in says the stand-in, and nobody redacts that.
#[test]
fn a_stand_in_is_no_secret_wherever_it_stands() {
    let redactor = redactor(rules());
    let secret = "6513270e-269e-4d37-b2a7-4de452e6b438";
    let view = format!("{{name: {secret}}}");
    for message in [
        "token={}",
        "Authorization: Bearer {}",
        "redis://:{}@h/0",
        "mysql://app:{}@h/0",
        "x-api-key: {}",
    ] {
        let left = said_after(&redactor, &view, &message.replace("{}", secret));
        let stand_in = said_after(&redactor, &view, secret);
        assert_eq!(left, message.replace("{}", &stand_in));
    }
}

#[test]
fn what_is_allowed_or_kept_stays_in_texts_unless_a_rule_takes_it_out() {
    let message = "locked, write to help@acme.io for al@acme.io";
    let allowed = |finding: Option<&str>, text: &str| Allowed {
        finding: finding.map(str::to_owned),
        text: text.to_owned(),
    };
    let with = |allowed: Allowed, rules| redactor(rules).allowing([allowed]);
    let role = "locked, write to help@acme.io for ";
    for (redactor, view, is_kept, other_is_kept) in [
        (redactor(Vec::new()), "{}", false, false),
        (
            with(allowed(Some("email"), "help@*"), Vec::new()),
            "{}",
            true,
            false,
        ),
        (with(allowed(None, "*"), Vec::new()), "{}", true, true),
        (
            with(allowed(Some("JWT"), "*"), Vec::new()),
            "{}",
            false,
            false,
        ),
        (
            redactor(vec![rule(PERSON, "note", Action::Keep)]),
            "{note: ask help@acme.io}",
            true,
            false,
        ),
        (
            with(allowed(None, "*"), rules()),
            "{email: al@acme.io}",
            true,
            false,
        ),
    ] {
        let left = said_after(&redactor, view, message);
        assert_eq!(left.starts_with(role), is_kept, "{left}");
        assert_eq!(left.ends_with(" al@acme.io"), other_is_kept, "{left}");
    }
}
