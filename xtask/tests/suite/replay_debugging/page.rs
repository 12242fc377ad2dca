//! The page as steps: files to write and commands to run, in their order.

use test_support::programs::repository;

/// Behind the name of a file to which a block is added.
const CONTINUED: &str = ", continued";

/// What a reader does.
#[derive(Debug)]
pub(crate) enum Step {
    /// Saves a block under the name in its first line, `# NAME: what it is`, or adds it to that file:
    /// `# NAME, continued: what it is`.
    Write {
        name: String,
        text: String,
        is_continued: bool,
    },
    /// Runs a command of a block and sees this; nothing is shown of commands in `sh` blocks.
    Run {
        line: usize,
        command: String,
        shown: Option<String>,
    },
}

/// The steps of the page.
pub(crate) fn steps() -> Vec<Step> {
    let page = std::fs::read_to_string(repository().join("docs/replay-debugging.md")).unwrap();
    let blocks = blocks(&page).into_iter();
    blocks
        .flat_map(|(line, info, block)| of_block(line, info, &block))
        .collect()
}

/// The blocks of code of a page: where each begins, what it is, and its lines.
pub(crate) fn blocks(page: &str) -> Vec<(usize, &str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((line, text)) = lines.next() {
        let Some(info) = text.strip_prefix("```") else {
            continue;
        };
        let block = lines
            .by_ref()
            .map(|(_, text)| text)
            .take_while(|text| *text != "```");
        blocks.push((line, info, block.collect()));
    }
    blocks
}

fn of_block(line: usize, info: &str, block: &[&str]) -> Vec<Step> {
    match info.split(' ').next().unwrap() {
        "python" | "toml" | "yaml" => {
            let title = block[0].strip_prefix("# ").unwrap_or_default();
            let title = title.split(':').next().unwrap();
            let name = title.trim_end_matches(CONTINUED);
            let is_name = name.contains('.') && !name.contains(' ');
            assert!(is_name, "line {line}: the block names no file");
            vec![Step::Write {
                name: name.to_owned(),
                text: block.join("\n") + "\n",
                is_continued: name != title,
            }]
        }
        "sh" => (line + 1..)
            .zip(block)
            .map(|(line, command)| Step::Run {
                line,
                command: (*command).to_owned(),
                shown: None,
            })
            .collect(),
        "text" => shown(line, block),
        other => panic!("line {line}: what is a block of `{other}`?"),
    }
}

/// Commands after `$ `, each with what is shown below it.
pub(crate) fn shown(line: usize, block: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (line, text) in (line + 1..).zip(block) {
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step::Run {
                line,
                command: command.to_owned(),
                shown: Some(String::new()),
            });
        } else {
            let Some(Step::Run {
                shown: Some(shown), ..
            }) = steps.last_mut()
            else {
                panic!("line {line}: output without a command");
            };
            shown.push_str(text);
            shown.push('\n');
        }
    }
    steps
}

#[test]
fn every_step_of_the_page_is_understood() {
    let steps = steps();
    let files = steps
        .iter()
        .filter(|step| matches!(step, Step::Write { .. }));
    assert!(files.count() > 5);
    let commands = steps.iter().filter_map(|step| match step {
        Step::Run { command, .. } => Some(command),
        Step::Write { .. } => None,
    });
    assert!(commands.clone().count() > 10);
    for command in commands {
        let known = ["cargo xtask ", "cargo run ", ".venv/bin/python "];
        let is_known = known.iter().any(|known| command.starts_with(known));
        assert!(is_known, "the walk cannot run `{command}`");
    }
}
