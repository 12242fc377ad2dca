//! Every `cargo xtask …` of the documentation is one that the command line understands.

use angzarr_replay::App;

use super::markdown::{blocks, inline_code, pages};

const NAME: &str = "cargo xtask";

fn understood(line: &str) -> Result<(), String> {
    let line = line.split(" # ").next().unwrap_or_default();
    let line = line.split('|').next().unwrap_or_default();
    let words = line.trim().strip_prefix(NAME).unwrap().split_whitespace();
    let words: Vec<&str> = std::iter::once(NAME).chain(words).collect();
    // Its own command of this repository's xtask, which the library does not know.
    if words.get(1) == Some(&"check") {
        return Ok(());
    }
    App::understands(&words)
}

#[test]
fn every_command_in_a_block_is_understood() {
    let mut count = 0;
    for block in blocks() {
        for line in block.text.lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("$ ").unwrap_or(line);
            if line.starts_with("cargo xtask ") {
                understood(line).unwrap_or_else(|error| panic!("{}: {line}\n{error}", block.place));
                count += 1;
            }
        }
    }
    assert!(count > 5, "{count}");
}

#[test]
fn every_command_in_a_sentence_is_understood_or_the_beginning_of_one() {
    let is_beginning = |error: &str| {
        error.contains("required arguments were not provided")
            || error.starts_with("Write commands")
    };
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.prose() {
            for code in inline_code(line).filter(|code| code.starts_with("cargo xtask ")) {
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
}
