//! Outcomes as text, their comparison with production, and the files that hold the text.

use std::path::Path;

use angzarr_replay::internal::model::{
    Body, CommandBook, CommandPage, Cover, Domain, Edition, EmittedBook, EmittedCommand,
    EmittedPage, Header, MergeStrategy, Notification, Observed, Outcome, Payload, Reaction, Root,
};
use angzarr_replay::internal::replay::HistoryReplay;
use angzarr_replay::internal::snapshot::{Flicker, Renderer, Rules, Verdict, stored};
use serde_yaml::Value;

fn cover(domain: &str, root: u8) -> Cover {
    Cover::main(Domain::new(domain).unwrap(), Root::new([root; 16]))
}

fn in_edition(name: &str) -> Cover {
    Cover {
        edition: Edition::from_name(name).unwrap(),
        ..cover("player", 0x11)
    }
}

fn event(name: &str) -> EmittedPage {
    EmittedPage::event(Payload::new(name, b"x".to_vec()))
}

fn notification() -> Notification {
    Notification {
        cover: Some(cover("table", 0x22)),
        payload: Some(Payload::new("t.Left", b"x".to_vec())),
        sent_at: None,
        metadata: vec![("who".into(), "alice".into())],
    }
}

/// The text of an outcome of a request to an aggregate.
fn text(addressed: &Cover, outcome: &Outcome) -> String {
    let renderer = Renderer::new(Vec::new(), Vec::new(), addressed, 3);
    Renderer::text(&renderer.view(outcome))
}

fn verdict(observed: &Observed, outcome: &Outcome) -> String {
    let rules = Rules::default();
    let addressed = cover("player", 0x11);
    let renderer = Renderer::new(Vec::new(), vec![&rules], &addressed, 3);
    Verdict::judge(Some(observed), outcome, &renderer).to_string()
}

#[test]
fn a_notification_is_shown_with_its_addressee_content_and_metadata() {
    let outcome = Outcome::Notified(notification());
    let expected = r#"outcome: notified
cover:
  domain: table
  root: "22222222-2222-2222-2222-222222222222"
notification:
  type: t.Left
  bytes: eA==
metadata:
  who: alice
"#;
    assert_eq!(text(&cover("player", 0x11), &outcome), expected);
}

#[test]
fn an_emitted_fact_is_shown_with_its_addressee_and_its_key() {
    let fact = |header| EmittedBook {
        cover: Some(cover("table", 0x22)),
        pages: vec![EmittedPage {
            header,
            ..event("t.Left")
        }],
        ..EmittedBook::default()
    };
    let outcome = Outcome::Reacted(Reaction {
        facts: vec![fact(Header::ExternalDeferred {
            external_id: "left-1".into(),
            description: String::new(),
        })],
        ..Reaction::default()
    });
    let expected = r#"outcome: accepted
commands: []
facts:
  - to:
      domain: table
      root: "22222222-2222-2222-2222-222222222222"
    events:
      - header:
          external_deferred: left-1
        type: t.Left
        bytes: eA==
"#;
    assert_eq!(text(&cover("player", 0x11), &outcome), expected);
}

/// What is shown of the header of an emitted command.
fn header(header: Header) -> Value {
    let book = CommandBook {
        cover: cover("table", 0x22),
        pages: vec![CommandPage {
            header,
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(Payload::new("t.Seat", Vec::new())),
            external: None,
        }],
        original: None,
    };
    let outcome = Outcome::Reacted(Reaction {
        commands: vec![EmittedCommand::from(book)],
        ..Reaction::default()
    });
    let addressed = cover("player", 0x11);
    let renderer = Renderer::new(Vec::new(), Vec::new(), &addressed, 3);
    renderer.view(&outcome)["commands"][0]["header"].clone()
}

#[test]
fn a_deferred_header_is_shown_with_what_it_names() {
    let deferred = |component: &str, command_index| Header::AngzarrDeferred {
        source: None,
        source_sequence: 2,
        source_component: component.into(),
        command_index,
        basis_sequence: None,
    };
    let yaml = |text| serde_yaml::from_str::<Value>(text).unwrap();
    assert_eq!(
        header(deferred("seating", 1)),
        yaml("deferred: {source_sequence: 2, source_component: seating, command_index: 1}")
    );
    assert_eq!(
        header(deferred("", 0)),
        yaml("deferred: {source_sequence: 2}")
    );
}

#[test]
fn the_state_from_a_snapshot_is_shown_if_it_is_another_state() {
    let folded = |state: &[u8]| Outcome::Folded(Payload::new("t.State", state.to_vec()));
    let keys = |from_snapshot: &[u8]| {
        let addressed = cover("player", 0x11);
        let renderer = Renderer::new(Vec::new(), Vec::new(), &addressed, 3);
        let replay = HistoryReplay {
            state: Some(folded(b"a")),
            state_from_snapshot: Some(folded(from_snapshot)),
            upcast: None,
            notes: Vec::new(),
        };
        let view = renderer.history(&replay).unwrap();
        let keys = view.as_mapping().unwrap().keys();
        keys.map(|key| key.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(b"a"), ["state"]);
    assert_eq!(keys(b"b"), ["state_from_snapshot", "state"]);
}

#[test]
fn every_field_that_differs_gets_a_rule_of_its_own() {
    let view = |value: u32| -> Value {
        let text = format!(
            "events:\n\
             - {{type: t.Sat, event: {{at: {value}, id: {value}}}}}\n\
             - {{type: t.Left, event: {{at: {value}}}}}\n\
             - {{type: t.Sat, event: {{at: {value}}}}}"
        );
        serde_yaml::from_str(&text).unwrap()
    };
    let flicker = Flicker::between(&view(1), &view(2), &[]).unwrap();
    let found: Vec<_> = flicker
        .rules
        .iter()
        .map(|rule| (rule.type_pattern.as_str(), rule.field.as_str()))
        .collect();
    assert_eq!(found, [("t.Sat", "at"), ("t.Sat", "id"), ("t.Left", "at")]);
}

#[test]
fn a_cover_is_shown_if_it_names_another_aggregate_or_another_edition() {
    let shows_cover = |addressed: &Cover, named: Cover| {
        let outcome = Outcome::Accepted(EmittedBook {
            cover: Some(named),
            pages: vec![event("t.Done")],
            ..EmittedBook::default()
        });
        text(addressed, &outcome).contains("\ncover:\n")
    };
    let (main, trial) = (cover("player", 0x11), in_edition("trial"));
    assert!(!shows_cover(&main, cover("player", 0x11)));
    assert!(shows_cover(&main, cover("player", 0x22)));
    assert!(shows_cover(&main, cover("table", 0x11)));
    assert!(shows_cover(&main, in_edition("trial")));
    assert!(!shows_cover(&trial, in_edition("trial")));
    assert!(shows_cover(&trial, in_edition("other")));
    // Many libraries leave the edition out.
    assert!(!shows_cover(&trial, cover("player", 0x11)));
}

#[test]
fn a_notification_reproduces_an_empty_answer_and_no_event() {
    let now = Outcome::Notified(notification());
    let events = [Body::Event(Payload::new("t.Done", Vec::new()))];
    assert_eq!(verdict(&Observed::accepted([]), &now), "reproduced");
    assert_eq!(
        verdict(&Observed::accepted(events), &now),
        "not reproduced: notified now"
    );
    assert_eq!(
        verdict(&Observed::Notified, &now),
        "not checked: a notification's content is not captured"
    );
}

#[test]
fn a_snapshot_that_cannot_be_read_as_text_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let unreadable = |path: &Path| stored::accepted(path).unwrap_err();
    let path = folder.path().join("x.snap");
    assert_eq!(stored::accepted(&path), Ok(None));
    std::fs::write(&path, b"---\nsource: x\n---\n\xff\n").unwrap();
    let damaged = unreadable(&path);
    assert!(
        damaged.contains("; restore it from version control, or accept"),
        "{damaged}"
    );
    // Nothing to restore: the file is not the problem.
    let folder = unreadable(folder.path());
    assert!(
        folder.starts_with("it cannot be read (") && folder.ends_with(')'),
        "{folder}"
    );
}

#[test]
fn a_snapshot_names_its_fixture() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = folder.path().join("it's.yaml");
    stored::accept(&fixture, "outcome: accepted\n").unwrap();
    let snapshot = fixture.with_extension("snap");
    assert_eq!(stored::input_file(&snapshot).as_deref(), Some("it's.yaml"));
    std::fs::write(&snapshot, "---\nsource: x\n---\noutcome: accepted\n").unwrap();
    assert_eq!(stored::input_file(&snapshot), None);
}
