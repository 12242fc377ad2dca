//! The steps, the fastest first.

use anyhow::Result;

use super::shell::{Shell, run};
use super::tools::{CARGO_DENY, CARGO_INSTA, CARGO_NEXTEST, ensure, ensure_component};
use super::{
    debuggers, door, generated, instructions, kubernetes, npm, pictures, postgres, project, python,
    tutorial, workflows,
};

/// One step of the check.
pub(super) struct Step {
    /// Name, for `--only`.
    pub(super) name: &'static str,
    /// What it checks.
    pub(super) about: &'static str,
    /// Whether its output ends with a summary.
    pub(super) has_a_summary: bool,
    /// Runs it; the error says what is wrong.
    pub(super) run: fn(&Shell) -> Result<()>,
}

/// All steps. The output of the last one is also the end of CI's output.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "rustfmt would change nothing",
        has_a_summary: false,
        run: format,
    },
    Step {
        name: "msrv",
        about: "every package states the same rust-version, and no dependency requires a newer one",
        has_a_summary: false,
        run: project::rust_version,
    },
    Step {
        name: "features",
        about: "`cargo test` builds no dependency again that `cargo xtask` has built",
        has_a_summary: false,
        run: project::features,
    },
    Step {
        name: "generated",
        about: "docs/cli.md matches the help of the command line",
        has_a_summary: false,
        run: generated::compare,
    },
    Step {
        name: "workflows",
        about: "the GitHub workflows, also those that `init` writes, have no mistakes, by actionlint",
        has_a_summary: false,
        run: workflows::lint,
    },
    Step {
        name: "kubernetes",
        about: "the Kubernetes manifests fit the API's published schemas and need no privileges, by kubernetes-validate",
        has_a_summary: false,
        run: kubernetes::validate,
    },
    Step {
        name: "clippy",
        about: "no warnings",
        has_a_summary: false,
        run: clippy,
    },
    Step {
        name: "docs",
        about: "the documentation builds without warnings, its examples run, and the public interface stays small",
        has_a_summary: false,
        run: docs,
    },
    Step {
        name: "fuzz",
        about: "the fuzz targets compile",
        has_a_summary: false,
        run: fuzz,
    },
    Step {
        name: "licences",
        about: "licences, sources and banned crates, by cargo-deny",
        has_a_summary: false,
        run: licences,
    },
    Step {
        name: "pictures",
        about: "the picture of a terminal in the README shows what a run prints today",
        has_a_summary: false,
        run: pictures::check,
    },
    Step {
        name: "peers",
        about: "every fixture passes on the Python peer too, which is installed if needed",
        has_a_summary: false,
        run: python::peers,
    },
    Step {
        name: "debuggers",
        about: "breakpoints hold a replay in logic in Python, Rust and Go; the debuggers are installed if needed",
        has_a_summary: false,
        run: debuggers::check,
    },
    Step {
        name: "wheel",
        about: "the tutorial in Python, with the installed wheel and without cargo; its result is examples/python-team",
        has_a_summary: false,
        run: tutorial::in_python,
    },
    Step {
        name: "workspace",
        about: "the tutorial in Rust, in a workspace that `init` sets up, with cargo test, nextest and insta",
        has_a_summary: false,
        run: tutorial::in_rust,
    },
    Step {
        name: "fixtures",
        about: "every fixture can be read; unchecked ones are listed",
        has_a_summary: false,
        run: project::fixtures,
    },
    Step {
        name: "audit",
        about: "no fixture or recording seems to contain a secret or personal data",
        has_a_summary: false,
        run: audit,
    },
    Step {
        name: "drift",
        about: "`buf breaking` finds the same rules as `drift`, in a table of changes",
        has_a_summary: false,
        run: drift,
    },
    Step {
        name: "instructions",
        about: "the hot paths take as many instructions as benches/instructions.txt says, by callgrind; it is installed if needed",
        has_a_summary: false,
        run: instructions::check,
    },
    Step {
        name: "postgres",
        about: "an event store in a real Postgres is read like one in SQLite, and never written; Postgres is installed if needed",
        has_a_summary: false,
        run: postgres::check,
    },
    Step {
        name: "scenarios",
        about: "scenarios: a fresh clone, changed rules, CI, cargo insta, cargo nextest",
        has_a_summary: false,
        run: scenarios,
    },
    Step {
        name: "nextest",
        about: "every test passes in a process of its own",
        has_a_summary: true,
        run: nextest,
    },
];

fn format(shell: &Shell) -> Result<()> {
    ensure_component(shell, "fmt", "rustfmt")?;
    run(&mut shell.cargo(&["fmt", "--all", "--check"]))?;
    for folder in ["fuzz", "benches/peers/cqrs-es", "benches/peers/temporal"] {
        run(shell
            .cargo(&["fmt", "--check"])
            .current_dir(shell.at(folder)))?;
    }
    Ok(())
}

fn clippy(shell: &Shell) -> Result<()> {
    ensure_component(shell, "clippy", "clippy")?;
    run(&mut shell.cargo(&[
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn docs(shell: &Shell) -> Result<()> {
    // Removes pages of items that are no longer public, which would be counted.
    for name in door::CRATES {
        let _ = std::fs::remove_dir_all(shell.at("target/doc").join(name));
    }
    let build = [
        "doc",
        "--quiet",
        "--locked",
        "--workspace",
        "--no-deps",
        "--features",
        "angzarr-failure-tickets/redaction",
    ];
    run(shell.cargo(&build).env("RUSTDOCFLAGS", "-D warnings"))?;
    door::count(shell)?;
    // nextest does not run the examples in the documentation.
    run(&mut shell.cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"]))
}

fn fuzz(shell: &Shell) -> Result<()> {
    let mut check = shell.cargo(&["check", "--quiet", "--locked"]);
    // `cargo check` does not link, so any existing file will do, and the C++ of libFuzzer need not be compiled.
    check
        .current_dir(shell.at("fuzz"))
        .env("CUSTOM_LIBFUZZER_PATH", shell.at("fuzz/Cargo.toml"))
        // The same setting as in the workspace, to share its artifacts.
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    run(&mut check)
}

fn licences(shell: &Shell) -> Result<()> {
    ensure(shell, &CARGO_DENY)?;
    run(&mut shell.cargo(&[
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}

fn audit(shell: &Shell) -> Result<()> {
    let audit = [
        "xtask",
        "audit",
        "fixtures",
        "tests/fixtures",
        "examples/poker/recorded",
    ];
    run(&mut shell.cargo(&audit))
}

fn drift(shell: &Shell) -> Result<()> {
    const TOOL: &str = "target/tools/buf";
    // The rules depend on its version.
    npm::install(shell, TOOL, "@bufbuild/buf@1.75.0")?;
    let compare = [
        "test",
        "--quiet",
        "--locked",
        "--test",
        "suite",
        "buf_finds_the_same_rules",
        "--",
        "--ignored",
    ];
    let buf = shell.at(TOOL).join("node_modules/.bin/buf");
    run(shell.cargo(&compare).env("BUF", buf))
}

fn scenarios(shell: &Shell) -> Result<()> {
    ensure(shell, &CARGO_INSTA)?;
    ensure(shell, &CARGO_NEXTEST)?;
    // One thread, because all of them wait for the same build folder anyway.
    run(&mut shell.cargo(&[
        "test",
        "--quiet",
        "--locked",
        "--test",
        "real_tools",
        "--",
        "--ignored",
        "--test-threads=1",
    ]))
}

fn nextest(shell: &Shell) -> Result<()> {
    ensure(shell, &CARGO_NEXTEST)?;
    run(&mut shell.cargo(&["nextest", "run", "--locked", "--workspace"]))
}
