//! How this program was called: hints and usage name it as the user knows it.

use std::fmt;
use std::sync::OnceLock;

/// A way to call this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// As `cargo test`, and under an alias of cargo such as `cargo xtask`, in a Rust workspace.
    Cargo(&'static str),
    /// As `angzarr-replay`, the program that needs no Rust.
    Standalone,
}

/// Set once by the main. Messages are worded in many layers, and a process has one name.
static CALLED: OnceLock<Program> = OnceLock::new();

/// Sets how this process was called; the first call counts.
pub(crate) fn set_program(program: Program) {
    let _ = CALLED.set(program);
}

/// How this process was called; `cargo xtask` until a main says otherwise.
pub(crate) fn program() -> Program {
    CALLED
        .get()
        .copied()
        .unwrap_or(Program::Cargo("cargo xtask"))
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Program {
    /// What comes before a command: `cargo xtask` of `cargo xtask capture`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cargo(name) => name,
            Self::Standalone => "angzarr-replay",
        }
    }

    /// What replays every case.
    pub(crate) const fn test(self) -> &'static str {
        match self {
            Self::Cargo(_) => "cargo test",
            Self::Standalone => "angzarr-replay test",
        }
    }
}
