//! The environment that started processes inherit: ours, without some variables.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;
use std::sync::Mutex;

use crate::group::locked;

/// Variables that no started process inherits.
static WITHHELD: Mutex<BTreeSet<OsString>> = Mutex::new(BTreeSet::new());

/// Withholds a variable from every process that is started from now on, unless its command sets it.
pub fn withhold(variable: &str) {
    locked(&WITHHELD).insert(variable.into());
}

/// Removes withheld variables, and those in which `cargo run` and `cargo test` describe our own package: a cargo in the
/// started process would take them for changes and rebuild everything that depends on them.
pub(crate) fn remove_ours(command: &mut Command) {
    let set_by_command: Vec<OsString> = command
        .get_envs()
        .map(|(name, _)| name.to_owned())
        .collect();
    let withheld = locked(&WITHHELD);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_ours = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || withheld.contains(&name);
        if is_ours && !set_by_command.contains(&name) {
            command.env_remove(&name);
        }
    }
}
