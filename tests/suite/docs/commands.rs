//! Every `cargo xtask …` and `angzarr-replay …` of the documentation is one that the command line understands.

use angzarr_replay::App;

use super::markdown::{blocks, inline_code, pages};

const NAME: &str = "cargo xtask";
const PROGRAM: &str = "angzarr-replay";

/// Whether a line calls the tool. The program's name is also that of a crate in TOML.
fn is_command(line: &str) -> bool {
    let is_called = |name| {
        let rest = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| !rest.starts_with('='))
    };
    is_called(NAME) || is_called(PROGRAM)
}

fn understood(line: &str) -> Result<(), String> {
    let line = line.split(" # ").next().unwrap_or_default();
    let line = line.split('|').next().unwrap_or_default();
    let line = line.trim();
    let arguments = line
        .strip_prefix(NAME)
        .or_else(|| line.strip_prefix(PROGRAM));
    let arguments = words(arguments.unwrap());
    let words: Vec<&str> = std::iter::once(NAME)
        .chain(arguments.iter().map(String::as_str))
        .collect();
    // Commands of this repository's xtask, which the library does not know.
    if matches!(words.get(1), Some(&("check" | "bench"))) {
        return Ok(());
    }
    App::understands(&words)
}

/// Words as a shell makes them: between quotes a blank is no end.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Lines of fenced and of indented blocks, with their place.
fn block_lines() -> Vec<(String, String)> {
    let fenced = blocks().into_iter().flat_map(|block| {
        let lines: Vec<String> = block.text.lines().map(str::to_owned).collect();
        lines
            .into_iter()
            .map(move |line| (block.place.clone(), line))
    });
    let indented = pages().into_iter().flat_map(|page| {
        let lines = page.prose().into_iter();
        lines
            .filter(|(_, line)| line.starts_with("    "))
            .map(|(number, line)| (format!("{}:{number}", page.name), line.to_owned()))
            .collect::<Vec<_>>()
    });
    fenced.chain(indented).collect()
}

#[test]
fn every_command_in_a_block_is_understood() {
    let mut count = 0;
    for (place, line) in block_lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("$ ").unwrap_or(line);
        if is_command(line) {
            understood(line).unwrap_or_else(|error| panic!("{place}: {line}\n{error}"));
            count += 1;
        }
    }
    assert!(count > 5, "{count}");
}

#[test]
fn every_command_in_a_sentence_is_understood_or_the_beginning_of_one() {
    let is_beginning = |error: &str| {
        error.contains("required arguments were not provided")
            || error.starts_with("Write commands")
            || error.starts_with("Write a command")
    };
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.prose() {
            for code in inline_code(line).filter(|code| is_command(code)) {
                let result = understood(code);
                let is_fine = result
                    .as_ref()
                    .map_or_else(|error| is_beginning(error), |()| true);
                assert!(is_fine, "{}:{number}: {code}\n{result:?}", page.name);
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    assert!(understood("cargo xtask capture 6513270e   # the main job").is_ok());
    assert!(understood("cargo xtask capture 6513270e --nothing").is_err());
    assert!(understood("cargo xtask record").is_err());
    assert!(understood("angzarr-replay test --junit replay.xml").is_ok());
    assert!(understood("angzarr-replay tests").is_err());
}
