//! What would get into an output or a file by a side way.

use angzarr_replay::internal::model::{
    Body, Failure, Header, Payload, PayloadReference, Redaction, RedactionAction, Storage,
};
use angzarr_replay::internal::ticket::Ticket;
use insta::assert_snapshot;

use super::{
    Dying, EMAIL, ENVIRONMENT, MODEL, NAME, RULES, event, payload, person, production, project,
    repeating, serve_as_peer, ticket, without_secrets,
};
use crate::support::{ALICE, Project, ROOT};

/// A command that declares nothing, whose failure repeats what the history declares.
fn of_the_state() -> Ticket {
    let mut ticket = ticket();
    ticket.command.cover.correlation_id = String::new();
    let page = &mut ticket.command.pages[0];
    page.header = Header::Sequence(1);
    page.command = Some(payload("DepositFunds", "{amount: {amount: 5}}"));
    ticket.failure.message = format!("{NAME} may not");
    ticket
}

#[test]
fn lines_that_are_no_tickets_are_told_without_their_values() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let good = ticket().to_line();
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let root = format!(
        "{{\"root\":{{\"owner\":\"{NAME}\"}},\"domain\":\"player\",\"error_message\":\"no\"}}"
    );
    for (name, line) in [
        (
            "correlation",
            changed(
                &format!("\"correlation_id\":\"wf-{MODEL}\""),
                &format!("\"correlation_id\":\"for {NAME}\""),
            ),
        ),
        (
            "code",
            changed("\"FAILED_PRECONDITION\"", &format!("\"{NAME}\"")),
        ),
        (
            "version",
            changed("\"ticket\":1", &format!("\"ticket\":\"{NAME}\"")),
        ),
        (
            "type",
            changed("\"head\":1", &format!("\"head\":\"{NAME}\"")),
        ),
        (
            "uuid",
            changed("\"root\":\"07", &format!("\"root\":\"{NAME}")),
        ),
        ("root", root),
    ] {
        let file = format!("{name}.jsonl");
        project.write(&file, &format!("{line}\n{good}\n"));
        for arguments in [
            &["tickets", &file][..],
            &["capture", "--from-log", &file, "--dry-run"],
            &["capture", ROOT, "--ticket", &file, "--dry-run"],
        ] {
            let ran = project.run_as(arguments, "", &ENVIRONMENT[..1]);
            without_secrets(&(ran.out + &ran.err), &format!("{arguments:?}"));
        }
    }
    let names_a_line = |line: &&str| line.contains("jsonl:") || line.starts_with('$');
    let lines: Vec<&str> = project.transcript().lines().filter(names_a_line).collect();
    assert_snapshot!("lines_without_values", lines.join("\n"));
}

#[test]
fn the_address_of_an_event_is_told_without_what_is_secret_in_it() {
    let reference = PayloadReference {
        storage: Storage::S3,
        uri: format!("file:///nowhere/{NAME}/{EMAIL}"),
        content_hash: vec![7; 32],
        original_size: 1,
        stored_at: None,
    };
    let mut page = event(1, person("PlayerRegistered"));
    page.body = Body::External(Box::new(reference));
    let server = production(vec![page]);
    let project = &mut project(&server, RULES);
    let ran = project.run_as(&["capture", ROOT, "--history"], "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("page 1 of player is stored at file:///nowhere/p-"),
        "{}",
        ran.err
    );
    without_secrets(&ran.err, "an error");
}

#[test]
fn each_distinct_bug_is_told_without_what_only_the_history_declares() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    project.write("failures.jsonl", &(of_the_state().to_line() + "\n"));
    for more in [&[][..], &["--json"]] {
        let arguments = [&["capture", "--each-distinct", "--force"][..], more].concat();
        let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(" may not"), "{}", ran.out);
        without_secrets(&(ran.out + &ran.err), &format!("{arguments:?}"));
    }
}

#[test]
fn what_stays_unredacted_or_is_redacted_anew_is_told_in_every_form() {
    let unknown = Payload::new("other.Thing", MODEL.into());
    let server = production(vec![event(1, unknown)]);
    let lenient = RULES.replace("[redaction]\n", "[redaction]\nrequired = false\n");
    let mut project = project(&server, &lenient);
    let mut came_redacted = ticket();
    came_redacted.head = Some(2);
    came_redacted.redacted.fields = vec![Redaction {
        type_name: "examples.RegisterPlayer".into(),
        field: "email".into(),
        action: RedactionAction::Pseudonym,
    }];
    project.write("failures.jsonl", &(came_redacted.to_line() + "\n"));
    let unread = "there is no descriptor of `other.Thing`";
    for (more, anew) in [
        (&[ROOT][..], "stand-ins got stand-ins"),
        (&[ROOT, "--json"], "\"redacted_anew\":true"),
        (&["--each-distinct"], "stand-ins got stand-ins"),
        (&["--each-distinct", "--json"], "\"redacted_anew\":true"),
    ] {
        let arguments = [&["capture", "--force"][..], more].concat();
        let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(
            ran.out.contains(unread) && ran.out.contains(anew),
            "{more:?}\n{}",
            ran.out
        );
    }
}

/// Our own words and numbers are no values, even where they are equal to one.
#[test]
fn what_capture_counts_is_not_redacted() {
    let deposit = |n: u32| {
        event(
            n,
            payload(
                "FundsDeposited",
                &format!("{{amount: {{amount: {}}}}}", 100 + n),
            ),
        )
    };
    let server = production((1..=120).map(deposit).collect());
    let amounts = "\n[[redaction.rules]]\ntype = \"examples.Currency\"\nfield = \"amount\"\naction = \"pseudonym\"\n\
                   reason = \"theirs\"\n";
    let mut project = project(&server, &(RULES.to_owned() + amounts));
    let mut ticket = of_the_state();
    ticket.head = Some(121);
    ticket.command.pages[0].header = Header::Sequence(121);
    ticket.failure.message = format!("for\n{NAME}\tmay not");
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let ran = project.run_as(&["capture", ROOT], "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .contains("history      121 events, sequence 0 to 120,"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("head         121,"), "{}", ran.out);
    assert!(
        ran.out
            .contains("production   FAILED_PRECONDITION \"for\\np-"),
        "{}",
        ran.out
    );
}

#[test]
fn a_bug_that_could_not_be_captured_is_told_without_its_message() {
    let unknown = Payload::new("other.Thing", MODEL.into());
    let server = production(vec![event(1, unknown)]);
    let mut project = project(&server, RULES);
    let mut ticket = of_the_state();
    ticket.head = Some(2);
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    for more in [&[][..], &["--json"]] {
        let arguments = [&["capture", "--each-distinct"][..], more].concat();
        let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
        assert_eq!(ran.code, 1);
        assert!(
            ran.out.contains("player DepositFunds FAILED_PRECONDITION"),
            "{}",
            ran.out
        );
        without_secrets(&(ran.out + &ran.err), &format!("{arguments:?}"));
    }
}

/// Before anything is asked of production, and also where its data is public.
#[test]
fn a_rule_about_nothing_is_refused_wherever_rules_are_followed() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let toml = project.read("replay.toml");
    let record = [
        "record",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "127.0.0.1:1",
    ];
    for (from, to) in [
        (
            "examples.*\"\nfield = \"email",
            "examples.*\"\nfield = \"emial",
        ),
        (
            "examples.*\"\nfield = \"email",
            "exmaples.*\"\nfield = \"email",
        ),
        ("field = \"email", "field = \"emial*"),
        ("field = \"email", "field = \"email.domain"),
    ] {
        let misspelt = toml.replacen(from, to, 1);
        assert_ne!(misspelt, toml, "{from}");
        project.write("replay.toml", &misspelt);
        for arguments in [
            &["capture", ROOT, "--history"][..],
            &["capture", ALICE, "--source", "embedded"],
            &["capture", "--each-distinct"],
            &["capture", "--recorded", "replay.toml"],
            &record,
        ] {
            let ran = project.run_as(arguments, "", &ENVIRONMENT[..1]);
            assert_eq!(ran.code, 2, "{arguments:?} {}", ran.err);
            assert!(
                ran.err.contains(
                    "matches no field, so the values it is meant for would be written unredacted"
                ),
                "{}",
                ran.err
            );
        }
    }
    let made = project
        .files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("fixtures"));
    assert_eq!(made.count(), 0);
    project.write("replay.toml", &toml);
    // Where what is not described is kept, a rule about such a type is only told of.
    let lenient = toml
        .replacen("tickets =", "redaction_required = false\ntickets =", 1)
        .replacen(
            "examples.*\"\nfield = \"email",
            "later.*\"\nfield = \"email",
            1,
        );
    project.write("replay.toml", &lenient);
    let ran = project.run_as(&["capture", ROOT, "--history"], "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_snapshot!("redaction_about_nothing", project.transcript());
}

#[test]
fn rules_that_only_keep_record_nothing() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let toml = project.read("replay.toml");
    let keeping = toml.split("[redaction]").next().unwrap().to_owned()
        + "[redaction]\n[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"email\"\naction = \"keep\"\nreason = \"looked\"\n";
    project.write("replay.toml", &keeping);
    let ran = project.run(&[
        "record",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "127.0.0.1:1",
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("has no rule"), "{}", ran.err);
}

/// The embedded deployment's data is public. What comes from elsewhere is not, whatever the source is.
#[test]
fn a_command_of_elsewhere_is_no_demonstration() {
    let mut project = Project::new("");
    let mut free = ticket();
    free.head = None;
    project.write("production.jsonl", &(free.to_line() + "\n"));
    let aggregate = format!("player/{ROOT}");
    for arguments in [
        &["capture", "--from-log", "production.jsonl"][..],
        &["capture", &aggregate, "--ticket", "production.jsonl"],
        &[
            "capture",
            "--each-distinct",
            "--from-log",
            "production.jsonl",
        ],
    ] {
        let ran = project.run(arguments);
        assert_ne!(ran.code, 0, "{arguments:?}");
        let words = "so the command (from production.jsonl:1) is no demonstration, and replay.toml has no [redaction]";
        let words = words.replace(
            ":1",
            if arguments.contains(&"--ticket") {
                ""
            } else {
                ":1"
            },
        );
        assert!((ran.out + &ran.err).contains(&words), "{arguments:?}");
        assert!(
            project
                .files()
                .into_iter()
                .all(|(name, _)| !name.starts_with("fixtures"))
        );
    }
    let unredacted = ["capture", "--from-log", "production.jsonl", "--unredacted"];
    assert_eq!(project.run(&unredacted).code, 0);
    // A file may be called like anything.
    project.write("embedded", "");
    let ran = project.run(&["capture", "--recorded", "embedded", "--source", "embedded"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("the recording `embedded` is no demonstration"),
        "{}",
        ran.err
    );
}

#[test]
fn a_title_of_a_time_before_the_rules_is_redacted_too() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let mut ticket = of_the_state();
    ticket.failure = Failure::rejected(format!("ask {EMAIL}"));
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    for more in ["--unredacted", "--force"] {
        let arguments = ["capture", ROOT, "--name", "case", more];
        let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let case = project.read("fixtures/case.yaml");
    assert!(case.contains("title: "), "{case}");
    without_secrets(&case, "the case");
}

#[test]
fn the_digits_of_a_root_that_a_title_has_are_those_of_its_stand_in() {
    let server = production(Vec::new());
    let rules = RULES.replacen("[redaction]\n", "[redaction]\nroots = \"pseudonym\"\n", 1);
    let mut project = project(&server, &rules);
    let arguments = ["capture", ROOT, "--history", "--name", "case"];
    let ran = project.run_as(&arguments, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let case = project.read("fixtures/case.yaml");
    let prefix = &ROOT[..8];
    let titled = case
        .lines()
        .find(|line| line.starts_with("title: History of player "));
    assert!(
        titled.is_some_and(|title| !title.contains(prefix)),
        "{case}"
    );
    assert!(!case.contains(prefix), "{case}");
}

/// This test is a process of the next one.
#[test]
fn dying_peer() {
    serve_as_peer(Dying::at(str::is_empty));
}

/// One process answers for all, and is asked with what was taken out too, to see whether redaction changes its answer.
#[test]
fn the_last_words_of_logic_that_knew_more_are_not_shown() {
    let server = production(Vec::new());
    let logic = repeating().replace(
        "bad_input::redaction::peer",
        "bad_input::redaction::byways::dying_peer",
    );
    let mut project = project(&server, &(RULES.to_owned() + &logic));
    let (mut first, mut second) = (ticket(), ticket());
    first.failure.message = "no".into();
    second.failure.message = "other".into();
    second.command.pages[0].command = Some(payload("RegisterPlayer", "{email: x@y.io}"));
    project.write(
        "failures.jsonl",
        &format!("{}\n{}\n", first.to_line(), second.to_line()),
    );
    let ran = project.run_as(&["capture", "--each-distinct"], "", &ENVIRONMENT[..1]);
    let said = ran.out + &ran.err;
    assert!(said.contains("its output is not shown"), "{said}");
    without_secrets(&said, "the output");
}

#[test]
fn no_answer_twice_is_not_the_same_outcome() {
    let server = production(Vec::new());
    let closed = crate::support::listener().local_addr().unwrap();
    let rules = format!("{RULES}[logic.player]\naddress = \"{closed}\"\n");
    let mut project = project(&server, &rules);
    project.write("failures.jsonl", &(ticket().to_line() + "\n"));
    let capture = ["capture", ROOT, "--name", "player/case"];
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "whether it changes the outcome is not known: the logic gave no answer, neither to what was captured nor to \
             what would be written"
        ),
        "{}{}",
        ran.out,
        ran.err
    );
}
