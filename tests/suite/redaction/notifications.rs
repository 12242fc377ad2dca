//! A refused command inside a notification.

use angzarr_replay::internal::capture::compensation::notification;
use angzarr_replay::internal::model::{Code, CommandBook, Cover, Domain, Failure, Header, Root};
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::redact::{Action, Redactor};
use angzarr_replay::internal::wire::{Dialect, framework_descriptors};
use test_support::books;

use super::{person, policy, registry, rule};

const SECRET: &str = "s3cret-of-alice";

fn with_framework(dialect: Dialect) -> Registry {
    registry()
        .filled_from(&framework_descriptors(dialect))
        .unwrap()
}

/// A command with the secret in its payload and in the texts before it.
fn refused() -> CommandBook {
    let mut cover = Cover::main(Domain::new("player").unwrap(), Root::new([7; 16]));
    cover.correlation_id = format!("wf-{SECRET}");
    CommandBook {
        cover,
        pages: vec![books::command_page(
            Header::ExternalDeferred {
                external_id: SECRET.into(),
                description: format!("by {SECRET}"),
            },
            person(&format!("{{name: {SECRET}}}")),
        )],
        original: None,
    }
}

#[test]
fn the_command_and_the_texts_that_repeat_it_are_redacted_in_every_dialect() {
    for dialect in Dialect::all() {
        let failure = Failure {
            code: Code::FailedPrecondition,
            message: format!("{SECRET} has nothing left; ask bob@acme.io"),
            info: None,
        };
        let book = refused();
        let told = notification(&book.cover, &book, &failure, *dialect);
        let payload = told.pages[0].command.clone().unwrap();
        let rules = vec![rule("people.*", "name", Action::Pseudonym)];
        let redactor = Redactor::new(with_framework(*dialect), policy(rules)).unwrap();
        let redacted = redactor.redact_payload(&payload).unwrap();
        let bytes = String::from_utf8_lossy(&redacted.payload.value).into_owned();
        for secret in [SECRET, "bob@acme.io"] {
            assert!(!bytes.contains(secret), "{}: {bytes}", dialect.name());
        }
        let Decoded::Exact(view) = with_framework(*dialect).decode(&redacted.payload) else {
            panic!("{}: not readable", dialect.name())
        };
        let reason = view["payload"]["value"]["rejection_reason"].as_str();
        assert!(
            reason.is_some_and(|reason| reason.contains("has nothing left")),
            "{view:?}"
        );
    }
}

#[test]
fn without_its_descriptors_a_notification_is_refused() {
    let failure = Failure {
        code: Code::FailedPrecondition,
        message: "no".into(),
        info: None,
    };
    let book = refused();
    let told = notification(&book.cover, &book, &failure, Dialect::ANGZARR);
    let payload = told.pages[0].command.as_ref().unwrap();
    let rules = vec![rule("people.*", "name", Action::Mask)];
    let redactor = Redactor::new(registry().clone(), policy(rules)).unwrap();
    let error = redactor.redact_payload(payload).unwrap_err().to_string();
    assert!(error.contains("angzarr.Notification"), "{error}");
}
