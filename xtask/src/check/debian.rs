//! Debian's packages, for steps that need programs which no language's own registry offers.

use std::path::Path;

use anyhow::{Context, Result};

use super::shell::{Shell, run};

/// Installs packages, or fails with the reason why they are needed.
pub(super) fn install(shell: &Shell, packages: &[&str], reason: &'static str) -> Result<()> {
    println!("   installing {} with apt-get", packages.join(", "));
    let mut install = if Path::new("/usr/bin/sudo").is_file() {
        let mut sudo = shell.program("sudo");
        sudo.args(["--non-interactive", "apt-get"]);
        sudo
    } else {
        shell.program("apt-get")
    };
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut install).context(reason)
}
