//! Flows whose player answers in Python, beside a saga and a table in Rust: the committed snapshots.

use std::path::{Path, PathBuf};

use angzarr_replay::internal::project::{Project, ReplayOptions};
use angzarr_replay::internal::snapshot::stored;

/// A project in which the domain `player` is the Python player's, and nobody else's.
fn project(folder: &Path) -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".venv/bin/python");
    assert!(
        python.exists(),
        "the peer needs {}: see examples/poker-python/README.md",
        python.display()
    );
    let configured = format!(
        "fixtures = '{root}/fixtures'\ndescriptors = ['{root}/examples/poker/proto']\n\
         [[rules]]\ntype = 'examples.*'\nfield = '*_at'\nreason = \"the handler's clock\"\n\
         [logic.player]\ncommand = ['{python}', 'examples/poker-python/player.py']\ndirectory = '{root}'\n\
         [logic.player-table]\nkind = 'saga'\nin_process = 'player-table'\n\
         subscriptions = {{ player = ['examples.FundsReserved'] }}\n",
        root = root.display(),
        python = python.display(),
    );
    std::fs::write(folder.join("replay.toml"), configured).unwrap();
    Project::open(poker::app(), folder).unwrap()
}

fn flows(project: &Project) -> Vec<PathBuf> {
    let below = std::fs::read_dir(project.folder().root().join("flow")).unwrap();
    let mut flows: Vec<PathBuf> = below.map(|entry| entry.unwrap().path()).collect();
    flows.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    flows.sort();
    flows
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn flows_over_a_python_aggregate_have_the_committed_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let flows = flows(&project);
    assert!(flows.len() >= 2, "{flows:?}");
    for path in flows {
        let fixture = project.folder().read(&path).unwrap();
        let logic = project.logics().of_case(&fixture.case).unwrap().unwrap();
        assert!(logic.describe().contains("python"), "{}", logic.describe());
        let run = project.replay(&fixture, &ReplayOptions::default()).unwrap();
        let accepted = stored::accepted(&Project::snapshot_path(&path)).unwrap();
        let (today, accepted) = (run.text().unwrap(), accepted.unwrap());
        assert_eq!(today.trim_end(), accepted, "{}", path.display());
    }
}
