//! `--watch`: what makes it replay again, what does not, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Mutex};

use test_support::{coordinators, processes};

use crate::support::{CASE, Workspace, assert_gone, await_that, lines, this_program};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("changed_logic_is_started_again", changed_logic),
    ("an_interrupted_watch_leaves_nothing_behind", interrupted),
    ("what_a_run_writes_starts_no_other", own_files),
    (
        "a_watch_survives_a_broken_configuration",
        broken_configuration,
    ),
    ("a_named_configuration_is_watched", named_configuration),
    ("folders_and_patterns_are_watched", folders_and_patterns),
    (
        "a_build_that_writes_what_is_watched_ends_the_loop",
        build_loop,
    ),
    ("rust_logic_is_not_watched", compiled_in),
    ("a_watch_that_cannot_begin_ends", refused),
];

const REPRODUCED: &str = "verdict    reproduced";
const CHANGED: &str = "verdict    not reproduced: accepted now";

/// A main that watches, and what it has said so far.
struct Watching {
    main: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
}

impl Watching {
    fn start(workspace: &Workspace, main: &str, words: &[&str]) -> Self {
        let mut command = workspace.main(main, words);
        let mut main = command.env("INSTA_UPDATE", "new").spawn().unwrap();
        let out = kept(main.stdout.take().unwrap());
        let err = kept(main.stderr.take().unwrap());
        Self { main, out, err }
    }

    fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Waits until it has waited for a change this often.
    fn await_waits(&self, count: usize) {
        await_that("the end of a watched run", || {
            self.err().matches("Ctrl+C ends").count() >= count
        });
    }

    /// What it said about changes, without the beginning of each line.
    fn changes(&self) -> Vec<String> {
        let err = self.err();
        let lines = err
            .lines()
            .filter_map(|line| line.strip_prefix("changed: "));
        lines.map(str::to_owned).collect()
    }

    /// Interrupts it as Ctrl+C does.
    fn interrupt(mut self) {
        processes::signal(&self.main, "-INT");
        assert_eq!(self.main.wait().unwrap().code(), Some(130));
    }
}

impl Drop for Watching {
    /// A test that fails leaves no watch behind.
    fn drop(&mut self) {
        let _ = self.main.kill();
        let _ = self.main.wait();
    }
}

fn kept(pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let kept = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&kept);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = shared.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    kept
}

/// Logic as a script, which writes down its process.
fn script(mode: &str) -> String {
    format!(
        "echo $$ >> pids\nexec '{}' fake-logic {mode}\n",
        this_program()
    )
}

/// A workspace whose logic is the script `logic.sh`, in this mode.
fn workspace(mode: &str, keys: &str) -> Workspace {
    let workspace = Workspace::new(&format!(
        "[logic.player]\ncommand = [\"sh\", \"logic.sh\"]\n{keys}"
    ));
    write(&workspace, "logic.sh", &script(mode));
    workspace
}

/// Writes a file at once, as editors do: a watch never sees half of it.
fn write(workspace: &Workspace, file: &str, text: &str) {
    let file = workspace.file(file);
    let folder = file.parent().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    let draft = folder.join(".draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, file).unwrap();
}

fn changed_logic() {
    let workspace = workspace("serves", "");
    let watching = Watching::start(&workspace, "cli", &["replay", CASE, "--watch"]);
    watching.await_waits(1);
    assert!(watching.out().contains(REPRODUCED), "{}", watching.out());
    assert!(!watching.out().contains(CHANGED));
    // Configuration and its local overrides are not counted unless they exist: fixture, descriptor set, replay.toml, logic.
    assert_eq!(
        watching.err(),
        "\nWaiting for changes in 4 files; Ctrl+C ends\n"
    );
    assert_gone(&lines(&workspace.file("pids")));

    write(&workspace, "logic.sh", &script("accepts"));
    watching.await_waits(2);
    assert!(watching.out().contains(CHANGED), "{}", watching.out());
    assert_eq!(watching.changes(), ["logic.sh"]);
    let pids = lines(&workspace.file("pids"));
    assert_eq!(pids.len(), 2);
    assert_gone(&pids);

    // A snapshot that appears.
    let snapshot = CASE.replace(".yaml", ".snap");
    write(
        &workspace,
        &snapshot,
        "---\n---\noutcome: accepted\nevents: []\n",
    );
    watching.await_waits(3);
    assert_eq!(watching.changes()[1..], [snapshot]);
    watching.interrupt();
}

fn interrupted() {
    let workspace = workspace("stalls pids", "");
    let watching = Watching::start(&workspace, "cli", &["test", "--watch"]);
    // The script, and what it started.
    await_that("logic that stalls", || {
        lines(&workspace.file("pids")).len() >= 3
    });
    watching.interrupt();
    assert_gone(&lines(&workspace.file("pids")));
}

fn own_files() {
    // Logic that is started again finds its port free, and is not taken for the one before.
    let port = coordinators::listener().local_addr().unwrap().port();
    let workspace = workspace("accepts", &format!("port = {port}\n"));
    let watching = Watching::start(&workspace, "harness", &["--watch"]);
    watching.await_waits(1);
    assert!(
        watching
            .out()
            .contains("the open case no longer reproduces"),
        "{}",
        watching.out()
    );
    let pending = workspace.file(&CASE.replace(".yaml", ".snap.new"));
    assert!(pending.is_file());
    write(&workspace, "logic.sh", &script("serves"));
    watching.await_waits(2);
    assert!(watching.out().contains("replay: 0 closed, 1 open"));
    // A new fixture is replayed too.
    let text = std::fs::read_to_string(workspace.file(CASE)).unwrap();
    write(&workspace, "fixtures/player/another.yaml", &text);
    watching.await_waits(3);
    assert!(watching.out().contains("replay: 0 closed, 2 open"));
    assert_eq!(
        watching.changes(),
        ["logic.sh", "fixtures/player/another.yaml"]
    );
    watching.interrupt();
}

fn broken_configuration() {
    let workspace = workspace("serves", "");
    let watching = Watching::start(&workspace, "cli", &["replay", CASE, "--watch", "--json"]);
    watching.await_waits(1);
    let good = std::fs::read_to_string(workspace.file("replay.toml")).unwrap();
    write(&workspace, "replay.toml", "[logic.player]\n");
    watching.await_waits(2);
    assert!(
        watching.err().contains(
            "logic `player`: it needs exactly one of `in_process`, `address` and `command`\n"
        ),
        "{}",
        watching.err()
    );
    write(&workspace, "replay.toml", &good);
    watching.await_waits(3);
    // From now on there are descriptors too.
    write(&workspace, "proto/a.proto", "syntax = \"proto3\";\n");
    write(
        &workspace,
        "replay.local.toml",
        "descriptors = [\"proto\"]\n",
    );
    watching.await_waits(4);
    write(&workspace, "proto/b.proto", "syntax = \"proto3\";\n");
    watching.await_waits(5);
    assert_eq!(
        watching.changes(),
        [
            "replay.toml",
            "replay.toml",
            "replay.local.toml",
            "proto/b.proto"
        ]
    );
    // Standard output is JSON, one object for each run that replayed.
    let out = watching.out();
    let objects = out.lines().map(serde_json::from_str::<serde_json::Value>);
    let verdicts: Vec<_> = objects
        .map(|object| object.unwrap()["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["reproduced"; 4]);
    watching.interrupt();
}

fn named_configuration() {
    let workspace = workspace("serves", "");
    let text = "fixtures = \"../fixtures\"\n[logic.player]\ncommand = [\"sh\", \"logic.sh\"]\ndirectory = \"..\"\n";
    write(&workspace, "conf/other.toml", text);
    let words = ["--config", "conf/other.toml", "test", "--watch"];
    let watching = Watching::start(&workspace, "cli", &words);
    watching.await_waits(1);
    // The configuration that is not used.
    write(&workspace, "replay.toml", "");
    write(&workspace, "conf/other.toml", &format!("# changed\n{text}"));
    watching.await_waits(2);
    assert_eq!(watching.changes(), ["conf/other.toml"]);
    watching.interrupt();
}

fn folders_and_patterns() {
    let workspace = workspace("$(cat rules/mode)", "watch = [\"rules\", \"src/*.py\"]\n");
    write(&workspace, "rules/mode", "serves");
    write(&workspace, "src/player.txt", "");
    let watching = Watching::start(&workspace, "cli", &["replay", CASE, "--watch"]);
    watching.await_waits(1);
    assert!(watching.out().contains(REPRODUCED), "{}", watching.out());
    // None of these is watched, and the logic's script is not named either.
    for file in ["rules/.hidden", "rules/__pycache__/x.pyc", "src/player.txt"] {
        write(&workspace, file, "changed");
    }
    write(
        &workspace,
        "logic.sh",
        &format!("# changed\n{}", script("$(cat rules/mode)")),
    );
    write(&workspace, "rules/mode", "accepts");
    watching.await_waits(2);
    assert!(watching.out().contains(CHANGED), "{}", watching.out());
    write(&workspace, "src/new/folder/rules.py", "");
    watching.await_waits(3);
    std::fs::remove_file(workspace.file("src/new/folder/rules.py")).unwrap();
    watching.await_waits(4);
    let new = "src/new/folder/rules.py";
    assert_eq!(watching.changes(), ["rules/mode", new, new]);
    watching.interrupt();
}

fn build_loop() {
    let keys =
        "build = [\"sh\", \"-c\", \"echo >> built.txt\"]\nwatch = [\"logic.sh\", \"built.txt\"]\n";
    let workspace = workspace("serves", keys);
    let watching = Watching::start(&workspace, "cli", &["replay", CASE, "--watch"]);
    watching.await_waits(1);
    assert_eq!(watching.changes(), ["built.txt"; 3]);
    assert!(
        watching.err().contains(
            "note: built.txt changed during 4 runs in a row, perhaps because a run writes it; from now on only changes \
             between runs count\n"
        ),
        "{}",
        watching.err()
    );
    write(&workspace, "logic.sh", &script("accepts"));
    watching.await_waits(2);
    assert_eq!(watching.changes()[3..], ["logic.sh"]);
    assert_eq!(lines(&workspace.file("built.txt")).len(), 5);
    watching.interrupt();
}

/// What a watch says that does not begin.
fn refusal(workspace: &Workspace, main: &str, words: &[&str]) -> (Option<i32>, String) {
    let output = workspace.main(main, words).output().unwrap();
    assert_eq!(output.stdout, b"");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn compiled_in() {
    let workspace = Workspace::new("");
    let expected = "error: --watch cannot load Rust logic again: `player` is compiled into this program. Let a tool that \
                    compiles first run this command without --watch, such as bacon or cargo-watch\n";
    for words in [["replay", CASE, "--watch"].as_slice(), &["test", "--watch"]] {
        assert_eq!(
            refusal(&workspace, "cli-with-player", words),
            (Some(2), expected.to_owned())
        );
    }
    // Logic that is named is another matter.
    let workspace = Workspace::new(
        "[logic.other]\ntwin = true\ndomain = \"player\"\naddress = \"127.0.0.1:9\"\n",
    );
    let words = ["replay", CASE, "--logic", "other", "--watch"];
    let watching = Watching::start(&workspace, "cli-with-player", &words);
    watching.await_waits(1);
    assert!(
        watching.err().starts_with(
            "note: logic `other` runs at 127.0.0.1:9: it is not restarted, and its files are not watched\n"
        ),
        "{}",
        watching.err()
    );
    watching.interrupt();
}

fn refused() {
    let workspace = workspace("serves", "build = [\"true\"]\n");
    let (code, err) = refusal(&workspace, "cli", &["replay", "no-such-case", "--watch"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: no-such-case: there is no file, folder or case"),
        "{err}"
    );
    let (code, err) = refusal(&workspace, "harness", &["no/case.yaml", "--watch"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: no/case.yaml: there is no file, folder or case"),
        "{err}"
    );
    let (code, err) = refusal(
        &workspace,
        "cli",
        &["replay", CASE, "--watch", "--set", "x"],
    );
    assert_eq!(code, Some(2));
    assert!(
        err.starts_with("error: --set x: PATH=VALUE is expected"),
        "{err}"
    );

    let watching = Watching::start(&workspace, "cli", &["replay", CASE, "--watch"]);
    watching.await_waits(1);
    assert!(
        watching.err().starts_with(
            "note: no file of logic `player` is watched; name them in replay.toml: [logic.player] watch = [\"src\", \"*.py\"]\n"
        ),
        "{}",
        watching.err()
    );
    watching.interrupt();
}
