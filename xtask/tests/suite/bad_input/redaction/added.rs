//! Rules that came after the capture: an audit tells what they would have taken out.

use super::{
    EMAIL, ENVIRONMENT, MODEL, NAME, RULES, event, payload, person, production, project, ticket,
};
#[cfg(unix)]
use super::{calls, production_that_repeats, record_failing, repeating};
use crate::bad_input::audit::gzip;
use crate::support::{Project, ROOT};

/// The rules without the one about names.
fn without_names() -> String {
    let rules: Vec<&str> = RULES.split("[[redaction.rules]]").collect();
    format!(
        "{}[[redaction.rules]]{}[[redaction.rules]]{}",
        rules[0], rules[2], rules[3]
    )
}

/// Says which findings there are, and that none of them shows a value.
fn audited(project: &mut Project, code: i32) -> String {
    let ran = project.run(&["audit"]);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    for secret in [NAME, EMAIL, MODEL] {
        assert!(!(ran.out.clone() + &ran.err).contains(secret), "{secret}");
    }
    ran.out
}

fn add_names(project: &Project) {
    let toml = project.read("replay.toml");
    project.write(
        "replay.toml",
        &toml.replace(
            "[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"email\"",
            "[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"display_name\"\naction = \"pseudonym\"\n\
             reason = \"personal data\"\n\n[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"email\"",
        ),
    );
}

#[test]
fn a_rule_that_came_later_is_noticed_in_fixtures() {
    let server = production(Vec::new());
    let mut project = project(&server, &without_names());
    let capture = ["capture", ROOT, "--name", "player/case"];
    assert_eq!(project.run_as(&capture, "", &ENVIRONMENT[..1]).code, 0);
    // Tickets of the source were never redacted.
    project.write("failures.jsonl", "");
    audited(&mut project, 0);
    add_names(&project);
    let said = audited(&mut project, 1);
    let case = project.read("fixtures/player/case.yaml");
    let lines: Vec<String> = (1..)
        .zip(case.lines())
        .filter(|(_, line)| line.contains(&format!("display_name: {NAME}")))
        .map(|(number, line)| {
            let column = line.find(NAME).unwrap() + 1;
            format!("fixtures/player/case.yaml:{number}:{column}: not redacted: display_name of examples.")
        })
        .collect();
    assert_eq!(lines.len(), 2, "{case}");
    // The title and the observed message repeat the name, each on a line of its own.
    let texts: Vec<String> = (1..)
        .zip(case.lines())
        .filter(|(_, line)| line.contains(NAME) && !line.contains("display_name:"))
        .map(|(number, line)| {
            let column = line.find(NAME).unwrap() + 1;
            format!(
                "fixtures/player/case.yaml:{number}:{column}: not redacted: a text that repeats display_name of \
                 examples.PlayerRegistered, redaction rule 1\n"
            )
        })
        .collect();
    assert_eq!(texts.len(), 2, "{case}");
    for line in &texts {
        assert!(said.contains(line), "{line}{said}");
    }
    for (line, type_name) in lines.iter().zip(["PlayerRegistered", "RegisterPlayer"]) {
        let line = format!("{line}{type_name}, redaction rule 1\n");
        assert!(said.contains(&line), "{line}{said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
    // Captured again, nothing is left.
    project.write("failures.jsonl", &(ticket().to_line() + "\n"));
    let capture = [&capture[..], &["--force"]].concat();
    assert_eq!(project.run_as(&capture, "", &ENVIRONMENT[..1]).code, 0);
    project.write("failures.jsonl", "");
    audited(&mut project, 0);
    // What somebody writes into a fixture afterwards is no stand-in.
    let case = project.read("fixtures/player/case.yaml");
    let at = case.find("display_name: ").unwrap();
    let end = at + case[at..].find('\n').unwrap();
    let edited = format!("{}display_name: {NAME}{}", &case[..at], &case[end..]);
    project.write("fixtures/player/case.yaml", &edited);
    assert_eq!(audited(&mut project, 1).lines().count(), 1);
    let toml = project.read("replay.toml");
    let allowed = format!(
        "{toml}\n[[audit.allow]]\nfinding = \"not redacted\"\ntext = \"{NAME}\"\nreason = \"made up\"\n"
    );
    project.write("replay.toml", &allowed);
    audited(&mut project, 0);
}

/// Another rule that means the same fields by another path finds nothing in what was redacted.
#[test]
fn a_rule_that_came_later_and_means_what_is_gone_finds_nothing() {
    let funds = payload(
        "FundsDeposited",
        "{amount: {amount: 500, currency_code: CHIPS}, new_balance: {amount: 700, currency_code: CHIPS}}",
    );
    let server = production(vec![event(1, funds)]);
    let rules = format!(
        "{RULES}\n[[redaction.rules]]\ntype = \"examples.FundsDeposited\"\nfield = \"amount\"\naction = \"pseudonym\"\n\
         reason = \"money\"\n"
    );
    let mut project = project(&server, &rules);
    let capture = ["capture", ROOT, "--history", "--name", "player/case"];
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    project.write("failures.jsonl", "");
    audited(&mut project, 0);
    let toml = project.read("replay.toml");
    project.write(
        "replay.toml",
        &format!("{toml}\n[[redaction.rules]]\ntype = \"examples.Currency\"\nfield = \"amount\"\naction = \"mask\"\nreason = \"money\"\n"),
    );
    let said = audited(&mut project, 1);
    assert!(
        said.contains(": not redacted: amount of examples.Currency, redaction rule 5\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_rule_that_came_later_is_noticed_in_long_histories() {
    let more = (1..600).map(|at| event(at, person("PlayerRegistered")));
    let server = production(more.collect());
    let mut project = project(&server, &without_names());
    let capture = ["capture", ROOT, "--history", "--name", "player/long"];
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    project.write("failures.jsonl", "");
    audited(&mut project, 0);
    add_names(&project);
    assert_eq!(
        audited(&mut project, 1),
        "fixtures/player/long.yaml: not redacted: display_name of examples.PlayerRegistered, redaction rule 1\n"
    );
}

#[test]
fn a_rule_that_came_later_is_noticed_in_tickets() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    // The ticket of the source is as it was written: in plain text.
    project.write("fixtures/README.md", "none yet\n");
    // Read as `tickets` reads it, however it is packed and encoded.
    let log = project.read("failures.jsonl");
    let units: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = [&b"\xff\xfe"[..], &units].concat();
    std::fs::write(project.path("fixtures/packed.gz"), gzip(log.as_bytes())).unwrap();
    std::fs::write(project.path("fixtures/wide.log"), wide).unwrap();
    let odd = [log.as_bytes(), b"caf\xe9\n"].concat();
    std::fs::write(project.path("fixtures/odd.log"), odd).unwrap();
    let said = audited(&mut project, 1);
    for field in ["display_name", "email", "ai_model_id"] {
        for file in [
            "failures.jsonl",
            "fixtures/packed.gz",
            "fixtures/wide.log",
            "fixtures/odd.log",
        ] {
            let line = format!(
                "{file}:1:1: not redacted: {field} of examples.RegisterPlayer, redaction rule "
            );
            assert!(said.contains(&line), "{said}");
        }
    }
}

#[test]
fn what_a_rule_that_came_later_would_take_is_noticed_in_texts_too() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    project.write("fixtures/README.md", "none yet\n");
    let line = project.read("failures.jsonl");
    let mut ticket: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    ticket["message"] = format!("{NAME} is there already").into();
    project.write("failures.jsonl", &format!("{ticket}\n"));
    let told = "failures.jsonl:1:1: not redacted: a text that repeats display_name of examples.RegisterPlayer, redaction rule 1\n";
    let said = audited(&mut project, 1);
    assert!(said.contains(told), "{said}");
    ticket["message"] = "somebody is there already".into();
    project.write("failures.jsonl", &format!("{ticket}\n"));
    let said = audited(&mut project, 1);
    assert!(!said.contains("a text that repeats display_name"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_rule_that_came_later_is_noticed_in_recordings() {
    let server = production_that_repeats();
    let rules = without_names().replace("key_env = \"REDACTION_KEY\"", "key_file = \"key\"");
    let mut project = project(&server, &(rules + &repeating()));
    project.write("key", super::KEY);
    let upstream = server.address().to_string();
    record_failing(&project, &["--upstream", &upstream], &calls()[..1], "-INT");
    let audit = |project: &mut Project, code: i32| {
        let ran = project.run(&[
            "audit",
            "recording.jsonl",
            "recorded.jsonl",
            "packed.jsonl.gz",
        ]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        ran.out
    };
    let packed = gzip(project.read("recording.jsonl").as_bytes());
    std::fs::write(project.path("packed.jsonl.gz"), packed).unwrap();
    audit(&mut project, 0);
    add_names(&project);
    let said = audit(&mut project, 1);
    for file in ["recording.jsonl", "recorded.jsonl", "packed.jsonl.gz"] {
        let line = format!(
            "{file}:1:1: not redacted: display_name of examples.RegisterPlayer, redaction rule 1\n"
        );
        assert!(said.contains(&line), "{said}");
    }
}

#[test]
fn a_fixture_on_which_the_rules_cannot_be_tried_is_no_success() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let capture = ["capture", ROOT, "--name", "player/case"];
    assert_eq!(project.run_as(&capture, "", &ENVIRONMENT[..1]).code, 0);
    project.write("failures.jsonl", "");
    let case = project.read("fixtures/player/case.yaml");
    project.write("fixtures/player/cut.yaml", &case[..case.len() / 2]);
    let bytes = "fixture: 1\nkind: history\nstatus: open\ntitle: x\nsource:\n  name: production\n  dialect: angzarr\n  \
                 captured_at: \"2026-11-23T06:12:00Z\"\n  head: current\ncover:\n  domain: player\n  root: \
                 \"6513270e-269e-4d37-b2a7-4de452e6b438\"\n  edition: main\nhistory:\n  - sequence: 0\n    type: \
                 type.googleapis.com/other.Thing\n    bytes: CgNhYmM=\n";
    project.write("fixtures/player/undescribed.yaml", bytes);
    let odd = [case.as_bytes(), b"# \xff\n"].concat();
    std::fs::write(project.path("fixtures/player/odd.yaml"), odd).unwrap();
    let said = audited(&mut project, 1);
    assert_eq!(
        said,
        "fixtures/player/cut.yaml: not read: it cannot be read as a fixture, so the redaction rules were not tried on it; \
         `cargo xtask replay` says why\n\
         fixtures/player/odd.yaml: not read: it is not UTF-8, so the redaction rules were not tried on it\n\
         fixtures/player/undescribed.yaml: not read: the redaction rules could not be tried on all of it: there is no \
         descriptor of `other.Thing`\n"
    );
}
