//! `cargo xtask check`: what CI runs.
//!
//! A list of steps. Each is a function whose error says in one line what is wrong. A step installs the tools that it needs
//! below `target/tools` or `.venv`, or fails; nothing is skipped silently. All nested builds share `target/`.

mod debian;
mod debuggers;
mod door;
mod generated;
mod instructions;
mod kubernetes;
mod npm;
mod pictures;
mod postgres;
mod project;
pub(super) mod python;
pub(super) mod shell;
mod steps;
mod tools;
mod tutorial;
mod workflows;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use shell::Shell;
use steps::{STEPS, Step};

/// Run what CI runs, one step after another, until one fails.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask check", bin_name = "cargo xtask check")]
struct Arguments {
    /// Run only this step; may be repeated.
    #[arg(long, value_name = "STEP", value_parser = names())]
    only: Vec<String>,
    /// Skip this step; may be repeated.
    #[arg(long, value_name = "STEP", value_parser = names(), conflicts_with = "only")]
    skip: Vec<String>,
    /// List the steps without running them.
    #[arg(long)]
    list: bool,
    /// Continue after a step that fails.
    #[arg(long)]
    keep_going: bool,
    /// Write what the steps named by --only would compare; without --only, that of the step `generated`.
    #[arg(long, conflicts_with = "skip")]
    bless: bool,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// The main of `cargo xtask check`. Exit codes: 0 for success, 1 if a step failed, 2 for wrong usage.
///
/// The first word is `check`, in place of the program's name.
pub(super) fn cli(words: Vec<OsString>) -> ExitCode {
    let mut arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if arguments.list {
        for step in STEPS {
            println!("{:<12} {}", step.name, step.about);
        }
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace");
    if arguments.bless && arguments.only.is_empty() {
        arguments.only.push("generated".to_owned());
    }
    let shell = Shell::new(root, arguments.bless);
    run(&shell, &chosen(&arguments), arguments.keep_going)
}

fn chosen(arguments: &Arguments) -> Vec<&'static Step> {
    let is_named = |list: &[String], step: &Step| list.iter().any(|name| name == step.name);
    STEPS
        .iter()
        .filter(|step| arguments.only.is_empty() || is_named(&arguments.only, step))
        .filter(|step| !is_named(&arguments.skip, step))
        .collect()
}

fn run(shell: &Shell, steps: &[&Step], keeps_going: bool) -> ExitCode {
    let began = Instant::now();
    let mut failed = Vec::new();
    for (position, step) in (1..).zip(steps) {
        let is_last = position == steps.len();
        if is_last && position > 1 && failed.is_empty() {
            println!(
                "\n{} steps passed after {}; the last one:",
                position - 1,
                seconds(began)
            );
        }
        println!(
            "\n== {position}/{} {}: {}",
            steps.len(),
            step.name,
            step.about
        );
        let step_began = Instant::now();
        match (step.run)(shell) {
            // The output ends with the summary of a test runner.
            Ok(()) if step.has_a_summary && failed.is_empty() => {}
            Ok(()) => println!("   {}: passed, {}", step.name, seconds(step_began)),
            Err(reason) => {
                eprintln!(
                    "   {}: FAILED, {}: {reason:#}",
                    step.name,
                    seconds(step_began)
                );
                failed.push(step.name);
                if !keeps_going {
                    break;
                }
            }
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    let alone = failed.join(" --only ");
    eprintln!(
        "\nerror: check failed; run the failed steps again: cargo xtask check --only {alone}"
    );
    ExitCode::FAILURE
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_of(arguments: &[&str]) -> Vec<&'static str> {
        let arguments =
            Arguments::try_parse_from(["check"].iter().chain(arguments)).expect("they are valid");
        chosen(&arguments).iter().map(|step| step.name).collect()
    }

    #[test]
    fn every_step_runs_by_default_and_nextest_comes_last() {
        let all = steps_of(&[]);
        assert_eq!(all.len(), STEPS.len());
        assert_eq!(all.last(), Some(&"nextest"));
        assert_eq!(steps_of(&["--only", "format"]), ["format"]);
        assert_eq!(steps_of(&["--skip", "format"]).len(), STEPS.len() - 1);
    }

    #[test]
    fn an_unknown_step_is_refused_and_the_known_ones_are_listed() {
        let error = Arguments::try_parse_from(["check", "--only", "clipy"]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("'clipy'") && text.contains("'clippy'"),
            "{text}"
        );
    }
}
