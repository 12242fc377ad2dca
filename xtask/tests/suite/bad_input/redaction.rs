//! Redaction and audit at the command line: nothing that was taken out is in any file or output.

mod added;
mod byways;
mod keys;
mod texts;
mod workflows;

use insta::assert_snapshot;
use std::path::Path;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::Backend;
use angzarr_replay::internal::grpc::{Server, serve_logic};
use angzarr_replay::internal::model::{
    Answer, Code, CommandBook, Component, Cover, EventBook, Failure, Header, Logic, Page, Payload,
    Redactions, SyncMode,
};
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, encode_command_request};
use bytes::Bytes;
use test_support::books;
use test_support::books::event;
use test_support::demo::{payload, registry};

use crate::bad_input::logic::{CASE, captured};
#[cfg(unix)]
use crate::bad_input::recordings::record_failing;
use crate::support::{
    Project, ROOT, coordinator, cover, listener, player, repository, seed, seeded,
};

const NAME: &str = "Wilhelmina";
const EMAIL: &str = "mina@corp.io";
/// What the model of an AI player is called: it is a secret that only its descriptor's name tells.
const MODEL: &str = "s3cret-model";
const KEY: &str = "the key of these tests, long enough";

const RULES: &str = r#"
[redaction]
key_env = "REDACTION_KEY"

[[redaction.rules]]
type = "examples.*"
field = "display_name"
action = "pseudonym"
reason = "personal data"

[[redaction.rules]]
type = "examples.*"
field = "email"
action = "pseudonym"
reason = "personal data"

[[redaction.rules]]
type = "examples.*"
field = "ai_model_id"
action = "mask"
reason = "a secret"
"#;

fn person(name: &str) -> Payload {
    let view =
        format!("{{display_name: {NAME}, email: {EMAIL}, ai_model_id: {MODEL}, player_type: AI}}");
    payload(name, &view)
}

fn production(more: Vec<Page>) -> Server {
    let mut pages = vec![event(0, person("PlayerRegistered"))];
    pages.extend(more);
    coordinator(Dialect::ANGZARR, &[seed(cover(), pages)])
}

/// Production whose logic repeats what it is told.
#[cfg(unix)]
fn production_that_repeats() -> Server {
    let registered = seed(cover(), vec![event(0, person("PlayerRegistered"))]);
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(Repeating(registry()))));
    seeded(Dialect::ANGZARR, &[registered])
        .with_logic(player(), logic)
        .start(listener())
        .unwrap()
}

/// A command with the secrets in every place that one has, and a message that repeats them.
fn ticket() -> Ticket {
    let cover = Cover {
        correlation_id: format!("wf-{MODEL}"),
        ..cover()
    };
    Ticket {
        service_version: None,
        trace_id: None,
        command: CommandBook {
            cover,
            pages: vec![books::command_page(
                Header::ExternalDeferred {
                    external_id: MODEL.into(),
                    description: format!("for {EMAIL}"),
                },
                person("RegisterPlayer"),
            )],
            original: None,
        },
        failure: Failure {
            code: Code::FailedPrecondition,
            message: message(NAME, EMAIL, MODEL),
            info: None,
        },
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        time: None,
        head: Some(1),
        persisted: None,
        answered_by: angzarr_replay::internal::model::AnsweredBy::NotKnown,
        redacted: Redactions::default(),
    }
}

fn message(name: &str, email: &str, model: &str) -> String {
    format!("player {name} ({email}) plays {model} already")
}

/// Logic that repeats what it is told, in its answers and in its log.
struct Repeating(Registry);

impl Repeating {
    fn of(&self, payload: &Payload, field: &str) -> String {
        let (Decoded::Exact(view) | Decoded::Inexact(view)) = self.0.decode(payload) else {
            return String::new();
        };
        view[field].as_str().unwrap_or_default().to_owned()
    }
}

impl Logic for Repeating {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        eprintln!("{prior:?} {command:?}");
        let command = command.pages[0].command.as_ref().unwrap();
        let said = message(
            &self.of(command, "display_name"),
            &self.of(command, "email"),
            &self.of(command, "ai_model_id"),
        );
        eprintln!("{said}");
        Err(Failure::rejected(said))
    }
}

/// Where a test listens that is started as logic.
fn peers_listener() -> Option<std::net::TcpListener> {
    std::env::var_os("PEER")?;
    let key = std::env::var("REDACTION_KEY").unwrap_or_default();
    assert!(key.is_empty(), "the key is none of the logic's business");
    let port: u16 = std::env::var("PORT").ok()?.parse().unwrap();
    Some(std::net::TcpListener::bind(("127.0.0.1", port)).unwrap())
}

/// This test is a process of the tests below.
#[test]
fn peer() {
    serve_as_peer(Repeating(registry()));
}

/// Where this process was started as logic, it serves some.
pub(crate) fn serve_as_peer(logic: impl Logic + 'static) {
    if let Some(listener) = peers_listener() {
        serve_logic(listener, Dialect::ANGZARR, Arc::new(logic))
            .unwrap()
            .wait();
    }
}

/// Logic that says what it is asked, and ends where the name of a player is such that it should.
struct Dying {
    repeating: Repeating,
    ends_at: fn(&str) -> bool,
}

impl Dying {
    fn at(ends_at: fn(&str) -> bool) -> Self {
        Self {
            repeating: Repeating(registry()),
            ends_at,
        }
    }
}

impl Logic for Dying {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        let command = command.pages[0].command.as_ref().unwrap();
        let name = self.repeating.of(command, "display_name");
        eprintln!("handling {name}");
        if (self.ends_at)(&name) {
            std::process::exit(3);
        }
        Err(Failure::rejected("no"))
    }
}

fn repeating() -> String {
    let own = std::env::current_exe().unwrap().display().to_string();
    format!(
        "[logic.player]\ncommand = [{own:?}, \"--exact\", \"bad_input::redaction::peer\", \"--nocapture\"]\n\
         environment = {{ PEER = \"1\" }}\nstart_timeout = 20\n"
    )
}

fn project(server: &Server, more: &str) -> Project {
    let address = server.address();
    let project = Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddresses = {{ player = \"{address}\" }}\n\
         tickets = [\"failures.jsonl\"]\n{more}"
    ));
    project.write("failures.jsonl", &(ticket().to_line() + "\n"));
    project
}

const ENVIRONMENT: [(&str, &str); 3] = [
    ("REDACTION_KEY", KEY),
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "0"),
];

#[test]
fn what_is_taken_out_is_in_no_output_and_in_no_file() {
    let server = production(Vec::new());
    let mut project = project(&server, &(RULES.to_owned() + &repeating()));
    let command = format!(
        "type: RegisterPlayer\ncorrelation_id: wf-{MODEL}\npayload: {{display_name: {NAME}, email: {EMAIL}, \
         ai_model_id: {MODEL}}}\n"
    );
    project.write("command.yaml", &command);
    project.write(
        "wrong.yaml",
        &format!("type: RegisterPlayer\npayload: {{player_type: {MODEL}}}\n"),
    );
    project.write(
        "typed.yaml",
        &format!("type: RegisterPlayer\nsequence: {MODEL}\npayload: {{}}\n"),
    );
    project.write("cut.jsonl", &ticket().to_line()[..400]);
    let case = "fixtures/player/case.yaml";
    let captured = |more: &[&'static str]| [&["capture", ROOT][..], more].concat();
    let given = [
        "failures.jsonl",
        "command.yaml",
        "wrong.yaml",
        "typed.yaml",
        "cut.jsonl",
    ];
    let mut written = 0;
    for (arguments, code) in [
        (vec!["roots"], 0),
        (vec!["find", ROOT], 0),
        (vec!["find", ROOT, "--json"], 0),
        (vec!["show", ROOT, "--all"], 0),
        (vec!["show", ROOT, "--json"], 0),
        (vec!["tickets"], 0),
        (vec!["tickets", "--json"], 0),
        (
            vec![
                "capture",
                "--from-log",
                "failures.jsonl",
                "--name",
                "player/l",
            ],
            0,
        ),
        (vec!["capture", "--each-distinct", "--dry-run"], 0),
        (vec!["capture", "--each-distinct"], 0),
        (vec!["roots", "--json"], 0),
        (captured(&["--dry-run"]), 0),
        (captured(&["--name", "player/case"]), 0),
        (captured(&["--name", "player/case", "--json"]), 0),
        (captured(&["--name", "player/case", "--force", "--json"]), 0),
        (captured(&["--accept", "--json"]), 0),
        (captured(&["--history"]), 0),
        (
            captured(&["--ticket", "failures.jsonl:1", "--name", "player/t"]),
            0,
        ),
        (
            captured(&["--command", "command.yaml", "--name", "player/c"]),
            0,
        ),
        (captured(&["--command", "wrong.yaml"]), 1),
        (captured(&["--command", "typed.yaml"]), 1),
        (captured(&["--ticket", "cut.jsonl"]), 1),
        (vec!["replay", case], 0),
        (vec!["replay", case, "--json"], 0),
        (vec!["replay", case, "--logic", "127.0.0.1:1"], 1),
        (vec!["close", case], 1),
        (vec!["close", case, "--force"], 0),
        (vec!["audit", "fixtures"], 0),
    ] {
        let ran = project.run_as(&arguments, "", &ENVIRONMENT);
        assert_eq!(ran.code, code, "{arguments:?}\n{}{}", ran.out, ran.err);
        let said = ran.out + &ran.err;
        without_secrets(&said, &format!("{arguments:?}"));
        for (name, content) in project.files() {
            if !given.contains(&name.as_str()) && name != "replay.toml" {
                written += 1;
                without_secrets(&String::from_utf8_lossy(&content), &name);
            }
        }
    }
    assert!(written > 20, "{written}");
    let fixture = project.read(case);
    assert!(fixture.contains("\nredacted:\n"), "{fixture}");
    // The same stand-ins everywhere, so that the case reproduces.
    let replayed = project.run(&["replay", case]);
    assert!(
        replayed.out.contains("verdict    reproduced"),
        "{}",
        replayed.out
    );
}

/// The command of the ticket on its way to the coordinator, and one of a type that nobody described.
fn calls() -> Vec<(&'static str, Bytes)> {
    let mut unknown = ticket().command;
    unknown.pages[0].command = Some(Payload::new("other.Thing", MODEL.into()));
    let path = "/angzarr.CommandHandlerCoordinatorService/HandleCommand";
    [ticket().command, unknown]
        .map(|book| {
            (
                path,
                encode_command_request(&book, SyncMode::Async, Dialect::ANGZARR),
            )
        })
        .into()
}

#[cfg(unix)]
#[test]
fn recordings_and_their_tickets_are_redacted_once() {
    let server = production_that_repeats();
    let rules = RULES.replacen("[redaction]\n", "[redaction]\nroots = \"pseudonym\"\n", 1);
    let rules = rules + &repeating();
    let mut project = project(&server, &rules);
    project.write_key(KEY);
    let toml = project.read("replay.toml");
    project.write(
        "replay.toml",
        &toml.replace("key_env = \"REDACTION_KEY\"", "key_file = \"key\""),
    );
    let upstream = server.address().to_string();
    let said = record_failing(&project, &["--upstream", &upstream], &calls(), "-INT");
    let place =
        "the request of CommandHandlerCoordinatorService/HandleCommand (`angzarr.CommandRequest`)";
    assert!(
        said.starts_with(&format!(
            "2 calls passed on, 1 kept, 1 ticket written\nnot in the recording: 1 refused by redaction ({place}: there is no descriptor of \
             `other.Thing`, in `command.pages.command`; "
        )),
        "{said}"
    );
    without_secrets(&said, "what the recorder says");
    for name in ["recording.jsonl", "recorded.jsonl"] {
        without_secrets(&project.read(name), name);
    }
    // Where the production's own ticket leads, both lead too.
    let mut cases = Vec::new();
    for (from, name) in [
        (["--ticket", "failures.jsonl"], "player/plain"),
        (["--ticket", "recorded.jsonl:1"], "player/ticket"),
        (["--recorded", "recording.jsonl:1"], "player/recorded"),
    ] {
        let arguments = ["capture", ROOT, "--name", name, "--title", "The case"];
        let ran = project.run(&[&arguments[..], &from].concat());
        assert_eq!(ran.code, 0, "{from:?}\n{}", ran.err);
        without_secrets(&(ran.out + &ran.err), name);
        let case = project.read(&format!("fixtures/{name}.yaml"));
        without_secrets(&case, name);
        let stimulus = case.find("\ncommand:").unwrap()..case.find("\nredacted:").unwrap();
        let history = case.find("\nhistory:").unwrap()..stimulus.start;
        cases.push((case[history].to_owned(), case[stimulus].to_owned()));
    }
    assert_eq!(cases[0], cases[1]);
    assert_eq!(cases[0], cases[2]);
}

#[cfg(unix)]
#[test]
fn what_redaction_leaves_in_a_recording_because_it_was_told_to_is_said() {
    let server = production(Vec::new());
    let lenient = RULES.replace("[redaction]\n", "[redaction]\nrequired = false\n");
    let project = project(
        &server,
        &lenient.replace("key_env = \"REDACTION_KEY\"", "key_file = \"key\""),
    );
    project.write_key(KEY);
    let upstream = server.address().to_string();
    let said = record_failing(&project, &["--upstream", &upstream], &calls(), "-INT");
    assert_eq!(
        said,
        "2 calls passed on, 2 kept, 2 tickets written\nnot redacted: there is no descriptor of `other.Thing`, in `command.pages.command`: kept as it is\n"
    );
    // The first was read whole, the second not: whoever captures it knows nothing of what its list leaves out.
    for name in ["recording.jsonl", "recorded.jsonl"] {
        let lines = project.read(name);
        let is_known: Vec<bool> = lines
            .lines()
            .map(|it| it.contains("\"redacted_by\":{"))
            .collect();
        assert_eq!(is_known, [true, false], "{lines}");
    }
}

/// Of what others redacted nothing is believed: it is redacted anew, and that is said.
#[cfg(unix)]
#[test]
fn what_was_recorded_under_other_rules_is_redacted_anew() {
    let server = production_that_repeats();
    let with_file = RULES.replace("key_env = \"REDACTION_KEY\"", "key_file = \"key\"");
    let rules: Vec<&str> = with_file.split("[[redaction.rules]]").collect();
    let only_email = format!("{}[[redaction.rules]]{}", rules[0], rules[2]);
    let mut project = project(&server, &(only_email.clone() + &repeating()));
    project.write_key(KEY);
    let upstream = server.address().to_string();
    record_failing(&project, &["--upstream", &upstream], &calls()[..1], "-INT");
    let toml = project.read("replay.toml");
    let anew = "its stand-ins got stand-ins";
    for (number, (rules, key, is_anew)) in [
        (&only_email, KEY, false),
        (&only_email, "another key of another team", true),
        (&with_file, KEY, true),
    ]
    .into_iter()
    .enumerate()
    {
        project.write_key(key);
        project.write("replay.toml", &toml.replace(&only_email, rules));
        for recorded in ["--ticket=recorded.jsonl:1", "--recorded=recording.jsonl:1"] {
            let name = format!("{number}{}", &recorded[..5]);
            let arguments = ["capture", ROOT, recorded, "--force", "--name", &name];
            let ran = project.run(&arguments);
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert_eq!(ran.out.contains(anew), is_anew, "{}", ran.out);
            let case = project.read(&format!("fixtures/{name}.yaml"));
            assert!(!case.contains(EMAIL), "{case}");
            assert_eq!(case.contains(NAME), *rules == only_email, "{case}");
        }
    }
}

fn without_secrets(text: &str, place: &str) {
    // Also as base64 has the beginning of each.
    for secret in [NAME, EMAIL, MODEL, KEY, "V2lsaGVsb", "bWluYUBj", "czNjcmV0"] {
        assert!(!text.contains(secret), "{secret} is in {place}:\n{text}");
    }
}

#[test]
fn a_capture_tells_what_it_redacts_and_what_looks_personal() {
    let server = production(Vec::new());
    let only_email = RULES.split("[[redaction.rules]]").collect::<Vec<_>>();
    let rules = format!("{}[[redaction.rules]]{}", only_email[0], only_email[2]);
    let mut project = project(&server, &(rules + &repeating()));
    let ran = project.run_as(&["capture", ROOT, "--history"], "", &ENVIRONMENT);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ["capture", ROOT, "--history", "--json", "--name", "again"];
    assert_eq!(project.run_as(&json, "", &ENVIRONMENT).code, 0);
    let own = std::env::current_exe().unwrap().display().to_string();
    let in_repository = own.replace(&repository().display().to_string(), "REPOSITORY");
    let said = project.transcript().replace(&in_repository, "PEER");
    assert_snapshot!("redacted_capture", said.replace(&own, "PEER"));
}

#[test]
fn redaction_has_to_be_possible_before_anything_is_read() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let capture = ["capture", ROOT];
    assert_eq!(project.run(&capture).code, 2);
    for key in ["", "too short"] {
        assert_eq!(
            project.run_as(&capture, "", &[("REDACTION_KEY", key)]).code,
            2
        );
    }
    let toml = project.read("replay.toml");
    let with = |from: &str, to: &str| toml.replacen(from, to, 1);
    for toml in [
        with("key_env = \"REDACTION_KEY\"", "key_file = \"key\""),
        with("key_env = \"REDACTION_KEY\"", ""),
        with("key_env = \"REDACTION_KEY\"", "key = \"in the open\""),
        with("action = \"mask\"", "action = \"erase\""),
        with("field = \"email\"", "field = \"email\"\nform = \"guid\""),
        with("field = \"ai_model_id\"", "field = \"labels.$key\""),
        with("reason = \"a secret\"", "reason = \"\""),
        toml.split("[redaction]").next().unwrap().to_owned() + "[redaction]\n",
    ] {
        project.write("replay.toml", &toml);
        assert_eq!(project.run(&capture).code, 2, "{toml}");
    }
    assert_snapshot!("redaction_impossible", project.transcript());
}

#[test]
fn what_cannot_be_read_is_refused_with_its_type_and_page() {
    let unknown = Payload::new("other.Thing", MODEL.into());
    let server = production(vec![event(1, unknown)]);
    let mut project = project(&server, RULES);
    let capture = ["capture", ROOT, "--history"];
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 1);
    let toml = project.read("replay.toml");
    let lenient = toml.replacen("tickets =", "redaction_required = false\ntickets =", 1);
    project.write("replay.toml", &lenient);
    let ran = project.run_as(&capture, "", &ENVIRONMENT[..1]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_snapshot!("redaction_unreadable", project.transcript());
}

#[test]
fn what_logic_writes_is_shown_without_what_looks_like_a_secret() {
    let script =
        "echo token Bearer abcdefghijklmnop0123 of mina@corp.io >&2; echo no database >&2; exit 3";
    let logic = format!("[logic.player]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n");
    let mut project = captured(&logic);
    let shown = |project: &mut Project| {
        let ran = project.run(&["replay", CASE]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("no database"), "{}", ran.err);
        ran.err.contains("abcdefghijklmnop") || ran.err.contains("mina@")
    };
    assert!(shown(&mut project), "nobody asked for anything else");
    let toml = project.read("replay.toml");
    project.write("replay.toml", &(toml + "\n[redaction]\n"));
    assert!(!shown(&mut project));
}

/// Logic that takes players of one company only.
struct Choosy(Repeating);

impl Logic for Choosy {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        let command = command.pages[0].command.as_ref().unwrap();
        let email = self.0.of(command, "email");
        if email.ends_with("@corp.io") {
            return Err(Failure::rejected("the company has enough players"));
        }
        Err(Failure::refused("nobody knows this company"))
    }
}

#[test]
fn a_rule_that_changes_the_outcome_is_named_and_nothing_is_written() {
    let choosy = Arc::new(Choosy(Repeating(registry())));
    let logic = serve_logic(listener(), Dialect::ANGZARR, choosy).unwrap();
    let server = production(Vec::new());
    let rules = format!("{RULES}[logic.player]\naddress = \"{}\"\n", logic.address());
    let mut project = project(&server, &rules);
    let mut ticket = ticket();
    ticket.failure.message = "the company has enough players".into();
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let capture = ["capture", ROOT, "--name", "player/case"];
    assert_eq!(project.run_as(&capture, "", &ENVIRONMENT[..1]).code, 1);
    let forced = [&capture[..], &["--force"]].concat();
    assert_eq!(project.run_as(&forced, "", &ENVIRONMENT[..1]).code, 0);
    let unasked = ["capture", ROOT, "--probe", "never"];
    assert_eq!(project.run_as(&unasked, "", &ENVIRONMENT[..1]).code, 0);
    assert_snapshot!("redaction_changes_outcome", project.transcript());
}

#[test]
fn an_audit_says_where_and_never_what() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["audit"]).code, 1);
    assert_eq!(project.run(&["audit", "nowhere"]).code, 1);
    let fixtures = repository().join("tests/fixtures/format-1");
    for entry in walk(&fixtures) {
        let name = entry.strip_prefix(&fixtures).unwrap().display().to_string();
        let target = project.path("fixtures").join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&entry, target).unwrap();
    }
    assert_eq!(project.run(&["audit"]).code, 0);
    let token = concat!("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTYifQ.abcdef");
    project.write(
        "fixtures/player/found.yaml",
        &format!(
            "event: {{email: {EMAIL}, note: '{token}'}}\n# pay to DE89 3704 0044 0532 0130 00, or 4111 1111 1111 1111\n\
             password: hunter22\nmasked_password: '***'\nphone: +49 170 1234567\nbytes: bWluYUBjb3JwLmlvIG1pbmE=\n"
        ),
    );
    project.write(
        "fixtures/player/found.snap",
        &format!("---\nemail: {EMAIL}\n"),
    );
    std::fs::write(
        project.path("fixtures/descriptors/found.binpb"),
        [b"\x0a\xff\x01 by ".as_slice(), EMAIL.as_bytes(), b"\x00"].concat(),
    )
    .unwrap();
    assert_eq!(project.run(&["audit"]).code, 1);
    assert_eq!(
        project
            .run(&["audit", "--json", "fixtures/player/found.snap"])
            .code,
        1
    );
    project.write(
        "replay.toml",
        "[[audit.allow]]\nfinding = \"email\"\ntext = \"*@corp.io\"\nreason = \"addresses of roles\"\n\
         [[audit.allow]]\ntext = \"*\"\nfiles = \"fixtures/player/*.yaml\"\nreason = \"made up\"\n",
    );
    assert_eq!(project.run(&["audit"]).code, 0);
    assert_snapshot!("audit", project.transcript());
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}
