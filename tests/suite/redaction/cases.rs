//! A whole case, and the texts beside the payloads.

use angzarr_replay::internal::capture::compensation::notification_page;
use angzarr_replay::internal::fixture::{Fixture, Folder, render};
use angzarr_replay::internal::model::{
    Body, Case, CaseStimulus, Code, CommandBook, CommandPage, Cover, Destinations, Domain,
    EmittedBook, EmittedPage, ErrorInfo, EventBook, Failure, Fingerprints, FlowCase, FlowStart,
    HeadKnowledge, Header, History, HopOutcome, Modes, Notification, Observed, ObservedHop, Page,
    Payload, PayloadReference, ProcessCase, Projection, Provenance, Reaction, Redactions,
    ReportedFailure, Retention, Root, Snapshot, Status, Storage, Timestamp, Trigger,
};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::redact::{
    Action, Form, Key, OTHER_ROOT, Policy, PriorRedaction, Reason, Redactor,
};
use angzarr_replay::internal::wire::{Dialect, all_call_descriptors};
use test_support::books;

use super::{PERSON, person, policy, redactor, registry, rule, view};

const SECRET: &str = "s3cret-of-alice";
const ROOT: Root = Root::new([7; 16]);

fn page(sequence: u32, body: Body) -> Page {
    Page {
        sequence,
        created_at: None,
        body,
        provisional: false,
        cascade_id: Some(Box::new(format!("cascade of {SECRET}"))),
        original: Some(Box::new(SECRET.into())),
    }
}

fn carrying(secret: &str) -> Payload {
    person(&format!("{{name: {secret}, balance: 4711}}"))
}

/// A case with the secret in every place that a case has.
fn case() -> Case {
    let mut cover = Cover::main(Domain::new("player").unwrap(), ROOT);
    cover.correlation_id = format!("wf-{SECRET}");
    cover.ext = Some(carrying(SECRET));
    let command = books::command_page(
        Header::AngzarrDeferred {
            source: Some(Box::new(cover.clone())),
            source_sequence: 1,
            source_component: "saga".into(),
            command_index: 0,
            basis_sequence: None,
        },
        person(&format!("{{aliases: [{SECRET}], id: 'uuid:{ROOT}'}}")),
    );
    let external = CommandPage {
        header: Header::ExternalDeferred {
            external_id: SECRET.into(),
            description: format!("by {SECRET}"),
        },
        command: None,
        external: Some(reference()),
        ..command.clone()
    };
    Case {
        status: Status::Open,
        title: format!("Do rejected: no {SECRET}"),
        issue: None,
        source: Provenance {
            revision: None,
            name: "production".into(),
            dialect: "angzarr".into(),
            captured_at: Timestamp {
                seconds: 1,
                nanos: 0,
            },
            head: HeadKnowledge::Checked,
            from_store: false,
        },
        logic: None,
        probe: None,
        snapshot: Some(Snapshot {
            sequence: 0,
            state: Some(carrying(SECRET)),
            retention: Retention::Default,
            created_at: None,
            original: Some(SECRET.into()),
        }),
        history: History::new(vec![
            page(1, Body::Event(carrying(SECRET))),
            page(2, Body::External(Box::new(reference()))),
        ])
        .unwrap(),
        stimulus: CaseStimulus::Command(CommandBook {
            cover: cover.clone(),
            pages: vec![command, external],
            original: Some(SECRET.into()),
        }),
        cover,
        observed: Some(Observed::Rejected(Failure {
            code: Code::FailedPrecondition,
            message: format!("{SECRET} ({ROOT}) has 4711 left, not 47110; ask bob@acme.io"),
            info: Some(ErrorInfo {
                reason: "TOO_LITTLE".into(),
                domain: "player".into(),
                metadata: vec![("who".into(), SECRET.into())],
            }),
        })),
        noted: None,
        rules: Vec::new(),
        redacted: Vec::new(),
    }
}

fn reference() -> PayloadReference {
    PayloadReference {
        storage: Storage::S3,
        uri: format!("s3://bucket/{SECRET}"),
        content_hash: vec![1],
        original_size: 1,
        stored_at: None,
    }
}

fn with_roots() -> Redactor {
    let rules = vec![
        rule("people.*", "name", Action::Pseudonym),
        rule("people.*", "aliases", Action::Pseudonym),
        rule("people.*", "balance", Action::Pseudonym),
    ];
    let policy = Policy {
        roots: true,
        ..policy(rules)
    };
    Redactor::new(registry().clone(), policy).unwrap()
}

/// Whether a case holds some bytes anywhere: in its texts, its payloads, or the encodings that are kept beside what they say.
fn holds(case: &Case, wanted: &[u8]) -> bool {
    let shown = format!("{case:?}");
    // Encodings are shown as lists of numbers.
    let lists = shown.split('[').filter_map(|rest| rest.split(']').next());
    let encodings = lists.filter_map(|list| {
        let bytes = list.split(", ").map(|number| number.parse().ok());
        bytes.collect::<Option<Vec<u8>>>()
    });
    let mut places: Vec<Vec<u8>> = encodings.collect();
    places.extend(case.payloads().map(|payload| payload.value.clone()));
    places.push(shown.into_bytes());
    let mut places = places.iter();
    places.any(|place| place.windows(wanted.len()).any(|bytes| bytes == wanted))
}

#[test]
fn a_secret_in_any_place_of_a_case_is_noticed() {
    let clean = with_roots().redact_case(&case()).unwrap().case;
    assert!(!holds(&clean, SECRET.as_bytes()));
    let in_an_encoding = Case {
        snapshot: clean.snapshot.clone().map(|snapshot| Snapshot {
            original: Some(format!("\n\u{7}{SECRET}").into_bytes()),
            ..snapshot
        }),
        ..clean.clone()
    };
    assert!(holds(&in_an_encoding, SECRET.as_bytes()));
    let in_a_text = Case {
        title: SECRET.to_owned(),
        ..clean
    };
    assert!(holds(&in_a_text, SECRET.as_bytes()));
}

#[test]
fn a_secret_in_every_place_of_a_case_is_in_no_place_of_its_fixture() {
    let redacted = with_roots().redact_case(&case()).unwrap();
    assert_eq!(redacted.encodings, 4);
    let rendered = render(&redacted.case, registry()).unwrap();
    let text = &rendered.text;
    for gone in [
        SECRET,
        &ROOT.to_string(),
        &ROOT.hex(),
        " 4711 ",
        "bob@acme.io",
    ] {
        assert!(!text.contains(gone), "{gone}\n{text}");
    }
    assert!(!holds(&redacted.case, SECRET.as_bytes()));
    assert!(!holds(&redacted.case, ROOT.as_bytes()));
    let report = format!("{:?}", redacted.report);
    assert!(!report.contains(SECRET), "{report}");
    // The same person is the same person in payloads, texts and ids.
    let name = text
        .split("name: p-")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    assert!(text.matches(name).count() >= 10, "{text}");
    assert!(
        text.contains("not 47110"),
        "a longer number is another\n{text}"
    );
    let root = redacted.case.cover.root.to_string();
    assert!(text.matches(&root).count() >= 3, "{text}");
}

fn book() -> EventBook {
    case().event_book()
}

fn emitted() -> EmittedBook {
    let EventBook {
        cover, snapshot, ..
    } = book();
    let header = Header::ExternalDeferred {
        external_id: SECRET.into(),
        description: SECRET.into(),
    };
    EmittedBook {
        cover: Some(cover),
        snapshot,
        pages: vec![EmittedPage {
            header,
            ..EmittedPage::event(carrying(SECRET))
        }],
        next_sequence: 0,
    }
}

/// Every kind of case and of observation, with the secret in each of its places.
fn kinds() -> Vec<(CaseStimulus, Option<Observed>)> {
    let CaseStimulus::Command(command) = case().stimulus else {
        unreachable!()
    };
    let Some(Observed::Rejected(failure)) = case().observed else {
        unreachable!()
    };
    let trigger = Trigger {
        from: 1,
        with_history: true,
    };
    let process = ProcessCase {
        trigger,
        destinations: Destinations::new(),
        state: book(),
    };
    let flow = |start| {
        CaseStimulus::Flow(FlowCase {
            start,
            books: vec![book()],
        })
    };
    let hop = |outcome| ObservedHop {
        domain: Domain::new("table").unwrap(),
        root: ROOT,
        outcome,
    };
    let reaction = Reaction {
        process_events: vec![emitted()],
        commands: vec![command.clone().into()],
        facts: vec![emitted()],
        notification: Some(Notification {
            cover: Some(book().cover),
            payload: Some(carrying(SECRET)),
            sent_at: None,
            metadata: vec![("who".into(), SECRET.into())],
        }),
    };
    let projection = Projection {
        cover: Some(book().cover),
        projector: "view".into(),
        sequence: 1,
        payload: Some(carrying(SECRET)),
    };
    let events = vec![
        Body::Event(carrying(SECRET)),
        Body::External(Box::new(reference())),
    ];
    let saga = || CaseStimulus::Saga {
        trigger,
        destinations: Destinations::new(),
        modes: Modes::default(),
    };
    let projector = CaseStimulus::Projector {
        trigger,
        is_harmless: false,
    };
    vec![
        (CaseStimulus::History, None),
        (saga(), Some(Observed::Reacted(reaction))),
        (saga(), Some(Observed::Crashed(failure.clone()))),
        (
            CaseStimulus::ProcessManager(process.clone()),
            Some(Observed::Notified),
        ),
        (
            CaseStimulus::ProcessCompensation(process),
            Some(Observed::Revoked(failure.clone())),
        ),
        (projector, Some(Observed::Projected(projection))),
        (
            CaseStimulus::Upcaster,
            Some(Observed::Upcast(book().history.into_pages())),
        ),
        (
            CaseStimulus::Compensation(command.clone()),
            Some(Observed::Refused(failure.clone())),
        ),
        (
            CaseStimulus::Fact(emitted()),
            Some(Observed::accepted(events.clone())),
        ),
        (flow(FlowStart::Facts(emitted())), None),
        (flow(FlowStart::Events(trigger)), None),
        (
            flow(FlowStart::Command(command)),
            Some(Observed::Flow(vec![
                hop(HopOutcome::Events(events)),
                hop(HopOutcome::Failed(failure)),
            ])),
        ),
    ]
}

#[test]
fn every_kind_of_case_is_redacted_in_all_of_its_places() {
    for (stimulus, observed) in kinds() {
        let before = Case {
            stimulus,
            observed,
            noted: Some(ReportedFailure {
                code: None,
                message: SECRET.into(),
                sequence: None,
                correlation_id: SECRET.into(),
                time: None,
            }),
            ..case()
        };
        let after = with_roots().redact_case(&before).unwrap().case;
        for gone in [SECRET, &ROOT.to_string()] {
            assert!(holds(&before, gone.as_bytes()), "{before:?}");
            assert!(!holds(&after, gone.as_bytes()), "{after:?}");
        }
        assert!(!holds(&after, ROOT.as_bytes()), "{after:?}");
        let payloads_with_it = |case: &Case| {
            case.payloads()
                .filter(|payload| String::from_utf8_lossy(&payload.value).contains(SECRET))
                .count()
        };
        assert!(payloads_with_it(&before) >= 2);
        assert_eq!(payloads_with_it(&after), 0, "{after:?}");
        assert_eq!(after.payloads().count(), before.payloads().count());
    }
}

#[test]
fn the_list_of_touched_fields_survives_the_file() {
    let redacted = with_roots().redact_case(&case()).unwrap();
    assert!(!redacted.case.redacted.is_empty());
    let rendered = render(&redacted.case, registry()).unwrap();
    let (_, listed) = rendered.text.split_once("\nredacted:\n").unwrap();
    let lines: Vec<&str> = listed.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "- type: people.Person",
            "field: aliases",
            "action: pseudonym",
            "- type: people.Person",
            "field: balance",
            "action: pseudonym",
            "- type: people.Person",
            "field: id",
            "action: pseudonym",
            "- type: people.Person",
            "field: name",
            "action: pseudonym",
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let folder = Folder::open(folder.path());
    folder.save(&rendered, "case.yaml".as_ref(), false).unwrap();
    let Fixture { case, .. } = folder.read(&folder.root().join("case.yaml")).unwrap();
    assert_eq!(case, redacted.case);
}

#[test]
fn redacting_again_with_the_same_key_gives_the_same_case() {
    let once = with_roots().redact_case(&case()).unwrap().case;
    let twice = with_roots().redact_case(&case()).unwrap().case;
    assert_eq!(once, twice);
    assert!(once.is_same_capture(&twice));
}

#[test]
fn reasons_can_be_passed_over_one_by_one() {
    let redactor = with_roots();
    let reasons = redactor.redact_case(&case()).unwrap().report.reasons;
    let all: Vec<Reason> = reasons.into_iter().collect();
    assert_eq!(
        all,
        [
            Reason::Rule(0),
            Reason::Rule(1),
            Reason::Rule(2),
            Reason::Roots,
            Reason::Texts
        ]
    );
    assert_eq!(
        redactor.describe(Reason::Rule(2)),
        "redaction rule 3 (balance of people.*, pseudonym)"
    );
    let roots_stay = redactor
        .without(Reason::Roots)
        .redact_case(&case())
        .unwrap();
    assert_eq!(roots_stay.case.cover.root, ROOT);
    let names_stay = redactor
        .without(Reason::Rule(0))
        .redact_case(&case())
        .unwrap();
    let state = names_stay.case.snapshot.unwrap().state.unwrap();
    let shown = String::from_utf8_lossy(&state.value).into_owned();
    assert!(shown.contains(SECRET), "{shown}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_page() {
    let mut case = case();
    case.history = History::new(vec![page(
        3,
        Body::Event(Payload::new("people.Alien", b"x".to_vec())),
    )])
    .unwrap();
    let refusal = with_roots().redact_case(&case).unwrap_err().to_string();
    assert!(
        refusal.starts_with(
            "page 3 of the history (`people.Alien`): there is no descriptor of `people.Alien`; what"
        ),
        "{refusal}"
    );
}

#[test]
fn texts_lose_what_looks_secret_whatever_it_belongs_to() {
    let redactor = with_roots();
    let token = concat!("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTYifQ.abcdef");
    let text = redactor.redact_text(&format!("401 for alice@acme.io with Bearer {token}: no"));
    assert!(text.starts_with("401 for "), "{text}");
    assert!(
        text.contains("@example.com with ") && text.ends_with(": no"),
        "{text}"
    );
    assert!(!text.contains("alice") && !text.contains("eyJ"), "{text}");
}

/// A recorded case whose names are stand-ins already, and the event that a reference leads to.
fn came_redacted() -> (Case, Redactor, Fingerprints) {
    let redactor = redactor(vec![rule(PERSON, "name", Action::Pseudonym)]);
    let redacted = redactor.redact_case(&case()).unwrap();
    let by = redactor.redactions(&redacted.report, &[]).by;
    let mut recorded = redacted.case;
    recorded.source.head = HeadKnowledge::Recorded;
    (recorded, redactor, by)
}

#[test]
fn what_came_redacted_keeps_its_stand_ins() {
    let (recorded, redactor, by) = came_redacted();
    let before = PriorRedaction::of_case(&recorded, &by);
    let again = redactor.redact_case_after(&recorded, &before).unwrap().case;
    assert_eq!(again, recorded);
    let anew = redactor.redact_case(&recorded).unwrap().case;
    assert_ne!(anew.history, recorded.history);
}

#[test]
fn an_event_that_joins_what_came_redacted_is_redacted() {
    let (mut recorded, redactor, by) = came_redacted();
    let before = PriorRedaction::of_case(&recorded, &by);
    let mut pages = recorded.history.clone().into_pages();
    pages[1].body = Body::Event(carrying(SECRET));
    recorded.history = History::new(pages).unwrap();
    let again = redactor.redact_case_after(&recorded, &before).unwrap().case;
    let bodies = |case: &Case| -> Vec<Body> {
        let pages = case.history.pages().iter();
        pages.map(|page| page.body.clone()).collect()
    };
    let [first, joined] = bodies(&again).try_into().unwrap();
    assert_eq!(first, bodies(&recorded)[0]);
    assert_eq!(joined, first, "the same value has the same stand-in");
}

#[test]
fn of_a_ticket_only_the_command_came_redacted() {
    let (recorded, redactor, by) = came_redacted();
    let mut captured = case();
    captured.stimulus = recorded.stimulus;
    captured.redacted = recorded.redacted;
    let before = PriorRedaction::of_case(&captured, &by);
    let redacted = redactor.redact_case_after(&captured, &before).unwrap().case;
    assert_eq!(redacted.stimulus, captured.stimulus);
    assert_eq!(
        redacted.history,
        redactor.redact_case(&case()).unwrap().case.history
    );
}

#[test]
fn texts_keep_what_only_looks_like_a_part_of_a_value() {
    let redactor = redactor(vec![rule(PERSON, "*", Action::Pseudonym)]);
    for (view, text) in [
        ("{balance: 12345}", "112,345 and 12.3456 and 912345"),
        ("{balance: 1234}", "took 1.234 s"),
        ("{weight: 1.5}", "version 1.5"),
        ("{id: 'AAAA'}", "10, 0, 0, 0"),
        ("{name: Bob}", "Bobby and ABob"),
    ] {
        let mut session = redactor.session();
        session.payload(&person(view), "it").unwrap();
        assert_eq!(session.text(text), text, "{view}");
    }
    // The first digits of a root are looked for in titles alone.
    let mut case = case();
    case.title = "History of player 07070707, not 07070707-0000".into();
    case.cover.correlation_id = "07070707-0707-7abc-8000-000000000001".into();
    let redacted = with_roots().redact_case(&case).unwrap().case;
    assert_eq!(redacted.cover.correlation_id, case.cover.correlation_id);
    assert!(
        redacted.title.ends_with(", not 07070707-0000"),
        "{}",
        redacted.title
    );
}

/// A command whose name is a stand-in, as a ticket brings it.
fn came_redacted_by(redactor: &Redactor, view: &str) -> (CommandBook, Redactions) {
    let mut sent = case().stimulus.command().unwrap().clone();
    sent.pages.truncate(1);
    sent.pages[0].command = Some(person(view));
    let mut session = redactor.session();
    let command = session.book(&sent).unwrap();
    let redactions = redactor.redactions(&session.finish(), &[]);
    (command, redactions)
}

fn again(redactor: &Redactor, command: &CommandBook, redactions: &Redactions) -> String {
    let before = PriorRedaction::of_command(command, redactions);
    let mut session = redactor.session().with_prior(&before);
    let book = session.book(command).unwrap();
    let value = &book.pages[0].command.as_ref().unwrap().value;
    String::from_utf8_lossy(value).into_owned()
}

#[test]
fn what_others_did_is_done_anew() {
    let name = || rule(PERSON, "name", Action::Pseudonym);
    let of = |rules| redactor(rules);
    let mine = of(vec![name()]);
    let mut with_another_key = policy(vec![name()]);
    with_another_key.key = Some(Key::new("a key that nobody else has").unwrap());
    let with_another_key = Redactor::new(registry().clone(), with_another_key).unwrap();
    let by = |redactor: &Redactor| {
        Fingerprints::from([(PERSON.into(), redactor.fingerprint(PERSON).unwrap())])
    };
    let (command, redactions) = came_redacted_by(&mine, &format!("{{name: {SECRET}}}"));
    assert_eq!(redactions.by, by(&mine));
    let stand_in = again(&mine, &command, &redactions);
    let value = &command.pages[0].command.as_ref().unwrap().value;
    assert_eq!(stand_in.as_bytes(), value);
    let more = of(vec![name(), rule(PERSON, "note", Action::Pseudonym)]);
    for other in [with_another_key, more] {
        assert_ne!(again(&other, &command, &redactions), stand_in);
    }
    // A list by hand, and one that does not say of all.
    let by_hand = Redactions {
        by: Fingerprints::new(),
        ..redactions
    };
    assert_ne!(again(&mine, &command, &by_hand), stand_in);
}

#[test]
fn one_key_of_a_map_that_was_redacted_hides_no_other() {
    let view = "{labels: {email: mina@corp.io, phone: '+49 170 1234567'}}";
    let of_key = redactor(vec![rule(PERSON, "labels.email", Action::Pseudonym)]);
    let (command, redactions) = came_redacted_by(&of_key, view);
    assert_eq!(redactions.fields[0].field, "labels.*");
    let of_all = redactor(vec![rule(PERSON, "labels.*", Action::Pseudonym)]);
    let left = again(&of_all, &command, &redactions);
    assert!(!left.contains("1234567"), "{left}");
    // The same rules do the same, and nothing twice.
    let (command, redactions) = came_redacted_by(&of_all, view);
    let value = &command.pages[0].command.as_ref().unwrap().value;
    assert_eq!(again(&of_all, &command, &redactions).as_bytes(), value);
}

/// A command with two messages of a type, of which one could not be read when the first redactor saw it.
#[test]
fn what_could_not_be_read_hides_behind_no_list() {
    let rules = || vec![rule(PERSON, "name", Action::Pseudonym)];
    let lenient = Policy {
        is_strict: false,
        ..policy(rules())
    };
    let lenient = Redactor::new(registry().clone(), lenient).unwrap();
    let mut sent = case().stimulus.command().unwrap().clone();
    // A field that the descriptor of that day did not have.
    let mut later = carrying("bob-in-plain");
    later.value.extend([0x98, 0x7f, 0x01]);
    sent.pages[1].external = None;
    sent.pages[0].command = Some(carrying(SECRET));
    sent.pages[1].command = Some(Payload {
        type_url: "t/people.Later".into(),
        ..later
    });
    let mut session = lenient.session();
    let command = session.book(&sent).unwrap();
    let report = session.finish();
    assert_eq!(report.unread.len(), 1, "{report:?}");
    let redactions = lenient.redactions(&report, &[]);
    assert_eq!(redactions.by, Fingerprints::new());
    assert!(!redactions.fields.is_empty());
    // Then it is described.
    let mut described = command;
    described.pages[1].command = Some(carrying("bob-in-plain"));
    let before = PriorRedaction::of_command(&described, &redactions);
    let strict = redactor(rules());
    let mut session = strict.session().with_prior(&before);
    let written = session.book(&described).unwrap();
    assert!(session.finish().is_anew);
    for page in written.pages {
        let value = page.command.unwrap().value;
        let value = String::from_utf8_lossy(&value);
        assert!(!value.contains("bob-in-plain"), "{value}");
    }
}

#[test]
fn a_fingerprint_is_of_the_rules_and_the_key() {
    let of = |change: &dyn Fn(&mut Policy)| {
        let mut policy = policy(vec![
            rule(PERSON, "name", Action::Pseudonym),
            rule(PERSON, "note", Action::Mask),
        ]);
        change(&mut policy);
        let redactor = Redactor::new(registry().clone(), policy).unwrap();
        redactor.fingerprint(PERSON)
    };
    let own = of(&|_| {}).unwrap();
    assert_eq!(own.len(), 16);
    let redactor = redactor(vec![rule(PERSON, "name", Action::Pseudonym)]);
    let of_types = ["people.Address", PERSON].map(|it| redactor.fingerprint(it));
    assert_ne!(of_types[0], of_types[1]);
    assert_eq!(redactor.fingerprint("people.Alien"), None);
    let same: [&dyn Fn(&mut Policy); 3] = [
        &|policy| policy.is_strict = false,
        &|policy| policy.roots = true,
        &|policy| policy.rules[0] = policy.rules[0].clone().because("personal data").unwrap(),
    ];
    for change in same {
        assert_eq!(of(change).as_ref(), Some(&own));
    }
    let other: [&dyn Fn(&mut Policy); 7] = [
        &|policy| policy.key = Some(Key::new("a key that nobody else has").unwrap()),
        &|policy| policy.rules.reverse(),
        &|policy| policy.rules.truncate(1),
        &|policy| policy.rules[1] = rule(PERSON, "note", Action::Drop),
        &|policy| policy.rules[1] = rule("people.*", "note", Action::Mask),
        &|policy| policy.rules[0] = policy.rules[0].clone().with_form(Form::Text).unwrap(),
        &|policy| policy.debug_redact = Some(Action::Keep),
    ];
    for (number, change) in other.into_iter().enumerate() {
        assert_ne!(of(change).as_ref(), Some(&own), "{number}");
    }
    let without_key = Policy {
        key: None,
        ..policy(vec![rule(PERSON, "name", Action::Mask)])
    };
    let without_key = Redactor::new(registry().clone(), without_key).unwrap();
    assert_eq!(without_key.fingerprint(PERSON), None);
}

/// A type of which two versions exist, as a redactor knows it.
fn knowing(proto: &str) -> Redactor {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.proto"), proto).unwrap();
    // So that every rule is about something.
    let other =
        "syntax = \"proto3\"; package q; message X { string email = 1; string old_email = 2; }";
    std::fs::write(folder.path().join("b.proto"), other).unwrap();
    let registry = Registry::from_paths(&[folder.path().into()]).unwrap();
    let rules = vec![
        rule("q.*", "email", Action::Pseudonym),
        rule("q.*", "old_email", Action::Pseudonym),
        rule("q.A", "street", Action::Pseudonym),
    ];
    Redactor::new(registry, policy(rules)).unwrap()
}

/// Renamed fields, and bytes that became a message, are compatible on the wire.
#[test]
fn what_was_redacted_by_other_descriptors_is_done_anew() {
    const A: &str = "message A { string street = 1; }";
    let of = |fields: &str| {
        knowing(&format!(
            "syntax = \"proto3\"; package q; {A} message P {{ {fields} }}"
        ))
    };
    let then = of("string email = 1; string login = 2; bytes extra = 3; A home = 4;");
    let now = of("string old_email = 1; string email = 2; A extra = 3; A home = 4;");
    let home = [&[0x22, 4, 0x0a, 2][..], b"am"].concat();
    let extra = [&[0x1a, 13, 0x0a, 11][..], b"Geheimweg 5"].concat();
    let text =
        |tag: u8, text: &str| [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let value = [
        text(0x0a, "old@corp.io"),
        text(0x12, "mina@corp.io"),
        extra,
        home,
    ]
    .concat();
    let mut sent = case().stimulus.command().unwrap().clone();
    sent.pages.truncate(1);
    sent.cover.ext = None;
    let CommandPage {
        header, command, ..
    } = &mut sent.pages[0];
    *header = Header::Sequence(1);
    *command = Some(Payload::new("q.P", value));
    let mut session = then.session();
    let written = session.book(&sent).unwrap();
    let redactions = then.redactions(&session.finish(), &[]);
    assert_eq!(redactions.by.len(), 1);
    let left = again(&now, &written, &redactions);
    assert!(
        !left.contains("mina@corp.io") && !left.contains("Geheimweg"),
        "{left}"
    );
    // Of the same descriptors, read at another time, it is the same.
    let value = &written.pages[0].command.as_ref().unwrap().value;
    let then = of("string email = 1; string login = 2; bytes extra = 3; A home = 4;");
    assert_eq!(again(&then, &written, &redactions).as_bytes(), value);
}

/// Bytes that are a packed message now were never gone into.
#[test]
fn what_a_type_around_it_hid_is_done_anew() {
    let of = |details: &str| {
        let proto = format!(
            "syntax = \"proto3\"; package q; import \"google/protobuf/any.proto\"; message A {{ string street = 1; }} \
             message O {{ {details} details = 1; google.protobuf.Any seen = 2; }}"
        );
        knowing(&proto)
    };
    let (then, now) = (of("bytes"), of("google.protobuf.Any"));
    let packed = |street: &str| {
        let inner = [
            &[0x0a, u8::try_from(street.len()).unwrap()],
            street.as_bytes(),
        ]
        .concat();
        let length = u8::try_from(inner.len()).unwrap();
        [&[0x0a, 5][..], b"t/q.A", &[0x12, length], &inner].concat()
    };
    let field =
        |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let value = [
        field(0x0a, &packed("Geheimweg 5")),
        field(0x12, &packed("Hauptweg 1")),
    ]
    .concat();
    let (mut sent, _) = came_redacted_by(&redactor(Vec::new()), "{}");
    sent.cover.ext = None;
    sent.pages[0].header = Header::Sequence(1);
    sent.pages[0].command = Some(Payload::new("q.O", value));
    let mut session = then.session();
    let written = session.book(&sent).unwrap();
    let redactions = then.redactions(&session.finish(), &[]);
    assert_eq!(redactions.by.len(), 2);
    let left = again(&now, &written, &redactions);
    assert!(!left.contains("Geheimweg"), "{left}");
}

/// A text may come before the payload that says what is secret in it.
#[test]
fn a_notification_says_nothing_that_only_the_state_behind_it_declares() {
    let (refused, _) = came_redacted_by(&redactor(Vec::new()), "{score: 1}");
    let told = notification_page(
        &case().cover,
        &refused,
        &Failure::rejected("Wilhelmina Murray has nothing left"),
        Dialect::ANGZARR,
    );
    let mut case = case();
    case.stimulus = CaseStimulus::ProcessCompensation(ProcessCase {
        trigger: Trigger {
            from: 0,
            with_history: false,
        },
        destinations: Destinations::new(),
        state: EventBook::new(
            case.cover.clone(),
            None,
            History::new(vec![page(0, Body::Event(carrying("Wilhelmina Murray")))]).unwrap(),
        ),
    });
    case.history = History::new(vec![told]).unwrap();
    let redactor =
        redactor(vec![rule("people.*", "*", Action::Pseudonym)]).describing(all_call_descriptors());
    let redacted = redactor.redact_case(&case).unwrap().case;
    let bytes = &redacted.history.pages()[0].body.event().unwrap().value;
    let bytes = String::from_utf8_lossy(bytes);
    assert!(
        bytes.contains("has nothing left") && !bytes.contains("Wilhelmina"),
        "{bytes}"
    );
}

/// A stand-in that came is not a value of the history that happens to be equal.
#[test]
fn the_message_of_a_ticket_keeps_its_stand_ins() {
    let redactor = redactor(vec![rule(PERSON, "balance", Action::Pseudonym)]);
    let (command, redactions) = came_redacted_by(&redactor, "{balance: 500}");
    let stand_in = view(command.pages[0].command.as_ref().unwrap())["balance"]
        .as_i64()
        .unwrap();
    let message = format!("has no {stand_in} left");
    let mut captured = case();
    captured.history = History::new(vec![page(
        1,
        Body::Event(person(&format!("{{balance: {stand_in}}}"))),
    )])
    .unwrap();
    captured.stimulus = CaseStimulus::Command(command);
    captured.redacted = redactions.fields;
    captured.observed = Some(Observed::Rejected(Failure::rejected(&message)));
    let before = PriorRedaction::of_case(&captured, &redactions.by);
    let redacted = redactor.redact_case_after(&captured, &before).unwrap().case;
    assert_eq!(
        redacted.stimulus.command().unwrap().pages,
        captured.stimulus.command().unwrap().pages
    );
    assert_eq!(
        redacted.observed.unwrap().failure().unwrap().message,
        message
    );
    assert_ne!(redacted.history, captured.history);
}

#[test]
fn a_title_and_a_text_within_a_payload_lose_a_root_that_has_a_stand_in() {
    let mut case = case();
    case.title = "History of player 07070707".into();
    case.history = History::new(vec![page(
        1,
        Body::Event(person(&format!(
            "{{note: 'player/{ROOT} and BwcHBwcHBwcHBwcHBwcHBw=='}}"
        ))),
    )])
    .unwrap();
    let redacted = with_roots().redact_case(&case).unwrap().case;
    assert!(!redacted.title.contains("07070707"), "{}", redacted.title);
    assert_ne!(redacted.cover.root, ROOT);
    let prefix = &redacted.cover.root.hex()[..8];
    assert!(redacted.title.contains(prefix), "{}", redacted.title);
    let note = &view(redacted.history.pages()[0].body.event().unwrap())["note"];
    let note = note.as_str().unwrap();
    assert!(!note.contains("0707") && !note.contains("BwcHBw"), "{note}");
    assert!(
        note.starts_with(&format!("player/{}", redacted.cover.root)),
        "{note}"
    );
}

#[test]
fn texts_lose_what_was_taken_out_in_every_spelling() {
    let redactor = redactor(vec![rule(PERSON, "*", Action::Pseudonym)]);
    for (view, text, left) in [
        (
            "{name: 'Jörg Müller'}",
            "JÖRG MÜLLER is blocked",
            " is blocked",
        ),
        (
            "{name: 'Jörg Müller'}",
            r#"{"name":"J\u00f6rg M\u00fcller"}"#,
            r#""}"#,
        ),
        (
            "{name: 'Jörg Müller'}",
            r#"name: "J\303\266rg M\303\274ller""#,
            "\"",
        ),
        (
            "{name: 'Smith & Sons'}",
            r#"{"name":"Smith \u0026 Sons"}"#,
            r#""}"#,
        ),
        (
            "{name: 'Wilhelmina Murray'}",
            "s3://b/Wilhelmina%20Murray",
            "",
        ),
        (
            "{name: 'Wilhelmina Murray'}",
            "GET /x?name=Wilhelmina+Murray",
            "",
        ),
        ("{email: mina@corp.io}", "GET /u/mina%40corp.io", ""),
        ("{name: '4915112345678'}", "account DE4915112345678", ""),
        ("{balance: 123456}", "needs EUR123456", ""),
        ("{balance: 123456}", "needs 123,456 more", " more"),
        (
            "{name: \"O'Brien-Murray\"}",
            r"b'O\'Brien-Murray' invalid",
            "' invalid",
        ),
        (
            "{id: 'ZRMnDg=='}",
            "id [101, 19, 39, 14] unknown",
            "] unknown",
        ),
        ("{balance: -471123}", "account is 471,123 short", " short"),
        ("{weight: 9812.5}", "has 9812.50 EUR", " EUR"),
        ("{name: \" Alice Smith\\n\"}", "no player Alice Smith", ""),
        ("{phone: '+49 170 1234567'}", "no 491701234567", ""),
        ("{name: 'Hans Weiß'}", "no HANS WEISS", ""),
        ("{name: 'Οδυσσέας'}", "no ΟΔΥΣΣΈΑΣ", ""),
        (
            "{name: 'Jörg O\"Neil'}",
            r#"{"e":"{\"n\":\"Jörg O\\\"Neil\"}"#,
            r#"\"}"#,
        ),
        ("{name: \"O'Neil & Co\"}", "O&#39;Neil &amp; Co", ""),
        ("{name: '王小明'}", "玩家王小明没有", "没有"),
        // The end of an escape is no letter of a word.
        ("{name: Bobby, aliases: [Bob]}", "?q=%20Bob", ""),
        ("{aliases: [Bob]}", r"for\nBob", ""),
        // The longest hides no shorter one that counts.
        (
            "{aliases: ['Bob B', 'Bob']}",
            "player Bob Builds",
            " Builds",
        ),
        // Of two that overlap nothing is left.
        (
            "{aliases: ['Anna Maria', 'Maria Schmidt']}",
            "no Anna Maria Schmidt",
            "",
        ),
        // A short word that is none by itself hides no longer one.
        ("{aliases: [Max, 'Xaver Grün']}", "acc.MaXaver Grün", ""),
    ] {
        let mut session = redactor.session();
        session.payload(&person(view), "it").unwrap();
        let written = session.text(text);
        let same = text
            .chars()
            .zip(written.chars())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(written.ends_with(left), "{text}: {written}");
        let taken: String = text.chars().skip(same).collect();
        let taken = taken.strip_suffix(left).unwrap();
        assert!(
            !taken.is_empty() && !written.contains(taken),
            "{text}: {written}"
        );
    }
}

#[test]
fn fields_that_hold_roots_of_other_aggregates_are_named_where_roots_get_stand_ins() {
    let other = "11111111-2222-3333-4444-555555555555";
    let with = |redactor: &Redactor, view: &str| {
        let mut case = case();
        case.history = History::new(vec![page(1, Body::Event(person(view)))]).unwrap();
        case.snapshot = None;
        let report = redactor.redact_case(&case).unwrap().report;
        let fields = report.suspects.into_iter();
        let fields = fields.filter(|suspect| suspect.looks_like == OTHER_ROOT);
        fields.map(|suspect| suspect.field).collect::<Vec<_>>()
    };
    for (view, expected) in [
        (format!("{{id: 'uuid:{other}'}}"), vec!["id"]),
        (format!("{{note: 'moved to table/{other}'}}"), vec!["note"]),
        // The case's own has a stand-in; nil is nobody's; what a rule is about is taken out.
        (format!("{{id: 'uuid:{ROOT}', note: 'of {ROOT}'}}"), vec![]),
        (format!("{{note: {}}}", Root::new([0; 16])), vec![]),
        (format!("{{name: {other}}}"), vec![]),
    ] {
        assert_eq!(with(&with_roots(), &view), expected, "{view}");
        // Where roots stay, there is nothing to say.
        assert!(with(&redactor(Vec::new()), &view).is_empty(), "{view}");
    }
}

#[test]
fn what_looks_personal_is_found_without_redacting_anything() {
    let policy = Policy::new(Vec::new())
        .with_debug_redact(Action::Keep)
        .lenient();
    let detector = Redactor::new(registry().clone(), policy).unwrap();
    let telling = "{email: a@acme.io, note: 'call bob@acme.io', name: Alice, passcode: hunter2}";
    for (stimulus, observed) in kinds() {
        let mut case = Case {
            stimulus,
            observed,
            ..case()
        };
        case.history = History::new(vec![page(1, Body::Event(person(telling)))]).unwrap();
        let before = case.clone();
        let found = detector.suspects_in(&case).unwrap();
        assert!(found.iter().any(|it| it.looks_like == "email"), "{found:?}");
        assert_eq!(found, detector.redact_case(&case).unwrap().report.suspects);
        assert_eq!(case, before);
    }
}
