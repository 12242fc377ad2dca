//! Production: the embedded demo, served by this program in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::check::shell::Shell;

/// The served demo; ends when dropped.
pub(super) struct Production {
    process: Child,
    address: String,
    /// Without configuration, so that the demo's own is served.
    _folder: TempDir,
}

impl Production {
    /// Serves the demo on a free port.
    pub(super) fn start(shell: &Shell) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // By its path: earlier steps may have built this very program anew, and its own file is then deleted.
        let name = format!("target/debug/xtask{}", std::env::consts::EXE_SUFFIX);
        let program = shell.at(&name);
        let mut process = Command::new(program)
            .args(["serve", "--port", "0"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the demo")?;
        let output = process.stdout.take().expect("it is piped");
        let mut started = Self {
            process,
            address: String::new(),
            _folder: folder,
        };
        for line in BufReader::new(output).lines() {
            if let Some(address) = address_in(&line?) {
                address.clone_into(&mut started.address);
                return Ok(started);
            }
        }
        bail!("the demo ended before it served")
    }

    /// Where it serves.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Production {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `127.0.0.1:1310` of `serving the embedded demo, in memory, on 127.0.0.1:1310, dialect angzarr; …`.
fn address_in(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix("serving ")?.split_once(" on ")?;
    rest.split(',').next()
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_read_from_the_line_that_tells_it() {
        let line = "serving the embedded demo, in memory, on 127.0.0.1:1310, dialect angzarr; end with Ctrl-C";
        assert_eq!(address_in(line), Some("127.0.0.1:1310"));
        assert_eq!(address_in("player: player (in process)"), None);
    }
}
