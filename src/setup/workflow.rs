//! Plans a CI workflow that replays every case.

use super::{ExistingFiles, Language, Plan};

/// A supported CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ci {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// The comment in the templates that the user replaces.
const INSTALL: &str = "# Install here what your logic needs to start.";
/// The step in its place, in a list of GitHub's steps and of GitLab's commands.
const PYTHON_INSTALL: [&str; 2] = [
    "- run: python -m venv .venv && .venv/bin/pip install -r requirements.txt",
    "- python -m venv .venv && .venv/bin/pip install -r requirements.txt",
];

pub(super) fn plan(plan: &mut Plan, existing: &ExistingFiles<'_>, ci: Ci, language: Language) {
    let is_rust = language == Language::Rust;
    let (file, text) = match (ci, is_rust) {
        (Ci::Github, true) => (
            ".github/workflows/replay.yml",
            include_str!("templates/ci/github-rust.yml"),
        ),
        (Ci::Github, false) => (
            ".github/workflows/replay.yml",
            include_str!("templates/ci/github.yml"),
        ),
        (Ci::Gitlab, true) => (
            ".gitlab/replay.yml",
            include_str!("templates/ci/gitlab-rust.yml"),
        ),
        (Ci::Gitlab, false) => (
            ".gitlab/replay.yml",
            include_str!("templates/ci/gitlab.yml"),
        ),
    };
    let text = match language {
        Language::Python if existing.has("requirements.txt") => {
            let [github, gitlab] = PYTHON_INSTALL;
            text.replace(INSTALL, if ci == Ci::Github { github } else { gitlab })
        }
        _ => text.to_owned(),
    };
    plan.create(existing, file, text);
    if ci == Ci::Gitlab {
        plan.notes.push(format!(
            "include it in .gitlab-ci.yml:\n  include:\n    - local: {file}"
        ));
    }
}
