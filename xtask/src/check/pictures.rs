//! The picture of a terminal in the README: made from a real run, and compared with one.
//!
//! The commands run in a folder with what a fresh clone has. What is typed and what runs are the same program; cargo itself
//! is left out, because it would build a clone.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::shell::{Shell, output_of, run};

const PICTURE: &str = "docs/images/workflow.svg";
/// What a fresh clone has that these commands read.
const FILES: [&str; 2] = ["replay.toml", "fixtures"];
const FOLDERS: [&str; 2] = ["examples/poker/proto", "examples/poker/hand_proto"];
const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";
/// Columns of the terminal.
const WIDTH: usize = 114;
/// Of a column and of a line.
const COLUMN: f64 = 8.4;
const LINE: f64 = 19.0;
/// From the upper edge to the first baseline, and the space on all other sides.
const TOP: f64 = 58.0;
const MARGIN: f64 = 18.0;

/// Compares the picture with today's run, or makes it anew.
pub(super) fn check(shell: &Shell) -> Result<()> {
    let made = svg(&session(shell)?);
    let file = shell.at(PICTURE);
    if shell.blesses {
        std::fs::write(&file, made).with_context(|| format!("cannot write {PICTURE}"))?;
        println!("   wrote {PICTURE}");
        return Ok(());
    }
    let found = std::fs::read_to_string(&file).with_context(|| PICTURE.to_owned())?;
    let differing = found.lines().zip(made.lines()).find(|(a, b)| a != b);
    ensure!(
        found == made,
        "{PICTURE} shows something else than a run today; make it again: cargo xtask check --only pictures --bless{}",
        differing.map_or(String::new(), |(a, b)| format!(
            "\nin the picture: {a}\ntoday:          {b}"
        ))
    );
    Ok(())
}

/// The lines of the terminal; those that begin with `$ ` were typed.
fn session(shell: &Shell) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    for path in FILES.into_iter().chain(FOLDERS) {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap_or(&to))?;
        run(Command::new("cp").arg("-r").arg(shell.at(path)).arg(&to))?;
    }
    let tool = shell.at("target/debug/xtask");
    let tests = harness(shell)?;
    let replay = format!("cargo xtask replay {FIXTURE} | tail -n 16");
    let commands: [(&str, &Path, &[&str], usize); 3] = [
        (
            "cargo xtask capture 6513270e",
            &tool,
            &["capture", "6513270e"],
            usize::MAX,
        ),
        (&replay, &tool, &["replay", FIXTURE], 16),
        ("cargo test --test replay | tail -n 6", &tests, &[], 6),
    ];
    let time = Regex::new(r"finished in \d+\.\d+s").expect("it is a constant");
    let mut lines = Vec::new();
    for (typed, program, words, tail) in commands {
        let output = output_of(shell.program(program).args(words).current_dir(&folder))
            .with_context(|| format!("`{typed}` fails"))?;
        let said: Vec<&str> = output.lines().collect();
        lines.push(format!("$ {typed}"));
        let last = &said[said.len().saturating_sub(tail)..];
        lines.extend(
            last.iter()
                .map(|line| time.replace(line, "finished in 0.20s").into_owned()),
        );
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Ok(lines)
}

/// The program of `tests/replay.rs`.
fn harness(shell: &Shell) -> Result<std::path::PathBuf> {
    let build = [
        "test", "--quiet", "--locked", "--test", "replay", "--no-run",
    ];
    let json = ["--message-format", "json"];
    let output =
        output_of(shell.cargo(&build).args(json)).context("tests/replay.rs does not build")?;
    let messages = output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter(|message: &serde_json::Value| message["target"]["name"] == "replay")
        .find_map(|message| message["executable"].as_str().map(Into::into))
        .context("cargo names no program for tests/replay.rs")
}

/// A terminal with these lines.
fn svg(lines: &[String]) -> String {
    let rows: Vec<(bool, String)> = lines.iter().flat_map(|line| wrapped(line)).collect();
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let width = length(WIDTH) + 2.0 * MARGIN;
    let height = TOP + f64::from(count) * LINE + MARGIN;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}">
<!-- Made by the step `pictures` of `cargo xtask check`. -->
<rect width="{width:.0}" height="{height:.0}" rx="8" fill="#161b22"/>
<circle cx="24" cy="22" r="6" fill="#ff5f57"/>
<circle cx="44" cy="22" r="6" fill="#febc2e"/>
<circle cx="64" cy="22" r="6" fill="#28c840"/>
<g fill="#d6dce4" font-size="14" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace">
"##
    );
    for (row, (is_typed, text)) in (0..count).zip(&rows) {
        if text.is_empty() {
            continue;
        }
        let y = TOP + f64::from(row) * LINE;
        let style = if *is_typed {
            r##" fill="#58a6ff" font-weight="bold""##
        } else {
            ""
        };
        // With spaces that no renderer collapses, and a length that is the same in every font.
        let columns = length(text.chars().count());
        let text = escaped(text);
        let _ = writeln!(
            svg,
            r#"<text x="{MARGIN:.0}" y="{y:.0}" textLength="{columns:.1}" xml:space="preserve"{style}>{text}</text>"#
        );
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn length(columns: usize) -> f64 {
    f64::from(u32::try_from(columns).unwrap_or(u32::MAX)) * COLUMN
}

/// A line as a terminal wraps it, each row with whether it was typed.
fn wrapped(line: &str) -> Vec<(bool, String)> {
    let is_typed = line.starts_with("$ ");
    let characters: Vec<char> = line.chars().collect();
    if characters.is_empty() {
        return vec![(is_typed, String::new())];
    }
    let rows = characters.chunks(WIDTH);
    rows.map(|row| (is_typed, row.iter().collect())).collect()
}

fn escaped(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    escaped.replace(' ', "\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn indentation_and_special_characters_survive_and_long_lines_wrap() {
        let picture = svg(&["$ a".into(), "  <b> & c".into(), "x".repeat(115)]);
        assert!(picture.contains(">$\u{a0}a</text>"), "{picture}");
        assert!(
            picture.contains(">\u{a0}\u{a0}&lt;b>\u{a0}&amp;\u{a0}c</text>"),
            "{picture}"
        );
        assert!(picture.contains(">x</text>"), "{picture}");
        assert_eq!(picture.matches("<text ").count(), 4);
        // Otherwise the picture is no valid XML.
        let comment = picture.split("<!--").nth(1).unwrap();
        assert!(!comment.split("-->").next().unwrap().contains("--"));
    }
}
