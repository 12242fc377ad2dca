//! The recipes of `docs/debugging.md` for gdb, lldb and delve, tried: attach to the logic of `replay --debug`, stop in its
//! handler, read a variable, hold the call for longer than its deadline, go on.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::support::{CASE, Workspace, await_that, signal};

/// They need debuggers, and logic with complete debug information: `cargo xtask check --only debuggers` installs and builds
/// them, and runs these tests.
pub(crate) const TESTS: &[(&str, fn())] = &[
    ("debugger_gdb_stops_in_logic_in_rust", gdb),
    ("debugger_lldb_stops_in_logic_in_rust", lldb),
    ("debugger_delve_stops_in_logic_in_go", delve),
];

/// Variables with the paths of the demo's logic in Rust, and of `tests/go/player.go`.
const IN_RUST: &str = "PLAYER_IN_RUST";
const IN_GO: &str = "PLAYER_IN_GO";
/// Deadline of the logic in these tests, in seconds; a call is held for longer.
const DEADLINE: u64 = 1;

fn gdb() {
    let player = built(IN_RUST);
    let served = ["gdbserver", "127.0.0.1:{debug_port}"];
    let mut session = Session::start(&[&served[..], &in_rust(&player)].concat(), |address| {
        let mut gdb = Command::new("gdb");
        gdb.args(["-q", "-nx", &player, "-ex"])
            .arg(format!("target remote {address}"));
        gdb
    });
    session.say("break poker::player::Player::deposit");
    session.say("continue");
    session.await_stop("Breakpoint 1, poker::player::Player::deposit");
    session.say("print *command");
    session.await_shown("poker::messages::DepositFunds");
    session.say("print state.display_name.vec.len");
    session.await_shown("$2 = 5");
    session.hold();
    session.say("continue");
    session.ends();
}

fn lldb() {
    let player = built(IN_RUST);
    let served = ["lldb-server", "gdbserver", "127.0.0.1:{debug_port}", "--"];
    let mut session = Session::start(&[&served[..], &in_rust(&player)].concat(), |address| {
        let mut lldb = Command::new("lldb");
        lldb.args(["--no-lldbinit", "--no-use-colors", &player, "-o"])
            .arg(format!("gdb-remote {address}"));
        lldb
    });
    session.say("breakpoint set --name poker::player::Player::deposit");
    session.say("continue");
    session.await_stop("stop reason = breakpoint");
    session.say("frame variable state->display_name.vec.len");
    session.await_shown("display_name.vec.len = 5");
    session.hold();
    session.say("continue");
    session.ends();
}

fn delve() {
    let player = built(IN_GO);
    let line = line_of("tests/go/player.go", "// stop here");
    let served = [
        "dlv",
        "exec",
        "--headless",
        "--listen=127.0.0.1:{debug_port}",
        "--api-version=2",
        "--accept-multiclient",
        &player,
    ];
    let mut session = Session::start(&served, |address| {
        let mut dlv = Command::new("dlv");
        dlv.args(["connect", address]);
        dlv
    });
    session.say(&format!("break player.go:{line}"));
    session.say("continue");
    session.await_stop("> main.deposit()");
    session.say("print currency");
    session.await_shown("\"CHIPS\"");
    session.hold();
    session.say("continue");
    session.ends();
}

fn built(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `cargo xtask check --only debuggers`, which builds the logic")
    })
}

fn in_rust(player: &str) -> [&str; 5] {
    [player, "--domain", "player", "--port", "{port}"]
}

/// Number of the line that ends with a mark.
fn line_of(file: &str, mark: &str) -> usize {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(file).unwrap();
    1 + text.lines().position(|line| line.ends_with(mark)).unwrap()
}

/// A replay that waits in the debugger, and the debugger's client.
struct Session {
    main: Ended,
    main_says: Receiver<String>,
    /// Port of the logic, once it is known.
    serves_at: Option<u16>,
    _client: Ended,
    client_input: ChildStdin,
    client_says: Receiver<String>,
    _workspace: Workspace,
}

impl Session {
    fn start(debug: &[&str], client: impl FnOnce(&str) -> Command) -> Self {
        let workspace = Workspace::new(&format!(
            "[logic.player]\ncommand = [\"not-this-one\"]\ndeadline = {DEADLINE}\n\n[logic.player.debug]\ncommand = \
             {debug:?}\nattach = \"attach to 127.0.0.1:{{debug_port}}\"\n"
        ));
        let mut main = workspace.main("cli", &["replay", CASE, "--debug"]);
        let mut main = Ended(main.stderr(Stdio::inherit()).spawn().unwrap());
        let (sender, main_says) = channel();
        send_lines(main.0.stdout.take().unwrap(), sender);
        let attach = next(&main_says);
        let address = attach.strip_prefix("attach to ").unwrap();
        let port = port_of(address);
        await_that("the debugger's port", || listens(port));
        let client = client(address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut client = Ended(client.unwrap());
        Self {
            main,
            main_says,
            client_input: client.0.stdin.take().unwrap(),
            client_says: client_says(&mut client.0),
            _client: client,
            serves_at: None,
            _workspace: workspace,
        }
    }

    fn say(&mut self, command: &str) {
        writeln!(self.client_input, "{command}").unwrap();
    }

    fn await_shown(&self, text: &str) {
        let mut said = Vec::new();
        loop {
            match self.client_says.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => said.push(line),
                Err(error) => panic!("{error}: the debugger did not show {text:?}, but {said:#?}"),
            }
        }
    }

    /// Waits until the logic is stopped, which the replay cannot know of.
    fn await_stop(&mut self, text: &str) {
        self.await_shown(text);
        let waits = next(&self.main_says);
        let address = waits.strip_prefix("waiting until it serves on ").unwrap();
        self.serves_at = Some(port_of(address.trim_end_matches(" …")));
        assert_eq!(next(&self.main_says), "it serves; sending one command");
        assert!(self.main_says.try_recv().is_err());
    }

    fn hold(&self) {
        std::thread::sleep(Duration::from_secs(2 * DEADLINE));
        assert!(self.main_says.try_recv().is_err(), "the replay went on");
    }

    /// The case ends as it does without a debugger, and so do all processes.
    fn ends(mut self) {
        let report: Vec<String> = std::iter::from_fn(|| {
            Some(next(&self.main_says)).filter(|it| !it.starts_with("Enter: "))
        })
        .collect();
        for line in [
            "  message: amount must be positive",
            "verdict    reproduced",
        ] {
            assert!(report.iter().any(|said| said == line), "{report:#?}");
        }
        drop(self.main.0.stdin.take());
        assert_eq!(self.main.0.wait().unwrap().code(), Some(0));
        let port = self.serves_at.unwrap();
        await_that("the end of the logic", || !listens(port));
    }
}

/// How long a debugger may take for one step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(50);

fn next(said: &Receiver<String>) -> String {
    said.recv_timeout(PATIENCE).unwrap()
}

/// Everything that a debugger prints.
fn client_says(client: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    send_lines(client.stdout.take().unwrap(), sender.clone());
    send_lines(client.stderr.take().unwrap(), sender);
    receiver
}

fn send_lines(output: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}

/// Whether something listens on a port. Connecting would use up the only connection that some debuggers take.
fn listens(port: u16) -> bool {
    let wanted = format!(":{port:04X} ");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        let mut lines = table.lines();
        lines.any(|line| line.contains(&wanted) && line.contains(" 0A "))
    })
}

/// A failing test leaves nothing behind either.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(&self.0, "-TERM");
        }
        let _ = self.0.wait();
    }
}
