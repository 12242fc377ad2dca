//! `init`: exactly what a project needs, nothing overwritten.

use std::path::Path;

use super::{Run, run_in};

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            entry
                .path()
                .strip_prefix(folder)
                .unwrap()
                .display()
                .to_string()
        })
        .collect()
}

fn init(folder: &Path, words: &[&str]) -> Run {
    let run = run_in(folder, &[&["init"], words].concat(), &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    run
}

#[test]
fn a_python_repository_gets_configuration_and_no_rust() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "requirements.txt", "grpcio\n");
    write(folder, "proto/a.proto", "syntax = \"proto3\";\n");
    write(folder, ".gitignore", "*.snap.new\n__pycache__/");
    let run = init(folder, &[]);
    assert_eq!(
        files(folder),
        [
            ".gitignore",
            "proto/a.proto",
            "replay.toml",
            "requirements.txt"
        ]
    );
    assert_eq!(
        read(folder, ".gitignore"),
        "*.snap.new\n__pycache__/\n\n# angzarr-replay: outcomes to review, settings and notes of one machine\n\
         *.pending-snap\n/replay.local.toml\n/.angzarr-replay/\n"
    );
    let configuration = read(folder, "replay.toml");
    assert!(
        configuration.contains("\ndescriptors = [\"proto\"]\n"),
        "{configuration}"
    );
    assert!(
        configuration.contains("# command = [\".venv/bin/python\", \"player.py\"]\n"),
        "{configuration}"
    );
    assert!(
        run.out
            .starts_with("wrote replay.toml\nchanged .gitignore\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("\n  +/replay.local.toml\n"), "{}", run.out);
    assert!(
        run.out.contains("  angzarr-replay capture ROOT"),
        "{}",
        run.out
    );

    let again = init(folder, &[]);
    assert_eq!(again.out, "nothing to do: everything is there\n");
    assert_eq!(again.err, "note: replay.toml is there and stays as it is\n");
    assert_eq!(read(folder, "replay.toml"), configuration);
}

#[test]
fn what_init_wrote_is_a_valid_configuration_in_every_language() {
    for mark in [
        "Cargo.toml",
        "pyproject.toml",
        "go.mod",
        "pom.xml",
        "App.csproj",
        "package.json",
        "README",
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), mark, "");
        init(folder.path(), &[]);
        let run = run_in(folder.path(), &["doctor"], &[]);
        assert!(
            run.out.starts_with("ok    configuration"),
            "{mark}: {run:?}"
        );
        // With every choice taken that is written as a comment, too.
        let text = read(folder.path(), "replay.toml");
        let is_key = |line: &&str| line.contains(" = ") || line.starts_with("# [");
        let taken: Vec<&str> = text
            .lines()
            .filter(is_key)
            .filter(|line| !line.starts_with("# Or ") && !line.starts_with("#   "))
            .map(|line| line.trim_start_matches("# "))
            .collect();
        write(folder.path(), "replay.toml", &taken.join("\n"));
        let run = run_in(folder.path(), &["doctor"], &[]);
        assert!(
            run.out.starts_with("ok    configuration"),
            "{mark}: {run:?}\n{}",
            taken.join("\n")
        );
    }
}

#[test]
fn a_rust_workspace_gets_a_package_and_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let manifest = "# ours\n[workspace]\nresolver = \"3\"   # the newest\nmembers = [\n    \"a\", # first\n    \"b\",\n]\n";
    write(folder, "Cargo.toml", manifest);
    write(
        folder,
        ".cargo/config.toml",
        "[alias]\nxtask = \"run --package xtask --\" # others\n",
    );
    let run = init(folder, &[]);
    assert_eq!(
        read(folder, "Cargo.toml"),
        manifest.replace("    \"b\",\n", "    \"b\",\n    \"replay\",\n")
    );
    assert_eq!(
        read(folder, ".cargo/config.toml"),
        "[alias]\nxtask = \"run --package xtask --\" # others\nreplay = \"run --quiet --package replay --\"\n"
    );
    for file in [
        "replay/Cargo.toml",
        "replay/src/lib.rs",
        "replay/src/main.rs",
        "replay/tests/replay.rs",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(
        run.out.contains("  cargo replay capture ROOT"),
        "{}",
        run.out
    );
    let again = init(folder, &[]);
    assert_eq!(again.out, "nothing to do: everything is there\n");
}

#[test]
fn a_single_package_becomes_a_workspace() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
    write(folder.path(), "Cargo.toml", manifest);
    init(folder.path(), &[]);
    assert_eq!(
        read(folder.path(), "Cargo.toml"),
        format!("{manifest}\n[workspace]\nmembers = [\"replay\"]\n")
    );
}

#[test]
fn a_manifest_that_cannot_be_read_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "Cargo.toml", "[package]\nname = \n");
    let run = run_in(folder.path(), &["init"], &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.err
            .starts_with("error: Cargo.toml: not a manifest that can be edited: line 2: "),
        "{}",
        run.err
    );
    assert_eq!(files(folder.path()), ["Cargo.toml"]);
}

#[test]
fn an_editor_and_a_workflow_come_on_demand_and_existing_settings_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "go.mod", "module a\n");
    write(folder, ".vscode/settings.json", "{\n  // mine\n}\n");
    let dry = init(
        folder,
        &["--editor", "vscode", "--ci", "github", "--dry-run"],
    );
    assert_eq!(files(folder), [".vscode/settings.json", "go.mod"]);
    assert!(
        dry.out
            .contains("would write .github/workflows/replay.yml\n"),
        "{}",
        dry.out
    );
    let run = init(folder, &["--editor", "vscode", "--ci", "github"]);
    assert_eq!(read(folder, ".vscode/settings.json"), "{\n  // mine\n}\n");
    assert!(
        run.err
            .contains("note: .vscode/settings.json is there and stays as it is; add by hand:\n"),
        "{}",
        run.err
    );
    let launch: serde_json::Value =
        serde_json::from_str(&read(folder, ".vscode/launch.json")).unwrap();
    assert_eq!(launch["configurations"][0]["type"], "go");
    let schema = read(folder, ".vscode/fixture-1.schema.json");
    assert!(serde_json::from_str::<serde_json::Value>(&schema).is_ok());
    assert!(
        read(folder, ".github/workflows/replay.yml")
            .contains("angzarr-replay test --junit replay.xml")
    );
}

#[test]
fn gitlab_is_told_where_the_results_are_and_the_documentation_shows_the_same_job() {
    let job = |mark: &str| -> serde_yaml::Value {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), mark, "");
        let run = init(folder.path(), &["--ci", "gitlab"]);
        assert!(
            run.err.contains("include it in .gitlab-ci.yml:")
                || run.out.contains("include it in .gitlab-ci.yml:"),
            "{run:?}"
        );
        serde_yaml::from_str(&read(folder.path(), ".gitlab/replay.yml")).unwrap()
    };
    let python = job("pyproject.toml");
    let script = python["replay"]["script"].as_sequence().unwrap();
    assert_eq!(
        script.last().unwrap(),
        "angzarr-replay test --junit replay.xml"
    );
    assert_eq!(
        python["replay"]["artifacts"]["reports"]["junit"],
        "replay.xml"
    );
    // `cargo test` runs in the folder of the package.
    let rust = job("Cargo.toml");
    let script = rust["replay"]["script"][0].as_str().unwrap();
    assert!(
        script.ends_with(" --package replay --test replay -- --junit replay.xml"),
        "{script}"
    );
    assert_eq!(
        rust["replay"]["artifacts"]["reports"]["junit"],
        "replay/replay.xml"
    );

    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/snapshots-and-ci.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```yaml fragment\nreplay:").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let shown: serde_yaml::Value = serde_yaml::from_str(&format!("replay:{block}")).unwrap();
    assert_eq!(shown, python);
}

#[test]
fn a_coordinator_tells_its_domains_and_what_its_package_may_be() {
    let running = poker::deployment().start().unwrap();
    let (domain, address) = running.addresses().into_iter().next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = init(folder.path(), &["--source", &address.to_string()]);
    let text = read(folder.path(), "replay.toml");
    assert!(
        text.contains(&format!("[sources.production]\naddress = \"{address}\"\n")),
        "{text}"
    );
    assert!(text.contains(&format!("\"{domain}\"")), "{text}");
    assert!(text.contains(&format!("# [logic.{domain}]\n")), "{text}");
    assert!(
        run.out.contains("say in replay.toml where your logic is"),
        "{}",
        run.out
    );

    let run = run_in(folder.path(), &["init", "--source", "127.0.0.1:9"], &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.err.starts_with("error: ") && run.err.contains("127.0.0.1:9"),
        "{}",
        run.err
    );
}

#[test]
fn a_configuration_is_not_for_what_reads_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["--config", "other.toml", "init"], &[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(
        run.err,
        "error: `init` and `completions` read no configuration; leave out --config\n"
    );
    assert_eq!(files(folder.path()), [""; 0]);
}
