//! Instructions of the hot paths, counted by callgrind and compared with a file in the repository.
//!
//! Counts in the dev profile, because `cargo test` uses it and other steps have built it already. Callgrind runs the program
//! on a processor of its own, so counts hardly depend on the machine; the seeds of hash maps and the copying routines that
//! libc chooses change them by less than a hundredth. A compiler may change them by more.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use super::debian;
use super::shell::{Shell, output_of};

const FILE: &str = "benches/instructions.txt";
const BLESS: &str = "`cargo xtask check --only instructions --bless` writes what is counted today";
/// By how many percent a count may differ from the file, in both directions: a gain that is not in the file would hide a
/// later loss.
const TOLERANCE: u64 = 10;
/// The function of the program that runs a path. Two patterns, because callgrind heeds only one option for each.
const COUNTED: [&str; 2] = ["*instructions::counted*", "instructions::counted*"];

/// Paths with their counts, in the order in which they run.
type Counts = Vec<(String, u64)>;

/// Counts, and compares with the file or writes it.
pub(super) fn check(shell: &Shell) -> Result<()> {
    let counts = count(shell)?;
    let compiler = output_of(shell.program("rustc").arg("--version")).unwrap_or_default();
    let compiler = compiler.trim();
    if shell.blesses {
        std::fs::write(shell.at(FILE), written(&counts, compiler))
            .with_context(|| format!("cannot write {FILE}"))?;
        println!("wrote {FILE}");
        return Ok(());
    }
    let known = std::fs::read_to_string(shell.at(FILE))
        .with_context(|| format!("cannot read {FILE}; {BLESS}"))?;
    let differences = differences(&parsed(&known)?, &counts);
    if differences.is_empty() {
        return Ok(());
    }
    let other_compiler = if known.contains(compiler) {
        String::new()
    } else {
        format!(" (the compiler is now {compiler}, which may be the reason)")
    };
    bail!(
        "the instructions of hot paths differ from {FILE} by more than {TOLERANCE} %{other_compiler}:\n{}\nFind out what made a \
         path slower. If the change is wanted, {BLESS}",
        differences.join("\n")
    )
}

fn count(shell: &Shell) -> Result<Counts> {
    let has_valgrind = || output_of(shell.program("valgrind").arg("--version")).is_some();
    if !has_valgrind() {
        debian::install(
            shell,
            &["valgrind"],
            "callgrind counts the instructions but cannot be installed; install the system's package of valgrind",
        )?;
        ensure!(
            has_valgrind(),
            "the package valgrind was installed but brought no program `valgrind`"
        );
    }
    let program = built(shell)?;
    let folder = shell.at("target/instructions");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let output = folder.join("counts");
    let mut run = shell.program("valgrind");
    run.args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={}", COUNTED[0]))
        .arg(format!("--dump-after={}", COUNTED[1]))
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(&program)
        .stderr(Stdio::inherit());
    let names = output_of(&mut run).context("callgrind could not run the benchmark")?;
    (1..)
        .zip(names.lines())
        .map(|(number, name)| Ok((name.to_owned(), total(&output, number)?)))
        .collect()
}

/// Builds the program with the artifacts of the other steps.
fn built(shell: &Shell) -> Result<PathBuf> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--workspace",
        "--bench",
        "instructions",
        "--message-format=json-render-diagnostics",
    ];
    let mut build = shell.cargo(&build);
    let messages = output_of(build.stderr(Stdio::inherit()));
    let messages = messages.context("the benchmark does not build")?;
    let executables = messages.lines().filter_map(|message| {
        let message: serde_json::Value = serde_json::from_str(message).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    let mut ours = executables.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("instructions-")
    });
    ours.next().context("cargo names no program")
}

/// The count in callgrind's file about the path with this number.
fn total(output: &Path, number: usize) -> Result<u64> {
    let file = format!("{}.{number}", output.display());
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {file}, which callgrind writes for each path"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.with_context(|| format!("{file} has no total"))
}

fn written(counts: &Counts, compiler: &str) -> String {
    let mut text = format!(
        "# Instructions of hot paths in the dev profile, counted by callgrind; compiled by {compiler}.\n# {BLESS}.\n"
    );
    for (name, count) in counts {
        let _ = writeln!(text, "{count:>12}  {name}");
    }
    text
}

fn parsed(text: &str) -> Result<Counts> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
        .map(|(number, line)| {
            let (count, name) = line.trim().split_once("  ").unwrap_or_default();
            let count = count.parse().with_context(|| {
                format!("{FILE}:{number}: not a count, two spaces and a name; {BLESS}")
            })?;
            Ok((name.to_owned(), count))
        })
        .collect()
}

/// A line for each path whose count is not the one in the file.
fn differences(known: &Counts, counted: &Counts) -> Vec<String> {
    let in_list = |list: &Counts, name: &str| {
        let found = list.iter().find(|(other, _)| other == name);
        found.map(|(_, count)| *count)
    };
    let mut found = Vec::new();
    for (name, now) in counted {
        match in_list(known, name) {
            None => found.push(format!("  {name}: {now}, not in the file")),
            Some(before) if before.abs_diff(*now) * 100 > before * TOLERANCE => {
                let more = if *now > before { "more" } else { "fewer" };
                let percent = before.abs_diff(*now) * 100 / before.max(1);
                found.push(format!(
                    "  {name}: {now} instead of {before}, {percent} % {more}"
                ));
            }
            Some(_) => {}
        }
    }
    let gone = known
        .iter()
        .filter(|(name, _)| in_list(counted, name).is_none());
    found.extend(gone.map(|(name, _)| format!("  {name}: in the file, and no longer counted")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(&str, u64)]) -> Counts {
        let owned = |(name, count): &(&str, u64)| ((*name).to_owned(), *count);
        list.iter().map(owned).collect()
    }

    #[test]
    fn a_difference_beyond_the_tolerance_is_shown_in_both_directions() {
        let known = counts(&[("read", 1_000), ("write", 1_000), ("draw", 5), ("fold", 0)]);
        let within = counts(&[("read", 1_100), ("write", 900), ("draw", 5), ("fold", 0)]);
        assert!(differences(&known, &within).is_empty());
        let beyond = counts(&[("read", 1_111), ("write", 500), ("fold", 1), ("new", 7)]);
        assert_eq!(
            differences(&known, &beyond),
            [
                "  read: 1111 instead of 1000, 11 % more",
                "  write: 500 instead of 1000, 50 % fewer",
                "  fold: 1 instead of 0, 100 % more",
                "  new: 7, not in the file",
                "  draw: in the file, and no longer counted",
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let known = counts(&[("read a fixture, 20 events", 12_345), ("b", 1)]);
        assert_eq!(parsed(&written(&known, "rustc 1.95.0")).unwrap(), known);
        let error = parsed("# counts\nmany  read\n").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("benches/instructions.txt:2: not a count"),
            "{error}"
        );
    }
}
