//! `test`: the harness without cargo, its choices, and who else is told how the run ended.

use super::{CASES, Project, run_in};

/// Names of the cases that a run replayed or would replay.
fn names(out: &str) -> Vec<&str> {
    let lines = out.lines().filter_map(|line| {
        line.strip_suffix(": test").or_else(|| {
            let line = line.strip_prefix("test ")?;
            line.split_once(" ...").map(|(name, _)| name.trim_end())
        })
    });
    lines
        .filter(|name| *name != "snapshots::each_has_a_fixture")
        .collect()
}

fn listed(project: &Project, words: &[&str]) -> Vec<String> {
    let run = project.run(&[&["test", "--list"], words].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    names(&run.out).into_iter().map(str::to_owned).collect()
}

#[test]
fn every_case_is_replayed_on_logic_that_serves() {
    let project = Project::new();
    let run = project.run(&["test"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("replay: 3 closed, 1 open"), "{}", run.out);
    assert!(
        !project.path(".angzarr-replay/last-failed").exists(),
        "nothing failed, nothing is noted"
    );
}

#[test]
fn descriptors_are_compiled_once_for_all_runs() {
    let project = Project::new();
    let cache = project.path(".angzarr-replay/cache");
    let run = project.run(&["test", "--no-cache"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!cache.exists());

    let entries = || {
        let files = std::fs::read_dir(&cache).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("descriptors-"))
            .count()
    };
    let sets = std::fs::read_dir(project.path("fixtures/descriptors")).unwrap();
    // The project's own, the same with the framework's, and the sets of the cases.
    let all = 2 + sets.count();
    let mut kept = Vec::new();
    for case in [CASES, CASES].as_flattened() {
        let run = project.run(&["test", "--exact", case]);
        assert_eq!(run.code, Some(0), "{run:?}");
        kept.push(entries());
    }
    assert!(kept[0] > 2, "{kept:?}");
    assert_eq!(kept[CASES.len() - 1..], [all; CASES.len() + 1], "{kept:?}");
}

#[test]
fn cases_are_chosen_by_parts_of_names_and_as_fixtures() {
    let project = Project::new();
    assert_eq!(listed(&project, &[]), CASES);
    assert_eq!(listed(&project, &["deposited", "reserved"]), CASES[2..]);
    assert_eq!(listed(&project, &["fixtures/player/deposit-*"]), CASES[..2]);
    assert_eq!(
        listed(
            &project,
            &["fixtures/player/deposit-funds-6513270e-2.yaml", "reserved"]
        ),
        [CASES[0], CASES[3]]
    );
    assert_eq!(
        listed(&project, &["--exact", CASES[1], CASES[2]]),
        CASES[1..3]
    );
    let run = project.run(&["test", "fixtures/nothing.yaml"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.err
            .starts_with("error: fixtures/nothing.yaml: there is no file, folder or case"),
        "{}",
        run.err
    );
}

#[test]
fn parts_share_the_cases_out() {
    let project = Project::new();
    let mut all = [
        listed(&project, &["--shard", "1/2"]),
        listed(&project, &["--shard", "2/2"]),
    ]
    .concat();
    all.sort();
    assert_eq!(all, CASES);
    let run = project.run(&["test", "--shard", "3/2"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.err
            .contains("a part is I/N with I from 1 to N, such as 1/3"),
        "{}",
        run.err
    );
}

#[test]
fn what_failed_is_replayed_again_until_it_passes() {
    let project = Project::new();
    project.accept_wrong_balances();
    assert_eq!(project.run(&["test"]).code, Some(101));
    let run = project.run(&["test", "--last-failed"]);
    let mut replayed = names(&run.out);
    replayed.sort_unstable();
    assert_eq!(replayed, CASES[1..3], "{run:?}");
    assert_eq!(project.run(&["review", "--accept", "all"]).code, Some(0));
    assert_eq!(project.run(&["test", "--last-failed"]).code, Some(0));
    let run = project.run(&["test", "--last-failed"]);
    assert!(
        run.out
            .starts_with("no case failed in the last run: all are replayed\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("replay: 3 closed, 1 open"), "{}", run.out);
}

#[test]
fn no_case_is_started_after_one_failed_with_fail_fast() {
    let project = Project::new();
    project.accept_wrong_balances();
    let run = project.run(&["test", "--fail-fast", "--test-threads", "1"]);
    assert_eq!(run.code, Some(101), "{run:?}");
    assert!(run.out.contains("1 failed; 3 ignored"), "{}", run.out);
    assert!(run.out.contains("not replayed: --fail-fast"), "{}", run.out);
}

#[test]
fn files_without_a_fixture_are_deleted_on_demand() {
    let project = Project::new();
    let orphan = project.path("fixtures/player/gone.snap");
    std::fs::write(&orphan, "---\ninput_file: gone.yaml\n---\nx\n").unwrap();
    assert_eq!(project.run(&["test"]).code, Some(101));
    let run = project.run(&["test", "--delete-orphans"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.out.starts_with("deleted fixtures/player/gone.snap\n"),
        "{}",
        run.out
    );
    assert!(!orphan.exists());
}

#[test]
fn junit_has_every_case_with_its_file_and_message() {
    let project = Project::new();
    project.accept_wrong_balances();
    let run = project.run(&["test", "--junit", "results.xml"]);
    assert_eq!(run.code, Some(101), "{run:?}");
    let xml = std::fs::read_to_string(project.path("results.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures), (5, 2));
    let case = &report.test_suites[0].test_cases[1];
    assert_eq!(
        (
            case.name.as_str(),
            case.classname.as_ref().unwrap().as_str()
        ),
        (CASES[1], "player")
    );
    assert_eq!(
        case.extra["file"].as_str(),
        "fixtures/player/deposit-funds-d23f0824-3.yaml"
    );
    // The fixture has no `observed`, so the difference is about the command.
    assert_eq!(case.extra["line"].as_str(), "47");
    assert!(
        xml.contains(
            "message=\"fixtures/player/deposit-funds-d23f0824-3.yaml: the outcome changed"
        ),
        "{xml}"
    );

    let run = project.run(&["test", "--junit", "no-such-folder/results.xml"]);
    assert!(
        run.err
            .contains("error: no-such-folder/results.xml: cannot write the results: "),
        "{}",
        run.err
    );
}

#[test]
fn github_is_told_at_the_fixture_and_in_the_summary() {
    let project = Project::new();
    project.accept_wrong_balances();
    let summary = project.path("summary.md");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("CI", "true"),
    ];
    let run = run_in(project.folder.path(), &["test"], &variables);
    assert_eq!(run.code, Some(101), "{run:?}");
    let annotations: Vec<&str> = run
        .out
        .lines()
        .filter(|line| line.starts_with("::error "))
        .collect();
    assert_eq!(annotations.len(), 2, "{}", run.out);
    assert!(
        annotations[0].starts_with(
            "::error file=fixtures/player/deposit-funds-d23f0824-3.yaml,line=47,title=player%3A%3Adeposit-funds-d23f0824-3::title:"
        ),
        "{}",
        annotations[0]
    );
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(
        summary.contains(
            "| closed | open | not checked | failed |\n|---:|---:|---:|---:|\n| 1 | 1 | 0 | 2 |"
        ),
        "{summary}"
    );
    assert!(
        summary
            .contains("### field `new_balance.amount` of FundsDeposited changed\n\nin 2 cases\n"),
        "{summary}"
    );
    assert!(
        summary.contains("<code>player::deposit-funds-d23f0824-3</code>: fixtures/player/"),
        "{summary}"
    );
}

/// The line of a key at the beginning of a line, from 1.
fn line_of(text: &str, key: &str) -> usize {
    text.lines().position(|line| line.starts_with(key)).unwrap() + 1
}

#[test]
fn an_annotation_is_at_the_line_that_the_failure_is_about() {
    let project = Project::new();
    let file = |case: &str| {
        let (_, name) = case.rsplit_once("::").unwrap();
        project.path(&format!("fixtures/player/{name}.yaml"))
    };
    let read = |case: &str| std::fs::read_to_string(file(case)).unwrap();
    // Production is said to have answered something else: the open case no longer reproduces.
    let open = read(CASES[0]).replace("code: FAILED_PRECONDITION", "code: NOT_FOUND");
    assert_ne!(open, read(CASES[0]));
    std::fs::write(file(CASES[0]), &open).unwrap();
    // A closed case without a snapshot.
    std::fs::remove_file(file(CASES[1]).with_extension("snap")).unwrap();
    // A key that there is not, on a line of its own.
    let unreadable = read(CASES[2]).replace("cover:\n", "cover:\n  domian: player\n");
    std::fs::write(file(CASES[2]), &unreadable).unwrap();
    let variables = [("GITHUB_ACTIONS", "true"), ("CI", "true")];
    let run = run_in(
        project.folder.path(),
        &["test", "--junit", "results.xml"],
        &variables,
    );
    assert_eq!(run.code, Some(101), "{run:?}");
    let wanted = [
        (CASES[0], line_of(&open, "observed:")),
        (CASES[1], line_of(&read(CASES[1]), "status:")),
        (CASES[2], line_of(&unreadable, "  domian:")),
    ];
    let xml = std::fs::read_to_string(project.path("results.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    for (case, line) in wanted {
        let place = format!(
            "::error file=fixtures/{}.yaml,line={line},",
            case.replace("::", "/")
        );
        assert!(run.out.contains(&place), "{place}\n{}", run.out);
        let cases = &report.test_suites[0].test_cases;
        let found = cases.iter().find(|it| it.name.as_str() == case).unwrap();
        assert_eq!(found.extra["line"].as_str(), line.to_string(), "{case}");
    }
}

#[test]
fn a_case_whose_logic_is_gone_is_annotated_at_its_request() {
    let project = Project::new();
    std::fs::write(
        project.path("replay.toml"),
        "[logic.player]\naddress = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    let variables = [("GITHUB_ACTIONS", "true"), ("CI", "true")];
    let run = run_in(project.folder.path(), &["test"], &variables);
    assert_eq!(run.code, Some(101), "{run:?}");
    for (case, key) in [(CASES[0], "command:"), (CASES[3], "facts:")] {
        let file = format!("fixtures/{}.yaml", case.replace("::", "/"));
        let text = std::fs::read_to_string(project.path(&file)).unwrap();
        let place = format!("::error file={file},line={},", line_of(&text, key));
        assert!(run.out.contains(&place), "{place}\n{}", run.out);
    }
}

#[test]
fn a_case_that_never_ends_fails_at_its_deadline() {
    let project = Project::new();
    // Connections are accepted and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    std::fs::write(
        project.path("replay.toml"),
        format!("case_deadline = 1\n[logic.player]\naddress = \"{address}\"\n"),
    )
    .unwrap();
    let run = project.run(&["test", "--exact", CASES[0]]);
    assert_eq!(run.code, Some(101), "{run:?}");
    let message = "fixtures/player/deposit-funds-6513270e-2.yaml: it took longer than 1 s, the `case_deadline` in replay.toml\n";
    assert!(run.out.contains(message), "{}", run.out);
}
