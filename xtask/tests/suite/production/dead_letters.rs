//! Dead letters, from a file and from the service that shows them.

use insta::assert_snapshot;
use std::io::Write as _;

use angzarr_replay::internal::capture::compensation::notification;
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, encode_command_book};
use tonic::Status;

use crate::production::gate::Gate;
use crate::production::read_only::demo;
use crate::production::status::StatusServer;
use crate::support::{Project, recorded_failures};

pub(crate) const SERVICE: &str = "/io.angzarr.status.v1.DlqAdminService/";
const OLDER: &str = "/angzarr_client.proto.angzarr.status.DlqAdminService/";

/// A field with bytes: the wire's own shape, by hand.
fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut field = varint(u64::from(number) << 3 | 2);
    field.extend(varint(bytes.len() as u64));
    field.extend(bytes);
    field
}

fn number(number: u8, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(0x80 | u8::try_from(value & 0x7f).unwrap());
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The recorded command that Alice has too little for, as a component gave up on it.
fn letter() -> Vec<u8> {
    let failures = recorded_failures();
    let ticket = Ticket::parse_line(failures.lines().nth(2).unwrap(), 3).unwrap();
    let book = encode_command_book(&ticket.command, Dialect::ANGZARR);
    [
        field(2, book),
        field(3, "retries exhausted"),
        field(7, number(1, 1_795_392_090)),
        field(10, "buy-in"),
        field(11, "process_manager"),
        field(13, [field(1, "Insufficient funds"), number(2, 3)].concat()),
    ]
    .concat()
}

/// The same with the sequence that the aggregate had.
fn mismatch() -> Vec<u8> {
    let details = [number(1, 3), number(2, 2)].concat();
    [letter(), field(12, details)].concat()
}

/// A compensation that did not arrive: who was to be told is Alice.
fn compensation() -> Vec<u8> {
    let failures = recorded_failures();
    let ticket = Ticket::parse_line(failures.lines().nth(2).unwrap(), 3).unwrap();
    let told = &ticket.command.cover;
    let told = notification(told, &ticket.command, &ticket.failure, Dialect::ANGZARR);
    [
        field(2, encode_command_book(&told, Dialect::ANGZARR)),
        field(3, "compensation not delivered"),
        field(15, [number(1, 5), field(2, "no route")].concat()),
    ]
    .concat()
}

/// Events that a saga could not take.
fn of_events() -> Vec<u8> {
    let root = [7_u8; 16];
    let cover = [field(1, field(1, root)), field(2, "player")].concat();
    let header = number(1, 4);
    let events = [field(1, cover), field(3, field(1, header))].concat();
    [
        field(9, events),
        field(3, "handler failed"),
        field(10, "player-table"),
        field(11, "saga"),
    ]
    .concat()
}

fn stored(id: u64, letter: &[u8]) -> Vec<u8> {
    field(
        1,
        [number(1, id), field(2, "player"), field(4, letter)].concat(),
    )
}

/// Three letters on two pages, in one of the packages.
pub(crate) fn service(package: &'static str) -> StatusServer {
    StatusServer::start(move |path, request| {
        let Some(method) = path.strip_prefix(package) else {
            return Err(Status::unimplemented(""));
        };
        match method {
            "ListDeadLetters" if !request.ends_with(b"second") => {
                let page = [
                    stored(7, &letter()),
                    stored(8, &of_events()),
                    field(2, "second"),
                ];
                Ok(field(1, page.concat()))
            }
            "ListDeadLetters" => {
                let page = [stored(9, &mismatch()), stored(10, b"\x0a")];
                Ok(field(1, page.concat()))
            }
            "GetDeadLetter" => match request {
                [8, 7] => Ok(field(1, stored(7, &letter()))),
                [8, 8] => Ok(field(1, stored(8, &of_events()))),
                [8, 10] => Ok(field(1, stored(10, b"\x0a"))),
                [8, 11] => Err(Status::not_found("no such letter")),
                _ => Ok(Vec::new()),
            },
            _ => Err(Status::internal("this test lets only queries pass")),
        }
    })
}

pub(crate) fn project(coordinator: &Server, status: &str) -> Project {
    Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{}\"\ndomains = [\"player\", \"hand\", \"table\"]\n\
         {status}\n[logic.player]\nin_process = \"player\"\n",
        coordinator.address()
    ))
}

#[test]
fn a_letter_in_a_file_becomes_a_case_of_its_command() {
    let server = demo();
    let mut project = project(&server, "");
    let write = |name: &str, bytes: &[u8]| std::fs::write(project.path(name), bytes).unwrap();
    write("letter.bin", &letter());
    write("mismatch.bin", &mismatch());
    write("events.bin", &of_events());
    write("empty.bin", b"");
    write("cut.bin", &letter()[..40]);
    write("text.bin", b"a letter");
    write("reason.bin", &field(3, "retries exhausted"));
    write("letter.bin.gz", &gzip(&letter()));
    write("text.bin.gz", &gzip(b"a letter"));
    write("cut.bin.gz", &gzip(&letter())[..40]);
    write("letter.xz", b"\xfd7zXZ\0 and more");
    let utf16 = "CgYKBHRlc3Q=".encode_utf16().flat_map(u16::to_le_bytes);
    write("powershell.txt", &utf16.collect::<Vec<u8>>());
    let capture = |project: &mut Project, more: &[&str]| {
        let arguments = [&["capture", "--unredacted", "--dead-letter"], more].concat();
        project.run(&arguments).code
    };
    assert_eq!(capture(&mut project, &["letter.bin", "--name", "a"]), 0);
    // There is nothing to hold today's outcome against.
    assert_eq!(project.run(&["replay", "fixtures/a.yaml"]).code, 1);
    assert_eq!(capture(&mut project, &["mismatch.bin", "--dry-run"]), 0);
    assert_eq!(capture(&mut project, &["letter.bin.gz", "--name", "a"]), 0);
    for more in [
        &["events.bin"][..],
        &["empty.bin"],
        &["cut.bin"],
        &["text.bin"],
        &["reason.bin"],
        &["nowhere.bin"],
        &["text.bin.gz"],
        &["cut.bin.gz"],
        &["letter.xz"],
        &["powershell.txt"],
        &["letter.bin", "ffffffff"],
    ] {
        assert_eq!(capture(&mut project, more), 1, "{more:?}");
    }
    for more in [
        &["letter.bin", "--history"][..],
        &["letter.bin", "--upcaster"],
    ] {
        assert_eq!(capture(&mut project, more), 2, "{more:?}");
    }
    let redacted = ["capture", "--dead-letter", "letter.bin"];
    assert_eq!(project.run(&redacted).code, 2);
    assert_snapshot!("dead_letter_files", project.transcript());
}

#[test]
fn a_service_with_ever_new_pages_is_asked_no_more_than_is_allowed() {
    let server = demo();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let status = StatusServer::start(move |_, _| {
        let token = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(field(1, field(2, token.to_string())))
    });
    let more = format!("status = \"{}\"\nmax_queries = 5", status.address);
    let mut project = project(&server, &more);
    let ran = project.run(&["tickets", "--dead-letters"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err
            .contains("has more to send, but the bound `max_queries = 5` of its source is reached"),
        "{}",
        ran.err
    );
    assert_eq!(status.asked().len(), 5);
}

#[test]
fn a_letter_with_a_compensation_becomes_a_case_of_compensation() {
    let server = demo();
    let mut project = project(&server, "");
    std::fs::write(project.path("compensation.bin"), compensation()).unwrap();
    let arguments = [
        "capture",
        "--unredacted",
        "--dead-letter",
        "compensation.bin",
    ];
    let ran = project.run(&[&arguments[..], &["--name", "told"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let case = project.read("fixtures/told.yaml");
    assert!(case.contains("\nkind: compensation\n"), "{case}");
    assert!(
        case.contains("\ntitle: \"Compensation given up: compensation not delivered: no route\"\n"),
        "{case}"
    );
    let replayed = project.run(&["replay", "fixtures/told.yaml"]);
    assert!(
        replayed.out.contains("\ntoday, on player"),
        "{}{}",
        replayed.out,
        replayed.err
    );
}

#[test]
fn unknown_fields_of_a_letter_are_reported_and_fields_that_nobody_looks_at_are_not() {
    let server = demo();
    let mut project = project(&server, "");
    let looked_past = [
        field(8, [field(1, "key"), field(2, "value")].concat()),
        field(
            13,
            [field(1, "Insufficient funds"), number(3, 1), field(4, "")].concat(),
        ),
    ];
    let bytes = [letter(), looked_past.concat(), number(16, 1)].concat();
    std::fs::write(project.path("letter.bin"), bytes).unwrap();
    let ran = project.run(&["capture", "--unredacted", "--dead-letter", "letter.bin"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let unknown: Vec<&str> = ran
        .out
        .lines()
        .filter(|it| it.contains("later revision"))
        .collect();
    let expected =
        "  unknown      field 16 of AngzarrDeadLetter (from a later revision?): not kept";
    assert_eq!(unknown, [expected]);
}

#[test]
fn the_service_is_listed_and_asked_for_one_and_nothing_else() {
    let server = demo();
    for package in [SERVICE, OLDER] {
        let status = service(package);
        let mut project = project(&server, &format!("status = \"{}\"", status.address));
        assert_eq!(project.run(&["tickets", "--dead-letters"]).code, 0);
        let json = ["tickets", "--dead-letters", "--json"];
        assert_eq!(project.run(&json).code, 0);
        for (id, code) in [("7", 0), ("8", 1), ("10", 1), ("11", 1), ("12", 1)] {
            let arguments = ["capture", "--unredacted", "--dead-letter", id];
            assert_eq!(project.run(&arguments).code, code, "{id}");
        }
        assert_snapshot!("dead_letters", project.transcript());
        let reads = ["ListDeadLetters", "GetDeadLetter"];
        for path in status.asked() {
            let method = path.rsplit('/').next().unwrap();
            assert!(reads.contains(&method), "{path}");
        }
    }
}

#[test]
fn a_service_that_cannot_read_or_is_not_there_is_said() {
    let server = demo();
    let problem = [
        field(2, "Service Unavailable"),
        number(3, 503),
        field(4, "no reader is configured"),
    ];
    let problem = field(2, problem.concat());
    let degraded = StatusServer::start(move |_, _| Ok(problem.clone()));
    let garbage = StatusServer::start(|_, _| Ok(vec![0x0a]));
    let refusing = Gate::refusing(server.address(), |_, _| {
        Some(Status::permission_denied("not for you"))
    });
    let mut said = Project::new("");
    for status in [
        format!("status = \"{}\"", degraded.address),
        format!("status = \"{}\"", garbage.address),
        format!("status = \"{}\"", refusing.address),
        format!("status = \"{}\"", server.address()),
        String::new(),
    ] {
        let of = project(&server, &status);
        said.write("replay.toml", &of.read("replay.toml"));
        for arguments in [
            &["tickets", "--dead-letters"][..],
            &["capture", "--unredacted", "--dead-letter", "7"],
        ] {
            assert_eq!(said.run(arguments).code, 1, "{status} {arguments:?}");
        }
    }
    assert_snapshot!("dead_letters_missing", said.transcript());
}
