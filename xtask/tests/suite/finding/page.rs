//! `docs/from-alert-to-case.md` does what it says: its commands run in order and print what the page shows.

use crate::replay_debugging::page::{Step, blocks, shown};
use crate::replay_debugging::shown::shows;
use crate::support::{Project, repository};

/// The line of the page's log, and the commands with their output.
fn steps() -> (String, Vec<Step>) {
    let page = std::fs::read_to_string(repository().join("docs/from-alert-to-case.md")).unwrap();
    let (mut log, mut steps) = (String::new(), Vec::new());
    for (line, info, block) in blocks(&page) {
        match info {
            "json settings" => log = block.join("\n") + "\n",
            "text" => steps.extend(shown(line, &block)),
            // Of an event store: the test of the night finds it, `xtask/tests/postgres`.
            "text fragment" => {}
            other => panic!("line {line}: what is a block of `{other}`?"),
        }
    }
    (log, steps)
}

#[test]
fn the_page_does_what_it_says() {
    let (log, steps) = steps();
    assert!(steps.len() >= 5, "{steps:?}");
    let mut project = Project::new("[logic.player]\nin_process = \"player\"\n");
    project.write("app.log", &log);
    for step in steps {
        let Step::Run {
            line,
            command,
            shown: Some(shown),
        } = step
        else {
            panic!("{step:?}");
        };
        let words = command.strip_prefix("cargo xtask ").unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let ran = project.run(&words);
        let said = ran.out + &ran.err;
        assert_eq!(ran.code, 0, "line {line}: {said}");
        assert!(
            shows(&shown, &said),
            "line {line}: {command}\nis shown with\n{shown}\nand printed\n{said}"
        );
    }
}
