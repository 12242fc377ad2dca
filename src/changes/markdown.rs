//! The changes of a branch as Markdown, for a comment on a pull request.

use std::fmt::Write as _;

use super::{BranchChanges, ChangedCase, ChangedOutcomes, FileCounts};
use crate::model::counted;

/// Maximum number of cases that a list names.
const MOST_NAMED: usize = 20;

impl BranchChanges {
    /// Headings, lists, and folded lists of cases.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("## Replayed cases\n");
        if self.is_empty() {
            text.push_str("\nNo case and no accepted outcome changed.\n");
            return text;
        }
        cases(&mut text, "New cases", &self.added);
        cases(&mut text, "Closed", &self.closed);
        cases(&mut text, "Open again", &self.reopened);
        cases(&mut text, "Removed cases", &self.removed);
        if !self.outcomes.is_empty() {
            text.push_str("\n### Accepted outcomes that changed\n\n");
            for group in &self.outcomes {
                outcome(&mut text, group);
            }
        }
        if !self.edited.is_empty() {
            text.push_str("\n### Edited cases\n\n");
            for (case, keys) in self.edited.iter().take(MOST_NAMED) {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let _ = writeln!(text, "- {}: {}", line(case), keys.join(", "));
            }
            more(&mut text, self.edited.len());
        }
        let files = [
            ("history file", self.histories),
            ("descriptor set", self.descriptor_sets),
        ];
        let files: Vec<String> = files
            .into_iter()
            .filter_map(|(name, counts)| files_line(name, counts))
            .collect();
        if !files.is_empty() {
            let _ = writeln!(text, "\n{}.", files.join("; "));
        }
        text
    }
}

fn cases(text: &mut String, title: &str, cases: &[ChangedCase]) {
    if cases.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n### {title}\n");
    for case in cases.iter().take(MOST_NAMED) {
        let _ = writeln!(text, "- {}", line(case));
    }
    more(text, cases.len());
}

fn more(text: &mut String, count: usize) {
    if count > MOST_NAMED {
        let _ = writeln!(text, "- and {} more", count - MOST_NAMED);
    }
}

fn line(case: &ChangedCase) -> String {
    let issue = case
        .issue
        .as_ref()
        .map_or_else(String::new, |issue| format!(" ({})", plain(issue)));
    format!("`{}` {}{issue}", case.name, plain(&case.title))
}

fn outcome(text: &mut String, group: &ChangedOutcomes) {
    let changes: Vec<String> = group.changes.iter().map(|change| plain(change)).collect();
    if let [name] = group.cases.as_slice() {
        let _ = writeln!(text, "- `{name}`: {}", changes.join("; "));
        return;
    }
    let _ = writeln!(
        text,
        "- {}, in {}\n  <details><summary>cases</summary>\n",
        changes.join("; "),
        counted(group.cases.len(), "case")
    );
    for name in &group.cases {
        let _ = writeln!(text, "  - `{name}`");
    }
    text.push_str("\n  </details>\n");
}

fn files_line(name: &str, counts: FileCounts) -> Option<String> {
    let parts = [
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.changed, "changed"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    (!parts.is_empty()).then(|| format!("{name}s: {}", parts.join(", ")))
}

/// Escapes text for Markdown. Text between paired backticks is code already.
fn plain(text: &str) -> String {
    let has_code = text.matches('`').count().is_multiple_of(2);
    let mut is_code = false;
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => shown.push(' '),
            '`' if has_code => {
                is_code = !is_code;
                shown.push(letter);
            }
            letter if is_code => shown.push(letter),
            '<' => shown.push_str("&lt;"),
            '@' => shown.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                shown.push('\\');
                shown.push(letter);
            }
            letter => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn text_of_a_case_cannot_become_markup() {
        assert_eq!(
            plain("a *b* <i> @me #1\nx_y"),
            "a \\*b\\* &lt;i> &#64;me \\#1 x\\_y"
        );
        assert_eq!(
            plain("field `new_balance` added_"),
            "field `new_balance` added\\_"
        );
        assert_eq!(plain("a ` b_"), "a \\` b\\_");
    }
}
