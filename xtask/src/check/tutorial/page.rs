//! The tutorial's page: its blocks are what a reader does.
//!
//! What a block is, follows from the words behind its fence:
//!
//! | words | the reader |
//! |---|---|
//! | `console` | types the commands after `$ `, and sees the lines below each |
//! | `console fails` | the same; every command fails |
//! | `console serves` | starts a server and leaves it running |
//! | `console debugs SOURCE FUNCTION` | runs one case under the debugger, with a breakpoint in this function |
//! | `LANGUAGE FILE` | writes this file |
//! | `diff FILE` | edits this file; `@@` stands between two places |
//!
//! All other blocks are only read. A rendered page does not show these words, so the text before a block has to name the
//! file.

use anyhow::{Context, Result, bail, ensure};

/// The sections with commands; a block in any other section belongs to both.
pub(super) const WORLDS: [&str; 2] = ["Python", "Rust"];

/// What the reader does in one block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Types commands.
    Type(Way, Vec<Typed>),
    /// Writes a file.
    Write { file: String, text: String },
    /// Replaces texts in a file, each by another.
    Edit {
        file: String,
        places: Vec<(String, String)>,
    },
}

/// How the commands of a block run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    Succeeds,
    Fails,
    Serves,
    Debugs { source: String, function: String },
}

/// A command and what the page shows below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// Line of the command on the page, from 0.
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) output: Vec<String>,
}

/// The actions of a world, in order, each with the line of its fence from 1.
pub(super) fn actions(page: &str, world: &str) -> Result<Vec<(usize, Action)>> {
    let lines: Vec<&str> = page.lines().collect();
    let mut actions = Vec::new();
    let mut is_here = true;
    let mut at = 0;
    // Where the text after the last block begins.
    let mut text = 0;
    while at < lines.len() {
        if let Some(heading) = lines[at].strip_prefix("## ") {
            is_here = heading == world || !WORLDS.contains(&heading);
        }
        let Some(words) = lines[at].strip_prefix("```") else {
            at += 1;
            continue;
        };
        let body = lines[at + 1..].iter().take_while(|line| **line != "```");
        let end = at + 1 + body.count();
        ensure!(end < lines.len(), "line {}: this block has no end", at + 1);
        if is_here {
            let action = action(words, at + 1, &lines[at + 1..end])
                .and_then(|action| named(action, &lines[text..at]))
                .with_context(|| format!("line {}", at + 1))?;
            actions.extend(action.map(|action| (at + 1, action)));
        }
        at = end + 1;
        text = at;
    }
    Ok(actions)
}

/// The action, if the text before it names its file.
fn named(action: Option<Action>, text: &[&str]) -> Result<Option<Action>> {
    if let Some(Action::Write { file, .. } | Action::Edit { file, .. }) = &action {
        let name = format!("`{file}`");
        ensure!(
            text.iter().any(|line| line.contains(&name)),
            "the text before this block does not name {name}"
        );
    }
    Ok(action)
}

fn action(words: &str, begin: usize, body: &[&str]) -> Result<Option<Action>> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let way = match words.as_slice() {
        ["console"] => Way::Succeeds,
        ["console", "fails"] => Way::Fails,
        ["console", "serves"] => Way::Serves,
        ["console", "debugs", source, function] => Way::Debugs {
            source: (*source).to_owned(),
            function: (*function).to_owned(),
        },
        ["console", ..] => bail!("`{}` is unknown", words.join(" ")),
        ["diff", file] => {
            return Ok(Some(Action::Edit {
                file: (*file).to_owned(),
                places: places(body)?,
            }));
        }
        // `json ticket` and the like say what a block is; a file has a dot or a slash.
        [_, file] if file.contains(['.', '/']) => {
            return Ok(Some(Action::Write {
                file: (*file).to_owned(),
                text: body.iter().flat_map(|line| [line, "\n"]).collect(),
            }));
        }
        _ => return Ok(None),
    };
    let mut typed: Vec<Typed> = Vec::new();
    for (line, text) in (begin..).zip(body) {
        if let Some(command) = text.strip_prefix("$ ") {
            typed.push(Typed {
                line,
                command: command.to_owned(),
                output: Vec::new(),
            });
        } else {
            let last = typed.last_mut().context("it begins without a command")?;
            last.output.push((*text).to_owned());
        }
    }
    Ok(Some(Action::Type(way, typed)))
}

/// The text before and after each change of a diff.
fn places(body: &[&str]) -> Result<Vec<(String, String)>> {
    let mut places = Vec::new();
    for place in body.split(|line| line.starts_with("@@")) {
        let (mut before, mut after) = (String::new(), String::new());
        for line in place {
            let (sign, text) = line.split_at(line.len().min(1));
            if sign != "+" {
                before.extend([text, "\n"]);
            }
            if sign != "-" {
                after.extend([text, "\n"]);
            }
            ensure!(
                ["+", "-", " ", ""].contains(&sign),
                "no line of a diff: {line}"
            );
        }
        places.push((before, after));
    }
    Ok(places)
}

/// The page with these outputs, each with its command, in place of its own.
pub(super) fn with_outputs(page: &str, outputs: &[(Typed, String)]) -> String {
    let mut lines: Vec<&str> = page.lines().collect();
    let mut outputs: Vec<_> = outputs.iter().collect();
    outputs.sort_by_key(|(typed, _)| typed.line);
    for (typed, output) in outputs.into_iter().rev() {
        let begin = typed.line + 1;
        lines.splice(begin..begin + typed.output.len(), output.trim_end().lines());
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
## Begin
In `a.txt`:
```text a.txt
one
two
```
## Python
```console
$ first
$ second
said
```
And in `a.txt`:
```diff a.txt
 one
-two
+three
@@
+four
```
## Rust
```console fails
$ third
```
```json ticket
{}
```
";

    #[test]
    fn a_world_has_its_own_blocks_and_the_common_ones() {
        let python = actions(PAGE, "Python").unwrap();
        let lines: Vec<usize> = python.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 8, 14]);
        let Action::Edit { places, .. } = &python[2].1 else {
            panic!("{python:?}");
        };
        let first = ("one\ntwo\n".to_owned(), "one\nthree\n".to_owned());
        assert_eq!(places, &[first, (String::new(), "four\n".to_owned())]);
        let rust = actions(PAGE, "Rust").unwrap();
        assert!(
            matches!(&rust[1].1, Action::Type(Way::Fails, typed) if typed[0].command == "third")
        );
        assert_eq!(rust.len(), 2);
    }

    #[test]
    fn outputs_are_written_below_their_commands() {
        let python = actions(PAGE, "Python").unwrap();
        let Action::Type(_, typed) = &python[1].1 else {
            panic!("{python:?}");
        };
        let outputs = [
            (typed[0].clone(), "a\nb\n".to_owned()),
            (typed[1].clone(), String::new()),
        ];
        let page = with_outputs(PAGE, &outputs);
        assert!(page.contains("$ first\na\nb\n$ second\n```\n"), "{page}");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = |page: &str| format!("{:#}", actions(page, "Rust").unwrap_err());
        assert_eq!(
            error("```console\nx\n```\n"),
            "line 1: it begins without a command"
        );
        assert_eq!(
            error("\n```console\n$ x\n"),
            "line 2: this block has no end"
        );
        assert_eq!(
            error("```text a.txt\n```\n"),
            "line 1: the text before this block does not name `a.txt`"
        );
        assert_eq!(
            error("```console now\n```\n"),
            "line 1: `console now` is unknown"
        );
    }
}
