//! What users do, with the tools they use: cargo, cargo-insta, cargo-nextest and git, on copies of this workspace.
//!
//! Ignored by `cargo test`, because they build for minutes and need those tools: `cargo xtask check` installs them and
//! runs these.

mod changed_rule;
mod quick_start;
mod runners;
mod support;
