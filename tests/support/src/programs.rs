//! Programs that tests start.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this workspace.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("this crate is two folders below the workspace")
        .to_owned()
}

/// Program in a folder, without the variables that change what our mains do: nothing that a person or a CI sets for the tests
/// reaches the projects that the tests make.
pub fn program(path: impl AsRef<Path>, folder: &Path) -> Command {
    const OURS: [&str; 8] = [
        "ANGZARR_", "INSTA_", "CI", "NEXTEST", "TF_BUILD", "NO_COLOR", "CLICOLOR", "COLUMNS",
    ];

    let mut command = Command::new(path.as_ref());
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OURS.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}
