//! `cargo xtask bench`: every measurement, with its floors in the same run.
//!
//! Each part is a program that prints its figures; this only runs them one after the other and writes down what they print.

mod peers;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::check::python;
use crate::check::shell::Shell;

/// Measure the speed of everything, and write benches/RESULTS.md.
///
/// Figures depend on the machine and on what else it does; trust the ratios. Takes about ten minutes.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Run only this part, and write nothing; may be repeated.
    #[arg(long, value_name = "PART", value_parser = names())]
    only: Vec<String>,
    /// Take fewer rounds and smaller sizes, and write nothing.
    #[arg(long)]
    quick: bool,
    /// Also measure other tools that replay histories, the part `peers`. Installs and builds them, which takes some minutes the
    /// first time.
    #[arg(long)]
    peers: bool,
    /// List the parts without running them.
    #[arg(long)]
    list: bool,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(PARTS.iter().map(|part| part.name).chain([peers::NAME]))
}

/// Something that is measured by one program.
struct Part {
    /// Name, for `--only`.
    name: &'static str,
    /// What it measures.
    about: &'static str,
    /// The benchmark of the package `poker`.
    bench: &'static str,
    /// The profile of Cargo that it is built with.
    profile: &'static str,
    /// Whether it is only ever run with `--quick`.
    is_quick: bool,
    /// Whether it also measures logic in Python.
    has_python: bool,
}

const PARTS: &[Part] = &[
    Part {
        name: "cases",
        about: "Closed cases of 20 events in process and over gRPC, with logic in Rust and in Python",
        bench: "whole_path",
        profile: "bench",
        is_quick: false,
        has_python: true,
    },
    Part {
        name: "scale",
        about: "Longer histories, very many cases, and a process for each case",
        bench: "scale",
        profile: "bench",
        is_quick: false,
        has_python: false,
    },
    Part {
        name: "long",
        about: "Capture and replay of long histories",
        bench: "long",
        profile: "bench",
        is_quick: false,
        has_python: false,
    },
    Part {
        name: "recorder",
        about: "Calls through the recorder beside direct calls",
        bench: "recorder",
        profile: "bench",
        is_quick: false,
        has_python: false,
    },
    Part {
        name: "dev",
        about: "The dev profile, which `cargo test` uses",
        bench: "scale",
        profile: "dev",
        is_quick: true,
        has_python: false,
    },
];

/// The main of `cargo xtask bench`. Exit codes: 0 for success, 1 if a part failed, 2 for wrong usage.
///
/// The first word is `bench`, in place of the program's name.
pub(super) fn cli(words: Vec<OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if arguments.list {
        for part in PARTS {
            println!("{:<10} {}", part.name, part.about);
        }
        println!("{:<10} {}; only with --peers", peers::NAME, peers::ABOUT);
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace");
    let shell = Shell::new(root, false);
    let is_whole = arguments.only.is_empty() && !arguments.quick;
    let mut text = format!("{HEADER}{}\n", jiff::Timestamp::now().strftime("%F %R UTC"));
    for part in PARTS {
        let is_named = arguments.only.iter().any(|name| name == part.name);
        if !is_named && !arguments.only.is_empty() {
            continue;
        }
        println!("\n== {}: {}", part.name, part.about);
        if part.has_python {
            python::install(&shell)?;
        }
        let figures = figures(&mut part.command(&shell, arguments.quick))
            .with_context(|| format!("the part {}", part.name))?;
        add(&mut text, part.about, &figures);
    }
    if arguments.peers || arguments.only.iter().any(|name| name == peers::NAME) {
        println!("\n== {}: {}", peers::NAME, peers::ABOUT);
        add(
            &mut text,
            peers::ABOUT,
            &peers::figures(&shell, arguments.quick)?,
        );
    }
    if is_whole {
        let file = shell.at("benches/RESULTS.md");
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("\nwritten: benches/RESULTS.md");
    }
    Ok(())
}

fn add(text: &mut String, about: &str, figures: &str) {
    let _ = write!(
        text,
        "\n## {about}\n\n```text\n{}\n```\n",
        figures.trim_end()
    );
}

const HEADER: &str = "\
# Results

Written by `cargo xtask bench`; do not edit. [README.md](README.md) says what the parts measure, and what was done about
their figures. Trust the ratios more than the absolute figures.

";

impl Part {
    fn command(&self, shell: &Shell, is_quick: bool) -> Command {
        let words = [
            "bench", "--locked", "-q", "-p", "poker", "--bench", self.bench,
        ];
        let mut command = shell.cargo(&words);
        command.args(["--profile", self.profile, "--"]);
        if is_quick || self.is_quick {
            command.arg("--quick");
        }
        if self.has_python {
            command.arg("--python").arg(shell.at(python::INTERPRETER));
        }
        command
    }
}

/// Runs a program, shows what it prints, and returns it.
fn figures(command: &mut Command) -> Result<String> {
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    let output = process.stdout.take().expect("it is a pipe");
    let mut text = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        text.push_str(&line);
        text.push('\n');
    }
    let status = process.wait()?;
    ensure!(status.success(), "it ended with {status}");
    Ok(text)
}
