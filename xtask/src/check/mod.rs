//! `cargo xtask check`: what CI runs.
//!
//! A list of steps, each a function that says in one line what is wrong. What a step needs it installs below
//! `target/tools` or `.venv`, or it fails: nothing is left out silently. All nested builds share `target/`.

mod door;
mod generated;
mod project;
mod python;
mod shell;
mod steps;
mod tools;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use shell::Shell;
use steps::{STEPS, Step};

/// Run what CI runs, step after step, up to the first that fails.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask check", bin_name = "cargo xtask check")]
struct Arguments {
    /// Run this step only; several may be named.
    #[arg(long, value_name = "STEP", value_parser = names())]
    only: Vec<String>,
    /// Leave this step out; several may be named.
    #[arg(long, value_name = "STEP", value_parser = names(), conflicts_with = "only")]
    skip: Vec<String>,
    /// Say which steps there are, and run none.
    #[arg(long)]
    list: bool,
    /// Go on after a step that fails.
    #[arg(long)]
    keep_going: bool,
    /// Write the generated files anew instead of comparing them.
    #[arg(long, conflicts_with_all = ["only", "skip"])]
    bless: bool,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// The main of `cargo xtask check`. 0: all is well; 1: a step failed; 2: wrong usage.
///
/// The first word is `check`, which stands for the program's name here.
pub(super) fn cli(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if arguments.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.about);
        }
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace");
    let shell = Shell::new(root);
    if arguments.bless {
        return match generated::bless(&shell) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("error: {reason:#}");
                ExitCode::FAILURE
            }
        };
    }
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
                "\n{} steps are fine after {}; the last one:",
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
            // The last words of it all are a test runner's summary.
            Ok(()) if step.has_a_summary && failed.is_empty() => {}
            Ok(()) => println!("   {}: fine, {}", step.name, seconds(step_began)),
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
    eprintln!("\nerror: check failed; once more, alone: cargo xtask check --only {alone}");
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
    fn every_step_runs_unless_told_otherwise_and_nextest_comes_last() {
        let all = steps_of(&[]);
        assert_eq!(all.len(), STEPS.len());
        assert_eq!(all.last(), Some(&"nextest"));
        assert_eq!(steps_of(&["--only", "format"]), ["format"]);
        assert_eq!(steps_of(&["--skip", "format"]).len(), STEPS.len() - 1);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let error = Arguments::try_parse_from(["check", "--only", "clipy"]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("'clipy'") && text.contains("'clippy'"),
            "{text}"
        );
    }
}
