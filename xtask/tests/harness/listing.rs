//! Listing looks at file names only.

use libtest_mimic::{Failed, Trial};

use crate::{demand, expect, harness_with};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_broken_fixture_is_listed", a_broken_fixture_is_listed),
        Trial::test(
            "a_broken_fixture_fails_when_it_runs",
            a_broken_fixture_fails_when_it_runs,
        ),
    ]
}

fn a_broken_fixture_is_listed() -> Result<(), Failed> {
    let (code, listed) = harness_of_a_broken_fixture(&["--list"])?;
    expect(&code.to_string(), "0")?;
    demand(&listed, &["player::broken: test"])
}

/// The fixture is broken indeed.
fn a_broken_fixture_fails_when_it_runs() -> Result<(), Failed> {
    let (code, _) = harness_of_a_broken_fixture(&["player::broken"])?;
    expect(&code.to_string(), "101")
}

fn harness_of_a_broken_fixture(arguments: &[&str]) -> Result<(i32, String), Failed> {
    let folder = tempfile::tempdir()?;
    let player = folder.path().join("fixtures/player");
    std::fs::create_dir_all(&player)?;
    std::fs::write(player.join("broken.yaml"), "fixture: 1\n{ [ : no YAML")?;
    let (code, out, _) = harness_with(folder.path(), arguments, &[])?;
    Ok((code, out))
}
