//! The recipe for debugpy in `replay.toml`, tried: a client of the debug adapter protocol, as editors are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use test_support::programs::program;

use crate::support::{signal, this_program};

/// They need `.venv` (examples/poker-python/README.md): run with `--ignored`, as `cargo xtask check` does.
pub(crate) const TESTS: &[(&str, fn())] =
    &[("a_breakpoint_in_the_python_peer_is_hit_once", breakpoint)];

const FIXTURE: &str = "fixtures/player/deposit-funds-d23f0824-3.yaml";
const SOURCE: &str = "examples/poker-python/player.py";

fn breakpoint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let main = program(this_program(), root)
        .args(["replay", FIXTURE, "--logic", "player-python", "--debug"])
        .env(crate::mains::CHOICE, "cli")
        .env("ANGZARR_REPLAY__LOGIC__PLAYER_PYTHON__DEADLINE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut main = Ended(main);
    let mut said = BufReader::new(main.0.stdout.take().unwrap()).lines();
    let attach = said.next().unwrap().unwrap();
    let (_, address) = attach.split_once("debugpy waits at ").unwrap();
    let mut client = Client::connect(address.split(';').next().unwrap());

    let source = root.join(SOURCE);
    let text = std::fs::read_to_string(&source).unwrap();
    let line = text
        .lines()
        .position(|line| line.starts_with("def deposit("))
        .unwrap()
        + 2;
    client.ask(
        "initialize",
        &json!({"adapterID": "test", "pathFormat": "path"}),
    );
    // Without any argument debugpy finds none at all.
    client.send("attach", &json!({"justMyCode": true}));
    client.await_message(|message| message["event"] == "initialized");
    let wanted = json!({"source": {"path": source}, "breakpoints": [{"line": line}]});
    let set = client.ask("setBreakpoints", &wanted);
    assert_eq!(set["breakpoints"][0]["verified"], true, "{set}");
    client.send("configurationDone", &json!({}));

    let stopped = client
        .await_message(|message| message["event"] == "stopped")
        .unwrap();
    let thread = &stopped["body"]["threadId"];
    let stack = client.ask("stackTrace", &json!({"threadId": thread, "levels": 1}));
    let frame = &stack["stackFrames"][0];
    assert_eq!(
        (&frame["name"], &frame["line"]),
        (&json!("deposit"), &json!(line))
    );
    let scopes = client.ask("scopes", &json!({"frameId": frame["id"]}));
    let locals = &scopes["scopes"][0]["variablesReference"];
    let variables = client.ask("variables", &json!({"variablesReference": locals}));
    let variables = variables["variables"].as_array().unwrap();
    let names: Vec<&Value> = variables.iter().map(|variable| &variable["name"]).collect();
    assert_eq!(names, ["command", "state", "_sequence"]);
    let command = variables[0]["value"].as_str().unwrap();
    assert!(command.contains("currency_code: \"CHIPS\""), "{command}");
    // Longer than the deadline of the logic.
    std::thread::sleep(Duration::from_secs(2));
    client.send("continue", &json!({"threadId": thread}));

    let report: Vec<String> = said
        .by_ref()
        .map(Result::unwrap)
        .take_while(|line| !line.starts_with("Enter: "))
        .collect();
    assert!(
        report.contains(&"it serves; sending one command".to_owned()),
        "{report:#?}"
    );
    assert!(
        report.contains(&"snapshot   the same".to_owned()),
        "{report:#?}"
    );
    drop(main.0.stdin.take());
    assert_eq!(main.0.wait().unwrap().code(), Some(0));
    // To the end of the session nothing stopped again.
    let last = client
        .await_message(|message| message["event"] == "stopped" || message["event"] == "terminated");
    assert_eq!(last.unwrap()["event"], "terminated");
}

/// A failing test leaves nothing behind either.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(&self.0, "-TERM");
        }
    }
}

struct Client {
    reader: BufReader<TcpStream>,
    sent: u64,
}

impl Client {
    fn connect(address: &str) -> Self {
        let connected = (0..400).find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            TcpStream::connect(address).ok()
        });
        let stream = connected.unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self {
            reader: BufReader::new(stream),
            sent: 0,
        }
    }

    fn send(&mut self, command: &str, arguments: &Value) -> u64 {
        self.sent += 1;
        let request = json!({"seq": self.sent, "type": "request", "command": command, "arguments": arguments});
        let body = request.to_string();
        let stream = self.reader.get_mut();
        write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.sent
    }

    fn ask(&mut self, command: &str, arguments: &Value) -> Value {
        let number = self.send(command, arguments);
        let is_reply =
            |message: &Value| message["type"] == "response" && message["request_seq"] == number;
        let reply = self.await_message(is_reply).unwrap();
        assert_eq!(reply["success"], true, "{reply}");
        reply["body"].clone()
    }

    /// The next message of a kind; none where the session ends before.
    fn await_message(&mut self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        loop {
            let message = self.receive()?;
            if is_it(&message) {
                return Some(message);
            }
        }
    }

    fn receive(&mut self) -> Option<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            match line.trim().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }
}
