//! A terminal for programs that tests start.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What a program did on a terminal.
pub struct TerminalRun {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its output and its errors, in the order in which they were written.
    pub text: String,
}

/// Runs a program with all its streams on a terminal of this width.
#[must_use]
pub fn run_on_terminal(command: Command, columns: u16) -> TerminalRun {
    attended(command, columns, &mut |_| None)
}

/// The same with somebody who reads along: `attend` receives the output so far, and returns what to type.
#[must_use]
pub fn attended(
    mut command: Command,
    columns: u16,
    attend: &mut dyn FnMut(&str) -> Option<String>,
) -> TerminalRun {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&controller, size).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    command
        .env("TERM", "xterm-256color")
        .stdin(Stdio::from(terminal.try_clone().unwrap()))
        .stdout(Stdio::from(terminal.try_clone().unwrap()))
        .stderr(Stdio::from(terminal));
    let mut child = command.spawn().unwrap();
    // The terminal ends when the program has closed it; this process must not hold it open.
    drop(command);
    let mut bytes = Vec::new();
    let mut controller = File::from(controller);
    let mut buffer = [0; 4096];
    // The end is an error on Linux, and not on other systems.
    while let Ok(read @ 1..) = controller.read(&mut buffer) {
        bytes.extend(&buffer[..read]);
        if let Some(keys) = attend(&String::from_utf8_lossy(&bytes)) {
            controller.write_all(keys.as_bytes()).unwrap();
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    TerminalRun {
        code: child.wait().unwrap().code(),
        text: text.replace("\r\n", "\n"),
    }
}
