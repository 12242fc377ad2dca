//! Copies of this workspace to change and to break, and programs run in them.
//!
//! A copy builds into this workspace's `target/`, so that dependencies are compiled once. Its own packages must not
//! meet those of this workspace there: cargo tells packages apart by their path *within* a workspace, which is the
//! same in a copy. A compiler wrapper of its own, which does nothing, keeps them apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use walkdir::WalkDir;

/// The workspace that these tests belong to.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The build folder of all of it.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("cargo puts its folder for tests into the target folder")
}

/// What a program said and how it ended.
pub(crate) struct Run {
    words: String,
    code: Option<i32>,
    /// Standard output, then standard error.
    pub(crate) text: String,
}

impl Run {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().expect("the program can be run");
        Self {
            words: worded(&command),
            code: output.status.code(),
            text: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{} said:\n{}", self.words, self.text);
        self
    }

    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert_ne!(self.code, Some(0), "{} said:\n{}", self.words, self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let found = self.text.contains(words);
        assert!(
            found,
            "not said: {words}\n{} said:\n{}",
            self.words, self.text
        );
        self
    }

    /// How many tests cargo nextest says it ran, all of which passed.
    #[track_caller]
    pub(crate) fn passed(self) -> usize {
        let run = self.succeeds();
        let summary = run.text.lines().find(|line| line.contains(" run: "));
        let count =
            summary.and_then(|line| line.split(" test").next()?.rsplit(' ').next()?.parse().ok());
        count.unwrap_or_else(|| panic!("{} gave no summary:\n{}", run.words, run.text))
    }

    #[track_caller]
    pub(crate) fn says_not(self, words: &str) -> Self {
        let found = self.text.contains(words);
        assert!(!found, "said: {words}\n{} said:\n{}", self.words, self.text);
        self
    }
}

fn worded(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    words.join(" ")
}

/// A folder to run programs in.
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    /// Programs run without a network.
    is_offline: bool,
    wrapper: PathBuf,
}

impl Place {
    /// A folder whose own packages are built under a name of their own.
    pub(crate) fn at(root: &Path, name: &str) -> Self {
        let wrappers = target().join("scenarios/compilers");
        std::fs::create_dir_all(&wrappers).expect("the target folder can be written");
        let wrapper = wrappers.join(name);
        if !wrapper.exists() {
            std::fs::write(&wrapper, "#!/bin/sh\nexec \"$@\"\n").expect("it can be written");
            make_executable(&wrapper);
        }
        Self {
            root: root.to_owned(),
            is_offline: false,
            wrapper,
        }
    }

    /// This workspace as it is now, committed or not. Unchanged files keep their time, so that only what changed since
    /// the last copy is built again.
    pub(crate) fn copy() -> Self {
        let root = target().join("scenarios/copy");
        std::fs::create_dir_all(&root).expect("the target folder can be written");
        let listed = Command::new("git")
            .current_dir(workspace())
            .args(["ls-files", "-co", "--exclude-standard", "-z"])
            .output()
            .expect("git is there");
        let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
        let files: Vec<&str> = listed
            .split('\0')
            .filter(|file| workspace().join(file).is_file())
            // Snapshots of our own tests, which the runs here do not use: a user's project has those of its cases.
            .filter(|file| !file.contains("/snapshots/"))
            // A repository of its own, whose snapshots belong to its own cases.
            .filter(|file| !file.starts_with("examples/python-team/"))
            .collect();
        assert!(
            !files.is_empty(),
            "git lists no files of {}",
            workspace().display()
        );
        for found in files_below(&root).into_keys() {
            if !files.iter().any(|file| Path::new(file) == found) {
                std::fs::remove_file(root.join(found)).expect("it can be removed");
            }
        }
        for file in files {
            let (from, to) = (workspace().join(file), root.join(file));
            let wanted = std::fs::read(&from).expect("it can be read");
            if std::fs::read(&to).ok().as_ref() != Some(&wanted) {
                std::fs::create_dir_all(to.parent().expect("it is in a folder"))
                    .expect("it can be made");
                std::fs::write(&to, wanted).expect("it can be written");
            }
        }
        Self::at(&root, "copy")
    }

    /// The same place, its programs without a network.
    pub(crate) fn offline(mut self) -> Self {
        self.is_offline = true;
        self
    }

    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = if self.is_offline {
            without_network(name)
        } else {
            Command::new(name)
        };
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = ["CARGO", "INSTA_", "NEXTEST", "RUST", "ANGZARR_", "CI"];
            let kept = [
                "CARGO_HOME",
                "RUSTUP_HOME",
                "RUSTUP_TOOLCHAIN",
                "CARGO_REGISTRIES",
            ];
            if ours.iter().any(|prefix| text.starts_with(prefix)) && !kept.contains(&&*text) {
                command.env_remove(&name);
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(workspace().join("target/tools/bin"))
            .chain(std::env::split_paths(&path));
        command
            .current_dir(&self.root)
            .env(
                "PATH",
                std::env::join_paths(path).expect("no folder has a colon in it"),
            )
            .env("CARGO_BUILD_BUILD_DIR", target())
            .env("CARGO_TERM_COLOR", "never")
            .env("RUSTC_WORKSPACE_WRAPPER", &self.wrapper);
        command
    }

    /// A whole command line.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut words = line.split(' ');
        let mut command = self.program(words.next().expect("there is a program"));
        command.args(words);
        command
    }

    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(self.command(line))
    }

    pub(crate) fn run_in_ci(&self, line: &str) -> Run {
        let mut command = self.command(line);
        command.env("CI", "true");
        Run::of(command)
    }

    /// Replaces a text that is there once.
    #[track_caller]
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.root.join(file);
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
        std::fs::write(&path, text.replace(from, to)).expect("it can be written");
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.root.join(file)).expect("it can be read")
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.root.join(file).exists()
    }

    pub(crate) fn remove(&self, file: &str) {
        std::fs::remove_file(self.root.join(file)).expect("it can be removed");
    }

    /// Every file outside of `target/`, with its content.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let read =
            |(file, path): (PathBuf, PathBuf)| (file, std::fs::read(path).expect("it can be read"));
        files_below(&self.root).into_iter().map(read).collect()
    }
}

fn files_below(root: &Path) -> BTreeMap<PathBuf, PathBuf> {
    WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != "target" && entry.file_name() != ".git")
        .map(|entry| entry.expect("it can be read"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let below = entry.path().strip_prefix(root).expect("it was found there");
            (below.to_owned(), entry.path().to_owned())
        })
        .collect()
}

/// Runs a program in a network of its own, which has nothing but this machine; where that is not permitted, cargo
/// alone is told to stay offline.
fn without_network(name: &str) -> Command {
    const ALONE: [&str; 4] = ["--map-root-user", "--net", "sh", "-c"];
    let permitted = Command::new("unshare")
        .args(ALONE)
        .arg("ip link set lo up")
        .output()
        .is_ok_and(|output| output.status.success());
    let mut command = if permitted {
        let mut command = Command::new("unshare");
        command
            .args(ALONE)
            .args(["ip link set lo up && exec \"$0\" \"$@\"", name]);
        command
    } else {
        println!("a network of its own is not permitted here: only cargo stays offline");
        Command::new(name)
    };
    command.env("CARGO_NET_OFFLINE", "true");
    command
}

#[cfg(unix)]
fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
        .expect("it was just made");
}
