//! Checks the packages and the fixtures of the project.

use std::collections::BTreeSet;

use angzarr_replay::internal::harness::discover;
use angzarr_replay::internal::project::{Config, Project};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::shell::{Shell, output_of};

/// Checks that every package of the workspace states the same `rust-version`, and that no dependency requires a newer one.
pub(super) fn rust_version(shell: &Shell) -> Result<()> {
    let mut metadata = shell.cargo(&["metadata", "--format-version", "1", "--locked"]);
    let text = output_of(&mut metadata)
        .context("`cargo metadata --locked` failed: is Cargo.lock up to date?")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let members = metadata["workspace_members"].as_array().unwrap_or(&empty);
    let (own, others): (Vec<_>, Vec<_>) = packages
        .iter()
        .partition(|package| members.contains(&package["id"]));
    let stated: Vec<_> = own
        .iter()
        .map(|package| package["rust_version"].as_str())
        .collect();
    let Some(Some(floor)) = stated.first().copied() else {
        bail!("no rust-version is stated in Cargo.toml");
    };
    ensure!(
        stated.iter().all(|version| *version == Some(floor)),
        "the packages of the workspace state different rust-versions"
    );
    let newer: Vec<String> = others
        .iter()
        .filter_map(|package| {
            let asked = package["rust_version"].as_str()?;
            (parts(asked) > parts(floor)).then(|| {
                let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
                format!("{} {} requires {asked}", text("name"), text("version"))
            })
        })
        .collect();
    ensure!(
        newer.is_empty(),
        "rust-version is {floor}, but {}",
        newer.join(", ")
    );
    println!("   rust-version {floor}; {} dependencies", others.len());
    Ok(())
}

fn parts(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect();
    parts.resize(3, 0);
    parts
}

/// Checks that `cargo test` builds no dependency a second time after `cargo xtask`, which is the first command that a
/// newcomer runs.
pub(super) fn features(shell: &Shell) -> Result<()> {
    let built_by = |arguments: &[&str]| -> Result<BTreeSet<String>> {
        let common = [
            "tree",
            "--locked",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p} [{f}]",
        ];
        let mut tree = shell.cargo(&[&common, arguments].concat());
        let text = output_of(&mut tree).context("`cargo tree --locked` failed")?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let first = built_by(&["--package", "xtask", "--edges", "normal,build"])?;
    let tests = built_by(&["--edges", "normal,build,dev"])?;
    let twice: Vec<&str> = first.difference(&tests).map(String::as_str).collect();
    ensure!(
        twice.is_empty(),
        "`cargo test` builds these with other features than `cargo xtask`, and what depends on them a second time; \
         request the features of the tests beside the dependencies marked \"Not used here\" in xtask/Cargo.toml, \
         crates/wire/Cargo.toml or examples/poker/Cargo.toml: {}",
        twice.join(", ")
    );
    println!("   {} packages are shared", first.len());
    Ok(())
}

/// Trials that are not checked, on purpose. If others appear, they would otherwise drop out silently.
const NOT_CHECKED: [&str; 6] = [
    "hand::history-dbc3da80-12",
    "player::fact-funds-deposited-6513270e-1@player-python",
    "player::fact-funds-reserved-6513270e-2@player-python",
    "player::history-6513270e-3@player-python",
    "player::history-9531985d-3@player-python",
    "player::withdraw-funds-446f7261-12@player-python",
];

/// Checks that every fixture can be read. Prints every unchecked trial with the reason, and fails if it is not a known one,
/// so that it does not pass for a success.
pub(super) fn fixtures(shell: &Shell) -> Result<()> {
    let project = Project::open(poker::app(), &shell.at("."))?;
    // Twins that are not installed here are checked by the step `peers`.
    let config = Config {
        demand_twins: true,
        ..project.config().clone()
    };
    let project = Project::with_config(poker::app(), config);
    let entries = discover(&project)?;
    let mut unreadable = Vec::new();
    let mut not_checked = Vec::new();
    for entry in &entries {
        if entry.twin.is_none()
            && let Err(error) = project.folder().read(&entry.path)
        {
            unreadable.push(error.report());
        }
        if let Some(reason) = entry.left_out(&project, true) {
            println!("   not checked: {}: {reason}", entry.name);
            not_checked.push(&*entry.name);
        }
    }
    ensure!(unreadable.is_empty(), "{}", unreadable.join("\n"));
    as_expected(&not_checked, &NOT_CHECKED)?;
    println!("   {} trials", entries.len());
    Ok(())
}

fn as_expected(not_checked: &[&str], expected: &[&str]) -> Result<()> {
    let beyond = |these: &[&str], those: &[&str]| -> Vec<String> {
        let beyond = these.iter().filter(|name| !those.contains(name));
        beyond.map(|name| format!("`{name}`")).collect()
    };
    let dropped = beyond(not_checked, expected);
    ensure!(
        dropped.is_empty(),
        "no longer checked: {}; if that is intended, add it to NOT_CHECKED in xtask/src/check/project.rs",
        dropped.join(", ")
    );
    let checked = beyond(expected, not_checked);
    ensure!(
        checked.is_empty(),
        "checked or removed: {}; remove it from NOT_CHECKED in xtask/src/check/project.rs",
        checked.join(", ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{as_expected, parts};

    #[test]
    fn versions_are_compared_by_number() {
        assert!(parts("1.100") > parts("1.89"));
        assert_eq!(parts("1.89"), parts("1.89.0"));
    }

    #[test]
    fn a_case_that_drops_out_or_comes_back_is_reported() {
        as_expected(&["a"], &["a"]).expect("nothing changed");
        let dropped = as_expected(&["a", "b"], &["a"]).unwrap_err().to_string();
        assert!(dropped.starts_with("no longer checked: `b`;"), "{dropped}");
        let back = as_expected(&[], &["a"]).unwrap_err().to_string();
        assert!(back.starts_with("checked or removed: `a`;"), "{back}");
    }
}
