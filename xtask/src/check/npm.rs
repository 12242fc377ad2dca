//! Tools from npm, each in a folder of its own below `target/tools`.

use anyhow::{Context, Result, ensure};

use super::shell::{Shell, output_of, run};

/// Installs a package, given as `name@version`, unless the folder has this version.
pub(super) fn install(shell: &Shell, folder: &str, package: &str) -> Result<()> {
    ensure!(
        output_of(shell.program("npm").arg("--version")).is_some(),
        "{package} needs Node.js 18 or newer with npm"
    );
    std::fs::create_dir_all(shell.at(folder)).with_context(|| format!("cannot make {folder}"))?;
    // A copy of the installed package's name and version.
    let stamp = shell.at(folder).join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == package) {
        return Ok(());
    }
    println!("   installing {package} below target/tools");
    let options = [
        "install",
        "--silent",
        "--no-save",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--prefix",
        folder,
        package,
    ];
    run(shell.program("npm").args(options)).with_context(|| {
        format!("{package} is needed but cannot be installed (is there a network?)")
    })?;
    std::fs::write(&stamp, package).with_context(|| format!("cannot write {}", stamp.display()))
}
