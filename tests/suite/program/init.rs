//! `init`: exactly what a project needs, nothing overwritten.

use std::path::Path;

use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::serving::{RequestedStore, ServeRequest, serve};
use angzarr_replay::internal::wire::Dialect;

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
        manifest.replace("    \"b\",\n", "    \"b\",\n    \"replay\",\n") + OPTIMISED
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

/// What `init` appends to the manifest of a workspace.
const OPTIMISED: &str = "
# `cargo test` replays twice as many cases a second with these.
[profile.dev.package.angzarr-replay-yaml]
opt-level = 2

[profile.dev.package.yaml_serde]
opt-level = 2

[profile.dev.package.prost-reflect]
opt-level = 1
";

#[test]
fn profiles_that_a_workspace_has_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let workspace = "[workspace]\nmembers = [\"replay\"]\n\n";
    let all = format!("{workspace}[profile.dev.package.\"*\"]\nopt-level = 1\n");
    write(folder, "Cargo.toml", &all);
    init(folder, &[]);
    assert_eq!(read(folder, "Cargo.toml"), all);

    let own = format!("{workspace}[profile.dev.package.yaml_serde]\nopt-level = 3\n");
    write(folder, "Cargo.toml", &own);
    init(folder, &[]);
    let changed = read(folder, "Cargo.toml");
    assert!(changed.starts_with(&own), "{changed}");
    assert_eq!(changed.matches("yaml_serde").count(), 1, "{changed}");
    assert!(
        changed.contains("angzarr-replay-yaml]\nopt-level = 2\n"),
        "{changed}"
    );
}

#[test]
fn a_single_package_becomes_a_workspace_and_its_library_a_dependency() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
    write(folder, "Cargo.toml", manifest);
    write(folder, "src/lib.rs", "");
    init(folder, &[]);
    assert_eq!(
        read(folder, "Cargo.toml"),
        format!(
            "{manifest}\n[workspace]\nmembers = [\"replay\"]\ndefault-members = [\".\", \"replay\"]\n{OPTIMISED}"
        )
    );
    let own = read(folder, "replay/Cargo.toml");
    assert!(
        own.contains("\nangzarr-replay = \"0.1\"\na = { path = \"..\" }\n\n"),
        "{own}"
    );
}

#[test]
fn cargo_run_keeps_its_meaning_in_a_package_with_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
    write(folder, "Cargo.toml", manifest);
    write(folder, "src/main.rs", "");
    let run = init(folder, &[]);
    assert_eq!(
        read(folder, "Cargo.toml"),
        format!("{manifest}\n[workspace]\nmembers = [\"replay\"]\n{OPTIMISED}")
    );
    assert_eq!(
        run.err,
        "note: `cargo test` still tests the root package alone; `cargo test --workspace` also replays the cases\n"
    );
    assert!(!read(folder, "replay/Cargo.toml").contains("path"));
}

#[test]
fn the_libraries_of_a_workspace_are_suggested() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "Cargo.toml",
        "[workspace]\nmembers = [\"./account/\", \"server\", \"missing\"]\n",
    );
    for name in ["account", "server"] {
        let manifest = format!("[package]\nname = \"bank-{name}\"\n");
        write(folder, &format!("{name}/Cargo.toml"), &manifest);
    }
    write(folder, "account/src/lib.rs", "");
    init(folder, &[]);
    let own = read(folder, "replay/Cargo.toml");
    assert!(
        own.contains(
            "\n# Where your logic is, if it runs in process:\n# bank-account = { path = \"../account\" }\n\n"
        ),
        "{own}"
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
    assert!(
        run.err.contains("\n  [logic.player.debug]\n"),
        "{}",
        run.err
    );
    // The schemas are the program's own, so that a user needs no clone, and replay.toml names its own.
    for (word, file) in [
        ("fixture", ".vscode/fixture-1.schema.json"),
        ("config", ".vscode/replay-toml.schema.json"),
    ] {
        let printed = run_in(folder, &["schema", word], &[]);
        assert!(
            !printed.out.is_empty() && read(folder, file) == printed.out,
            "{file}"
        );
    }
    let configuration = read(folder, "replay.toml");
    let (first, _) = configuration.split_once('\n').unwrap();
    assert_eq!(first, "#:schema ./.vscode/replay-toml.schema.json");
    let again = init(folder, &["--editor", "vscode"]);
    assert!(
        again.err.contains(
            "note: for completion in replay.toml, make this its first line:\n#:schema ./.vscode/replay-toml.schema.json\n"
        ),
        "{}",
        again.err
    );
    assert!(
        read(folder, ".github/workflows/replay.yml")
            .contains("angzarr-replay test --junit replay.xml")
    );
}

/// The keys that each debugger's extension requires for attaching, and what says where.
#[test]
fn every_launch_configuration_has_the_keys_of_its_debugger() {
    let cases = [
        ("setup.py", "debugpy", "/connect/port"),
        ("go.mod", "go", "/port"),
        ("pom.xml", "java", "/port"),
        ("package.json", "node", "/port"),
        ("global.json", "coreclr", "/processId"),
        ("Cargo.toml", "lldb", "/pid"),
    ];
    for (mark, debugger, place) in cases {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, mark, "");
        let run = init(folder, &["--editor", "vscode"]);
        let launch: serde_json::Value =
            serde_json::from_str(&read(folder, ".vscode/launch.json")).unwrap();
        assert_eq!(launch["version"], "0.2.0", "{mark}");
        let configurations = launch["configurations"].as_array().unwrap();
        assert_eq!(configurations.len(), 1, "{mark}");
        let configuration = &configurations[0];
        assert_eq!(configuration["type"], debugger, "{mark}");
        assert_eq!(configuration["request"], "attach", "{mark}");
        let place = configuration.pointer(place).unwrap();
        // The same place as in the command that is printed beside it.
        if let Some(port) = place.as_u64() {
            assert!(run.err.contains(&format!("127.0.0.1:{port}")), "{run:?}");
        } else {
            assert!(place.as_str().unwrap().starts_with("${command:pick"));
        }
        // The attach text names the configuration.
        let name = configuration["name"].as_str().unwrap();
        assert!(run.err.contains(&format!("`{name}`")), "{run:?}");
    }
}

#[test]
fn a_workflow_installs_the_requirements_and_the_debugger_gets_the_known_logic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "requirements.txt", "grpcio\n");
    write(
        folder,
        "replay.toml",
        "[logic.account]\ncommand = [\"a\"]\n",
    );
    let run = init(folder, &["--editor", "vscode", "--ci", "github"]);
    assert!(
        run.err.contains("\n  [logic.account.debug]\n") && run.err.contains("\"account.py\"]"),
        "{}",
        run.err
    );
    let install = "- run: python -m venv .venv && .venv/bin/pip install -r requirements.txt\n";
    let workflow = read(folder, ".github/workflows/replay.yml");
    assert!(
        workflow.contains(&format!("\n      {install}")),
        "{workflow}"
    );
    // The project is set up already.
    assert!(!run.out.contains("next:"), "{}", run.out);
    init(folder, &["--ci", "gitlab"]);
    let workflow = read(folder, ".gitlab/replay.yml");
    let install = install.replace("run: ", "");
    assert!(workflow.contains(&format!("\n    {install}")), "{workflow}");
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
    // Where a user looks for it: the way to the event store.
    assert!(text.contains("#   store_connect = [\"kubectl\""), "{text}");

    let store = "postgres://me:hidden@127.0.0.1/angzarr";
    let run = run_in(folder.path(), &["init", "--source", store], &[]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.err.trim_end(),
        "error: --source takes the address of a coordinator, and this is an event store: run `init` without --source, and name the \
         store in replay.toml, under `store`"
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
fn every_domain_of_a_source_gets_a_table_for_its_logic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let demo = Project::open(poker::app(), folder).unwrap();
    let request = ServeRequest {
        port: 0,
        store: RequestedStore::Demo,
        dialect: Dialect::ANGZARR,
        logic: Vec::new(),
        components: Vec::new(),
    };
    let served = serve(&demo, &request).unwrap();
    write(folder, "Cargo.toml", "[workspace]\nmembers = []\n");
    init(folder, &["--source", &served.address().to_string()]);
    let text = read(folder, "replay.toml");
    let tables: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("# [logic."))
        .collect();
    assert_eq!(
        tables,
        ["# [logic.hand]", "# [logic.player]", "# [logic.table]"]
    );
    let library = read(folder, "replay/src/lib.rs");
    assert!(library.contains("`.logic(\"hand\", logic)`"), "{library}");
}

#[test]
fn a_configuration_is_not_for_what_reads_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["--config", "other.toml", "init"], &[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(
        run.err,
        "error: `init`, `completions` and `schema` read no configuration; leave out --config\n"
    );
    assert_eq!(files(folder.path()), [""; 0]);
}
