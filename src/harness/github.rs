//! What GitHub Actions shows of a run: an annotation at the line of the fixture that each failure is about, and a summary of
//! the job.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::Totals;
use super::results::{TrialResult, headline};
use crate::model::counted;
use crate::project::Project;
use crate::snapshot::grouped;

/// Annotations that GitHub shows of one step; more of them would be dropped without a word.
const MOST_ANNOTATIONS: usize = 10;

/// Bytes of a failure's message that go into an annotation.
const MOST_MESSAGE: usize = 4_000;

/// Whether the run is a step of a GitHub workflow.
pub(super) fn is_running() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Tells GitHub how the run ended.
pub(super) fn report(results: &[TrialResult], totals: &Totals) {
    let mut out = io::stdout().lock();
    for line in annotations(results) {
        let _ = writeln!(out, "{line}");
    }
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY") else {
        return;
    };
    let appended = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(summary(results, totals).as_bytes()));
    if let Err(error) = appended {
        let reason = crate::terminal::words(&error);
        crate::terminal::complain(format_args!(
            "the summary of the job cannot be written: {reason}"
        ));
    }
}

fn annotations(results: &[TrialResult]) -> Vec<String> {
    let failed: Vec<(&TrialResult, &String)> = results
        .iter()
        .filter_map(|result| Some((result, result.failure()?)))
        .collect();
    let mut lines: Vec<String> = failed
        .iter()
        .take(MOST_ANNOTATIONS)
        .map(|(result, message)| {
            let place = result.fixture.as_ref().map_or_else(String::new, |file| {
                // Without a line, GitHub shows an annotation nowhere in the file.
                let line = result.line.unwrap_or(1);
                format!(" file={},line={line},", property(&Project::shown(file)))
            });
            let title = property(&result.name);
            format!(
                "::error{}title={title}::{}",
                if place.is_empty() {
                    " ".to_owned()
                } else {
                    place
                },
                data(without_texts(message))
            )
        })
        .collect();
    if failed.len() > MOST_ANNOTATIONS {
        lines.push(format!(
            "::notice title=angzarr-replay::{} of {} failed cases are annotated; the summary lists all",
            MOST_ANNOTATIONS,
            failed.len()
        ));
    }
    lines
}

/// A message without the two texts line by line: an annotation is read beside the code.
fn without_texts(message: &str) -> &str {
    let (changes, _) = message
        .split_once("\n--- accepted")
        .unwrap_or((message, ""));
    shortened(changes.trim_end())
}

fn shortened(message: &str) -> &str {
    let mut end = message.len().min(MOST_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// The message of a workflow command: GitHub decodes these three.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command: a comma and a colon would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn summary(results: &[TrialResult], totals: &Totals) -> String {
    let failed: Vec<(&TrialResult, &String)> = results
        .iter()
        .filter_map(|result| Some((result, result.failure()?)))
        .collect();
    let mut text = String::from("## Replayed cases\n\n");
    text.push_str(&counts_table(totals, failed.len()));
    let (changed, others): (Vec<_>, Vec<_>) = failed
        .into_iter()
        .partition(|(result, _)| !result.changes.is_empty());
    let changed = changed
        .into_iter()
        .map(|(result, message)| (result.changes.clone(), (result, message)));
    for (changes, cases) in grouped(changed) {
        let count = counted(cases.len(), "case");
        let _ = writeln!(text, "### {}\n\nin {count}\n", html(&changes.join("; ")));
        for (result, message) in cases {
            folded(&mut text, result, message);
        }
    }
    if !others.is_empty() {
        text.push_str("### Other failures\n\n");
    }
    for (result, message) in others {
        folded(&mut text, result, message);
    }
    text
}

/// The counts as a table. Intended rejections have a column if there are any.
fn counts_table(totals: &Totals, failed: usize) -> String {
    let counts = [
        ("closed", Some(totals.closed)),
        ("intended", Some(totals.intended).filter(|count| *count > 0)),
        ("open", Some(totals.open)),
        ("not checked", Some(totals.not_checked)),
        ("failed", Some(failed)),
    ];
    let counts = counts
        .iter()
        .filter_map(|(name, count)| Some((name, (*count)?)));
    let (mut names, mut line, mut numbers) = (String::new(), String::new(), String::new());
    for (name, count) in counts {
        let _ = write!(names, "| {name} ");
        line.push_str("|---:");
        let _ = write!(numbers, "| {count} ");
    }
    format!("{names}|\n{line}|\n{numbers}|\n\n")
}

/// A failed case, which a click unfolds.
fn folded(text: &mut String, result: &TrialResult, message: &str) {
    // A fence longer than any in the message keeps the message inside.
    let fence = "`".repeat(longest_run_of_backticks(message).max(2) + 1);
    let _ = writeln!(
        text,
        "<details><summary><code>{}</code>: {}</summary>\n\n{fence}text\n{}\n{fence}\n\n</details>\n",
        html(&result.name),
        html(headline(message)),
        shortened(message).trim_end()
    );
}

fn longest_run_of_backticks(text: &str) -> usize {
    let runs = text.split(|letter| letter != '`').map(str::len);
    runs.max().unwrap_or_default()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::harness::results::CaseEnding;

    fn failed(name: &str, message: &str) -> TrialResult {
        TrialResult {
            name: name.into(),
            fixture: Some(Path::new(&format!("fixtures/{}.yaml", name.replace("::", "/"))).into()),
            took: Duration::ZERO,
            ending: CaseEnding::Failed(message.into()),
            changes: Vec::new(),
            line: Some(7),
        }
    }

    #[test]
    fn an_annotation_stands_on_the_fixture_and_keeps_its_lines() {
        let results = [failed("player::a,b", "100 % wrong\n::error::x")];
        assert_eq!(
            annotations(&results),
            [
                "::error file=fixtures/player/a%2Cb.yaml,line=7,title=player%3A%3Aa%2Cb::100 %25 wrong%0A::error::x"
            ]
        );
    }

    #[test]
    fn a_summary_cannot_be_left_by_a_message() {
        let results = [failed("a", "```\n</details><script>\n```")];
        let text = summary(&results, &Totals::default());
        assert!(
            text.contains("````text\n```\n</details><script>\n```\n````"),
            "{text}"
        );
        assert!(text.contains("<code>a</code>: ```"), "{text}");
    }

    #[test]
    fn more_failures_than_github_shows_are_counted() {
        let results: Vec<TrialResult> = (0..12).map(|n| failed(&n.to_string(), "x")).collect();
        let lines = annotations(&results);
        assert_eq!(lines.len(), 11);
        assert!(lines[10].contains("10 of 12 failed cases"), "{}", lines[10]);
    }
}
