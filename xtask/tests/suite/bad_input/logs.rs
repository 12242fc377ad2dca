//! Failures from logs: `capture --from-log`, `logs` of a source, `tickets`, `capture --each-distinct`.

use angzarr_replay::internal::model::{Code, Failure, FailureClass, Timestamp};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::Dialect;
use insta::assert_snapshot;

use crate::support::{
    ALICE, Project, ROOT, SEEDED, coordinator, cover, page, recorded_failures, seed, small_pages,
};

const COMMAND: &str =
    "type: WithdrawFunds\npayload:\n  amount:\n    amount: 4500\n    currency_code: CHIPS\n";

fn tickets() -> Vec<Ticket> {
    let tickets = Ticket::parse_lines(&recorded_failures()).unwrap();
    tickets.into_iter().map(|(_, ticket)| ticket).collect()
}

/// What a gateway logs amid other things: a failure of Alice without its command.
fn fields() -> String {
    format!(
        "2026-11-23T00:01:29Z [info     ] started                        port=1310\n\
         2026-11-23T00:01:30Z [error    ] command_failed                 correlation_id= domain=player \
         error_code=FAILED_PRECONDITION error_message='Insufficient funds' root={ALICE} sequence=3\n\
         Traceback (most recent call last):\n"
    )
}

#[test]
fn the_newest_ticket_of_a_log_says_which_aggregate_it_is() {
    let mut project = Project::new("");
    let ticket = recorded_failures().lines().nth(2).unwrap().to_owned();
    project.write(
        "app.log",
        &format!("starting\nWARN refused {ticket}\nended\n"),
    );
    assert_eq!(project.run(&["capture", "--from-log", "app.log"]).code, 0);
    // Again, by the beginning of its root, from standard input.
    let text = project.read("app.log");
    let again = ["capture", &ALICE[..8], "--from-log", "-"];
    assert_eq!(project.run_as(&again, &text, &[]).code, 0);
    assert_snapshot!("from_log", project.transcript());
}

#[test]
fn the_fields_of_a_failure_make_a_history_case_or_a_whole_one_with_the_command() {
    let mut project = Project::new("");
    project.write("app.log", &fields());
    project.write("withdraw.yaml", COMMAND);
    assert_eq!(project.run(&["capture", "--from-log", "app.log"]).code, 0);
    let fixture = project.read("fixtures/player/history-6513270e-3.yaml");
    assert!(fixture.ends_with(
        "noted:\n  code: FAILED_PRECONDITION\n  message: Insufficient funds\n  sequence: 3\n  time: \
         \"2026-11-23T00:01:30Z\"\n"
    ));
    let whole = [
        "capture",
        "--from-log",
        "app.log",
        "--command",
        "withdraw.yaml",
    ];
    assert_eq!(project.run(&whole).code, 0);
    let case = "fixtures/player/history-6513270e-3.yaml";
    // This logic offers no state to look at: the failure is shown, and not judged.
    project.run(&["replay", case]);
    assert_snapshot!("from_log_fields", project.transcript());
}

#[test]
fn a_log_without_anything_of_use_is_told_with_what_was_looked_for() {
    let mut project = Project::new("");
    project.write("app.log", "nothing\nto see\n");
    project.write("stale.log", recorded_failures().lines().nth(3).unwrap());
    project.write(
        "odd.log",
        "domain=player root=65132 error=no\n\ndomain=player root=no error=no\n",
    );
    project.write("fields.log", &fields());
    for arguments in [
        ["capture", "--from-log", "app.log"].as_slice(),
        &["capture", "--from-log", "odd.log"],
        &["capture", "--from-log", "stale.log"],
        &["capture", "d23f0824", "--from-log", "fields.log"],
        &["capture", "--domain", "table", "--from-log", "fields.log"],
        &["capture", "--from-log", "nowhere.log"],
        &["capture", "--from-log", "."],
        &["tickets", "app.log"],
        &["capture", "--each-distinct", "--from-log", "app.log"],
    ] {
        assert_eq!(project.run(arguments).code, 1, "{arguments:?}");
    }
    for arguments in [
        ["capture"].as_slice(),
        &["capture", "--from-log", "app.log", "--ticket", "app.log"],
        &["capture", "--from-log", "app.log", "--history"],
        &["capture", "--each-distinct", "--name", "a"],
    ] {
        assert_eq!(project.run(arguments).code, 2, "{arguments:?}");
    }
    assert_snapshot!("log_without_failures", project.transcript());
}

/// Two clocks without a zone may be hours apart, so only the place of a line counts.
#[test]
fn a_failure_whose_time_has_no_zone_is_not_called_the_newest() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..3))]);
    let logs = "logs = [\"one.log\", \"other.log\"]\n";
    let mut project = Project::of_source(server.address(), logs);
    let failed = |time: &str, sequence: u32| {
        format!("{time} aggregate_root={ROOT} domain=player sequence={sequence} error=no\n")
    };
    let (later, earlier) = ("2026-11-23 09:00:00", "2026-11-23 01:00:00");
    project.write("one.log", &failed(later, 1));
    project.write("other.log", &failed(earlier, 2));
    let command = |project: &mut Project| {
        let ran = project.run(&["capture", ROOT, "--unredacted", "--dry-run"]);
        let mut lines = ran.out.lines();
        let line = lines.find(|line| line.starts_with("  command ")).unwrap();
        line.to_owned()
    };
    let said = command(&mut project);
    let by_place = "the failure is from other.log:1, the last of 2 of this aggregate, as they stand: their times are not known";
    assert!(said.contains(by_place), "{said}");
    // An instant goes before times without a zone, and is not called the newest of them.
    project.write("one.log", &failed("2026-11-23T09:00:00Z", 1));
    let said = command(&mut project);
    let by_time = "the failure is from one.log:1, the latest time among 2 of this aggregate, not all of which have one";
    assert!(said.contains(by_time), "{said}");
}

#[test]
fn the_newest_failure_is_found_in_the_logs_that_a_source_names() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..3))]);
    let mut project = Project::of_source(server.address(), "logs = [\"logs/app.log\"]\n");
    let failed = |second: u32, sequence: u32, message: &str| {
        format!(
            "{{\"timestamp\":\"2026-11-23T00:01:{second}Z\",\"event\":\"failed\",\"aggregate_root\":\"{ROOT}\",\
             \"domain\":\"player\",\"sequence\":{sequence},\"error\":\"{message}\"}}\n"
        )
    };
    project.write(
        "logs/app.log",
        &(failed(32, 2, "newest")
            + "noise\ndomain=player root=5 error=no\n"
            + &failed(31, 1, "older")),
    );
    let capture = ["capture", ROOT, "--unredacted", "--dry-run"];
    assert_eq!(project.run(&capture).code, 0);
    assert_eq!(project.run(&["tickets"]).code, 0);
    assert_eq!(project.run(&["tickets", "--json"]).code, 0);
    std::fs::remove_file(project.path("logs/app.log")).unwrap();
    assert_eq!(project.run(&capture).code, 1);
    assert_snapshot!("logs_of_a_source", project.transcript());
}

#[test]
fn failures_are_counted_by_bug() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["tickets"]).code, 0);
    let mut again = tickets()[2].clone();
    again.time = Some(SEEDED);
    let log = format!(
        "{}noise\n{}\n{}",
        recorded_failures(),
        again.to_line(),
        fields()
    );
    project.write("app.log", &log);
    assert_eq!(project.run(&["tickets", "app.log"]).code, 0);
    assert_eq!(
        project.run_as(&["tickets", "-", "--json"], &log, &[]).code,
        0
    );
    assert_eq!(
        project
            .run(&["tickets", "app.log", "--source", "embedded"])
            .code,
        2
    );
    assert_snapshot!("tickets", project.transcript());
}

#[test]
fn each_distinct_bug_becomes_a_case() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["capture", "--each-distinct"]).code, 0);
    assert_eq!(project.run(&["capture", "--each-distinct"]).code, 0);
    assert_snapshot!("each_distinct", project.transcript());
}

/// A newer example of a bug, another command with the same answer, and the same command answered in other words are no
/// new cases.
#[test]
fn a_failure_that_is_captured_already_is_not_captured_again() {
    let mut project = Project::new("");
    let log: Vec<Ticket> = tickets();
    let write = |project: &Project, tickets: &[Ticket]| {
        let lines: String = tickets.iter().map(|it| it.to_line() + "\n").collect();
        project.write("app.log", &lines);
    };
    let capture = ["capture", "--each-distinct", "--from-log", "app.log"];
    write(&project, &log);
    let first = project.run(&capture);
    assert_eq!(first.code, 0, "{}", first.err);
    let count = |project: &Project| {
        let files = project.files();
        files
            .iter()
            .filter(|(name, _)| std::path::Path::new(name).extension() == Some("yaml".as_ref()))
            .count()
    };
    let captured = count(&project);
    let failure = log.iter().find(|it| {
        it.class(angzarr_replay::internal::model::AnsweredBy::NotKnown) == FailureClass::Rejected
    });
    let mut newer = failure.unwrap().clone();
    newer.time = Some(SEEDED);
    newer.command.cover.correlation_id = "another".into();
    newer.command.original = None;
    let mut reworded = failure.unwrap().clone();
    reworded.failure.message += " (attempt 2)";
    write(&project, &[newer, reworded]);
    let again = project.run(&capture);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(
        again.out.ends_with("2 distinct bugs: 2 unchanged\n"),
        "{}",
        again.out
    );
    assert_eq!(count(&project), captured, "{}", again.out);
}

#[test]
fn a_bug_that_cannot_be_captured_does_not_keep_the_others() {
    let mut project = Project::new("");
    let mut unknown = tickets()[2].clone();
    unknown.command.cover.root = angzarr_replay::internal::model::Root::new([9; 16]);
    unknown.command.original = None;
    // Another bug at the same place, which would have the same name.
    let mut other = tickets()[2].clone();
    other.failure = Failure::rejected("Too much");
    let lines: Vec<String> = [&unknown, &tickets()[2], &other]
        .iter()
        .map(|ticket| ticket.to_line())
        .collect();
    unknown.failure.message = "unknown".into();
    project.write(
        "app.log",
        &(lines[1].clone() + "\n" + &lines[2] + "\n" + &unknown.to_line()),
    );
    let arguments = ["capture", "--each-distinct", "--from-log", "app.log"];
    assert_eq!(project.run(&arguments).code, 1);
    for more in ["--json", "--unredacted"] {
        assert_eq!(project.run(&[&arguments[..], &[more]].concat()).code, 1);
    }
    assert_snapshot!("each_distinct_failing", project.transcript());
}

#[test]
fn accepted_but_wrong_is_held_against_the_events_that_were_stored() {
    let mut project = Project::new("");
    let deposit =
        "type: DepositFunds\npayload:\n  amount:\n    amount: 1000\n    currency_code: CHIPS\n";
    project.write("deposit.yaml", deposit);
    let after = |last: &'static str, more: &[&'static str]| {
        [
            &[
                "capture",
                ALICE,
                "--command",
                "deposit.yaml",
                "--to-sequence",
                last,
                "--name",
                "player/deposit",
                "--force",
            ],
            more,
        ]
        .concat()
    };
    // The second event of three is what was stored for the deposit.
    assert_eq!(project.run(&after("0", &[])).code, 0);
    assert_eq!(project.run(&after("0", &["--persisted", "1"])).code, 0);
    assert!(
        project
            .read("fixtures/player/deposit.yaml")
            .contains("outcome: accepted")
    );
    project.write("deposit.yaml", &deposit.replace("1000", "5000"));
    assert_eq!(project.run(&after("0", &["--persisted", "1"])).code, 0);
    assert_eq!(
        project
            .run(&after("0", &["--persisted", "1", "--json"]))
            .code,
        0
    );
    // The last is the only one that follows.
    assert_eq!(project.run(&after("1", &[])).code, 0);
    assert_eq!(
        project.run(&after("1", &["--persisted", "unknown"])).code,
        0
    );
    assert_eq!(project.run(&after("1", &["--persisted", "2"])).code, 1);
    assert_eq!(project.run(&after("2", &[])).code, 0);
    assert_eq!(project.run(&after("1", &["--persisted", "some"])).code, 2);
    assert_eq!(project.run(&["capture", ALICE, "--persisted", "1"]).code, 2);
    assert_snapshot!("accepted_but_wrong", project.transcript());
}

#[test]
fn a_note_of_an_accepted_command_is_taken_when_it_is_asked_for() {
    let at = |sequence, second| angzarr_replay::internal::model::Page {
        created_at: Some(Timestamp {
            seconds: second,
            nanos: 0,
        }),
        ..page(sequence, vec![u8::try_from(sequence).unwrap()])
    };
    let pages = vec![at(0, 1), at(1, 2), at(2, 2), at(3, 3)];
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let mut note = tickets()[2].clone();
    note.command.cover = cover();
    note.command.original = None;
    note.command.pages[0].header = angzarr_replay::internal::model::Header::Sequence(1);
    note.failure = Failure {
        code: Code::Ok,
        message: String::new(),
        info: None,
    };
    let mut counted = note.clone();
    counted.persisted = Some(3);
    let mut project = Project::of_source(server.address(), "tickets = [\"notes.jsonl\"]\n");
    project.write(
        "notes.jsonl",
        &format!("{}\n{}\n", note.to_line(), counted.to_line()),
    );
    let capture = ["capture", ROOT, "--unredacted", "--force", "--name", "a"];
    for more in [
        [].as_slice(),
        &["--ticket", "notes.jsonl:1"],
        &["--ticket", "notes.jsonl:2"],
        &["--ticket", "notes.jsonl:1", "--persisted", "1"],
    ] {
        assert_eq!(project.run(&[&capture[..], more].concat()).code, 0);
    }
    let observed = project.read("fixtures/a.yaml");
    assert_eq!(
        observed
            .split_once("observed:")
            .unwrap()
            .1
            .matches("- type")
            .count(),
        1
    );
    assert_eq!(
        project
            .run(&[&capture[..], &["--ticket", "notes.jsonl"]].concat())
            .code,
        1
    );
    assert_eq!(project.run(&["tickets"]).code, 0);
    assert_snapshot!("accepted_note", project.transcript());
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

/// Whatever packed or encoded a log: the failure in it is found, and what would be found by an audit.
#[test]
fn a_log_is_read_however_it_is_packed_and_encoded() {
    let mut project = Project::new("");
    let text = format!("{}WARN mail bob@acme.io\n", fields());
    let units = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let (little, big) = (units(u16::to_le_bytes), units(u16::to_be_bytes));
    let members = [gzip(b"harmless\n"), gzip(text.as_bytes())].concat();
    for (name, bytes) in [
        ("plain.log", text.clone().into_bytes()),
        ("marked.log", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("powershell.log", [b"\xff\xfe", little.as_slice()].concat()),
        ("big-endian.log", [b"\xfe\xff", big.as_slice()].concat()),
        ("without-mark.log", little.clone()),
        ("big-without-mark.log", big),
        ("two.log.gz", members.clone()),
        ("T.GZ", members.clone()),
        ("no-ending", members),
        ("packed-utf16.log.gz", gzip(&little)),
        ("log.zst", ZSTD.to_vec()),
    ] {
        std::fs::write(project.path(name), bytes).unwrap();
        let ran = project.run(&["tickets", name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        assert!(
            ran.out.contains("Insufficient funds"),
            "{name}: {}",
            ran.out
        );
        let ran = project.run(&["audit", name]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        assert!(ran.out.contains("email"), "{name}: {}", ran.out);
    }
    let ticket = recorded_failures();
    std::fs::write(project.path("failures.jsonl.gz"), gzip(ticket.as_bytes())).unwrap();
    let capture = [
        "capture",
        ALICE,
        "--ticket",
        "failures.jsonl.gz:3",
        "--dry-run",
    ];
    assert_eq!(project.run(&capture).code, 0);
}

/// `zstd` of two lines: a failure of Alice, and an address of bob.
const ZSTD: &[u8] = include_bytes!("failure.log.zst");

#[test]
fn a_log_that_cannot_be_read_is_an_error_that_names_the_encoding() {
    let mut project = Project::new("");
    let whole = gzip(fields().as_bytes());
    for (name, bytes) in [
        ("log.xz", b"\xfd7zXZ\0 and more".as_slice()),
        ("log.bz2", b"BZh91AY&SY and more"),
        ("log.lz4", b"\x04\x22\x4d\x18 and more"),
        ("log.zip", b"PK\x03\x04 and more"),
        ("utf-32.log", b"\xff\xfe\0\0r\0\0\0"),
        ("cut.log.gz", &whole[..whole.len() / 2]),
        ("cut.log.zst", &ZSTD[..ZSTD.len() / 2]),
    ] {
        std::fs::write(project.path(name), bytes).unwrap();
        for arguments in [
            ["tickets", name].as_slice(),
            &["capture", "--from-log", name],
            &["capture", ALICE, "--ticket", name],
            &["audit", name],
        ] {
            // An audit reads this one.
            let is_read = arguments == ["audit", "utf-32.log"];
            assert_eq!(
                project.run(arguments).code,
                i32::from(!is_read),
                "{arguments:?}"
            );
        }
    }
    assert_snapshot!("log_not_read", project.transcript());
}

/// Two failures of Alice, the later one first, each with what stands before it.
fn later_first(before: &str) -> String {
    let ticket = recorded_failures().lines().nth(2).unwrap().to_owned();
    let line = |minute: &str, message: &str| {
        let ticket = ticket.replace("Insufficient funds", message);
        format!("{}{ticket}\n", before.replace('%', minute))
    };
    line("5", "later") + &line("1", "earlier")
}

#[test]
fn what_is_not_known_to_be_the_newest_is_not_called_so() {
    let mut project = Project::new("");
    for (before, message, words) in [
        (
            "2026-11-23T00:0%:00Z ",
            "later",
            "the newest of 2 of this aggregate",
        ),
        (
            "2026-11-23 00:0%:00,123 ERROR x ",
            "later",
            "the newest of 2 of this aggregate",
        ),
        (
            "E1123 00:0%:00.123456 1 x.go:1] ",
            "later",
            "the newest of 2 of this aggregate",
        ),
        (
            "00:0%:00.123 [main] ",
            "earlier",
            "the last of 2 of this aggregate, as they stand: their times are not known",
        ),
    ] {
        project.write("app.log", &later_first(before));
        let ran = project.run(&["capture", "--from-log", "app.log", "--dry-run"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains(words), "{before}: {}", ran.out);
        assert!(
            ran.out
                .contains(&format!("FAILED_PRECONDITION \"{message}\"")),
            "{}",
            ran.out
        );
    }
    // One has a time, the other has not.
    let text = later_first("").replacen('{', "2026-11-23T00:00:00Z {", 1);
    project.write("app.log", &text);
    let ran = project.run(&["capture", "--from-log", "app.log", "--dry-run"]);
    assert!(
        ran.out
            .contains("the latest time among 2 of this aggregate, not all of which have one"),
        "{}",
        ran.out
    );
}

#[test]
fn a_ticket_that_the_container_runtime_cut_is_the_newest_all_the_same_or_told() {
    let mut project = Project::new("");
    let text = later_first("");
    let (newer, older) = text.split_once('\n').unwrap();
    let (head, tail) = newer.split_at(200);
    let cri = |minute: u8, part: &str, text: &str| {
        format!("2026-11-23T00:0{minute}:01Z stdout {part} {text}\n")
    };
    let log = cri(1, "F", older.trim_end()) + &cri(5, "P", head);
    project.write("app.log", &(log.clone() + &cri(5, "F", tail)));
    let ran = project.run(&["capture", "--from-log", "app.log", "--dry-run"]);
    assert!(
        ran.out.contains("from app.log:2, the newest of 2"),
        "{}",
        ran.out
    );
    project.write("app.log", &log);
    let ran = project.run(&["capture", "--from-log", "app.log", "--dry-run"]);
    assert!(
        ran.out
            .contains("not usable: app.log:2: a ticket that is cut"),
        "{}",
        ran.out
    );
    let ran = project.run(&["tickets", "app.log"]);
    assert!(
        ran.err
            .contains("not usable: app.log:2: a ticket that is cut"),
        "{}",
        ran.err
    );
}

#[test]
fn the_correlation_id_chooses_among_the_failures_of_a_log() {
    let mut project = Project::new("");
    let log: String = ["one", "two"]
        .iter()
        .map(|id| {
            let mut ticket = tickets()[2].clone();
            ticket.command.cover.correlation_id = (*id).to_owned();
            ticket.command.original = None;
            ticket.to_line() + "\n"
        })
        .collect();
    project.write("app.log", &log);
    let capture = [
        "capture",
        "--dry-run",
        "--from-log",
        "app.log",
        "--correlation",
    ];
    for (id, line) in [("one", "from app.log:1"), ("two", "from app.log:2")] {
        let ran = project.run(&[&capture[..], &[id]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    let ran = project.run(&[&capture[..], &["three"]].concat());
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("2 failures, none of which is of the workflow three"),
        "{}",
        ran.err
    );
}
